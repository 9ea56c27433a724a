# cnnatomy: data → training → dissection → report. `snakemake --cores all` makes results/report/index.html.
# The rules are in workflow/Snakefile, and `all` there is what is made by default, which an `include:` would not take over.

workflow.include("workflow/Snakefile", overwrite_default_target=True)
