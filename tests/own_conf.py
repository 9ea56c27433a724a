"""A configuration folder of a user's own, with data, a run and a report that are right."""

from __future__ import annotations

from pathlib import Path

from cnnatomy.config import compose, composing, plan

FILES = {
    "data/mine.yaml": "defaults: [own_images, _self_]\nname: mine\nfetch: {path: pictures}\n",
    "run/mine.yaml": "# @package _global_\ndefaults:\n  - override /data: mine\n  - _self_\ntitle: {en: Mine}\n",
    "report/mine.yaml": "title: {en: Mine}\nruns: [mine]\nmethods: [samples]\n",
}


def forget() -> None:
    """A process composes and reads things once; here they change while it lives."""
    for known in (compose._composed, compose._chosen, compose._collected, composing._files, plan._study):
        known.cache_clear()


def write(conf: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (conf / name).parent.mkdir(parents=True, exist_ok=True)
        (conf / name).write_bytes(text.encode("utf-8", "surrogateescape"))
