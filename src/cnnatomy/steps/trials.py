"""Train and measure what a study compares, unless it stands: `python -m cnnatomy.steps.trials study=direction`.

As few processes as there are places for (`workers=2`) share the work, so that imports are paid for once a process and
not once a network. Each takes the next network that nobody holds, and keeps what it has finished: a study that was
interrupted, or got another variant or seed, goes on with what is missing.
"""

from cnnatomy.steps.job import Job, step


@step
def trials(job: Job) -> None:
    import json
    import subprocess
    import sys

    from cnnatomy.steps.writing import replaced

    wanted = job.plan.trials(job.subject)
    workers = min(job.config["workers"], len(wanted))
    if workers > 1:
        again = [argument for argument in sys.orig_argv if not argument.startswith("workers=")]
        helpers = [subprocess.Popen([*again, "workers=0"]) for _ in range(workers)]
        if any([helper.wait() for helper in helpers]):
            sys.exit(1)  # each has said why
    else:
        from cnnatomy.steps.trial import work_off

        work_off(job)
    if workers == 0:  # another process waits for this one, and writes
        return
    with replaced(job.output(f"trials/{job.subject}.json")) as file:
        file.write_text(json.dumps(wanted, indent=1) + "\n")


if __name__ == "__main__":
    trials()
