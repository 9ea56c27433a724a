# Exhibits: what a dataset holds and what a network learned. The exhibit.json is the output; its pictures, tables and sounds
# are its siblings, named in it with their hashes.


rule samples:
    input:
        prepared_data,
        raw_data,
    output:
        "results/exhibits/{run}/seed{seed}/samples/exhibit.json",
    log:
        "results/logs/samples/{run}-seed{seed}.log",
    priority: longest_first("samples", "{run}-seed{seed}")
    threads: threads_of("samples")
    resources:
        mem_mb=grows(2000),
        runtime=grows(15),
    params:
        costs="results/benchmarks/samples/{run}-seed{seed}.tsv",
        config=slice_of_step("samples"),
        code=code_of_step("samples"),
    shell:
        "python -m cnnatomy.steps.samples run={wildcards.run:q} seed={wildcards.seed:q} given=$CNNATOMY_GIVEN costs={params.costs:q} &> {log:q}"


rule dissect:
    input:
        prepared_data,
        raw_data,
        networks=networks,
    output:
        "results/exhibits/{run}/seed{seed}/{method}/exhibit.json",
    log:
        "results/logs/dissect/{run}-seed{seed}-{method}.log",
    priority: longest_first("dissect", "{run}-seed{seed}-{method}")
    threads: threads_of("dissect")
    resources:
        mem_mb=grows(2000),
        runtime=grows(15),
    params:
        costs="results/benchmarks/dissect/{run}-seed{seed}-{method}.tsv",
        config=slice_of_step("dissect"),
        code=code_of_step("dissect"),
    shell:
        "python -m cnnatomy.steps.dissect run={wildcards.run:q} seed={wildcards.seed:q} method={wildcards.method:q}"
        " given=$CNNATOMY_GIVEN costs={params.costs:q} &> {log:q}"
