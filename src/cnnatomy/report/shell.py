"""What every page of ours shares: all languages, one style sheet, two scripts, a policy that lets in no more."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from cnnatomy.exhibit import Words, languages
from cnnatomy.exhibit.citing import cited
from cnnatomy.report import show, units
from cnnatomy.report.language import (
    TEMPLATES,
    attribute,
    catalogue,
    english,
    html,
    metric,
    named,
    others,
    parted,
    phrase,
    rules,
    said,
    spoken,
    switch,
    verdict,
    without,
    without_scripts,
)

#: The style sheets of every page, a file a subject, in their order.
STYLES = (
    "style.css",
    "large.css",
    "captions.css",
    "code.css",
    "recorded.css",
    "path.css",
    "card.css",
    "slides.css",
    "printing.css",
    "touch.css",
    "live.css",
)


def environment(**more: Any) -> Environment:
    """Jinja's environment with our filters; `more` are names that the templates may use besides."""
    jinja = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    jinja.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "separators": (",", ":"), "sort_keys": True}
    jinja.globals |= {
        "show": show,
        "units": units,
        "phrase": phrase,
        "t": lambda words, **values: said(phrase(words, **values)),
        "attribute": attribute,
        "switch": switch,
        "without_scripts": without_scripts,
        "unit": lambda name: said(phrase(name) if name == "points" else named(name)),
        **more,
    }
    jinja.filters |= {
        "cited": cited,
        "english": english,
        "said": said,
        "plain": show.plain,
        "metric": metric,
        "named": named,
        "verdict": verdict,
        "parted": parted,
        "without": without,
    }
    return jinja


def whole(
    title: Words,
    body: str,
    scripts: Sequence[str],
    styles: Mapping[str, str] | None = None,
    refresh: Markup | None = None,
    names: Iterable[str] = (),
) -> str:
    """The page as one HTML text.

    body: markup. scripts: those of the templates that the page runs beyond the two of every page. styles: class →
    declarations, beyond the style sheet's. refresh: the element that has the browser load the page again, or another.
    names: of values beside pictures, which the script shows.
    """
    own = [f".{name} {{ {rule} }}" for name, rule in sorted((styles or {}).items())]
    style = "\n".join([*map(_read, STYLES), rules(), *own]) + "\n"
    told = {name: known for name in sorted(set(names)) if not isinstance(known := named(name), str)}
    early, late = _read("early.js"), "".join(map(_read, ["common.js", *scripts]))
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(early)} {_hash(late)}; "
        "img-src data:; media-src data:; base-uri 'none'; form-action 'none'"
    )
    return (
        environment()
        .get_template("page.html")
        .render(
            title=english(title),
            languages=" ".join(map(html, languages.tags())),
            titles={tag: f"{spoken(title, tag)} · cnnatomy" for tag in languages.tags()},
            policy=policy,
            refresh=refresh or Markup(),
            style=Markup(style),
            early=Markup(early),
            late=Markup(late),
            words={tag: catalogue(tag)["script"] for tag in others()},
            names={tag: {name: known[tag] for name, known in told.items() if tag in known} for tag in others()},
            tags={html(tag): tag for tag in languages.tags()},
            body=Markup(body),
        )
    )


def _read(name: str) -> str:
    """A script or a style sheet without what only its source needs: indentation, and lines that are a comment."""
    lines = map(str.strip, (TEMPLATES / name).read_text(encoding="utf-8").splitlines())
    return "".join(f"{line}\n" for line in lines if line and not line.startswith("//"))


def _hash(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
