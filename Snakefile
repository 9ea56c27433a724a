# cnnatomy: data → training → dissection → report. `snakemake --cores all` makes results/report/index.html.

from snakemake.utils import min_version

min_version("9.20")


# What `snakemake --report report.zip` says first.
report: "workflow/report/workflow.rst"


# What the report wants: --config report=full 'overrides=["training.max_epochs=3"]'
include: "workflow/rules/common.smk"
# When each step is due.
include: "workflow/rules/data.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/dissection.smk"
include: "workflow/rules/lessons.smk"
include: "workflow/rules/studies.smk"
include: "workflow/rules/report.smk"


# On a cluster these stay where Snakemake runs: fetch and prepare want the network, and the page is a matter of seconds.
localrules:
    all,
    fetch,
    prepare,
    report,


rule all:
    default_target: True
    input:
        whole_report,


onstart:
    following.begin(GIVEN, workflow)
    if on_slurm():
        waiting.watch()
    else:
        server.start()


onerror:
    if following.fail(GIVEN):
        print(
            "results/report/partial.html shows what there is, and what is missing."
        )
    if is_earlier("results/report/index.html"):
        print("results/report/index.html is of an earlier run.")
    if advice := following.advice():
        print(advice)
    if on_slurm():
        print(waiting.REFUSED)
