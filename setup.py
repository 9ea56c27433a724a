"""What pyproject.toml can't say: a wheel carries the folders beside the package, in the package (config/folders.py)."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

WORKFLOW = ("workflow/Snakefile", "workflow/rules", "workflow/report")
CARRIED = ("conf", *WORKFLOW, "profiles", "docs/results", "CITATION.cff")


def carried() -> list[str]:
    """The files that a wheel carries."""
    places = [Path(name) for name in CARRIED]
    found = [file for place in places for file in ([place] if place.is_file() else sorted(place.rglob("*")))]
    return [str(file) for file in found if file.is_file() and not file.name.startswith(".")]


class Build(build_py):
    """Copies them into the package; an editable install has them where they are."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        place = Path(self.build_lib, "cnnatomy/project")
        shutil.rmtree(place, ignore_errors=True)  # of an earlier build
        for file in carried():
            (place / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, place / file)

    def get_source_files(self) -> list[str]:
        """Of the source distribution, from which a wheel may be built."""
        return [*super().get_source_files(), *carried()]


setup(cmdclass={"build_py": Build})
