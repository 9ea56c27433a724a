"""Composing a configuration with Hydra and checking it whole: a misspelt key stops everything before the first job."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from functools import cache
from pathlib import Path
from typing import Any, NoReturn, get_type_hints

from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import ConfigCompositionException, HydraException, MissingConfigException, OverrideParseException
from omegaconf import MISSING, DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from cnnatomy.config import composing, folders, names, overrides, reading, schema, settings, targets, types
from cnnatomy.config.errors import ConfigurationError, nearest
from cnnatomy.data import settings as of_data
from cnnatomy.data.errors import DataError

ROOT = "cnnatomy"

#: A configuration as plain containers, all interpolations resolved; to read only, for parts of it are others' as well.
Config = dict[str, Any]


def register() -> None:
    """Tell Hydra the root configuration, whose defaults lists are made of what lies in the folders."""
    own = folders.users()
    store = ConfigStore.instance()
    store.store(name=composing.COLLECTED, node=_collected(own))
    store.store(
        name=ROOT,
        node={
            "defaults": [
                *composing.DEFAULTS,
                # No folder, no log file, no handler: a step leaves nothing but its artifacts.
                {"override hydra/job_logging": "disabled"},
                {"override hydra/hydra_logging": "disabled"},
            ],
            "hydra": {
                "run": {"dir": "."},
                "output_subdir": None,
                # A folder's name is no reference to another value, whatever it looks like.
                "searchpath": [] if own is None else [f"file://{own}".replace("${", "\\${")],
            },
        },
    )


@cache
def _collected(own: Path | None) -> Config:
    """All options of the groups whose options are all there, each under its name; those in the user's folder too."""
    return {
        group: {name: reading.read(folders.find(group, name), group) for name in folders.options(group)}
        for group in folders.COLLECTED
    }


@contextmanager
def _hydra() -> Iterator[None]:
    if GlobalHydra.instance().is_initialized():  # inside hydra.main
        yield
    else:
        register()
        with initialize_config_dir(str(folders.CONF), version_base="1.3"):
            yield


def compose(given: Sequence[str]) -> Config:
    """Compose and check the configuration for these Hydra overrides. Raises ConfigurationError naming the key."""
    return _composed(tuple(overrides.added(override) for override in given))


@cache
def _composed(given: tuple[str, ...]) -> Config:
    try:
        config = _plain(given)
    except (HydraException, OmegaConfBaseException) as error:
        raise explain(error, given) from error
    choices = _choices(given)
    try:
        config = completed(config)
        check(config, config if choices == given else _composed(choices))
    except ConfigurationError as error:
        raise placed(error, given) from error
    return config


def placed(error: ConfigurationError, given: Sequence[str]) -> ConfigurationError:
    """An error of a key with the file and the line that set it, unless an override did."""
    found = re.match(r"([\w.]+): ", str(error))
    if found is None:
        return error
    key, choices = found[1], _choices(given)
    if any(f"{key}.".startswith(f"{overrides.key_of(override)}.") for override in given if override not in choices):
        return error
    for file, package in reversed(composing.files(choices)):
        line = reading.line_of(file, key.removeprefix(f"{package}.") if package else key)
        if line and (not package or key.startswith(f"{package}.")):
            return ConfigurationError(f"{reading.shown(file)}, line {line}: {error}")
    return error


def is_users(group: str, given: Sequence[str]) -> bool:
    """Whether what is chosen of a group lies in the user's folder."""
    own = folders.users()
    chosen = [file for file, package in composing.files(_choices(given)) if package == group]
    return own is not None and any(file.is_relative_to(own) for file in chosen)


