# The plan of this invocation, and what the rules ask of it. Everything here is a function of wildcards only: params that
# depend on inputs are not recorded by Snakemake and would never rerun anything.

import os
import re
import sys
import time
from importlib.util import find_spec
from pathlib import Path

_BEGAN = time.time()


def is_earlier(page):
    """Whether a page was made before this run began."""
    return Path(page).is_file() and Path(page).stat().st_mtime < _BEGAN


def stop(why):
    """End before the first job, with a sentence for the user and nothing of where in these files it was said."""
    page = "results/report/index.html"
    print(
        f"{why}\n{page} is of an earlier run." if is_earlier(page) else f"{why}",
        file=sys.stderr,
        flush=True,
    )
    sys.exit(1)


# A checkout has the package in it; installed, the package has the rules in it.
_package = Path(find_spec("cnnatomy").origin).resolve().parent
_project = Path(str(workflow.current_basedir)).resolve().parents[1]
if not (_package.is_relative_to(_project) or _project.is_relative_to(_package)):
    stop(
        f"The package that would run is {_package}, of another folder than this Snakefile. "
        f"{'Run `make report` here, which sets up .venv again where it belongs elsewhere' if (_project / 'Makefile').is_file() else 'Run `cnnatomy report`, or snakemake of the environment that this Snakefile is installed in'}"
        f"{'; and unset PYTHONPATH, or take that folder out of it' if os.environ.get('PYTHONPATH') else ''}."
    )

from cnnatomy import places, shadows, waiting
from cnnatomy.config.errors import ConfigurationError
from cnnatomy.config.plan import Plan
from cnnatomy.config import names
from cnnatomy.config.slices import canonical, code_of, other_seeds, slice_of
from cnnatomy.config import steps
from cnnatomy.config.folders import options
from cnnatomy.models.published import WeightsNotThere, look_for
from cnnatomy.progress import expected, following
from cnnatomy.steps.lineage import ended_badly
from cnnatomy.training.gpus import takes
from cnnatomy.warm import server


def _plan():
    overrides = config.get("overrides") or []
    if isinstance(overrides, str):
        overrides = [overrides]
    plan = Plan(str(config.get("report", "default")), tuple(map(str, overrides)))
    plan.check(whole=False)
    for run in plan.runs:
        look_for(plan.config(run)["training"]["weights"])
    return plan


def whole_report(wildcards):
    """What there is to make unless a file is asked for by its name, which may be of what the report leaves out."""
    try:
        PLAN.check_overrides()
    except ConfigurationError as error:
        stop(error)
    return ["results/report/index.html", *ended_badly(PLAN)]


def _look_for_cache():
    """Snakemake would find a folder of --cache out of reach only after the first download."""
    folder = os.environ.get("SNAKEMAKE_OUTPUT_CACHE")
    if workflow.workflow_settings.cache is None or not folder:
        return
    if not os.access(folder, os.R_OK | os.X_OK):
        stop(
            f"SNAKEMAKE_OUTPUT_CACHE={folder}: there is no such folder, or you may not read it. "
            "docs/cluster.md says how to make one for several users; without the variable nothing is shared."
        )


_look_for_cache()
try:
    unknown = set(config) - {"report", "overrides"}
    if unknown:
        raise ConfigurationError(
            f"--config {unknown.pop()}: only report and overrides go here; "
            "a value is an override: --config 'overrides=[\"training.max_epochs=3\"]'"
        )
    places.check(Path())
    shadows.refuse()
    PLAN = _plan()
except (
    ConfigurationError,
    WeightsNotThere,
    places.NotWritable,
    shadows.Shadowed,
) as error:
    stop(error)

# Steps read the plan from this file: values never travel through a command line, whose quoting they might not survive.
# It is named by what it says, so that a dry run with other overrides takes nothing from a run at work.
GIVEN = PLAN.write(Path("results/config"))
# By the environment: a rule's command knows the names of the main Snakefile only, which may have these rules as a module.
os.environ["CNNATOMY_GIVEN"] = str(GIVEN)
# Steps run with the Python that runs Snakemake, activated or not.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


# And in UTF-8, whatever the machine's own encoding is: titles and names are of any script.
os.environ["PYTHONUTF8"] = "1"


wildcard_constraints:
    raw=names.PATTERN,
    dataset=names.PATTERN,
    run=names.PATTERN,
    seed=r"\d+",
    method="|".join(map(re.escape, set(options("dissect")) - set(steps.OWN_STEP))),
    lesson=names.PATTERN,
    study=names.PATTERN,
    share=r"\d+-of-\d+",


