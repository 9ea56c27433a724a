"""The steps of the workflow in one table: what each is about, whose artifacts it reads, which values, and which code.

Slices and digests (`slices.py`), the command line of a step (`steps/job.py`), what lies on the way to an exhibit
(`steps/lineage.py`) and the Snakefile read it; the rules alone say which files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnatomy.config import definitions, targets
from cnnatomy.config.compose import Config
from cnnatomy.config.listing import listing
from cnnatomy.data import naming

#: Keys of `training` that say where to train, not what.
_WHERE = ("accelerator", "devices")
#: Those that only a training reads whose `max_epochs` is auto.
_OF_AUTO = ("steps", "patience")


@dataclass(frozen=True)
class Step:
    """One step.

    subject: what its command line names (`data`, `run`, `lesson`, `study` or `report`). usual: the subject where it
    names none.
    slice: what it reads of a configuration beside its threads, with the seed and the dissection or lesson asked for.
    reads: steps whose artifacts it reads, where that is the same for every configuration.
    code: the modules that it reaches by names in a configuration, beside its own script.
    key: of `data`, by which a dataset is addressed. exhibit: what it makes, where that is not named by a method.
    """

    subject: str
    slice: Callable[[Config, int, str | None], Config]
    reads: tuple[str, ...] = ()
    code: Callable[[Config, str | None], Iterable[str]] = lambda config, method: ()
    usual: str = "mnist"
    key: str = ""
    exhibit: str = ""


def method_target(config: Config, method: str) -> str:
    """Where a dissection is: its YAML's own `_target_`, or our package of its name, which has `measure` and `show`."""
    return config["dissect"][method].get("_target_", f"cnnatomy.dissect.{method}")


def _modules(*nodes: Any) -> list[str]:
    """The modules of all targets in parts of a configuration."""
    return [definitions.module_of(name) for name in targets.names_in(list(nodes))]


def _split(config: Config) -> Config:
    """The other split, where the configuration asks for one."""
    return {"split": config["split"]} if config["split"] else {}


def _measures(config: Config) -> list[Config]:
    """What a study measures of each trained network beside what always is."""
    return config["study"].get("measures", [])


def _fetch(config: Config, seed: int, method: str | None) -> Config:
    """A fetch that reads a place of the user's own names it `path`; what lies there stands for it."""
    data = config["data"]
    own = {"path": listing(data["fetch"]["path"], "data.fetch.path")} if "path" in data["fetch"] else {}
    if own and (table := naming.table_of(data["fetch"].get("labels"), Path(data["fetch"]["path"]))):
        own["table"] = listing(str(table), "data.fetch.labels")
    return {"raw": data["raw"], "fetch": data["fetch"] | own}


def _train(config: Config, seed: int, method: str | None) -> Config:
    unread = _WHERE if config["training"]["max_epochs"] == "auto" else (*_WHERE, *_OF_AUTO)
    what = {key: value for key, value in config["training"].items() if key not in unread}
    return {"model": config["model"], "training": what, "seed": seed} | _weights(what.get("weights")) | _split(config)


def _weights(path: str | None) -> Config:
    """What stands for a user's file of weights: another one in its place may be older than what was made of it."""
    if not path or ".zip/" in path or not (file := Path(path).expanduser()).is_file():
        return {}
    whole = file.parent if file.name.endswith(".index.json") else file  # which names parts that lie beside it
    return {"weights": listing(str(whole), "training.weights")}


#: In the order of the workflow. `measure` is part of `trials`: what a study measures of one trained network; of a
#: study's exhibit `Plan.digest_of_study` knows what it reads.
STEPS = {
    "fetch": Step("data", _fetch, code=lambda config, method: _modules(config["data"]["fetch"]), key="raw"),
    "prepare": Step(
        "data",
        lambda config, seed, method: {key: config["data"][key] for key in ("name", "kind", "prepare")},
        reads=("fetch",),
        code=lambda config, method: _modules(config["data"]["prepare"]),
        key="name",
    ),
    "samples": Step(
        "run",
        lambda config, seed, method: {"samples": config["dissect"]["samples"]} | _split(config),
        reads=("prepare",),
        exhibit="samples",
    ),
    "train": Step(
        "run", _train, reads=("prepare",), code=lambda config, method: _modules(config["model"], config["training"])
    ),
    "evaluate": Step(
        "run",
        lambda config, seed, method: {"evaluation": config["dissect"]["evaluation"]},
        reads=("train",),
        code=lambda config, method: _modules(config["model"]),
        exhibit="evaluation",
    ),
    "dissect": Step(
        "run",
        lambda config, seed, method: {str(method): config["dissect"][method]},
        reads=("train",),
        code=lambda config, method: [
            *_modules(config["model"]),
            definitions.module_of(method_target(config, str(method))),
        ],
    ),
    "export": Step(
        "run",
        lambda config, seed, method: {},
        reads=("train",),
        code=lambda config, method: _modules(config["model"]),
    ),
    "lesson": Step(
        "lesson",
        lambda config, seed, method: {str(method): config["lesson"][method]},
        code=lambda config, method: [f"cnnatomy.lessons.{method}"],
        usual="convolution",
    ),
    "measure": Step(
        "run",
        lambda config, seed, method: {"measures": _measures(config)},
        reads=("train",),
        code=lambda config, method: [
            "cnnatomy.studies.measures.always",
            *_modules(config["model"], _measures(config)),
        ],
    ),
    "trials": Step("study", lambda config, seed, method: {}, usual="direction_quick"),
    "study": Step("study", lambda config, seed, method: {"study": config["study"]}, usual="direction_quick"),
    "report": Step("report", lambda config, seed, method: {"report": config["report"]}, usual=""),
}

#: Methods that are no dissection of a network, with the step that makes each.
OWN_STEP = {step.exhibit: name for name, step in STEPS.items() if step.exhibit}


def threads_of(step: str, config: Config) -> int:
    """How many threads a step computes on; a training has its own setting, and what trains or measures takes that."""
    return int(config["training"]["threads"] if step in ("train", "trials", "measure") else config["threads"][step])
