rule figure:
    input:
        unpack(lambda w: plan.reads(plan.figures[w.name])),
        scores=rules.aggregate.output[0],
    output:
        shown=report(
            plan.path("figures", "{name}.png"),
            category="Figures",
            caption="../report/item.rst",
        ),
        pdf=plan.path("figures", "{name}.pdf"),
    log:
        plan.path("logs", "figures/{name}.log"),
    wildcard_constraints:
        name=one_of(plan.figures),
    conda:
        environment
    resources:
        mem_mb=lambda w, attempt: REPORT.on(attempt).mem_mb,
        runtime=lambda w, attempt: REPORT.on(attempt).minutes,
    params:
        config=plan.config_json,
        path=lambda w: plan.figures[w.name].path,
        caption=lambda w: plan.figures[w.name].caption,
        sources=lambda w: plan.digest(plan.figures[w.name].module),
    shell:
        "wowbench figure {params.path:q} --config {params.config:q} --scores {input.scores:q} "
        "--out {output.shown:q} 2> {log:q}"


use rule figure as animation with:
    input:
        unpack(lambda w: plan.reads(plan.animations[w.name])),
        scores=rules.aggregate.output[0],
    output:
        shown=report(
            plan.path("figures", "{name}.gif"),
            category="Figures",
            caption="../report/item.rst",
        ),
    wildcard_constraints:
        name=one_of(plan.animations),
    params:
        config=plan.config_json,
        path=lambda w: plan.animations[w.name].path,
        caption=lambda w: plan.animations[w.name].caption,
        sources=lambda w: plan.digest(plan.animations[w.name].module),
