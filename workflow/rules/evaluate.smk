rule evaluate:
    input:
        unpack(lambda w: plan.inputs("evaluate", w.name)),
    output:
        plan.path("records", "evaluate/{name}.json"),
    log:
        plan.path("logs", "evaluate/{name}.log"),
    wildcard_constraints:
        name=plan.alone("evaluate"),
    conda:
        environment
    threads: plan.config.threads
    resources:
        gpu=plan.gpus,
        mem_mb=lambda w, attempt: plan.needs("evaluate", w.name, attempt=attempt).mem_mb,
        runtime=lambda w, attempt: plan.needs(
            "evaluate", w.name, attempt=attempt
        ).minutes,
    params:
        jobs=lambda w: plan.arguments("evaluate", w.name),
        device=plan.config.device,
        sources=lambda w: plan.sources("evaluate", w.name),
    shell:
        "wowbench evaluate {params.jobs:q} --device {params.device:q} 2> {log:q}"


for number, names in enumerate(plan.shared("evaluate"), start=1):

    rule:
        name:
            f"evaluate_together_{number}"
        input:
            plan.reads_of("evaluate", *names),
        output:
            plan.writes("evaluate", *names),
        log:
            plan.log("evaluate", names),
        conda:
            environment
        threads: plan.config.threads
        resources:
            gpu=plan.gpus,
            mem_mb=lambda w, attempt, names=names: plan.needs(
                "evaluate", *names, attempt=attempt
            ).mem_mb,
            runtime=lambda w, attempt, names=names: plan.needs(
                "evaluate", *names, attempt=attempt
            ).minutes,
        params:
            jobs=plan.arguments("evaluate", *names),
            device=plan.config.device,
            sources=[plan.sources("evaluate", name) for name in names],
        shell:
            "wowbench evaluate {params.jobs:q} --device {params.device:q} 2> {log:q}"
