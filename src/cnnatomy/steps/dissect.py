"""Open up a trained network by one method: `python -m cnnatomy.steps.dissect run=mnist method=kernels`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cnnatomy.steps.step import step

if TYPE_CHECKING:
    from cnnatomy.steps.job import Job


@step
def dissect(job: Job) -> None:
    import sys

    from hydra.utils import get_object

    from cnnatomy.config.slices import other_seeds
    from cnnatomy.config.steps import method_target
    from cnnatomy.dissect.method import Method
    from cnnatomy.exhibit.applying import DoesNotApply, does_not_apply
    from cnnatomy.inspection.choosing import WrongSetting
    from cnnatomy.steps.datasets import dataset, sound
    from cnnatomy.steps.measured import measured
    from cnnatomy.steps.networks import network, snapshots
    from cnnatomy.steps.publish import publish
    from cnnatomy.training.memory import keep_freed_memory

    keep_freed_memory()
    name = str(job.method)
    method = Method.of(get_object(method_target(job.config, name)))
    data = dataset(job)
    test, trained = data.split("test"), network(job, data.facts)
    needs = {
        "training": lambda: data.split("train") if "train" in data.facts.splits else None,
        "others": lambda: [network(job, data.facts, seed) for seed in other_seeds(job.config, name, job.seed)],
        "snapshots": lambda: [
            snapshots(job, data.facts, seed) for seed in (job.seed, *other_seeds(job.config, name, job.seed))
        ],
        "sound": lambda: sound(job, data),
        "prepare": lambda: job.config["data"]["prepare"],
        "seed": lambda: job.seed,
        "run": lambda: str(job.run),
    }

    def measure(asked: Any) -> Any:
        return method.measured(trained, test, asked, needs)

    try:
        settings = method.settings(**job.config["dissect"][name])
        found = measured(job, name, settings, measure, data) if method.show else measure(settings)
        made = method.shown(found, test, settings, needs)
    except WrongSetting as error:
        raise WrongSetting(f"dissect.{name}.{error}") from error
    except DoesNotApply as because:
        print(f"{name} of {job.run} {because}.", file=sys.stderr)
        made = does_not_apply(because)
    publish(job, made, name)


if __name__ == "__main__":
    dissect()
