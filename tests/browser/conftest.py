"""Chromium, driven headless, and the gallery's report to open in it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cnnatomy.report import build
from tests import gallery

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",  # a microphone that beeps, for who has leave to hear it
]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    executable = shutil.which("chromium")
    if executable is None:
        pytest.skip("needs Chromium: no `chromium` on the path")
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright, of the dev dependencies")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def report(tmp_path_factory) -> Path:
    """The page of the gallery."""
    place = tmp_path_factory.mktemp("report")
    build(gallery.write(place, gallery.exhibits()), place / "report", gallery.context(place))
    return place / "report" / "index.html"


@pytest.fixture(scope="session")
def hostile(tmp_path_factory) -> Path:
    """A page of content that would act if it could."""
    place = tmp_path_factory.mktemp("hostile")
    build(gallery.write(place, [gallery.hostile()]), place / "report", {"title": gallery.HOSTILE})
    return place / "report" / "index.html"


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a page; at the end, it must have asked the network for nothing and the console must be empty."""
    contexts: list[Any] = []
    complaints: list[str] = []

    def note(request: Any) -> None:
        if not request.url.startswith(("file:", "data:")):
            complaints.append(f"request: {request.url}")

    def open_(path: Path, anchor: str = "", width: int = 1280, **options: Any) -> Page:
        contexts.append(chromium.new_context(viewport={"width": width, "height": 800}, **options))
        page: Page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("request", note)
        page.goto(path.as_uri() + (f"#{anchor}" if anchor else ""))
        return page

    yield open_
    for context in contexts:
        context.close()
    assert complaints == []
