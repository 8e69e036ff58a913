# Before the flows that are ready too, which may take hours: a classifier that fails shows at once.
rule train:
    input:
        unpack(lambda w: plan.inputs("train", w.name)),
    output:
        classifier=plan.path("classifiers", "{name}.safetensors"),
        record=plan.path("records", "train/{name}.json"),
    log:
        plan.path("logs", "train/{name}.log"),
    wildcard_constraints:
        name=one_of(plan.jobs["train"]),
    priority: 1
    conda:
        environment
    threads: plan.config.threads
    resources:
        gpu=plan.gpus,
        mem_mb=lambda w, attempt: plan.needs("train", w.name, attempt=attempt).mem_mb,
        runtime=lambda w, attempt: plan.needs("train", w.name, attempt=attempt).minutes,
    params:
        spec=lambda w: plan.spec("train", w.name),
        files=lambda w: plan.options("train", w.name),
        device=plan.config.device,
        sources=lambda w: plan.sources("train", w.name),
    shell:
        "wowbench train --spec {params.spec:q} {params.files:q} --out {output.classifier:q} "
        "--record {output.record:q} --device {params.device:q} 2> {log:q}"


rule flow:
    input:
        unpack(lambda w: plan.inputs("flow", w.name)),
    output:
        flow=plan.path("flows", "{name}.safetensors"),
        record=plan.path("records", "flow/{name}.json"),
    log:
        plan.path("logs", "flow/{name}.log"),
    wildcard_constraints:
        name=plan.alone("flow"),
    conda:
        environment
    threads: plan.config.threads
    resources:
        gpu=plan.gpus,
        mem_mb=lambda w, attempt: plan.needs("flow", w.name, attempt=attempt).mem_mb,
        runtime=lambda w, attempt: plan.needs("flow", w.name, attempt=attempt).minutes,
    params:
        jobs=lambda w: plan.arguments("flow", w.name),
        device=plan.config.device,
        sources=lambda w: plan.sources("flow", w.name),
    shell:
        "wowbench flow {params.jobs:q} --device {params.device:q} --allow-divergence 2> {log:q}"


for number, names in enumerate(plan.shared("flow"), start=1):

    rule:
        name:
            f"flow_together_{number}"
        input:
            plan.reads_of("flow", *names),
        output:
            plan.writes("flow", *names),
        log:
            plan.log("flow", names),
        conda:
            environment
        threads: plan.config.threads
        resources:
            gpu=plan.gpus,
            mem_mb=lambda w, attempt, names=names: plan.needs(
                "flow", *names, attempt=attempt
            ).mem_mb,
            runtime=lambda w, attempt, names=names: plan.needs(
                "flow", *names, attempt=attempt
            ).minutes,
        params:
            jobs=plan.arguments("flow", *names),
            device=plan.config.device,
            sources=[plan.sources("flow", name) for name in names],
        shell:
            "wowbench flow {params.jobs:q} --device {params.device:q} --allow-divergence 2> {log:q}"
