"""Reading a YAML file of the configuration, and refusing one that can't mean what its author wants.

Hydra takes a file without its header, with keys that nothing reads or of another group, and composes something else.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import yaml
from hydra.plugins.config_source import ConfigSource
from omegaconf import OmegaConf
from omegaconf._utils import get_yaml_loader
from omegaconf.errors import OmegaConfBaseException

from cnnatomy.config import folders, names
from cnnatomy.config.errors import ConfigurationError, nearest

HEADER = "# @package _global_"
MOST_BYTES = 1_000_000
MOST_VALUES = 100_000  # of a file, what it repeats by its anchors counted as often as it stands there
DEEPEST = 50  # keys below each other

#: Keys that a run may set beside the groups; those of base.yaml but what decides on one job, and what Hydra reads.
_OF_RUN = ("defaults", "title", "published", "threads", "split", "study_jobs")
#: What may be taken from the environment: places, which no artifact and no page shows.
_FROM_ENVIRONMENT = re.compile(r"fetch\.(?!licence$|citation$)|mirror$|training\.weights$|weights$")
_STRANGE_BLANK = re.compile(r"[ ]*([\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000\ufeff])\s*(?:- |[\w/. ]+:(?: |$))")
#: Signs of full width where one of YAML's is meant: behind a key, or between words in a list.
_WIDE_SIGN = re.compile(r"^\s*[\w/. -]+(：)|[\[{][^'\"“]*?([：，])|(［|｛)")
_PLAIN_SIGNS = {"：": ":", "，": ",", "［": "[", "｛": "{"}
_RESOLVER = re.compile(r"\$\{\s*([\w.]+)\s*:")


def read(file: Path, group: str) -> dict[str, Any]:
    """The content of an option's file, read once until it changes; not to be changed.

    Raises ConfigurationError, with file and line, for one that is not sound.
    """
    try:
        about = file.stat()
    except OSError as error:
        raise ConfigurationError(f"{shown(file)}: cannot be read ({error.strerror}); make it readable") from error
    return _read(file, group, (about.st_mtime_ns, about.st_size))


@lru_cache(512)
def _read(file: Path, group: str, stamp: tuple[int, int]) -> dict[str, Any]:
    text = _text(file, stamp[1])
    try:
        _refuse_endless(text, file)
        content = yaml.load(text, Loader=get_yaml_loader())
        if isinstance(content, dict):
            content = OmegaConf.to_container(OmegaConf.create(content))
    except yaml.MarkedYAMLError as error:
        _refuse_signs(text, file)
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ConfigurationError(f"{shown(file)}{line}: cannot be read as YAML: {_advice(error)}") from error
    except (yaml.YAMLError, OmegaConfBaseException, ValueError, TypeError) as error:
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise ConfigurationError(f"{shown(file)}: cannot be read as YAML ({why}); mend it") from error
    except RecursionError as error:
        raise _too_deep(file) from error
    if content is None or content == {}:
        raise ConfigurationError(f"{shown(file)}: is empty; write its keys, or delete it")
    if not isinstance(content, dict):
        _refuse_signs(text, file)
        raise ConfigurationError(f"{shown(file)}: wants keys and values, as in `title: …`, and has something else")
    found = {str(key): value for key, value in content.items()}
    if not all(map(str.isascii, _keys(content))):
        _refuse_signs(text, file)
    _refuse_header(text, file, group)
    _refuse_dotted(found, text, file)
    _refuse_unquoted(found, text, file, group)
    if "defaults" in found:
        _refuse_defaults(found["defaults"], file, group)
    elif group == "data" and "_target_" not in (found.get("fetch") or {}):
        raise ConfigurationError(
            f"{shown(file)}, line 1: builds on no template, which says how data are read; let it begin with "
            "defaults: [own_images, _self_] (or own_sounds, own_texts, own_signals)"
        )
    _refuse_resolvers(found, file, group)
    if group == "run":
        _refuse_foreign(found, file)
    return found


def shown(file: Path) -> str:
    """A file's path for a message: from this folder where it lies in it."""
    return os.path.relpath(file) if file.is_relative_to(Path.cwd()) else str(file)


