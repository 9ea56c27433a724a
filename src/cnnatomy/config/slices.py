"""The slice of the configuration that each step reads, and the digest that every artifact carries.

A slice is narrow: what a step does not read is not in it, and where it runs (device, paths, a mirror) never is, so
that a changed value reruns exactly the steps that read it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cnnatomy.config import code, definitions, targets
from cnnatomy.config.compose import Config
from cnnatomy.config.listing import listing
from cnnatomy.data import naming

#: Keys of `training` that say where to train, not what.
_WHERE = ("accelerator", "devices")
#: Those that only a training reads whose `max_epochs` is auto.
_OF_AUTO = ("steps", "patience")

#: Steps whose artifacts a step reads. A report reads what its selection says and has no single ancestor.
_READS = {
    "fetch": (),
    "prepare": ("fetch",),
    "train": ("prepare",),
    "samples": ("prepare",),
    "evaluate": ("train",),
    "dissect": ("train",),
    "measure": ("train",),  # of each trained network of a study
    "study": (),  # and of all its variants: `Plan.digest_of_study`
    "lesson": (),  # or ("prepare",), where it looks at data
    "report": (),
}


def canonical(value: Any) -> str:
    """One JSON text for equal values: Snakemake compares params as text, and a dict's order must not count."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def slice_of(step: str, config: Config, *, seed: int = 0, method: str | None = None) -> dict[str, Any]:
    """What `step` reads of a run's configuration, as plain containers; `method` names a dissection or a lesson."""
    data, threads = config["data"], config["threads"]
    if step == "fetch":
        # A fetch that reads a place of the user's own names it `path`; what lies there stands for it.
        own = {"path": listing(data["fetch"]["path"], "data.fetch.path")} if "path" in data["fetch"] else {}
        if own and (table := naming.table_of(data["fetch"].get("labels"), Path(data["fetch"]["path"]))):
            own["table"] = listing(str(table), "data.fetch.labels")
        return {"raw": data["raw"], "fetch": data["fetch"] | own, "threads": threads["fetch"]}
    if step == "prepare":
        return {
            "name": data["name"],
            "kind": data["kind"],
            "prepare": data["prepare"],
            "threads": threads["prepare"],
        }
    if step == "train":
        unread = _WHERE if config["training"]["max_epochs"] == "auto" else (*_WHERE, *_OF_AUTO)
        what = {key: value for key, value in config["training"].items() if key not in unread}
        return {"model": config["model"], "training": what, "seed": seed} | _split(config)
    if step == "samples":
        return {"samples": config["dissect"]["samples"], "threads": threads["samples"]} | _split(config)
    if step == "evaluate":
        return {"evaluation": config["dissect"]["evaluation"], "threads": threads["evaluate"]}
    if step == "dissect":
        assert method is not None
        return {method: config["dissect"][method], "threads": threads["dissect"]}
    if step == "lesson":
        assert method is not None
        return {method: config["lesson"][method], "threads": threads["lesson"]}
    if step == "measure":
        return {"measures": _measures(config), "threads": config["training"]["threads"]}
    if step == "study":
        return {"study": config["study"], "threads": threads["study"]}
    if step == "report":
        return {"report": config["report"], "threads": threads["report"]}
    raise KeyError(step)


def _split(config: Config) -> dict[str, Any]:
    """The other split, where the configuration asks for one."""
    return {"split": config["split"]} if config["split"] else {}


def _measures(config: Config) -> list[dict[str, Any]]:
    """What a study measures of each trained network beside what always is."""
    return config["study"].get("measures", [])


def code_of(step: str, config: Config, *, method: str | None = None) -> str:
    """Digest of the first-party code that `step` can reach: its script, its method, every `_target_` it builds."""
    roots = [f"cnnatomy.steps.{step}"]
    templates: list[Path] = []
    if step == "fetch":
        roots += [_module(name) for name in targets.names_in(config["data"]["fetch"])]
    elif step == "prepare":
        roots += [_module(name) for name in targets.names_in(config["data"]["prepare"])]
    elif step == "train":
        roots += [_module(name) for name in targets.names_in([config["model"], config["training"]])]
    elif step in ("evaluate", "dissect"):
        roots += [_module(name) for name in targets.names_in(config["model"])]
    elif step == "measure":
        roots = ["cnnatomy.studies.measures.always"]
        roots += [_module(name) for name in targets.names_in([config["model"], _measures(config)])]
    if step == "dissect":
        roots.append(_module(method_target(config, str(method))))
    if step == "lesson":
        roots.append(f"cnnatomy.lessons.{method}")
    if step == "report":
        templates += [Path(__file__).parents[1] / folder for folder in ("report", "locale")]
    return code.digest(roots, templates)


def method_target(config: Config, method: str) -> str:
    """Where a dissection is: its YAML's own `_target_`, or our package of its name, which has `measure` and `show`."""
    return config["dissect"][method].get("_target_", f"cnnatomy.dissect.{method}")


def other_seeds(config: Config, method: str, seed: int = 0) -> list[int]:
    """Seeds of the networks of the same run that a dissection sees beside its own: as many as its `others` asks for.

    None where nothing is trained: the weights are the same whatever the seed.
    """
    wanted = config["dissect"][method].get("others", 0) if config["training"]["max_epochs"] else 0
    return [k for k in range(wanted + 1) if k != seed][:wanted]


def digest_of(step: str, config: Config, *, seed: int = 0, method: str | None = None) -> str:
    """SHA-256 that an artifact of `step` carries: of its slice, its code, and those of all steps before it."""
    reads = [digest_of(before, config, seed=seed) for before in _READS[step]]
    if step == "dissect":
        assert method is not None
        reads += [digest_of("train", config, seed=other) for other in other_seeds(config, method, seed)]
    if step == "lesson" and config["lesson"][method].get("data"):
        reads.append(digest_of("prepare", config))
    return hashlib.sha256(
        canonical(
            {
                "step": step,
                "slice": slice_of(step, config, seed=seed, method=method),
                "code": code_of(step, config, method=method),
                "reads": reads,
            }
        ).encode()
    ).hexdigest()


def together(digests: Mapping[str, str]) -> str:
    """One digest of several, each under its name."""
    return hashlib.sha256(canonical(dict(digests)).encode()).hexdigest()


def _module(target: str) -> str:
    return definitions.module_of(target)
