"""The files that `cnnatomy new` writes: the data, the run and the report, each with what it is for."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from omegaconf._utils import get_yaml_loader

from cnnatomy.config import folders, names
from cnnatomy.config.errors import ConfigurationError
from cnnatomy.scaffold.proposal import Proposal

RUN = "Which data, which network, how trained."
REPORT = "Which runs, which methods; docs/dissections.md has all."
MODEL = "A network of one's own: where its class is, and its arguments."


def name_of(path: Path) -> str:
    """A name for a dataset, a run and a report that nothing has yet, from the name of its place."""
    name = re.sub(r"[^\w-]+", "_", path.stem if path.is_file() else path.name).strip("_-")[: names.MOST - 4] or "mine"
    return f"{name}_own" if _is_taken(name) else name


def _is_taken(name: str) -> bool:
    ours = any((folders.CONF / group / f"{name}.yaml").is_file() for group in ("data", "run", "report", "model"))
    return ours or name in names.ADDRESSES


def check_name(name: str) -> None:
    """Raises ConfigurationError for what can't be a name, or is one of the project's."""
    if not names.is_name(name):
        raise ConfigurationError(f"--name {names.shown(name)}: {names.RULE}")
    if _is_taken(name):
        raise ConfigurationError(f"--name {name}: the project has one of that name; give it another")


def files_of(proposal: Proposal, name: str, model: dict[str, Any] | None, weights: str | None) -> dict[str, str]:
    """Contents by their place below `conf/`. model: `_target_` and arguments of a network of the user's own."""
    chosen = name if model else proposal.model
    data = {
        "defaults": [f"own_{proposal.kind}", "_self_"],
        "name": name,
        "fetch": {"path": str(proposal.path), **proposal.fetch},
        **({"prepare": proposal.prepare} if proposal.prepare else {}),
    }
    training = "pretrained" if weights else proposal.kind
    run: dict[str, Any] = {
        "defaults": [{"override /data": name}, {"override /model": chosen}, {"override /training": training}, "_self_"],
        "title": {"en": title_of(name)},
    }
    if weights:
        run["training"] = {"weights": weights, "max_epochs": 0}
    report = {
        "title": {"en": title_of(name)},
        "runs": [name],
        "seeds": 1,
        "methods": proposal.methods,
        "lessons": [],
        "studies": [],
    }
    today = date.today().isoformat()
    said = [f"Found on {today} at {proposal.path}:", *proposal.found, "Proposed:", *proposal.proposed]
    said.append(f"All settings: conf/data/own_{proposal.kind}.yaml, docs/own.md.")
    written = {
        f"data/{name}.yaml": _commented(said) + _yaml(data),
        f"run/{name}.yaml": "# @package _global_\n" + _commented([RUN]) + _yaml(run),
        f"report/{name}.yaml": _commented([REPORT]) + _yaml(report),
    }
    if model:
        written[f"model/{name}.yaml"] = _commented([MODEL]) + _yaml(model)
    return written


def title_of(name: str) -> str:
    """A name as a title."""
    return name.replace("_", " ").strip().capitalize()


def write(folder: Path, files: dict[str, str], replace: bool = False) -> list[Path]:
    """Write files below `folder`; the paths. Raises ConfigurationError where one is there, unless `replace`."""
    there = [folder / name for name in files if (folder / name).exists()]
    if there and not replace:
        raise ConfigurationError(f"{there[0]} is there already. Give another --name, or --replace it.")
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    return [folder / name for name in files]


def _commented(lines: list[str]) -> str:
    return "".join(f"# {' '.join(line.split())}\n" for line in lines)


class _Dumper(yaml.SafeDumper):
    """Puts quotes around what the configuration's reader would take for something else than a text, such as 1e3."""

    yaml_implicit_resolvers = get_yaml_loader().yaml_implicit_resolvers


def _yaml(tree: Any) -> str:
    return yaml.dump(tree, Dumper=_Dumper, allow_unicode=True, sort_keys=False, default_flow_style=None, width=110)