def line_of(file: Path, path: str) -> int | None:
    """The line, from 1, in which a file sets a key (`training.max_epochs`); None where it doesn't."""
    try:
        node = yaml.compose(file.read_text(encoding="utf-8"), Loader=get_yaml_loader())
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError):
        return None
    line = None
    for part in path.split("."):
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        found = next(((key, value) for key, value in pairs if getattr(key, "value", None) == part), None)
        if found is None:
            return None
        line, node = found[0].start_mark.line + 1, found[1]
    return line


def _text(file: Path, size: int) -> str:
    if size > MOST_BYTES:
        raise ConfigurationError(f"{shown(file)}: is larger than {MOST_BYTES // 1_000_000} MB; name another file")
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{shown(file)}: cannot be read ({error.strerror}); make it readable") from error
    if content.startswith(b"\xef\xbb\xbf"):
        raise ConfigurationError(
            f"{shown(file)}, line 1: begins with a mark of three bytes (BOM) that hides its first line; "
            "save it as UTF-8 without it"
        )
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ConfigurationError(f"{shown(file)}, line {line}: is no UTF-8; save the file as UTF-8") from error


def _advice(error: yaml.MarkedYAMLError) -> str:
    """What a user can do about YAML's complaint."""
    problem = error.problem or ""
    if "'\\t'" in problem:
        return "there is a tab; indent with spaces"
    if "duplicate key" in problem:
        return f"{problem.replace('found duplicate key', 'it has the key')} twice; leave one"
    if "escape" in problem:
        return "a backslash in double quotes has a meaning of its own; put the text in single quotes, or write / for it"
    return f"{problem}; mend the line, or put the value in quotes"


