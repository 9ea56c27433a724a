"""Open up a trained network by one method: `python -m cnnatomy.steps.dissect run=mnist method=kernels`."""

from cnnatomy.steps.job import Job, step


@step
def dissect(job: Job) -> None:
    from importlib import import_module

    from cnnatomy.steps.datasets import dataset
    from cnnatomy.steps.hanging import hang
    from cnnatomy.steps.networks import network

    method = getattr(import_module(f"cnnatomy.dissect.{job.method}"), job.method)
    data = dataset(job)
    hang(job, method(network(job, data.facts), data.split("test"), job.config["dissect"][job.method]), job.method)


if __name__ == "__main__":
    dissect()
