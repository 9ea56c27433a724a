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

from cnnatomy.config import code
from cnnatomy.config.compose import Config
from cnnatomy.config.steps import STEPS, threads_of


def canonical(value: Any) -> str:
    """One JSON text for equal values: Snakemake compares params as text, and a dict's order must not count."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def slice_of(step: str, config: Config, *, seed: int = 0, method: str | None = None) -> dict[str, Any]:
    """What `step` reads of a run's configuration, as plain containers; `method` names a dissection or a lesson."""
    threads = {} if step == "train" else {"threads": threads_of(step, config)}  # of a training they are a setting
    return STEPS[step].slice(config, seed, method) | threads


def code_of(step: str, config: Config, *, method: str | None = None, shown: bool = True) -> str:
    """Digest of the first-party code that `step` can reach: its script, its method, every `_target_` it builds.

    shown: with what turns a record into pictures.
    """
    script = () if step == "measure" else (f"cnnatomy.steps.{step}",)  # it is part of a script, which changes nothing
    told = [Path(__file__).parents[1] / folder for folder in ("report", "locale")] if step == "report" else []
    return code.digest([*script, *STEPS[step].code(config, method)], told, shown=shown)


def other_seeds(config: Config, method: str, seed: int = 0) -> list[int]:
    """Seeds of the networks of the same run that a dissection sees beside its own: as many as its `others` asks for.

    None where nothing is trained: the weights are the same whatever the seed.
    """
    wanted = config["dissect"][method].get("others", 0) if config["training"]["max_epochs"] else 0
    return [k for k in range(wanted + 1) if k != seed][:wanted]


def digest_of(step: str, config: Config, *, seed: int = 0, method: str | None = None) -> str:
    """SHA-256 that an artifact of `step` carries: of its slice, its code, and those of all steps before it."""
    return _hash(
        {
            "step": step,
            "slice": slice_of(step, config, seed=seed, method=method),
            "code": code_of(step, config, method=method),
            "reads": _reads(step, config, seed, method),
        }
    )


def digest_of_measuring(
    step: str, about: str, name: str, config: Config, *, seed: int = 0, method: str | None = None
) -> str:
    """SHA-256 of all that a record of `step` depends on but the settings of the method of this `name`.

    about: the run or lesson. What shows the record is in no such digest.
    """
    slice_ = slice_of(step, config, seed=seed, method=method)
    return _hash(
        {
            "measured": [step, about, name, seed],
            "slice": {key: value for key, value in slice_.items() if key != name},
            "code": code_of(step, config, method=method, shown=False),
            "reads": _reads(step, config, seed, method),
        }
    )


def _reads(step: str, config: Config, seed: int, method: str | None) -> list[str]:
    """The digests of the artifacts that a step reads."""
    reads = [digest_of(before, config, seed=seed) for before in STEPS[step].reads]
    if step == "dissect":
        assert method is not None
        reads += [digest_of("train", config, seed=other) for other in other_seeds(config, method, seed)]
    if step == "lesson" and config["lesson"][method].get("data"):
        reads.append(digest_of("prepare", config))
    return reads


def _hash(value: Any) -> str:
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def together(digests: Mapping[str, str]) -> str:
    """One digest of several, each under its name."""
    return _hash(dict(digests))
