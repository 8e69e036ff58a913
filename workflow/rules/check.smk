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
        "wowbench"
    params:
        sources=plan.digest("wowbench.results.check"),
    shell:
        "wowbench compare --scores {input.scores:q} --expected {input.expected:q} "
        "--out {output:q} 2> {log:q}"


# Apart from the comparison, which is worth a look when this fails.
rule verdict:
    input:
        rules.check.output,
    output:
        plan.path("", "verdict.txt"),
    log:
        plan.path("logs", "verdict.log"),
    conda:
        "wowbench"
    params:
        sources=plan.digest("wowbench.results.check"),
    shell:
        "wowbench verdict --comparison {input:q} --out {output:q} 2> {log:q}"
