rule aggregate:
    input:
        plan.records(*plan.jobs),
    output:
        report(
            plan.path("", "scores.csv"),
            category="Scores",
            caption="../report/scores.rst",
        ),
    log:
        plan.path("logs", "aggregate.log"),
    conda:
        environment
    resources:
        mem_mb=lambda w, attempt: REPORT.on(attempt).mem_mb,
        runtime=lambda w, attempt: REPORT.on(attempt).minutes,
    params:
        config=plan.config_json,
        sources=plan.digest("wowbench.results.scores"),
    shell:
        "wowbench aggregate --config {params.config:q} --out {output:q} 2> {log:q}"


rule table:
    input:
        unpack(lambda w: plan.reads(plan.tables[w.name])),
        scores=rules.aggregate.output[0],
    output:
        csv=plan.path("tables", "{name}.csv"),
        md=plan.path("tables", "{name}.md"),
        tex=plan.path("tables", "{name}.tex"),
        html=report(
            plan.path("tables", "{name}.html"),
            category="Tables",
            caption="../report/item.rst",
        ),
    log:
        plan.path("logs", "tables/{name}.log"),
    wildcard_constraints:
        name=one_of(plan.tables),
    conda:
        environment
    resources:
        mem_mb=lambda w, attempt: REPORT.on(attempt).mem_mb,
        runtime=lambda w, attempt: REPORT.on(attempt).minutes,
    params:
        path=lambda w: plan.tables[w.name].path,
        plugins=plan.plugins,
        caption=lambda w: plan.tables[w.name].caption,
        sources=lambda w: plan.digest(plan.tables[w.name].module),
    shell:
        "wowbench table {params.path:q} {params.plugins:q} --scores {input.scores:q} "
        "--out {output.csv:q} 2> {log:q}"
