rule figure:
    input:
        unpack(lambda w: plan.reads(f"wowbench.figures.{w.name}")),
        scores=rules.aggregate.output[0],
    output:
        png=report(
            plan.path("figures", "{name}.png"),
            category="Figures",
            caption="../report/item.rst",
        ),
        pdf=plan.path("figures", "{name}.pdf"),
    log:
        plan.path("logs", "figures/{name}.log"),
    conda:
        "../../environment.yml"
    params:
        config=plan.config_json,
        caption=lambda w: plan.caption(f"wowbench.figures.{w.name}"),
        sources=lambda w: plan.digest(f"wowbench.figures.{w.name}"),
    shell:
        "wowbench figure {wildcards.name:q} --config {params.config:q} --scores {input.scores:q} "
        "--out {output.png:q} 2> {log:q}"