def _plain(given: tuple[str, ...]) -> Config:
    """The configuration as plain containers, not checked; what no override changes is shared with others.

    Hydra composes each choice of options once; values are set in a copy of the groups that they are in, as Hydra itself
    does at the end of composing. A study's thousand variants differ in little else, and composing them anew takes ten
    times as long.
    """
    choices = _choices(given)
    values = OverridesParser.create().parse_overrides([override for override in given if override not in choices])
    if any(override.is_sweep_override() for override in values):
        _refuse(given)
    chosen, plain, refers = _chosen(choices, any("${" in override for override in given))
    keys = [str(override.key_or_group).split(".") for override in values]
    touched = {key[0] for key in keys}
    copied: list[Any] = [key for key in chosen if refers or key in touched]
    part: Any = OmegaConf.masked_copy(chosen, copied)
    untouched = {key: value for key, value in plain.items() if not refers and key not in touched}
    apart: Config = {}  # of the dissections and lessons, if any is touched, those that are not
    for group in touched & set(folders.COLLECTED):
        options, named = plain[group] or {}, {key[1] if len(key) > 1 else None for key in keys if key[0] == group}
        wanted = {name: options[name] for name in options if None in named or name in named or name in part[group]}
        part = OmegaConf.merge({group: wanted}, part)
        apart[group] = {name: value for name, value in options.items() if name not in wanted}
    OmegaConf.set_struct(part, True)
    ConfigLoaderImpl._apply_overrides_to_config(values, part)
    changed: Any = OmegaConf.to_container(part, resolve=True)
    for group, rest in apart.items():
        if rest:  # none where the group is changed as a whole
            changed[group] = rest | changed[group]
    return untouched | changed


def _refuse(given: Iterable[str]) -> NoReturn:
    """Have Hydra say why it does not take these overrides."""
    with _hydra():
        hydra_compose(ROOT, overrides=list(given))
    raise AssertionError(f"Hydra takes {list(given)}")


@cache
def _chosen(choices: tuple[str, ...], refers: bool) -> tuple[DictConfig, Config, bool]:
    """What is composed of a choice of options, the same as plain containers, and whether values refer to others.

    Of dissections and lessons the first has only those that some option changes; all where values `refers` to others.
    """
    collected = _collected(folders.users())
    try:
        config, refers = composing.compose(choices, collected, refers)
    except (HydraException, OmegaConfBaseException):
        _refuse(choices)
    plain: Any = OmegaConf.to_container(config, resolve=True)
    for group, options in collected.items():
        changed = plain.get(group, {})
        plain[group] = None if changed is None else options | changed
    return config, plain, refers


def _choices(given: Iterable[str]) -> tuple[str, ...]:
    """The overrides that choose an option of a group, without those that change a value."""
    return tuple(o for o in given if overrides.key_of(o).partition("@")[0] in folders.CHOSEN)


def completed(config: Config) -> Config:
    """A configuration with the values of what its YAML files may leave out, as the schema's classes have them.

    Raises ConfigurationError for what they don't allow.
    """
    whole = dict(config)
    known = {*reading.read(folders.CONF / "base.yaml", "base"), *folders.COLLECTED}
    for key in known - set(config):
        raise ConfigurationError(f"{key}: is taken away, but steps read it; leave ~{key} out")
    for key in set(config) - known - {*folders.CHOSEN, "hydra"}:
        raise ConfigurationError(f"{key}: no such key. {nearest(key, [*known, *folders.CHOSEN])}")
    for group in (*schema.CLASSES, "model"):
        if group not in config:  # null takes a whole group away
            raise ConfigurationError(f"{group}: nothing is chosen; name an option, as in `override /data: mnist`")
    for group in schema.CLASSES:
        if config[group] is not None:  # as the other split usually is
            if not isinstance(config[group], dict):
                raise ConfigurationError(f"{group}: wants keys of its own, not {names.shown(str(config[group]))}")
            whole[group] = _whole(group, config[group])
    return whole


def _misshapen(wanted: type, values: Config) -> str:
    """The first key whose value alone can't be one of the class; OmegaConf doesn't always name it."""
    for key, value in values.items():
        try:
            OmegaConf.merge(OmegaConf.structured(wanted), {key: value})
        except OmegaConfBaseException:
            return str(key)
    return ""


def _in_words(error: OmegaConfBaseException) -> str:
    """What a user should read of OmegaConf's complaint about a value: what the key wants."""
    first = str(error).splitlines()[0]
    if found := re.match(r"Value '(.*)' of type '.*' could not be converted to (\w+)", first):
        return f"wants {_WANTED.get(found[2], found[2])}, not {names.shown(found[1])}"
    if found := re.match(r"(?:Cannot assign|Invalid value assigned:) (\w+) .*?(List|Dict|list|dict|ListConfig)", first):
        return "wants a list, as in [a, b]" if "ist" in found[2] else "wants keys of its own, as in {en: …}"
    if "missing mandatory value" in first:
        return "is missing; write it"
    if "Cannot merge" in first:
        return "has keys where it wants a list, as in [a, b], or a list where it wants keys, as in {en: …}"
    if "None" in first or "Optional" in first:
        return "must not be null; write a value, or leave the key out"
    return f"{first}; mend the value"


