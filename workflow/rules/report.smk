# The museum: it hangs whatever exhibits there are and knows none by name.


rule report:
    input:
        exhibits=PLAN.exhibits(),
        other_seeds=PLAN.other_seeds(),
        configurations=PLAN.configurations(),
    output:
        page="results/report/index.html",
        results="results/report/results.csv",
        costs="results/report/costs.csv",
    log:
        "results/logs/report/report.log",
    benchmark:
        "results/benchmarks/report/report.tsv"
    threads: PLAN.composed["threads"]["report"]
    resources:
        mem_mb=1000,
    params:
        config=canonical(PLAN.report_slice()),
        code=code_of("report", PLAN.composed),
    shell:
        "python -m cnnatomy.steps.report given={GIVEN} &> {log}"
