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
        "wowbench"
    threads: plan.config.threads
    resources:
        gpu=plan.gpus,
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
            "../../environment.yml"
        threads: plan.config.threads
        resources:
            gpu=plan.gpus,
        params:
            jobs=plan.arguments("evaluate", *names),
            device=plan.config.device,
            sources=[plan.sources("evaluate", name) for name in names],
        shell:
            "wowbench evaluate {params.jobs:q} --device {params.device:q} 2> {log:q}"
