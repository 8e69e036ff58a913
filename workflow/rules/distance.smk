rule distance:
    input:
        unpack(lambda w: plan.inputs("distance", w.name)),
    output:
        plan.path("records", "distance/{name}.json"),
    log:
        plan.path("logs", "distance/{name}.log"),
    wildcard_constraints:
        name=one_of(plan.jobs["distance"]),
    conda:
        environment
    threads: plan.config.threads
    resources:
        gpu=plan.gpus,
        mem_mb=lambda w, attempt: plan.needs("distance", w.name, attempt=attempt).mem_mb,
        runtime=lambda w, attempt: plan.needs(
            "distance", w.name, attempt=attempt
        ).minutes,
    params:
        spec=lambda w: plan.spec("distance", w.name),
        files=lambda w: plan.options("distance", w.name),
        device=plan.config.device,
        sources=lambda w: plan.sources("distance", w.name),
    shell:
        "wowbench distance --spec {params.spec:q} {params.files:q} --out {output:q} "
        "--device {params.device:q} 2> {log:q}"
