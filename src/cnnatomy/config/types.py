"""Checks of values against what the YAML files say: the keys and types of a file are its schema."""

from __future__ import annotations

from typing import Any

from cnnatomy.config.errors import ConfigurationError, nearest


def check(given: Any, reference: Any, path: str) -> None:
    """Compare `given`, plain containers, with `reference`, the same without overrides.

    A whole number may stand where a real one is wanted; a null in the reference takes anything, because the file then
    says nothing of the type. Raises ConfigurationError with the key's path.
    """
    if reference is None or given is reference:  # as what no override touches is
        return
    if isinstance(reference, dict):
        if not isinstance(given, dict):
            raise ConfigurationError(f"{path}: wants keys of its own ({', '.join(reference)}), not {given!r}")
        if given.get("_target_") != reference.get("_target_"):
            return  # another thing altogether: its own signature is its schema
        for key, value in given.items():
            if key not in reference:
                inside = [name for name, its in reference.items() if isinstance(its, dict) and key in its]
                hint = (
                    f"Did you mean {f'{path}.{inside[0]}.{key}'!r}?"
                    if inside
                    else nearest(str(key), map(str, reference))
                )
                raise ConfigurationError(f"{path}.{key}: no such key. {hint}")
            check(value, reference[key], f"{path}.{key}")
        return
    wanted = type(reference)
    if wanted is float and type(given) is int:
        return
    if type(given) is not wanted:
        raise ConfigurationError(
            f"{path}: wants {_SPOKEN.get(wanted, wanted.__name__)} like {reference!r}, not {given!r}"
        )


_SPOKEN = {int: "a whole number", float: "a number", bool: "true or false", str: "a text", list: "a list"}