def _keys(value: Any) -> Iterator[str]:
    """All keys, and all texts in lists without quotes, in which a wrong sign may hide."""
    if isinstance(value, Mapping):
        for key, entry in value.items():
            yield str(key)
            yield from _keys(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _keys(entry) if isinstance(entry, Mapping | list) else [str(entry)]


def _refuse_signs(text: str, file: Path) -> None:
    """Refuse blanks and signs that look like YAML's and are others, as Chinese keyboards and web pages give them."""
    for number, line in enumerate(text.splitlines(), start=1):
        if strange := _STRANGE_BLANK.match(line):
            raise ConfigurationError(
                f"{shown(file)}, line {number}: begins with a blank that is none of YAML's (U+{ord(strange[1]):04X}); "
                "indent with spaces"
            )
        if strange := _WIDE_SIGN.search(line.partition("#")[0]):
            sign = next(one for one in strange.groups() if one)
            raise ConfigurationError(
                f"{shown(file)}, line {number}: {sign} is a sign of Chinese texts; write {_PLAIN_SIGNS[sign]} and a "
                "blank, or put quotes around a text that holds it"
            )


def _refuse_dotted(content: Mapping[str, Any], text: str, file: Path) -> None:
    """A key with a dot is one word to YAML, whatever it is in an override."""
    for key in content:
        outer, dot, inner = key.partition(".")
        if dot and outer and inner:
            line = next((at for at, one in enumerate(text.splitlines(), 1) if key in one), 1)
            raise ConfigurationError(
                f"{shown(file)}, line {line}: {key} is one word in a YAML file; write {outer}: {{{inner}: …}}"
            )


def _refuse_unquoted(content: Mapping[str, Any], text: str, file: Path, group: str) -> None:
    """A name that YAML reads as a number or a truth is another one then: on is True, 007 is 7, 1e3 is 1000.0."""
    said: list[tuple[str, Any]] = []
    if group == "report":
        lists = [(key, content.get(key)) for key in ("runs", "studies", "lessons", "methods", "recorded")]
        said = [(key, one) for key, entries in lists if isinstance(entries, list) for one in entries]
    elif group == "data":
        said = [(key, content.get(key)) for key in ("name", "raw")]
    if isinstance(content.get("defaults"), list):
        chosen = [one for entry in content["defaults"] if isinstance(entry, Mapping) for one in entry.values()]
        said += [("defaults", one) for one in chosen]
    for key, one in said:
        if isinstance(one, bool | int | float) and str(one) not in _written(text, key):
            raise ConfigurationError(
                f"{_at(file, key)}: {key}: to YAML a name there is the value {one!r}; put the name in quotes, as it is "
                'written, such as "007" or "on"'
            )


def _written(text: str, key: str) -> set[str]:
    """The values below a key at the top of a file, as they are written."""
    root = yaml.compose(text, Loader=get_yaml_loader())
    waiting = [value for name, value in getattr(root, "value", ()) if getattr(name, "value", None) == key]
    found = set()
    while waiting:
        node = waiting.pop()
        if isinstance(node, yaml.ScalarNode):
            found.add(str(node.value))
        else:
            waiting += [part for entry in node.value for part in (entry if isinstance(entry, tuple) else (entry,))]
    return found


def _refuse_endless(text: str, file: Path) -> None:
    """Anchors can make a few lines stand for billions of values."""
    if len(text) < MOST_VALUES and not ("*" in text and "&" in text):
        depth = max((len(line) - len(line.lstrip(" ")) for line in text.splitlines()), default=0)
        if depth <= DEEPEST and max(text.count("["), text.count("{")) <= 10 * DEEPEST:
            return
    open_brackets = accumulate((one in "[{") - (one in "]}") for one in text)
    if max(open_brackets, default=0) > 10 * DEEPEST:  # texts may have some; to parse so many takes seconds
        raise _too_deep(file)
    counted: dict[int, tuple[int, int]] = {}

    def count(node: yaml.Node | None, above: int) -> tuple[int, int]:
        """The values of a node, and how deep they are."""
        if node is None or not isinstance(node, yaml.CollectionNode):
            return 1, 0
        if above > DEEPEST:
            raise _too_deep(file)
        if id(node) not in counted:
            counted[id(node)] = (MOST_VALUES + 1, DEEPEST)  # while it is counted: one that holds itself is endless
            inside: Iterator[yaml.Node] = (
                part for entry in node.value for part in (entry if isinstance(entry, tuple) else (entry,))
            )
            sizes = [count(part, above + 1) for part in inside]
            counted[id(node)] = (1 + sum(size for size, _ in sizes), 1 + max((deep for _, deep in sizes), default=0))
        return counted[id(node)]

    values, deep = count(yaml.compose(text, Loader=get_yaml_loader()), 0)
    if values > MOST_VALUES:
        raise ConfigurationError(
            f"{shown(file)}: stands for more than {MOST_VALUES} values, by what it repeats (& and *); write less"
        )
    if deep > DEEPEST:
        raise _too_deep(file)


def _too_deep(file: Path) -> ConfigurationError:
    return ConfigurationError(
        f"{shown(file)}: has more than {DEEPEST} keys or lists inside each other; write it flatter"
    )


def _refuse_header(text: str, file: Path, group: str) -> None:
    """Of a run's keys each names its group; of all other files the keys are of the group that the file lies in."""
    try:
        package = ConfigSource._get_header_dict(text[:512]).get("package")
    except ValueError:
        package = ""
    if group == "run" and package != "_global_":
        raise ConfigurationError(
            f"{shown(file)}, line 1: the first line of a run must be {HEADER}; add it, or its keys have no effect"
        )
    if group != "run" and package not in (None, group):
        raise ConfigurationError(f"{shown(file)}, line 1: only a run begins with # @package; take the line out")


def _refuse_defaults(defaults: Any, file: Path, group: str) -> None:
    """What a file builds on lies in the folders of the configuration, and stands before the file's own values.

    A run chooses options of groups by `override`; Hydra says of other ways what only its authors understand.
    """
    if not isinstance(defaults, list):
        raise ConfigurationError(
            f"{_at(file, 'defaults')}: defaults must be a list, as in `defaults: [own_images, _self_]`"
        )
    for entry in defaults:
        named = (
            [text for pair in entry.items() for text in pair if text is not None] or [""]
            if isinstance(entry, Mapping)
            else [entry]
        )
        for text in named:
            # Half a character has no UTF-8, and no file's name has a NUL.
            said = isinstance(text, str) and text.encode(errors="ignore").decode().replace("\0", "")
            if not text or said != text or (isinstance(entry, Mapping) and len(entry) != 1):
                raise ConfigurationError(
                    f"{_at(file, 'defaults')}: {names.shown(str(entry))} is no entry of defaults; "
                    "write the name of a file of this folder, `override /data: mnist`, or _self_"
                )
            if ".." in text.split("/"):
                raise ConfigurationError(
                    f"{_at(file, 'defaults')}: {text!r} leads out of the folder of the configuration; "
                    "name an option of a group, as in `override /data: mnist`"
                )
        if group == "run" and isinstance(entry, Mapping):
            _refuse_choice(*next(iter(entry.items())), file)
    built_on = [entry for entry in defaults if isinstance(entry, str)]
    if "_self_" in built_on and built_on[-1] != "_self_":
        raise ConfigurationError(
            f"{_at(file, 'defaults')}: {built_on[-1]} stands behind _self_, so that its values would go before those "
            "of this file; put _self_ last"
        )


def _refuse_choice(chosen: str, option: Any, file: Path) -> None:
    """Refuse a choice of an option in a run that is not written as `override /data: mine`."""
    *words, last = str(chosen).split() or [""]
    name = last.lstrip("/").partition("@")[0]
    if name == "run":
        raise ConfigurationError(f"{_at(file, 'defaults')}: a run that builds on another names it; write `- {option}`")
    if name in folders.CHOSEN and not ("override" in words and last.startswith("/")):
        raise ConfigurationError(
            f"{_at(file, 'defaults')}: {chosen} chooses nothing here; write `- override /{name}: {option}`"
        )


def _refuse_resolvers(content: Mapping[str, Any], file: Path, group: str) -> None:
    for path, text in _texts(content, ""):
        for resolver in _RESOLVER.findall(text):
            whole = path if group == "run" else f"{group}.{path}"
            if resolver == "oc.env" and _FROM_ENVIRONMENT.search(whole):
                continue
            raise ConfigurationError(
                f"{_at(file, path)}: {path} takes its value by ${{{resolver}:…}}, which differs between machines and "
                "may show what is secret; write the value (data.fetch.path may use ${oc.env:…})"
            )


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, entry in value.items():
            yield from _texts(entry, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for entry in value:
            yield from _texts(entry, path)


def _refuse_foreign(content: Mapping[str, Any], file: Path) -> None:
    """A run sets values of the groups; any other key would be read by nobody."""
    known = (*_OF_RUN, *(group for group in folders.CHOSEN if group not in ("run", "report")), *folders.COLLECTED)
    for key, value in content.items():
        if key not in known:
            raise ConfigurationError(f"{_at(file, key)}: {key}: no such key in a run. {nearest(key, known)}")
        if key in (*folders.CHOSEN, *folders.COLLECTED, "threads") and not isinstance(value, Mapping | None):
            raise ConfigurationError(
                f"{_at(file, key)}: {key}: wants keys of its own; an option is chosen under `defaults:`, "
                f"as in `- override /{key}: …`"
            )


def _at(file: Path, path: str) -> str:
    line = line_of(file, path)
    return f"{shown(file)}, line {line}" if line else shown(file)
