"""How Snakemake speaks here: on a terminal one live view, without one a line a job; errors in full, and again at the end.

Every line of Snakemake's own is in its log file, `.snakemake/log/*.log`, as ever. They are printed instead of ours for
dry runs, for what runs no jobs (`--dag`, `--summary`, `--report`, …), and where the command line asks for them
(`--logger-cnnatomy-everything`, `--verbose`, `--printshellcmds`, `--debug-dag`).
"""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass, field
from typing import Any

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_interface_logger_plugins.settings import LogHandlerSettingsBase

from cnnatomy.progress import following, words
from cnnatomy.progress.jobs import Job, name_of
from cnnatomy.progress.views import view

#: Words of Snakemake's: with the first, no jobs have been announced and none will be; the last two say no more than we do.
_PLANNING, _NOTHING = "Building DAG of jobs...", "Nothing to be done"
_KNOWN = ("Exiting because a job execution failed", "WorkflowError:\nAt least one job did not complete successfully")


@dataclass
class LogHandlerSettings(LogHandlerSettingsBase):
    everything: bool = field(
        default=False,
        metadata={
            "help": "Print every line of Snakemake's own, as in its log file, instead of one a job.",
            "env_var": True,
            "required": False,
        },
    )


class LogHandler(LogHandlerBase):
    """Feeds the progress of the run with Snakemake's events, and shows it."""

    def __post_init__(self) -> None:
        from snakemake.logging import ColorizingTextHandler, DefaultFilter, DefaultFormatter

        told: Any = self.common_settings
        quiet = {choice.name for choice in told.quiet or ()}
        stream = sys.stdout if told.stdout else sys.stderr
        self._own = ColorizingTextHandler(told.nocolor, stream, DefaultFormatter(told.quiet, told.show_failed_logs))
        self._own.addFilter(
            DefaultFilter(told.quiet, told.debug_dag, told.verbose, told.dryrun, told.printshellcmds).filter
        )
        asked = isinstance(self.settings, LogHandlerSettings) and self.settings.everything
        self._everything = asked or told.dryrun or told.verbose or told.debug_dag or told.printshellcmds
        self._silent, self._terse = "ALL" in quiet, bool(quiet & {"RULES", "PROGRESS"})
        self._show_logs = told.show_failed_logs
        self._before: list[logging.LogRecord] | None = []  # said before it is known whether jobs will run
        self._runs = False
        self._progress = following.follow()
        self._view = view(stream, self._progress, told.nocolor)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._emit(record)
        except Exception:
            self.handleError(record)

    def _emit(self, record: Any) -> None:
        event = getattr(record, "event", None)
        said = self._follow(event, record)
        if self._everything or not self._runs:
            self._hand_on(event, record)
        elif not self._silent:
            if said:
                self._view.say(said, "red" if event in (LogEvent.JOB_ERROR, LogEvent.ERROR) else "")
            elif event != LogEvent.JOB_ERROR and record.levelno >= logging.WARNING and not record.msg.startswith(_KNOWN):
                self._view.say(record.msg, "red" if record.levelno >= logging.ERROR else "yellow")

    def _hand_on(self, event: LogEvent | None, record: logging.LogRecord) -> None:
        """To Snakemake's own handler: at once, or when it is clear that no jobs run, to which it would be a preface."""
        if self._before is not None and not self._everything:
            self._before.append(record)
            if event is None and record.levelno < logging.WARNING and record.msg != _PLANNING:
                return
            for earlier in self._before:
                self._own.handle(earlier)
            self._before = None
        else:
            self._own.handle(record)

    def _follow(self, event: LogEvent | None, record: Any) -> str:
        """Note what happened; what there is to say of it, or nothing."""
        if event == LogEvent.WORKFLOW_STARTED:
            self._runs, self._before = True, None
        elif event == LogEvent.JOB_INFO and record.output:
            if not self._progress.seen and not (self._everything or self._silent or self._terse):
                self._view.begin()
            if record.rule_name == "report":
                following.end()
            self._progress.begin(self._job(record))
        elif event == LogEvent.JOB_FINISHED:
            finished = self._progress.finish(record.job_id)
            if finished and not (self._everything or self._silent or self._terse):
                self._view.finished(*finished)
        elif event == LogEvent.JOB_ERROR:
            aux = [f"{key}: {value}" for key, value in record.aux.items()]
            more = "\n".join([*([record.rule_msg] if record.rule_msg else []), *aux])
            failure = self._progress.fail(self._job(record), record.rule_msg or "")
            return words.failed(failure, more, record.log, self._show_logs)
        elif event is None and str(record.msg).startswith(_NOTHING):
            return words.nothing()
        return ""

    def _job(self, record: Any) -> Job:
        name = name_of(record.rule_name, getattr(record, "wildcards", {}))
        log = record.log[0] if record.log else ""
        return Job(record.jobid, record.rule_name, name, log, getattr(record, "threads", 1))

    def close(self) -> None:
        """The end of Snakemake, whatever brought it."""
        self._view.close()
        for record in self._before or []:
            self._own.handle(record)
        if self._progress.seen and not self._silent:
            self._view.say(words.closing(self._progress), "red" if self._progress.failures else "")
        following.abandon()
        super().close()

    writes_to_stream = True
    writes_to_file = False
    has_filter = True
    has_formatter = True
    needs_rulegraph = False