_WANTED = {"Integer": "a whole number", "Float": "a number", "Boolean": "true or false"}
_WHOLE: dict[tuple[str, str], Config] = {}


def _whole(group: str, values: Config) -> Config:
    """A group's values with those that are left out; worked out once for all that write the same."""
    written = repr(values)
    if (group, written) in _WHOLE:
        return _WHOLE[group, written]
    wanted = schema.CLASSES[group]
    try:
        found: Any = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(wanted), values))
    except OmegaConfBaseException as error:
        key = str(error.full_key or "") or _misshapen(wanted, values)
        if "not in" in str(error).splitlines()[0]:
            hint = nearest(key.split(".")[-1], [field.name for field in fields(wanted)])
            raise ConfigurationError(f"{group}.{key}: no such key. {hint}") from error
        if "Union[" in str(error):  # which OmegaConf says as Python writes it
            kind = get_type_hints(wanted, include_extras=True)[key]
            raise ConfigurationError(f"{group}.{key}: {settings.fault(values[key], kind)}") from error
        raise ConfigurationError(f"{group}.{key}: {_in_words(error)}") from error
    except ValueError as error:
        raise ConfigurationError(f"{group}.{error}") from error
    return _WHOLE.setdefault((group, written), asdict(found))


def check(config: Config, reference: Config) -> None:
    """Check a configuration against the types in the YAML files and the signatures of targets.

    `reference` is the same configuration without changed values. Raises ConfigurationError.
    """
    targets.check_allowed(config)
    written = _written() or reference
    for group in ("model", "study"):
        types.check(config.get(group) or {}, reference.get(group) or {}, group)
    types.check(config["threads"], written["threads"], "threads")
    for group in folders.COLLECTED:
        _check_collected(config.get(group) or {}, written.get(group) or {}, group)
    check_title(config["title"], "title")
    check_title(config["report"]["title"], "report.title")
    for part in ("fetch", "prepare"):
        node, written_so, path = config["data"][part], reference["data"][part], f"data.{part}"
        several = targets.of_several_types(node, path) & set(written_so)
        types.check(node, written_so | dict.fromkeys(several), path)
        targets.check(node, path, given_later=("into", "raw", "folder", "digest"))
    try:
        of_data.check(config["data"]["prepare"])
    except DataError as error:
        raise ConfigurationError(str(error)) from error
    for part in ("fetch", "prepare"):
        _check_kinds(config["data"][part], f"data.{part}")
    for method, node in config["dissect"].items():
        if "_target_" in node:
            targets.definition(str(node["_target_"]), f"dissect.{method}")
    targets.check(config["model"], "model", given_later=("shape", "classes", "vocabulary"))
    if config["training"].get("augment"):
        targets.check(config["training"]["augment"], "training.augment", given_later=("generator",))


def _check_kinds(node: Config, path: str) -> None:
    """Check values that a YAML file leaves out (null), by what the project's function that takes them writes."""
    target = str(node.get("_target_"))
    for key, kind in _kinds(target).items() if target.startswith("cnnatomy.data.") else ():
        if node.get(key) is not None and (said := settings.fault(node[key], kind)):
            raise ConfigurationError(f"{path}.{key}: {said}")


_kinds = cache(targets.kinds)


def _check_collected(given: Config, written: Config, group: str) -> None:
    """Each dissection or lesson by its class of settings; one without by the keys and types of its YAML file."""
    types.check(given, dict.fromkeys(written), group)
    for name, node in given.items():
        wanted = None if "_target_" in written[name] else settings.kinds(group, name)
        if wanted is None or not isinstance(node, dict):
            types.check(node, written[name], f"{group}.{name}")
        elif (text := f"{group}.{name}: {node!r}") not in _SOUND:
            settings.check(node, wanted, written[name], f"{group}.{name}")
            _SOUND.add(text)


_SOUND: set[str] = set()  # what was checked: a study's thousand variants differ in little else


