"""What all steps share: reading their configuration with Hydra, finding their artifacts, speaking plainly of errors."""

from __future__ import annotations

import errno
import logging
import os
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnatomy.config import overrides
from cnnatomy.config.errors import ConfigurationError, nearest
from cnnatomy.config.folders import CONF, by_snakemake
from cnnatomy.config.plan import Plan
from cnnatomy.config.slices import canonical, digest_of, slice_of
from cnnatomy.config.steps import OWN_STEP, STEPS, threads_of
from cnnatomy.steps import clock
from cnnatomy.steps.logs import WARNING
from cnnatomy.warm import client

RESULTS = Path("results")


@dataclass(frozen=True)
class Job:
    """One step at work: its name, what it was asked for, and the checked configuration it reads.

    subject: the run, dataset, lesson, study or report that it is about.
    """

    step: str
    subject: str
    config: dict[str, Any]
    plan: Plan

    @property
    def run(self) -> str:
        """The run that a step is about, a study's variant perhaps."""
        return self.subject

    @property
    def seed(self) -> int:
        return self.config["seed"]

    @property
    def method(self) -> str | None:
        return self.config["method"]

    @property
    def slice(self) -> dict[str, Any]:
        """What this step reads of the configuration."""
        return slice_of(self.step, self.config, seed=self.seed, method=self.method)

    @property
    def values(self) -> str:
        """All that a user can change of what this step makes, as one text: its slice, and a study's trainings."""
        if self.step in ("trials", "study"):
            return canonical([self.config["study"], self.plan.trials(self.subject)])
        return canonical(self.slice)

    @property
    def digest(self) -> str:
        """What this step's artifact carries: of its slice, its code and all before it."""
        if self.step == "study":
            return self.plan.digest_of_study(self.subject)
        return self.expect(self.step)

    def expect(self, step: str, seed: int | None = None) -> str:
        """The digest that an artifact of an earlier `step` must carry for this configuration (and another seed)."""
        return digest_of(step, self.config, seed=self.seed if seed is None else seed, method=self.method)

    def output(self, path: str) -> Path:
        """Where to write: under results/, or under the folder given by `out`."""
        return Path(self.config["out"] or RESULTS) / path

    def input(self, path: str) -> Path:
        """Where to read: under `out` if it is there, else under results/. Raises ConfigurationError if in neither."""
        for folder in (Path(self.config["out"] or RESULTS), RESULTS):
            if (folder / path).exists():
                return folder / path
        made_by = RESULTS / (path if self.step != "study" else f"studies/{self.subject}/exhibit.json")
        raise ConfigurationError(f"{RESULTS / path} is not there yet; make it with: {by_snakemake(str(made_by))}")

    @property
    def raw(self) -> Path:
        """The archive of the run's raw data."""
        name = self.config["data"]["raw"]
        return Path("resources") / name / f"{name}.zip"

    def accept(self, artifact: Path, carried: str, step: str, seed: int | None = None) -> None:
        """Refuse an artifact that was not made by this configuration's `step` (with another seed, if given)."""
        if carried != self.expect(step, seed):
            raise ConfigurationError(
                f"{artifact} was made with other values or other code than this configuration has. "
                f"Make it again with snakemake, or read it with the values (and out=) it was made with."
            )


def run_step(name: str, work: Callable[[Job], None], arguments: list[str]) -> None:
    """Do a step's work as its command line asks for it (`cnnatomy.steps.step`), and say and write what it took."""
    began = time.time()
    costs, arguments = _pop(arguments, "costs")
    try:
        _main(name, work, arguments)
        clock.say(began, Path(costs) if costs else None)
    except Exception as raised:
        error = _cause(raised)
        if not is_plain(error):
            raise
        sys.exit(f"{type(error).__name__}: {said_of(error)}")


@dataclass(frozen=True)
class _Asked:
    """What a step's command line asks for: of which plan and subject, by its overrides, and Hydra's own flags.

    theirs: the overrides that make the subject's configuration. own: those of the command line.
    """

    plan: Plan
    subject: str
    theirs: list[str]
    own: list[str]
    flags: list[str]


def _asked(step: str, arguments: list[str]) -> _Asked:
    # Hydra's own flags and their values (--cfg job) are none of our overrides, which have a "=" or begin with "~"; nor
    # are the settings of Hydra's that Lightning gives to the processes of further devices.
    own = [a for a in arguments if not a.startswith(("-", "hydra.")) and ("=" in a or a.startswith("~"))]
    flags = [a for a in arguments if a not in own]
    given, own = _pop(own, "given")
    plan = Plan.read(Path(given)) if given else Plan(report_name=None)
    about = STEPS[step]
    subject, own = _pop(own, about.subject)
    if about.subject == "report":
        plan = Plan(subject or plan.report_name or "default", plan.overrides)
    subject = subject or about.usual
    theirs = {
        "data": lambda: plan.of_data(subject, about.key),
        "lesson": lambda: plan.of_lesson(subject),
        "study": lambda: plan.of_study(subject),
        "report": plan.of_report,
        "run": lambda: plan.of_run(subject),
    }[about.subject]()
    return _Asked(plan, subject, theirs, own, flags)


