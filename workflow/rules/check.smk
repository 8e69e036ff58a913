rule check:
    input:
        scores=rules.aggregate.output[0],
        expected=plan.expected,
    output:
        report(
            plan.path("", "check.csv"),
            category="Check",
            caption="../report/check.rst",
        ),
    log:
        plan.path("logs", "check.log"),
    conda:
        environment
    resources:
        mem_mb=lambda w, attempt: REPORT.on(attempt).mem_mb,
        runtime=lambda w, attempt: REPORT.on(attempt).minutes,
    params:
        sources=plan.digest("wowbench.results.verdict_page"),
    shell:
        "wowbench compare {input.scores:q} {input.expected:q} --out {output:q} > {log:q} 2>&1 "
        "|| [ $? -eq 1 ]"


# Apart from the comparison, which is worth a look when this fails.
rule verdict:
    input:
        rules.check.output,
    output:
        plan.path("", "verdict.txt"),
    log:
        plan.path("logs", "verdict.log"),
    conda:
        environment
    resources:
        mem_mb=lambda w, attempt: REPORT.on(attempt).mem_mb,
        runtime=lambda w, attempt: REPORT.on(attempt).minutes,
    params:
        sources=plan.digest("wowbench.results.verdict_page"),
    shell:
        "wowbench verdict --comparison {input:q} --out {output:q} 2> {log:q}"