def check_title(title: Any, path: str) -> None:
    """A title is a text, or one in English and perhaps one in Chinese. Raises ConfigurationError."""
    if title == MISSING:
        raise ConfigurationError(f'{path}: is missing; write what the report calls it, as in {path}: {{en: "Leaves"}}')
    if title == "" or (isinstance(title, dict) and not str(title.get("en", "x")).strip()):
        raise ConfigurationError(f'{path}: is empty; write what the report calls it, as in {path}: {{en: "Leaves"}}')
    if isinstance(title, str):
        return
    if not isinstance(title, dict) or "en" not in title or not all(isinstance(said, str) for said in title.values()):
        raise ConfigurationError(f'{path}: wants a text in English, and may have a Chinese one: {{en: "…", zh: "…"}}')
    for language in set(title) - {"en", "zh"}:
        raise ConfigurationError(f"{path}.{language}: no such language here; give en, and zh if you like")


def _written() -> Config | None:
    """The groups that no run may add keys to, as their files have them; None where values refer to others."""
    own = _collected(folders.users())
    threads = reading.read(folders.CONF / "base.yaml", "base")["threads"]
    return None if "${" in repr(own) else {**own, "threads": threads}


def explain(error: Exception, given: Iterable[str]) -> ConfigurationError:
    """What a user should read in place of Hydra's or OmegaConf's error: the key, and the nearest right one."""
    if isinstance(error, MissingConfigException) and error.options is not None:
        group, _, option = str(error.missing_cfg_file).rpartition("/")
        return folders.no_such(group, option)
    if lost := re.match(r"In '([^']+)': Could not load '([^']+)'", str(error)):
        file, (group, _, option) = folders.at(f"{lost[1]}.yaml"), lost[2].rpartition("/")
        return ConfigurationError(f"{reading.shown(file)}: defaults: {folders.no_such(group, option)}")
    if isinstance(error, OverrideParseException):
        said = overrides.said(error.override)
        return ConfigurationError(f"{said}: cannot be read as key=value; {overrides.form(said)}")
    if isinstance(error, ConfigCompositionException):
        for override in given:
            key = overrides.key_of(override)
            if f"'{key}'" not in str(error):
                continue
            cause = error.__cause__
            if cause is not None and "not in struct" not in str(cause):
                return ConfigurationError(f"{overrides.said(override)}: {str(cause).splitlines()[0]}")
            if override.startswith("+") and not override.startswith("++") and "already at" in f"{error} {cause}":
                return ConfigurationError(f"{override}: {key} is there already; write it without the +")
            if key in settings.RENAMED:
                return ConfigurationError(f"{key}: is called {settings.RENAMED[key]!r} now; write that")
            return ConfigurationError(f"{key}: no such key. {_nearest_key(key, _choices(given))}")
    first = str(error).splitlines()[0]
    if away := [override for override in given if override.startswith("~")]:
        return ConfigurationError(f"{away[0]}: takes away what others refer to ({first}); give it a value instead")
    if first.startswith(("Ambiguous value", "Sweep parameters")):
        first = next((first.replace(o, overrides.said(o)) for o in given if f"'{o}'" in first), first)
        return ConfigurationError(
            f"{first}: a comma asks for a sweep; write a list as key=[1,2] and a text as key='a,b'"
        )
    return ConfigurationError(first)


def _nearest_key(key: str, choices: tuple[str, ...]) -> str:
    """The hint for a key that is not there: the nearest name at the level where its path leaves the configuration."""
    node: Any = {**dict.fromkeys(folders.CHOSEN, {}), **_plain(choices)}
    path = ""
    if within := sorted(one for one in _paths(node) if one.endswith(f".{key}")):
        return f"Did you mean {' or '.join(map(repr, within[:3]))}?"
    for part in key.split("."):
        if not isinstance(node, dict) or part not in node:
            known = [f"{path}{name}" for name in node] if isinstance(node, dict) else []
            return nearest(f"{path}{part}", known)
        node, path = node[part], f"{path}{part}."
    return ""


def _paths(node: Config, above: str = "") -> Iterator[str]:
    """The keys below the groups that a run or a report has one option of, `training.max_epochs`."""
    for name, value in node.items():
        if above or name in ("data", "model", "report", "training"):
            yield f"{above}{name}"
            if isinstance(value, dict):
                yield from _paths(value, f"{above}{name}.")
