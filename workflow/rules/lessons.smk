# How a convolutional network works, by hand: each lesson is one exhibit and trains nothing that takes longer than seconds.


rule lesson:
    input:
        lesson_data,
    output:
        "results/lessons/{lesson}/exhibit.json",
    log:
        "results/logs/lesson/{lesson}.log",
    priority: longest_first("lesson", "{lesson}")
    threads: threads_of("lesson")
    resources:
        mem_mb=grows(1000),
        runtime=grows(10),
    params:
        costs="results/benchmarks/lesson/{lesson}.tsv",
        config=slice_of_step("lesson"),
        code=code_of_step("lesson"),
    shell:
        "python -m cnnatomy.steps.lesson lesson={wildcards.lesson:q} given=$CNNATOMY_GIVEN costs={params.costs:q} &> {log:q}"
