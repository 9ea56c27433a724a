"""Write a trained network as an ONNX file: `python -m cnnatomy.steps.export run=mnist seed=0`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnatomy.steps.step import step

if TYPE_CHECKING:
    from cnnatomy.steps.job import Job

TRIED = 1000  # test samples, evenly spread, on which it is held against torch


@step
def export(job: Job) -> None:
    import json
    from dataclasses import asdict

    import numpy as np

    from cnnatomy.data.batches import to_tensor
    from cnnatomy.models import exporting
    from cnnatomy.steps.datasets import dataset
    from cnnatomy.steps.networks import network
    from cnnatomy.steps.writing import replaced

    data = dataset(job)
    facts, test = data.facts, data.split("test")
    places = np.linspace(0, len(test) - 1, min(len(test), TRIED)).astype(int)
    samples = to_tensor(facts, test.inputs[places])
    about = {
        "run": str(job.run),
        "seed": str(job.seed),
        "digest": job.digest,
        "kind": facts.kind,
        "classes": json.dumps(list(facts.classes), ensure_ascii=False),
        "normalise": json.dumps(asdict(facts.normalise) if facts.normalise else None),
        "vocabulary": json.dumps(facts.vocabulary, ensure_ascii=False),
    }
    with replaced(job.output(f"networks/{job.run}/seed{job.seed}/network.onnx")) as file:
        apart = exporting.export(network(job, facts), samples, about, file)
    print(f"On {len(places)} test samples its logits are within {apart:.1e} of their range of torch's.")


if __name__ == "__main__":
    export()
