rule figure:
    input:
        scores=rules.aggregate.output[0],
    output:
        report(
            plan.path("figures", "{name}.png"),
            category="Figures",
            caption="../report/{name}.rst",
        ),
        plan.path("figures", "{name}.pdf"),
    log:
        plan.path("logs", "figures/{name}.log"),
    params:
        config=plan.config_json,
        folder=plan.path("", "figures"),
        sources=lambda w: plan.digest(f"wowbench.figures.{w.name}"),
    conda:
        "../../environment.yml"
    shell:
        "wowbench figure {wildcards.name} --config {params.config:q} --scores {input.scores:q} "
        "--out {params.folder:q} 2> {log:q}"
