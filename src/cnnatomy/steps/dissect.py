"""Open up a trained network by one method: `python -m cnnatomy.steps.dissect run=mnist method=kernels`."""

from cnnatomy.steps.job import Job, step


@step
def dissect(job: Job) -> None:
    from importlib import import_module

    from cnnatomy.steps.datasets import dataset
    from cnnatomy.steps.hanging import hang
    from cnnatomy.steps.networks import network

    name = str(job.method)
    method = getattr(import_module(f"cnnatomy.dissect.{name}"), name)
    data = dataset(job)
    hang(job, method(network(job, data.facts), data.split("test"), job.config["dissect"][name]), name)


if __name__ == "__main__":
    dissect()
