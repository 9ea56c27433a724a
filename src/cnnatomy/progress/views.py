"""The two ways in which progress is shown: a live view on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol, TextIO

from cnnatomy.progress import words
from cnnatomy.progress.jobs import Job, Progress
from cnnatomy.steps import logs

if TYPE_CHECKING:  # it takes a tenth of a second, and lines don't need it
    from rich.console import Console, ConsoleOptions, RenderResult

MOST = 8  # running jobs that are named in the live view


class View(Protocol):
    def begin(self) -> None:
        """Jobs are going to run."""

    def finished(self, job: Job, seconds: float) -> None:
        """A job is done."""

    def say(self, text: str, style: str = "") -> None:
        """Words that stay: an error (in `style`), a warning, the last lines."""

    def close(self) -> None:
        """Nothing runs any more."""


def view(stream: TextIO, progress: Progress, no_colour: bool = False) -> View:
    """The live view where the stream is a terminal that can be written on again, else plain lines."""
    if not stream.isatty() or os.environ.get("TERM") in ("dumb", None):
        return Lines(stream, progress)
    from rich.console import Console

    return Live(Console(file=stream, no_color=no_colour, highlight=False), progress)


class Lines:
    """One line for each job, when it is done."""

    def __init__(self, stream: TextIO, progress: Progress) -> None:
        self._stream = stream
        self._progress = progress

    def begin(self) -> None:
        pass

    def finished(self, job: Job, seconds: float) -> None:
        self.say(words.finished(self._progress, job.name, seconds))
        for warning in logs.warnings_in(job.log):
            self.say(words.warned(warning))

    def say(self, text: str, style: str = "") -> None:
        print(text, file=self._stream, flush=True)

    def close(self) -> None:
        pass


class Live:
    """A bar of the jobs done, the running ones below it with their times; what is said stands above."""

    def __init__(self, console: Console, progress: Progress) -> None:
        from rich.live import Live

        self._console = console
        self._progress = progress
        # Once a second would do; but then a time would skip a second now and then.
        self._live = Live(self, console=console, refresh_per_second=2, transient=True)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        progress = self._progress
        head = Table.grid(padding=(0, 1))
        bar = ProgressBar(max(progress.total, 1), progress.done, width=min(40, max(10, options.max_width - 44)))
        beside = filter(None, (f"{progress.done}/{progress.total} jobs", words.about(progress.left())))
        head.add_row(bar, " · ".join(beside))
        yield head
        running = progress.running()
        jobs = Table.grid(padding=(0, 2))
        jobs.add_column(overflow="ellipsis", no_wrap=True)
        jobs.add_column(justify="right", no_wrap=True, style="dim")
        for job, seconds in running[:MOST]:
            jobs.add_row(f"  {job.name}", f"{int(seconds) // 60}:{int(seconds) % 60:02d}")
        if len(running) > MOST:
            jobs.add_row(f"  and {len(running) - MOST} more", "", style="dim")
        yield jobs

    def begin(self) -> None:
        self._live.start()

    def finished(self, job: Job, seconds: float) -> None:
        for warning in logs.warnings_in(job.log):
            self.say(words.warned(warning, job.name), "yellow")

    def say(self, text: str, style: str = "") -> None:
        self._console.print(text, style=style, markup=False, soft_wrap=True)

    def close(self) -> None:
        self._live.stop()
