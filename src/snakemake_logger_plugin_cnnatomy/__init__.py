"""How Snakemake speaks here: on a terminal one live view, without one a line a job; errors in full, and again at last.

Every line of Snakemake's own is in its log file, `.snakemake/log/*.log`, as ever. They are printed instead of ours for
dry runs, for what runs no jobs (`--dag`, `--summary`, `--report`, …), and where the command line asks for them
(`--logger-cnnatomy-everything`, `--verbose`, `--printshellcmds`, `--debug-dag`).
"""

import logging
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_interface_logger_plugins.settings import LogHandlerSettingsBase

from cnnatomy import places
from cnnatomy.progress import following, words
from cnnatomy.progress.jobs import Job, name_of
from cnnatomy.progress.views import view
from snakemake_logger_plugin_cnnatomy import signals

places.keep_caches(Path.cwd())  # before Snakemake looks for its own, of which it says nothing but a traceback

#: Words of Snakemake's: with the first, where no run was announced before it, no jobs will be run; those of the last
#: kind warn of nothing, or say less than we do.
_PLANNING, _NOTHING = "Building DAG of jobs...", "Nothing to be done"
_STOPPING = ("Terminating processes on user request", "Will exit after finishing currently running jobs")
_AGAIN = re.compile(r"Trying to restart job (.+)\.$")
_COMMAND = "RuleException:\nCalledProcessError"
#: How Snakemake tells of a command that a signal ended, or its step's shell: those by which people and systems ask.
_ENDED_BY = re.compile(r"(?:died with <Signals\.(SIGINT|SIGTERM|SIGHUP): \d+>|exit status (130|143|129))\.$")
_NAMES = {"130": "SIGINT", "143": "SIGTERM", "129": "SIGHUP"}
_KNOWN = (
    "Workflow defines that rule",
    "Exiting because a job execution failed",
    "WorkflowError:\nAt least one job did not complete successfully",
)


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

        signals.heed()
        told: Any = self.common_settings
        quiet = {choice.name for choice in told.quiet or ()}
        stream = sys.stdout if told.stdout else sys.stderr
        self._own = ColorizingTextHandler(told.nocolor, stream, DefaultFormatter(told.quiet, told.show_failed_logs))
        self._own.addFilter(
            DefaultFilter(told.quiet, told.debug_dag, told.verbose, told.dryrun, told.printshellcmds).filter
        )
        asked = isinstance(self.settings, LogHandlerSettings) and self.settings.everything
        self._everything = asked or told.dryrun or told.verbose or told.debug_dag or told.printshellcmds
        self._dry = told.dryrun
        self._silent, self._terse = "ALL" in quiet, bool(quiet & {"RULES", "PROGRESS"})
        self._show_logs = told.show_failed_logs
        self._before: list[logging.LogRecord] | None = []  # said before it is known whether jobs will run
        self._runs = self._closed = False
        self._stopping = ""
        self._ended_by: list[tuple[str, str]] = []  # signals, and what Snakemake said of the commands that they ended
        self._progress = following.follow()
        self._view = view(stream, self._progress, told.nocolor)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._emit(record)
        except Exception:
            self.handleError(record)

    def _emit(self, record: Any) -> None:
        event = getattr(record, "event", None)
        said = "" if self._dry else self._follow(event, record)
        if self._everything or not self._runs:
            self._hand_on(event, record)
        elif not self._silent:
            if said:
                self._view.say(said, "red" if record.levelno >= logging.ERROR else "")
            elif (
                event in (None, LogEvent.ERROR) and record.levelno >= logging.WARNING and not self._is_known(record.msg)
            ):
                self._view.say(record.msg, "red" if record.levelno >= logging.ERROR else "yellow")

    def _hand_on(self, event: LogEvent | None, record: logging.LogRecord) -> None:
        """To Snakemake's own handler: a preface only when it is clear that no jobs run, all else at once."""
        if self._everything or self._before is None:
            self._own.handle(record)
        elif event is None and record.levelno < logging.WARNING:
            self._before.append(record)
            if record.msg == _PLANNING:
                self._flush()
        elif not self._is_known(record.msg):
            self._own.handle(record)
            self._before = [] if record.levelno >= logging.ERROR else self._before

    def _is_known(self, message: str) -> bool:
        """Whether a warning or an error says nothing new: of a job that failed, command and log are said besides."""
        known = self._is_interrupted or message.endswith("exit status 1.") or _ENDED_BY.search(message)
        return bool(message.startswith(_COMMAND) and known) or message.startswith(_KNOWN)

    @property
    def _is_interrupted(self) -> bool:
        """Whether the user has stopped all jobs, and not only those that have not begun."""
        return self._stopping.startswith(_STOPPING[0])

    def _flush(self) -> None:
        for record in self._before or []:
            self._own.handle(record)
        self._before = None

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
            ended_by = next((n for n, told in self._ended_by if record.shellcmd and record.shellcmd in told), "")
            if self._is_interrupted or (ended_by and self._progress.stopped):
                self._progress.drop(record.jobid)  # like all the others, which is no failure
                return ""
            aux = [f"{key}: {value}" for key, value in record.aux.items()]
            said = [*([record.rule_msg] if record.rule_msg else []), *aux, f"command: {record.shellcmd}"]
            failure = self._progress.fail(self._job(record), record.rule_msg or "", ended_by)
            return words.failed(failure, "\n".join(said), record.log, self._show_logs)
        elif event == LogEvent.GROUP_ERROR and not self._progress.stopped:
            return words.failed_group(record.groupid, record.aux_logs, self._show_logs)
        elif event is None and record.levelno < logging.WARNING:
            return self._in_words(str(record.msg))
        elif event in (None, LogEvent.ERROR) and (found := _ENDED_BY.search(str(record.msg))):
            self._ended_by.append((found[1] or _NAMES[found[2]], str(record.msg)))
        return ""

    def _in_words(self, message: str) -> str:
        """What there is to say of a plain line of Snakemake's, or nothing."""
        if message.startswith(_NOTHING):
            return words.nothing()
        if message.startswith(_STOPPING):
            said, self._stopping = self._stopping, message  # Snakemake says it again and again
            self._progress.stopped = True
            return message if message != said else ""
        again = _AGAIN.match(message)
        return f"TRIED AGAIN: {self._progress.name(again[1])}" if again else ""

    def _job(self, record: Any) -> Job:
        name = name_of(record.rule_name, getattr(record, "wildcards", {}))
        log = record.log[0] if record.log else ""
        return Job(record.jobid, record.rule_name, name, log, getattr(record, "threads", 1))

    def close(self) -> None:
        """The end of Snakemake, whatever brought it; Python closes handlers once more when it ends."""
        if self._closed:
            return
        self._closed = True
        self._view.close()
        self._flush()
        if self._progress.seen and not self._silent:
            self._view.say(words.closing(self._progress), "red" if self._progress.failures else "")
        following.abandon()
        super().close()

    writes_to_stream = True
    writes_to_file = False
    has_filter = True
    has_formatter = True
    needs_rulegraph = False
