"""Hydra's composing of options, with all that a thousand compositions have in common done once.

Hydra reads each YAML file anew for each composition, composes its own settings beside ours and takes every dissection
and lesson along. Here its own functions build the defaults list and merge, from files that are read once, without
settings that no step reads, and with those dissections and lessons only that some option changes: a tenth of the time.
"""

from __future__ import annotations

import copy
import os
import warnings
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_repository import ConfigRepository
from hydra._internal.config_search_path_impl import ConfigSearchPathImpl
from hydra._internal.defaults_list import DefaultsList, create_defaults_list
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.plugins.config_source import ConfigResult
from omegaconf import DictConfig, OmegaConf

from cnnatomy.config import folders, letters, reading  # noqa: F401 - letters changes what Hydra reads

# Of a file .yml, which `folders.no_such` says how to rename.
warnings.filterwarnings("ignore", "Support for .yml files is deprecated")

ROOT = "options"
COLLECTED = "collected"

#: What every configuration is made of; `collected` are all dissections and lessons, each under its name. As one
#: option: thirty in the defaults list would make every composing five times as long.
DEFAULTS: list[Any] = [
    "base",
    # The run overrides these three; they stand here so that it can.
    {"data": "mnist"},
    {"model": "lecture"},
    {"training": "images"},
    COLLECTED,
    {"report": "default"},
    {"run": "mnist"},
    {"study": None},
    "_self_",
]


def compose(
    choices: Iterable[str], collected: Mapping[str, Mapping[str, Any]], refers: bool
) -> tuple[DictConfig, bool]:
    """What Hydra composes of a choice of options, of the `collected` only what some option changes.

    collected: all options of each group whose options are all there. refers: whether some value refers to another
    (`${...}`), so that all are wanted; given back, true where the options themselves do. Raises what Hydra does.
    """
    changed = _composed(choices, {group: {} for group in collected})
    refers = refers or "${" in repr(collected) or "${" in repr(OmegaConf.to_container(changed))
    wanted = {
        group: {name: option for name, option in options.items() if refers or name in (changed.get(group) or {})}
        for group, options in collected.items()
    }
    return _composed(choices, wanted) if any(wanted.values()) else changed, refers


def files(choices: Iterable[str]) -> list[tuple[Path, str]]:
    """The files that a choice of options is composed of, each with the key that its keys are below; the last wins."""
    options = [(folders.at(f"{group}/{name}.yaml"), f"{group}.{name}") for group, name in _all_collected()]
    chosen = [(str(one.config_path), one.package or "") for one in _defaults(choices).defaults]
    return [*options, *((folders.at(f"{path}.yaml"), package) for path, package in chosen if "/" in path)]


def _all_collected() -> list[tuple[str, str]]:
    return [(group, name) for group in folders.COLLECTED for name in folders.options(group)]


def _defaults(choices: Iterable[str]) -> DefaultsList:
    return create_defaults_list(
        repo=_files(folders.users()),
        config_name=ROOT,
        overrides_list=OverridesParser.create().parse_overrides(list(choices)),
        prepend_hydra=False,
        skip_missing=False,
    )


def _composed(choices: Iterable[str], collected: Mapping[str, Any]) -> DictConfig:
    files = _files(folders.users())
    found = _defaults(choices)
    loader = ConfigLoaderImpl(ConfigSearchPathImpl())
    config = loader._compose_config_from_defaults_list(defaults=found.defaults, repo=_Copies(files, collected))
    OmegaConf.set_struct(config, True)
    return config


class _Files(ConfigRepository):
    """The YAML files of the folders, each read once. What it gives must not be changed."""

    def __init__(self, search: ConfigSearchPathImpl) -> None:
        super().__init__(search)
        self._read: dict[str, ConfigResult | None] = {
            name: self._made(name, content) for name, content in ((ROOT, {"defaults": DEFAULTS}), (COLLECTED, {}))
        }

    def load_config(self, config_path: str) -> ConfigResult | None:
        if config_path not in self._read:
            file, group = folders.at(f"{config_path.removesuffix('.yaml')}.yaml"), config_path.partition("/")[0]
            if group in folders.CHOSEN and os.path.isfile(file):
                reading.read(file, group)
            self._read[config_path] = super().load_config(config_path)
        return self._read[config_path]

    def config_exists(self, config_path: str) -> bool:
        return config_path in self._read or super().config_exists(config_path)

    def _made(self, name: str, content: Mapping[str, Any]) -> ConfigResult:
        config = OmegaConf.create(dict(content))
        result = ConfigResult(
            provider="main", path="made", config=config, header={"package": ""}, is_schema_source=True
        )
        result.defaults_list = self._create_defaults_list(name, self._extract_defaults_list(name, config))
        return result


class _Copies(ConfigRepository):
    """Copies of what was read, for merging takes them apart."""

    def __init__(self, files: _Files, collected: Mapping[str, Any]) -> None:
        self.sources, self.files, self.collected = files.sources, files, collected

    def load_config(self, config_path: str) -> ConfigResult | None:
        found = copy.copy(self.files.load_config(config_path))
        if found is not None:
            own = OmegaConf.create(dict(self.collected)) if config_path == COLLECTED else None
            found.config = copy.deepcopy(found.config) if own is None else own
        return found


@cache
def _files(own: Any) -> _Files:
    Plugins.instance()  # which knows how files are read
    search = ConfigSearchPathImpl()
    search.append("main", f"file://{folders.CONF}")
    if own is not None:
        search.append("hydra.searchpath in main", f"file://{own}")
    search.append("schema", "structured://")
    return _Files(search)
