# Networks: trained once, then read by everything that evaluates or dissects them.


rule train:
    input:
        prepared_data,
        starting_weights,
    output:
        network="results/runs/{run}/seed{seed}/model.safetensors",
        snapshots="results/runs/{run}/seed{seed}/snapshots.safetensors",
        config="results/runs/{run}/seed{seed}/config.yaml",
        history=report(
            "results/runs/{run}/seed{seed}/history.csv",
            category="Networks",
            subcategory="{run}",
            caption="../report/history.rst",
            labels={"what": "while it learned", "seed": "{seed}"},
        ),
    log:
        "results/logs/train/{run}-seed{seed}.log",
    # First of all that is due: most exhibits wait for a network, and trainings begun last would run alone at the end.
    priority: 20
    threads: threads_of("train")
    resources:
        mem_mb=grows(2000),
        runtime=grows(60),
        gpu=gpus,
    params:
        costs="results/benchmarks/train/{run}-seed{seed}.tsv",
        config=slice_of_step("train"),
        code=code_of_step("train"),
    shell:
        "python -m cnnatomy.steps.train run={wildcards.run:q} seed={wildcards.seed:q} given=$CNNATOMY_GIVEN costs={params.costs:q} &> {log:q}"


# Asked for by its name only; no report wants it.
rule export:
    input:
        prepared_data,
        network="results/runs/{run}/seed{seed}/model.safetensors",
    output:
        "results/networks/{run}/seed{seed}/network.onnx",
    log:
        "results/logs/export/{run}-seed{seed}.log",
    threads: threads_of("export")
    resources:
        mem_mb=grows(2000),
        runtime=grows(15),
    params:
        costs="results/benchmarks/export/{run}-seed{seed}.tsv",
        config=slice_of_step("export"),
        code=code_of_step("export"),
    shell:
        "python -m cnnatomy.steps.export run={wildcards.run:q} seed={wildcards.seed:q} given=$CNNATOMY_GIVEN costs={params.costs:q} &> {log:q}"


rule evaluate:
    input:
        prepared_data,
        raw_data,
        network="results/runs/{run}/seed{seed}/model.safetensors",
        history="results/runs/{run}/seed{seed}/history.csv",
    output:
        predictions="results/runs/{run}/seed{seed}/predictions.csv",
        metrics=report(
            "results/runs/{run}/seed{seed}/metrics.json",
            category="Networks",
            subcategory="{run}",
            caption="../report/metrics.rst",
            labels={"what": "how good it is", "seed": "{seed}"},
        ),
        exhibit="results/exhibits/{run}/seed{seed}/evaluation/exhibit.json",
    log:
        "results/logs/evaluate/{run}-seed{seed}.log",
    priority: longest_first("evaluate", "{run}-seed{seed}")
    threads: threads_of("evaluate")
    resources:
        mem_mb=grows(2000),
        runtime=grows(15),
    params:
        costs="results/benchmarks/evaluate/{run}-seed{seed}.tsv",
        config=slice_of_step("evaluate"),
        code=code_of_step("evaluate"),
    shell:
        "python -m cnnatomy.steps.evaluate run={wildcards.run:q} seed={wildcards.seed:q} given=$CNNATOMY_GIVEN costs={params.costs:q} &> {log:q}"
