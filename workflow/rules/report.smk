# The museum: it hangs whatever exhibits there are and knows none by name. A matter of seconds, which no cluster need be asked for.


rule report:
    input:
        exhibits=PLAN.exhibits(),
        other_seeds=PLAN.other_seeds(),
        recorded=PLAN.records(),
        configurations=PLAN.configurations(),
    output:
        page=report(
            "results/report/index.html",
            category="Report",
            caption="../report/page.rst",
            labels={"what": "the page"},
        ),
        results=report(
            "results/report/results.csv",
            category="Report",
            caption="../report/results.rst",
            labels={"what": "everything that was measured"},
        ),
        pictures=report(
            "results/report/pictures.csv",
            category="Report",
            caption="../report/pictures.rst",
            labels={"what": "the numbers under the pictures"},
        ),
        costs=report(
            "results/report/costs.csv",
            category="Report",
            caption="../report/costs.rst",
            labels={"what": "what each job took"},
        ),
        exhibits=report(
            "results/report/exhibits.zip",
            category="Report",
            caption="../report/exhibits.rst",
            labels={"what": "the files of all exhibits"},
        ),
    log:
        "results/logs/report/report.log",
    localrule: True
    threads: PLAN.composed["threads"]["report"]
    resources:
        mem_mb=1000,
    params:
        costs="results/benchmarks/report/report.tsv",
        config=canonical(PLAN.report_slice()),
        code=code_of("report", PLAN.composed),
    shell:
        "python -m cnnatomy.steps.report given=$CNNATOMY_GIVEN costs={params.costs:q} &> {log:q}"
