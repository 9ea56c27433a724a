"""Compare what a study's trained networks were measured to do: `python -m cnnatomy.steps.study study=direction`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnatomy.steps.step import step

if TYPE_CHECKING:
    from cnnatomy.steps.job import Job


@step
def study(job: Job) -> None:
    import pandas as pd

    from cnnatomy.steps.measures import measured, trial_of
    from cnnatomy.steps.publish import publish_study
    from cnnatomy.studies.comparing import compare, corrected
    from cnnatomy.studies.findings import findings
    from cnnatomy.studies.measures.answers import Answered
    from cnnatomy.studies.sweep import swept

    asked = job.plan.study(job.subject)
    rows, answers = [], {}
    for variant, seed in asked.trials():
        for number in measured(trial_of(job, variant.run, seed)):
            what = {"metric": number.metric, "subject": number.subject, "value": number.value, "unit": number.unit}
            rows.append({"run": variant.run, **variant.levels, "seed": seed, **what})
            if isinstance(number, Answered):
                answers[variant.run, seed, number.metric, number.subject] = number
    table = pd.DataFrame(rows)
    if asked.is_sweep:
        publish_study(job, swept(asked.content, table))
        return
    compared = [compare(vars(one), asked.sides(one), table, answers) for one in asked.comparisons]
    publish_study(job, findings(asked.content, corrected(compared), table))


if __name__ == "__main__":
    study()
