rule evaluate:
    input:
        unpack(lambda w: plan.inputs("evaluate", w.name)),
    output:
        plan.path("records", "evaluate/{name}.json"),
    log:
        plan.path("logs", "evaluate/{name}.log"),
    conda:
        "wowbench"
    threads: plan.config.threads
    resources:
        gpu=plan.gpus,
    params:
        spec=lambda w: plan.spec("evaluate", w.name),
        files=lambda w: plan.options("evaluate", w.name),
        device=plan.config.device,
        sources=lambda w: plan.sources("evaluate", w.name),
    shell:
        "wowbench evaluate --spec {params.spec:q} {params.files:q} --out {output:q} "
        "--device {params.device:q} 2> {log:q}"
