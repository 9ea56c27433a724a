# Studies: many small trainings, and what their differences say of a claim. The trainings of a study share a few processes, each of
# which keeps what it has finished; they are no outputs here, so that a failing one takes none of the others with it.


def in_processes(wildcards, threads, attempt):
    """Memory for as many processes as there are threads, in MB."""
    return 3000 * threads * attempt


def unless_shared(amount, looking):
    """What trainings want; where shares have done them, what looking at them wants."""

    def of(wildcards, threads, attempt):
        if PLAN.shares(wildcards.study):
            return looking
        return amount(wildcards, threads, attempt)

    return of


# Where `study_jobs` asks for several: each trains its own part, perhaps on another node.
rule share:
    input:
        study_data,
    output:
        "results/trials/{study}/{share}.json",
    log:
        "results/logs/share/{study}-{share}.log",
    threads: workflow.resource_settings.cores or 1  # on a cluster what the profile sets
    resources:
        mem_mb=in_processes,
        runtime=grows(240),
        gpu=study_gpus,
    params:
        costs="results/benchmarks/share/{study}-{share}.tsv",
        trials=trials_of,
    shell:
        "python -m cnnatomy.steps.trials study={wildcards.study:q} share={wildcards.share:q} workers={threads}"
        " given=$CNNATOMY_GIVEN costs={params.costs:q} &> {log:q}"


# All that is missing, which is nothing where shares have trained it.
rule trials:
    input:
        study_data,
        shares,
    output:
        "results/trials/{study}.json",
    log:
        "results/logs/trials/{study}.log",
    priority: 15
    threads: workflow.resource_settings.cores or 1
    resources:
        mem_mb=unless_shared(in_processes, 3000),
        runtime=unless_shared(lambda wildcards, threads, attempt: 240 * attempt, 30),
        gpu=unless_shared(study_gpus, 0),
    params:
        costs="results/benchmarks/trials/{study}.tsv",
        trials=trials_of,
    shell:
        "python -m cnnatomy.steps.trials study={wildcards.study:q} workers={threads} given=$CNNATOMY_GIVEN costs={params.costs:q} &> {log:q}"


rule study:
    input:
        "results/trials/{study}.json",
    output:
        "results/studies/{study}/exhibit.json",
    log:
        "results/logs/study/{study}.log",
    threads: threads_of("study")
    resources:
        mem_mb=grows(1000),
        runtime=grows(10),
    params:
        costs="results/benchmarks/study/{study}.tsv",
        config=slice_of_step("study"),
        code=code_of_step("study"),
    shell:
        "python -m cnnatomy.steps.study study={wildcards.study:q} given=$CNNATOMY_GIVEN costs={params.costs:q} &> {log:q}"
