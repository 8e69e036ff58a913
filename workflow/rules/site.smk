from wowbench.site import TEMPLATES


# One HTML file that opens without a network. It has the tables and figures of the run in it, so that
# it is made anew with any of them.
rule site:
    input:
        plan.records(*plan.jobs),
        [plan.path("", report.file) for report in plan.reports],
        plan.if_expected("check.csv"),
        scores=rules.aggregate.output[0],
        templates=TEMPLATES,
    output:
        plan.path("site", "index.html"),
    log:
        plan.path("logs", "site.log"),
    conda:
        environment
    resources:
        mem_mb=lambda w, attempt: REPORT.on(attempt).mem_mb,
        runtime=lambda w, attempt: REPORT.on(attempt).minutes,
    params:
        config=plan.config_json,
        sources=plan.digest("wowbench.site.run"),
    shell:
        "wowbench site --config {params.config:q} --out {output:q} 2> {log:q}"
