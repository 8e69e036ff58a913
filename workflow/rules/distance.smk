rule distance:
    input:
        unpack(lambda w: plan.inputs("distance", w.name)),
    output:
        plan.path("records", "distance/{name}.json"),
    log:
        plan.path("logs", "distance/{name}.log"),
    wildcard_constraints:
        name=plan.alone("distance"),
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
        jobs=lambda w: plan.arguments("distance", w.name),
        device=plan.config.device,
        sources=lambda w: plan.sources("distance", w.name),
    shell:
        "wowbench distance {params.jobs:q} --device {params.device:q} 2> {log:q}"


for number, names in enumerate(plan.shared("distance"), start=1):

    rule:
        name:
            f"distance_together_{number}"
        input:
            plan.reads_of("distance", *names),
        output:
            plan.writes("distance", *names),
        log:
            plan.log("distance", names),
        conda:
            environment
        threads: plan.config.threads
        resources:
            gpu=plan.gpus,
            mem_mb=lambda w, attempt, names=names: plan.needs(
                "distance", *names, attempt=attempt
            ).mem_mb,
            runtime=lambda w, attempt, names=names: plan.needs(
                "distance", *names, attempt=attempt
            ).minutes,
        params:
            jobs=plan.arguments("distance", *names),
            device=plan.config.device,
            sources=[plan.sources("distance", name) for name in names],
        shell:
            "wowbench distance {params.jobs:q} --device {params.device:q} 2> {log:q}"
