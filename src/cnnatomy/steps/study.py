"""Compare what a study's trained networks were measured to do: `python -m cnnatomy.steps.study study=direction`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnatomy.steps.step import step

if TYPE_CHECKING:
    from cnnatomy.steps.job import Job


@step
def study(job: Job) -> None:
    import pandas as pd

    from cnnatomy.steps.hanging import hang_study
    from cnnatomy.steps.measures import measured, trial_of
    from cnnatomy.studies.comparing import compare
    from cnnatomy.studies.findings import findings
    from cnnatomy.studies.sweep import swept

    asked = job.plan.study(job.subject)
    rows = []
    for variant, seed in asked.trials():
        numbers = measured(trial_of(job, variant.run, seed))
        rows += [{"run": variant.run, **variant.levels, "seed": seed, **vars(number)} for number in numbers]
    table = pd.DataFrame(rows)
    if asked.is_sweep:
        hang_study(job, swept(asked.content, table))
        return
    compared = [compare(vars(comparison), asked.sides(comparison), table) for comparison in asked.comparisons]
    hang_study(job, findings(asked.content, compared, table))


if __name__ == "__main__":
    study()
