"""What a report wants: its runs, their datasets, the files to make, and the overrides that each job gets.

The Snakefile and the steps build the same plan, the steps from a YAML file that the Snakefile wrote, so that both
compose the same configurations and no value ever travels through a command line.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import pairwise
from pathlib import Path

import yaml

from cnnatomy.config import folders, names, overrides
from cnnatomy.config.compose import Config, compose, is_users, placed
from cnnatomy.config.errors import ConfigurationError, nearest
from cnnatomy.config.slices import canonical, digest_of, other_seeds, slice_of, together
from cnnatomy.config.steps import OWN_STEP
from cnnatomy.config.study import Study, study_of

_NOTHING: Config = {
    "runs": [],
    "seeds": 1,
    "methods": [],
    "methods_of": {},
    "lessons": [],
    "studies": [],
    "recorded": [],
    "whole": {},
}


def _is_of_report(override: str) -> bool:
    return overrides.key_of(override).startswith("report.")


def records_folder() -> Path:
    """The folder in which exhibits of full runs are kept: `studies/<study>/` and `runs/<run>/<method>/`."""
    folder = folders.PROJECT / "docs/results"
    return folder if folders.IS_INSTALLED else Path(os.path.relpath(folder))


def recorded_there() -> list[str]:
    """What was recorded: names of studies, and exhibits of runs as `<run>/<method>`."""
    studies = [file.parent.name for file in records_folder().glob("studies/*/exhibit.json")]
    return sorted([*studies, *("/".join(file.parts[-3:-1]) for file in records_folder().glob("runs/*/*/exhibit.json"))])


def _record_of(name: str) -> Path:
    """Where what was recorded lies."""
    return records_folder() / ("runs" if "/" in name else "studies") / name / "exhibit.json"


def _made_as(name: str) -> str:
    """Where the same is made."""
    run, _, method = name.partition("/")
    return f"results/exhibits/{run}/seed0/{method}/exhibit.json" if method else f"results/studies/{run}/exhibit.json"


@cache
def _study(name: str, given: tuple[str, ...]) -> Study:
    return Study.read(name, compose(given)["study"])


@dataclass(frozen=True)
class Plan:
    """A report by name and the user's overrides. Raises ConfigurationError when anything in it is wrong."""

    report_name: str | None = "default"
    overrides: tuple[str, ...] = field(default=())

    @classmethod
    def read(cls, file: Path) -> Plan:
        """The plan in a file that `write` wrote."""
        try:
            told = yaml.safe_load(file.read_text(encoding="utf-8"))
            return cls(told["report"], tuple(told["overrides"]))
        except (OSError, TypeError, KeyError, yaml.YAMLError) as error:
            raise ConfigurationError(f"given={file}: cannot read a plan from it ({error})") from error

    def write(self, folder: Path) -> Path:
        """Write the plan for the steps into a file whose name tells this plan from any other; its path."""
        file = folder / self.file_name
        if not file.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            partial = file.with_name(f"{file.name}.{os.getpid()}.part")
            partial.write_text(self._text, encoding="utf-8")
            partial.replace(file)
        return file

    @property
    def file_name(self) -> str:
        """The name of the file that `write` writes."""
        return f"given-{hashlib.sha256(self._text.encode()).hexdigest()[:12]}.yaml"

    @property
    def _text(self) -> str:
        return yaml.safe_dump({"report": self.report_name, "overrides": list(self.overrides)}, allow_unicode=True)

    def check(self, whole: bool = True) -> None:
        """Compose and check all that the report selects, before the first job.

        whole: whether the report is what is made, so that overrides must change something of it.
        """
        if self.report_name and not names.is_name(self.report_name):
            raise ConfigurationError(f"report: {names.shown(self.report_name)} names none; {names.RULE}")
        for key, group in (("methods", "dissect"), ("lessons", "lesson"), ("studies", "study"), ("runs", "run")):
            self._check_names(key, group, self.report[key])
        for run, methods in self.report["methods_of"].items():
            self._check_names("methods_of", "run", [run])
            self._check_names(f"methods_of.{run}", "dissect", methods)
        self._check_recorded()
        self._check_addresses()
        self.check_overrides(whole)
        for study in self.studies:
            self.shares(study)
        seen: dict[tuple[str, str], tuple[str, str]] = {}
        variants = [variant.run for study in self.studies for variant in self.study(study).variants]
        for run in [*self.runs, *variants]:
            config = self.config(run)
            for step, key in (("fetch", "raw"), ("prepare", "name")):
                called = str(config["data"][key])
                try:
                    wanted = canonical([slice_of(step, config), config["data"]["raw"]])
                except ConfigurationError as error:
                    raise placed(error, self.of_run(run)) from error
                first, other = seen.setdefault((key, called), (wanted, run))
                if first != wanted:
                    raise self._two_versions(key, called, other, run)

    def _check_names(self, key: str, group: str, wanted: Sequence[str]) -> None:
        """Refuse what names no option of a group, and what stands twice."""
        for name in wanted:
            if not names.is_name(name):
                raise self._of_report(f"report.{key}: {names.shown(name)} names no {group}; {names.RULE}")
            if name not in folders.options(group):
                raise self._of_report(str(folders.no_such(group, name, f"report.{key}")))
        self._check_once(key, wanted)

    def _check_once(self, key: str, wanted: Sequence[str]) -> None:
        twice = [name for name, count in Counter(map(str, wanted)).items() if count > 1]
        if twice:
            raise self._of_report(f"report.{key}: {twice[0]!r} stands there twice; leave one")

    def _check_recorded(self) -> None:
        """Refuse what was never recorded."""
        kept = recorded_there()
        for name in self.report["recorded"]:
            if name not in kept:
                hint = nearest(str(name), kept) if kept else f"There is nothing in {records_folder()}/."
                raise self._of_report(f"report.recorded: nothing was recorded of {names.shown(name)}. {hint}")
        self._check_once("recorded", self.report["recorded"])
        for quick, of in self.report["whole"].items():
            group = "study" if quick in folders.options("study") else "run"
            self._check_names("whole", group, [quick])
            self._check_names(f"whole.{quick}", group, [of])

    def check_overrides(self, whole: bool = True) -> None:
        """Refuse overrides that can't mean what they say; with `whole` also those that change nothing of the report."""
        known = {group: folders.options(group) for group in ("study", *folders.COLLECTED)}
        overrides.check(self.overrides, self.report, known, whole)

    def _of_report(self, said: str) -> ConfigurationError:
        return placed(ConfigurationError(said), self.of_report())

    def _check_addresses(self) -> None:
        """Two things of a report must not have one address in its page, nor one that is the page's own."""
        of_records = self.recorded_names()
        halls = dict.fromkeys([*self.runs, *(name.partition("/")[0] for name in of_records if "/" in name)])
        wanted = [(name, f"the run {name}") for name in halls]
        for exhibit in [*self.exhibits(), *self.other_seeds(), *map(_made_as, of_records)]:
            kind, name, *rest = exhibit.split("/")[1:-1]
            parts = [name, *(part for part in rest if part != "seed0")]
            parts = parts if kind == "exhibits" else [kind.removesuffix("s").replace("studie", "study"), *parts]
            wanted.append(("-".join(parts), " ".join(parts)))
        known = dict.fromkeys(names.ADDRESSES, "the page itself")
        for address, what in wanted:
            for one in (address, f"{address}--name"):
                if one in known:
                    raise self._of_report(
                        f"report.runs: {what} would have the address #{one} of {known[one]} in the page; rename the run"
                    )
                known[one] = what

    def _two_versions(self, key: str, name: str, first: str, second: str) -> ConfigurationError:
        """Of two runs (or a study's variants) that want different data of one name; `key` of `data` is the name's."""
        changed = next(
            (
                (run, override)
                for run in (second, first)
                for override in self.overrides
                if overrides.key_of(override).startswith(f"runs.{run}.data.")
            ),
            None,
        )
        theirs = next((run for run in (second, first) if is_users("data", self.of_run(run))), second)
        run, heading = changed or (theirs, f"data.{key}")
        other = first if run == second else second
        new = [f"runs.{run}.data.{one}={name}_{run}" for one in (("raw", "name") if key == "raw" else ("name",))]
        own = run in self.runs
        remedy = " ".join(new) if own else f"data.{key} in the overrides of the study's variants"
        return ConfigurationError(
            f"{heading}: {run} wants another version of the data {name!r} than {other}. "
            f"Give its own a name: {remedy}{' (or as data: in the run of that name)' if own and not changed else ''}"
        )

    def of_report(self) -> list[str]:
        """The Hydra overrides that make the configuration of the report."""
        return [names.choosing("report", str(self.report_name)), *(o for o in self.overrides if _is_of_report(o))]

    @cached_property
    def composed(self) -> Config:
        """The configuration in which `report` is the report's own."""
        return compose(self.of_report())

    @property
    def report(self) -> Config:
        """What the report selects."""
        return self.composed["report"] if self.report_name else _NOTHING

    @property
    def runs(self) -> list[str]:
        """Names of the selected runs, in the report's order."""
        return self.report["runs"]

    @property
    def studies(self) -> list[str]:
        """Names of the selected studies, in the report's order."""
        return self.report["studies"]

    def methods(self, run: str) -> list[str]:
        """The methods that open up a run, in the report's order."""
        return self.report["methods_of"].get(run, self.report["methods"])

    def recorded_names(self) -> list[str]:
        """What the report hangs of what was recorded: what it doesn't make."""
        made = set(self.exhibits())
        return [name for name in self.report["recorded"] if _made_as(name) not in made]

    def recorded(self) -> list[str]:
        """The same, as paths of their `exhibit.json`."""
        return [str(_record_of(name)) for name in self.recorded_names()]

    def records(self) -> list[str]:
        """The files that say what was recorded, and how, of what the report hangs of it."""
        return [*self.recorded(), *([str(records_folder() / "runs.csv")] if self.recorded() else [])]

    def study(self, name: str) -> Study:
        """A study, selected or not, with the user's overrides."""
        return _study(name, tuple(self._of_study(name)))

    def _of_study(self, name: str) -> list[str]:
        return [
            names.choosing("study", name),
            *(o for o in overrides.for_study(self.overrides, name) if not _is_of_report(o)),
        ]

    def of_study(self, name: str) -> list[str]:
        """The Hydra overrides for a study: those of its base run that hold for all its variants."""
        study = self.study(name)
        return [names.choosing("run", study.base), *study.overrides, *self._of_study(name)]

    def report_slice(self) -> Config:
        """What the report's step reads: its own selection, and what runs it shows say of themselves."""
        recorded = (name.partition("/")[0] for name in self.recorded_names() if "/" in name)
        of_runs = {run: self.config(run) for run in dict.fromkeys([*self.runs, *recorded])}
        told = {key: {run: config[key] for run, config in of_runs.items()} for key in ("title", "published")}
        return slice_of("report", self.composed) | told

    def of_run(self, run: str) -> list[str]:
        """The Hydra overrides that make the configuration of a run, selected or not, or of a study's variant.

        What makes a variant comes last: it is what the study compares.
        """
        known = run in self.runs or run in folders.options("run")  # the first needs no look at the disk
        study = None if known else study_of(run)
        if study:
            return [*self.of_study(study), *self.study(study).variant(run).overrides]
        mine = overrides.for_run(self.overrides, run)
        return [names.choosing("run", run), *(o for o in mine if not _is_of_report(o))]

    def of_data(self, name: str, key: str = "name") -> list[str]:
        """The Hydra overrides for a dataset, found by `data.name` or `data.raw` (`key`).

        Those of the first selected run on it, which may change it, or of the first variant of any study, or else the
        dataset as its YAML has it.
        """
        for run in self.runs:
            if self.config(run)["data"][key] == name:
                return self.of_run(run)
        if name not in folders.options("data"):  # made by a study's overrides
            for study in [*self.studies, *folders.options("study")]:
                for variant in self.study(study).variants:
                    if self.config(variant.run)["data"][key] == name:
                        return self.of_run(variant.run)
        return [names.choosing("data", name)]

    def of_lesson(self, lesson: str) -> list[str]:
        """The Hydra overrides for a lesson: the user's for it, and those of the dataset that it looks at, if any."""
        folders.find("lesson", lesson)
        mine = [o for o in self.overrides if overrides.key_of(o).startswith(("lesson.", "threads.lesson"))]
        data = compose(mine)["lesson"][lesson].get("data")
        theirs = [o for o in self.of_data(data) if o not in mine] if data else []
        return [*theirs, *mine, f"method={lesson}"]

    def config(self, run: str) -> Config:
        """The configuration of a run."""
        return compose(self.of_run(run))

    def trials(self, study: str) -> dict[str, str]:
        """The digest of what is measured of each trained network of a study, by `<run>/seed<k>`.

        Raises ConfigurationError where they are not all trained on as many threads and the same kind of device, and one
        of it each: they share processes.
        """
        trainings = {v.run: self.config(v.run)["training"] for v in self.study(study).variants}
        for key, words in (("threads", "threads"), ("accelerator", "as accelerator")):
            values = {run: training[key] for run, training in trainings.items()}
            if len(set(values.values())) > 1:
                odd, other = next((a, b) for a, b in pairwise(values) if values[a] != values[b])
                raise ConfigurationError(
                    f"study {study}: {odd} trains on {values[odd]} {words} and {other} on {values[other]}, and they "
                    f"share processes; set it for all: overrides: [training.{key}={values[odd]}]"
                )
        several = next((run for run, training in trainings.items() if training["devices"] != 1), None)
        if several:
            raise ConfigurationError(
                f"study {study}: {several} trains on {trainings[several]['devices']} devices, but the networks of a "
                "study train side by side, each on one: training.devices=1"
            )
        return {
            f"{variant.run}/seed{seed}": digest_of("measure", self.config(variant.run), seed=seed)
            for variant, seed in self.study(study).trials()
        }

    def shares(self, study: str) -> list[str]:
        """Names of the jobs that a study's trainings are cut into, as in "2-of-4"; none where it is one."""
        jobs = compose(self.of_study(study))["study_jobs"]
        if type(jobs) is not int or jobs < 1:
            raise ConfigurationError(f"study_jobs={jobs}: wants a whole number, 1 or more")
        jobs = min(jobs, sum(1 for _ in self.study(study).trials()))
        return [f"{k}-of-{jobs}" for k in range(1, jobs + 1)] if jobs > 1 else []

    def digest_of_study(self, study: str) -> str:
        """What a study's exhibit carries: the digest of its own step, and those of all that it reads."""
        own = digest_of("study", compose(self.of_study(study)))
        return together({"study": own, **self.trials(study)})

    def datasets(self, study: str) -> list[str]:
        """Names of the datasets that a study's variants are trained on."""
        return sorted({self.config(variant.run)["data"]["name"] for variant in self.study(study).variants})

    def exhibits(self) -> list[str]:
        """The exhibits that the report hangs, as paths of their `exhibit.json`, in the order in which it hangs them."""
        return (
            [f"results/exhibits/{run}/seed0/{method}/exhibit.json" for run in self.runs for method in self.methods(run)]
            + [f"results/lessons/{lesson}/exhibit.json" for lesson in self.report["lessons"]]
            + [f"results/studies/{study}/exhibit.json" for study in self.report["studies"]]
        )

    def other_seeds(self) -> list[str]:
        """The evaluations of the seeds after the first: only their numbers go into the report."""
        return [
            f"results/exhibits/{run}/seed{seed}/evaluation/exhibit.json"
            for run in self.runs
            if "evaluation" in self.methods(run)
            for seed in range(1, self.report["seeds"])
        ]

    def configurations(self) -> list[str]:
        """The resolved configuration of every selected run, as its training wrote it."""
        return [f"results/runs/{run}/seed0/config.yaml" for run in self.runs]

    def seeds_of(self, run: str) -> list[int]:
        """The seeds with which the report has a run trained: its own, and those that some method compares with."""
        config = self.config(run)
        methods = [method for method in self.methods(run) if method not in OWN_STEP]
        others = [seed for method in methods for seed in other_seeds(config, method)]
        return sorted({*range(self.report["seeds"]), *others})

    def benchmarks(self) -> list[str]:
        """Snakemake's measurements of the jobs behind the report, those of a dataset excepted (see `data.smk`)."""
        jobs = [f"train/{run}-seed{seed}" for run in self.runs for seed in self.seeds_of(run)]
        for run in self.runs:
            for method in self.methods(run):
                step = OWN_STEP.get(method)
                seeds = range(self.report["seeds"] if step == "evaluate" else 1)
                jobs += [f"{step}/{run}-seed{k}" if step else f"dissect/{run}-seed{k}-{method}" for k in seeds]
        jobs += [f"lesson/{lesson}" for lesson in self.report["lessons"]]
        jobs += [f"share/{study}-{share}" for study in self.studies for share in self.shares(study)]
        jobs += [f"{step}/{study}" for study in self.studies for step in ("trials", "study")]
        return [f"results/benchmarks/{job}.tsv" for job in jobs]
