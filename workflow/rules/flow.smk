rule flow:
    input:
        unpack(lambda w: plan.inputs("flow", w.name)),
    output:
        flow=plan.path("flows", "{name}.safetensors"),
        record=plan.path("records", "flow/{name}.json"),
    log:
        plan.path("logs", "flow/{name}.log"),
    conda:
        "../../environment.yml"
    threads: plan.config.threads
    resources:
        gpu=plan.gpus,
    params:
        spec=lambda w: plan.spec("flow", w.name),
        device=plan.config.device,
        sources=lambda w: plan.sources("flow", w.name),
    shell:
        "wowbench flow --spec {params.spec:q} --draw {input.draw:q} --out {output.flow:q} "
        "--record {output.record:q} --device {params.device:q} --allow-divergence 2> {log:q}"
