"""Weights files that a user puts in place by hand: missed early, with where to get them, and checked by their name."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

#: How torchvision and torch.hub name the files that they publish: with the first eight digits of the SHA-256.
_PUBLISHED = re.compile(r".+-([0-9a-f]{8})\.pth")
#: How torchvision calls weights that it would fetch, as in `resnet18(weights="DEFAULT")`.
_NAMED = re.compile(r"(?:\w+_Weights\.)?(?:DEFAULT|IMAGENET1K_\w+|COCO_\w+)")
_TORCHVISION = "https://download.pytorch.org/models/"


class WeightsNotThere(LookupError):
    """A file of weights that training should start from is missing or is a broken copy; the message says what to do."""


def look_for(path: str | None) -> None:
    """Raise WeightsNotThere where the file that `training.weights` names is not there.

    Raw data's archives, of which a member may be named, are for the workflow to make.
    """
    if not path or ".zip/" in path or Path(path).expanduser().exists():
        return
    name = Path(path).name
    if re.match(r"\w+://", path):
        raise WeightsNotThere(
            f"training.weights: {path} is an address, and a file is wanted. Get it, and name the file: curl -L -o "
            f"{name.partition('?')[0] or 'weights.pth'} {path}"
        )
    if _NAMED.fullmatch(path):
        raise WeightsNotThere(
            f"training.weights: {path} is a name of torchvision's, and a file is wanted. Where to get it says, with "
            "your network's name: python -c \"import torchvision.models as m; "
            f"print(m.get_model_weights('resnet18').{path.rpartition('.')[2]}.url)\""
        )
    get = (
        f"If they are torchvision's, get them with: curl --create-dirs -o {path} {_TORCHVISION}{name}"
        if _PUBLISHED.fullmatch(name)
        else "Put the file there, or name another (training.weights=null begins with random ones)"
    )
    raise WeightsNotThere(f"training.weights: there is no file {path} (in {Path.cwd()}). {get}")


def check_copy(path: str) -> None:
    """Raise WeightsNotThere where a published file's content is not what its name says."""
    wanted = _PUBLISHED.fullmatch(Path(path).name)
    if wanted is None:
        return
    with Path(path).expanduser().open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if not found.startswith(wanted[1]):
        raise WeightsNotThere(
            f"training.weights: {path} is a broken copy: its SHA-256 begins with {found[:8]}, not with {wanted[1]}. "
            "Delete it and get it again"
        )
