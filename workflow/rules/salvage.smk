from pathlib import Path


# What is left of a run that failed, as tables of their own; Snakemake knows what is up to date.
onerror:
    finished = [
        str(file)
        for job in workflow.dag.jobs
        if workflow.dag.noneedrun_finished(job)
        for file in job.output
    ]
    listing = Path(plan.path("logs", "finished.txt"))
    listing.parent.mkdir(parents=True, exist_ok=True)
    listing.write_text("\n".join(finished))
    shell(
        "wowbench salvage --config {plan.config_json_with_batches:q} --finished {listing:q} || true"
    )


# The tables of an earlier failure are out of date once something runs.
onstart:
    import shutil

    if workflow.executor_plugin.name == "slurm" and not shutil.which("sbatch"):
        raise WorkflowError(
            "this profile gives jobs to SLURM, and there is no `sbatch` here; run it where "
            "jobs are submitted, or leave out --profile"
        )
    shutil.rmtree(plan.path("", "partial"), ignore_errors=True)
