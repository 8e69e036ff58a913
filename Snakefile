from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

from wowbench.config import read_yaml
from wowbench.errors import InputError
from wowbench.plan import Plan

min_version("9.20")

# A default beside another config would be merged into it.
if not workflow.overwrite_configfiles:

    configfile: "workflow/config/mini.yaml"


try:
    # Snakemake has read these already, and passes over duplicate keys.
    for path in workflow.overwrite_configfiles:
        read_yaml(path)
    plan = Plan.load(config)
except InputError as error:
    raise WorkflowError(str(error)) from None

# A job takes a GPU of its own. A scheduler counts those of its machines itself.
if (
    workflow.is_main_process
    and workflow.local_exec
    and "gpu" not in workflow.global_resources
):
    workflow.register_resource("gpu", plan.gpus_at_once)


report: "workflow/report/workflow.rst"


include: "workflow/rules/data.smk"
include: "workflow/rules/flow.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/distance.smk"
include: "workflow/rules/aggregate.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/check.smk"
include: "workflow/rules/salvage.smk"


rule results:
    input:
        plan.path("", "scores.csv"),
        [plan.path("", report.file) for report in plan.reports],
        plan.if_expected("check.csv"),


rule all:
    default_target: True
    input:
        rules.results.input,
        plan.if_expected("verdict.txt"),
