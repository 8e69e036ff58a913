rule prepare:
    output:
        data=plan.path("data", "{name}.safetensors"),
        files=plan.path("data", "{name}.files"),
        record=plan.path("records", "prepare/{name}.json"),
    log:
        plan.path("logs", "prepare/{name}.log"),
    wildcard_constraints:
        name=one_of(plan.jobs["prepare"]),
    conda:
        environment
    resources:
        mem_mb=lambda w, attempt: plan.needs("prepare", w.name, attempt=attempt).mem_mb,
        runtime=lambda w, attempt: plan.needs(
            "prepare", w.name, attempt=attempt
        ).minutes,
    params:
        spec=lambda w: plan.spec("prepare", w.name),
        root=["--data-root", plan.config.data_root] if plan.config.data_root else [],
        files=lambda w: plan.fingerprint(w.name),
        sources=lambda w: plan.sources("prepare", w.name),
    shell:
        "wowbench prepare --spec {params.spec:q} {params.root:q} --out {output.data:q} "
        "--record {output.record:q} 2> {log:q} && printf %s {params.files:q} > {output.files:q}"


rule draw:
    input:
        unpack(lambda w: plan.inputs("draw", w.name)),
    output:
        draw=plan.path("draws", "{name}.safetensors"),
        record=plan.path("records", "draw/{name}.json"),
    log:
        plan.path("logs", "draw/{name}.log"),
    wildcard_constraints:
        name=one_of(plan.jobs["draw"]),
    conda:
        environment
    resources:
        mem_mb=lambda w, attempt: plan.needs("draw", w.name, attempt=attempt).mem_mb,
        runtime=lambda w, attempt: plan.needs("draw", w.name, attempt=attempt).minutes,
    params:
        spec=lambda w: plan.spec("draw", w.name),
        files=lambda w: plan.options("draw", w.name),
        sources=lambda w: plan.sources("draw", w.name),
    shell:
        "wowbench draw --spec {params.spec:q} {params.files:q} --out {output.draw:q} "
        "--record {output.record:q} 2> {log:q}"