def configuration(wildcards):
    """The configuration that a job's wildcards stand for."""
    from cnnatomy.config.compose import compose

    if hasattr(wildcards, "raw"):
        return compose(PLAN.of_data(wildcards.raw, "raw"))
    if hasattr(wildcards, "dataset"):
        return compose(PLAN.of_data(wildcards.dataset))
    if hasattr(wildcards, "lesson"):
        return compose(PLAN.of_lesson(wildcards.lesson))
    if hasattr(wildcards, "study"):
        return compose(PLAN.of_study(wildcards.study))
    return PLAN.config(wildcards.run)


def _method(wildcards):
    """The dissection or the lesson that a job's wildcards name."""
    return getattr(wildcards, "method", getattr(wildcards, "lesson", None))


def _asked(wildcards):
    return {
        "seed": int(getattr(wildcards, "seed", 0)),
        "method": _method(wildcards),
    }


def slice_of_step(step):
    """For `params`: what the step reads of the configuration, as one canonical text."""

    def of(wildcards):
        return canonical(slice_of(step, configuration(wildcards), **_asked(wildcards)))

    return of


def code_of_step(step):
    """For `params`: a digest of the code that the step can reach."""

    def of(wildcards):
        return code_of(step, configuration(wildcards), method=_method(wildcards))

    return of


def on_slurm():
    """Whether this Snakemake sends jobs to Slurm; a dry run and the jobs themselves send none."""
    return workflow.executor_plugin.name == "slurm"


def grows(amount):
    """A resource that a job gets more of when it is tried again, as on a cluster that took it for too large."""

    def of(wildcards, attempt):
        return amount * attempt

    return of


def _gpus_of(settings):
    training = settings["training"]
    return int(training["devices"]) if takes(training) else 0


def gpus(wildcards):
    """How many GPUs a training asks for."""
    return _gpus_of(configuration(wildcards))


def study_gpus(wildcards, *_):
    """How many GPUs a study's trainings ask for; those of one process, for others of the job wait their turn."""
    return max(
        _gpus_of(PLAN.config(variant.run))
        for variant in PLAN.study(wildcards.study).variants
    )


def longest_first(step, job):
    """A priority below those of what others wait for; `job` is how the step's logs are named."""

    def of(wildcards):
        return expected.priority(
            step, f"results/logs/{step}/{job.format(**dict(wildcards.items()))}.log"
        )

    return of


def threads_of(step):
    def of(wildcards):
        settings = configuration(wildcards)
        training = settings["training"]
        alone = step != "train" or training["accelerator"] == "gpu"
        return steps.threads_of(step, settings) * (1 if alone else training["devices"])

    return of


def raw_data(wildcards):
    raw = configuration(wildcards)["data"]["raw"]
    return f"resources/{raw}/{raw}.zip"


def _prepared(name):
    return multiext(
        f"results/data/{name}/", "dataset.json", "inputs.npy", "samples.csv"
    )


def prepared_data(wildcards):
    return _prepared(configuration(wildcards)["data"]["name"])


def study_data(wildcards):
    """The prepared data that a study's variants are trained on."""
    try:
        PLAN.trials(wildcards.study)
        names = PLAN.datasets(wildcards.study)
    except ConfigurationError as error:
        stop(error)
    return [file for name in names for file in _prepared(name)]


def shares(wildcards):
    """What the jobs leave that a study's trainings are cut into; nothing where they are one."""
    try:
        names = PLAN.shares(wildcards.study)
    except ConfigurationError as error:
        stop(error)
    return [f"results/trials/{wildcards.study}/{name}.json" for name in names]


def trials_of(wildcards):
    """For `params`: what makes each trained network of a study and what is measured of it, as one canonical text."""
    return canonical(PLAN.trials(wildcards.study))


def lesson_data(wildcards):
    """The prepared data that a lesson looks at; nothing where it looks at none."""
    lesson = configuration(wildcards)["lesson"][wildcards.lesson]
    return prepared_data(wildcards) if lesson.get("data") else []


def starting_weights(wildcards):
    """The file that training starts from, or the archive it is in; nothing where weights are random at first."""
    weights = configuration(wildcards)["training"]["weights"]
    if not weights:
        return []
    try:
        look_for(weights)
    except WeightsNotThere as error:
        stop(error)
    archive, inside, _ = os.path.expanduser(weights).partition(".zip/")
    return f"{archive}.zip" if inside else archive


def networks(wildcards):
    """The network that a dissection opens up, and those of other seeds that it asks what they make of its pictures."""
    settings = configuration(wildcards)
    seeds = [
        wildcards.seed,
        *other_seeds(settings, wildcards.method, int(wildcards.seed)),
    ]
    return [
        f"results/runs/{wildcards.run}/seed{seed}/model.safetensors" for seed in seeds
    ]
