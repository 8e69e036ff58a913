rule aggregate:
    input:
        plan.records("flow", "evaluate"),
    output:
        report(
            plan.path("", "scores.csv"),
            category="Scores",
            caption="../report/scores.rst",
        ),
    log:
        plan.path("logs", "aggregate.log"),
    params:
        config=plan.config_json,
        sources=plan.digest("wowbench.results.scores"),
    conda:
        "../../environment.yml"
    shell:
        "wowbench aggregate --config {params.config:q} --out {output:q} 2> {log:q}"


rule table:
    input:
        scores=rules.aggregate.output[0],
    output:
        report(
            plan.path("tables", "{name}.csv"),
            category="Tables",
            caption="../report/{name}.rst",
        ),
        plan.path("tables", "{name}.md"),
        plan.path("tables", "{name}.tex"),
    log:
        plan.path("logs", "tables/{name}.log"),
    params:
        folder=plan.path("", "tables"),
        sources=lambda w: plan.digest(f"wowbench.results.tables.{w.name}"),
    conda:
        "../../environment.yml"
    shell:
        "wowbench table {wildcards.name} --scores {input.scores:q} "
        "--out {params.folder:q} 2> {log:q}"
