# Raw data, verified; arrays ready to train on. Both may come from a cache that checkouts and users share
# (snakemake --cache, with SNAKEMAKE_OUTPUT_CACHE), which is why they have no `benchmark`: Snakemake forbids the two together.
# On a cluster they stay where Snakemake runs: they want the network.


rule fetch:
    output:
        "resources/{raw}/{raw}.zip",
    log:
        "results/logs/fetch/{raw}.log",
    cache: True
    priority: 10
    localrule: True
    threads: threads_of("fetch")
    resources:
        mem_mb=1000,
    params:
        config=slice_of_step("fetch"),
        code=code_of_step("fetch"),
    shell:
        "python -m cnnatomy.steps.fetch data={wildcards.raw:q} given=$CNNATOMY_GIVEN &> {log:q}"


rule prepare:
    input:
        raw_data,
    output:
        facts="results/data/{dataset}/dataset.json",
        inputs="results/data/{dataset}/inputs.npy",
        samples="results/data/{dataset}/samples.csv",
    log:
        "results/logs/prepare/{dataset}.log",
    cache: True
    priority: 10
    localrule: True
    threads: threads_of("prepare")
    resources:
        mem_mb=2000,
    params:
        config=slice_of_step("prepare"),
        code=code_of_step("prepare"),
    shell:
        "python -m cnnatomy.steps.prepare data={wildcards.dataset:q} given=$CNNATOMY_GIVEN &> {log:q}"
