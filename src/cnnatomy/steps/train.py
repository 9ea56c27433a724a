"""Train a run's network: `python -m cnnatomy.steps.train run=speech seed=1`."""

from cnnatomy.steps.job import Job, step


@step
def train(job: Job) -> None:
    from cnnatomy.steps.training import train_job

    train_job(job)


if __name__ == "__main__":
    train()