def _main(name: str, work: Callable[[Job], None], arguments: list[str]) -> None:
    import hydra
    from omegaconf import DictConfig, OmegaConf

    from cnnatomy.config import compose

    asked = _asked(name, arguments)
    plan, subject, theirs, own = asked.plan, asked.subject, asked.theirs, asked.own
    told = [o for o in own if overrides.key_of(o) in ("seed", "method", "out")]

    # Composed here first, with all its checks and hints; Hydra composes the same again as the script it runs.
    config = compose.compose([*theirs, *own])
    threads = str(threads_of(name, config))
    client.load_anew(threads)
    for library in ("OMP", "MKL", "OPENBLAS"):  # read once, when numpy and torch are imported
        os.environ[f"{library}_NUM_THREADS"] = threads

    def job(resolved: DictConfig) -> None:
        try:
            checked(resolved)
        except Exception as error:  # kept from Hydra, which would print a heading of its own
            failed.append(error)

    def checked(resolved: DictConfig) -> None:
        _speak()
        sys.argv[1:] = arguments  # what Lightning starts the processes of further devices with
        plain: Any = OmegaConf.to_container(resolved, resolve=True)
        config = compose.completed(plain)
        if name == "dissect" and (config["method"] not in config["dissect"] or config["method"] in OWN_STEP):
            hint = nearest(str(config["method"]), set(config["dissect"]) - set(OWN_STEP))
            raise ConfigurationError(f"method={config['method']}: no such dissection. {hint}")
        # A study composes its variants by itself, from the plan.
        changed = [o for o in own if o not in told] if STEPS[name].subject == "study" else []
        todo = Job(name, subject, config, Plan(plan.report_name, (*plan.overrides, *changed)))
        usual = Job(name, subject, compose.compose([*theirs, *told]), plan)
        if not config["out"] and todo.values != usual.values:
            raise ConfigurationError(
                f"These values are not those of the workflow, whose artifacts lie in {RESULTS}/: "
                "add out=<folder> to write elsewhere, or give them to the report, make report OVERRIDES=…, "
                "cnnatomy report default …"
            )
        work(todo)

    failed: list[Exception] = []
    sys.argv[1:] = [*asked.flags, *(overrides.added(override) for override in [*theirs, *own])]
    compose.register()
    hydra.main(version_base="1.3", config_path=str(CONF), config_name=compose.ROOT)(job)()
    if failed:
        raise failed[0]


class _Marked(logging.Formatter):
    """A warning begins with the mark by which progress and report find it, and is one line."""

    def format(self, record: logging.LogRecord) -> str:
        said = super().format(record)
        return WARNING + " ".join(said.split()) if record.levelno >= logging.WARNING else said


def _speak() -> None:
    """Let what our modules say of the data go to the log; Hydra's `disabled` logging has silenced it.

    It silences each logger that is there when Hydra begins, those of what the configuration has imported too.
    """
    ours = logging.getLogger("cnnatomy")
    handler = logging.StreamHandler()
    handler.setFormatter(_Marked())
    ours.handlers, ours.propagate, ours.disabled = [handler], False, False
    ours.setLevel(logging.INFO)
    for name, logger in logging.root.manager.loggerDict.items():
        if name.startswith("cnnatomy.") and isinstance(logger, logging.Logger):
            logger.disabled = False


def _pop(arguments: Iterable[str], key: str) -> tuple[str, list[str]]:
    """Take `key=value` out of the arguments: the value, or nothing, and the rest."""
    value, rest = "", []
    for argument in arguments:
        if argument.startswith(f"{key}="):
            value = argument.partition("=")[2]
        else:
            rest.append(argument)
    return value, rest


def _cause(error: BaseException) -> BaseException:
    """What went wrong in a `_target_`, out of the exception in which Hydra wraps it."""
    from hydra.errors import InstantiationException

    while isinstance(error, InstantiationException) and error.__cause__ is not None:
        error = error.__cause__
    return error


def said_of(error: BaseException) -> str:
    """An error's message; of a place that can't be written one that says what to do."""
    if not isinstance(error, OSError):
        return str(error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        remedy = "free some space, or put the checkout on a larger disk"
    else:
        remedy = "allow it, or copy the checkout to a folder of your own"
    return f"{error.filename or 'a file'}: {os.strerror(error.errno or 0).lower()}; {remedy}"


def is_plain(error: BaseException) -> bool:
    """Whether an error's message is written for the user: those of the project's own classes are, and a full disk's."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT):
        return True
    return type(error).__module__.startswith("cnnatomy.")
