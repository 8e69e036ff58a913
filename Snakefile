include: "workflow/Snakefile"


# The default target of a file that is included does not count.
rule default:
    default_target: True
    input:
        rules.all.input,
