"""Evaluate a trained network on samples it has not seen: `python -m cnnatomy.steps.evaluate run=mnist seed=0`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnatomy.steps.step import step

if TYPE_CHECKING:
    from cnnatomy.steps.job import Job


@step
def evaluate(job: Job) -> None:
    import json
    from dataclasses import asdict

    import pandas as pd

    from cnnatomy.evaluation import Settings, measure, predict, show
    from cnnatomy.steps.datasets import dataset, sound
    from cnnatomy.steps.measured import measured
    from cnnatomy.steps.networks import network
    from cnnatomy.steps.publish import publish
    from cnnatomy.steps.writing import replaced

    data = dataset(job)
    trained = network(job, data.facts)
    unseen = [split for split in ("validation", "test") if split in data.facts.splits]

    def predicted(asked: None) -> pd.DataFrame:
        return pd.concat([predict(trained, data.split(split)) for split in unseen], ignore_index=True)

    predictions = measured(job, "evaluation", None, predicted)
    history = pd.read_csv(job.input(f"runs/{job.run}/seed{job.seed}/history.csv"))
    test = data.split("test")
    found = measure(predictions, history if len(history) else None, test)
    settings = Settings(**job.config["dissect"]["evaluation"])
    made = show(found, test, settings, sound=sound(job, data), training=job.config["training"])
    folder = job.output(f"runs/{job.run}/seed{job.seed}")
    with replaced(folder / "predictions.csv") as file:
        predictions.to_csv(file, index=False)
    with replaced(folder / "metrics.json") as file:
        numbers = [asdict(number) for number in made.numbers]
        file.write_text(json.dumps({"digest": job.digest, "numbers": numbers}, indent=1) + "\n")
    publish(job, made, "evaluation")


if __name__ == "__main__":
    evaluate()
