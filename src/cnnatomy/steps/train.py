"""Train a run's network: `python -m cnnatomy.steps.train run=speech seed=1`."""

from cnnatomy.steps.job import Job, step


@step
def train(job: Job) -> None:
    import yaml

    from cnnatomy.models import weights
    from cnnatomy.steps.datasets import dataset
    from cnnatomy.steps.writing import replaced
    from cnnatomy.training.fit import train_network

    # The state to resume from bears the digest: what other values or other code left is never resumed.
    state = job.output(f"state/{job.run}/seed{job.seed}/{job.digest[:16]}")
    network, history = train_network(job.config, dataset(job), seed=job.seed, state=state)
    folder = job.output(f"runs/{job.run}/seed{job.seed}")
    with replaced(folder / "model.safetensors") as file:
        weights.save(network, file, {"digest": job.digest})
    with replaced(folder / "config.yaml") as file:
        file.write_text(yaml.safe_dump(job.slice | {"digest": job.digest}, allow_unicode=True))
    with replaced(folder / "history.csv") as file:
        history.to_csv(file, index=False)


if __name__ == "__main__":
    train()
