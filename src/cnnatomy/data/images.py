"""Images as uint8 arrays with their axes in pixels."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from cnnatomy.data import prepared
from cnnatomy.data.archive import Raw
from cnnatomy.data.errors import DamagedData, DataError
from cnnatomy.data.left_out import LeftOut
from cnnatomy.data.prepared import Axis, Facts, Normalise


def write(
    folder: Path,
    splits: Mapping[str, tuple[np.ndarray, np.ndarray]],
    classes: list[str],
    raw: Raw,
    *,
    digest: str,
    normalise: Normalise | None = None,
    ids: Mapping[str, list[str]] | None = None,
    left_out: Sequence[LeftOut] = (),
) -> None:
    """Write a prepared dataset of images.

    splits: images uint8 (n, channels, height, width) and labels (n,) of each split, in the order train, validation,
        test.
    normalise: taken from the training split unless given.
    ids: of the samples of each split; `test/0`, `test/1`, ... unless given.
    """
    import pandas as pd

    inputs = np.concatenate([pixels for pixels, _ in splits.values()])
    _, channels, height, width = inputs.shape
    rows = [
        pd.DataFrame(
            {
                "split": split,
                "label": labels.astype(np.int64),
                "id": ids[split] if ids else [f"{split}/{i}" for i in range(len(labels))],
            }
        )
        for split, (_, labels) in splits.items()
    ]
    facts = Facts(
        name=folder.name,
        kind="images",
        classes=classes,
        shape=(channels, height, width),
        axes=[Axis("row", "px", list(range(height))), Axis("column", "px", list(range(width)))],
        normalise=normalise or brightness(splits["train"][0]),
        licence=raw.manifest["licence"],
        citation=raw.manifest["citation"],
        raw=raw.path.stem,
        digest=digest,
        left_out=list(left_out),
    )
    prepared.write(folder, facts, inputs, pd.concat(rows, ignore_index=True))


def square(picture: bytes, size: int, name: str, colour: bool = True) -> tuple[np.ndarray, tuple[int, int]]:
    """The middle square of a picture, scaled: uint8 (3 or 1, size, size), and its width and height in the file.

    What is transparent is white. Of moving pictures the first is taken. Raises DamagedData if it can't be read.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(io.BytesIO(picture)) as opened:
            upright = ImageOps.exif_transpose(opened)
            if upright.mode.startswith(("I", "F")):  # 16 bits and more a pixel, which Pillow would cut off at 255
                values = np.asarray(upright, dtype=np.float64)
                whites = (65535,) if upright.mode.startswith("I;16") else (1, 255, 65535, values.max())
                most = next(white for white in whites if values.max() <= white)
                upright = Image.fromarray(np.rint(255 * values.clip(0) / most).astype(np.uint8))
            elif "transparency" in upright.info or upright.mode in ("RGBA", "LA", "PA"):
                layer = upright.convert("RGBA")
                upright = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
            fitted = ImageOps.fit(upright.convert("RGB" if colour else "L"), (size, size), Image.Resampling.BICUBIC)
    # Pillow's word for a broken PNG is SyntaxError, for one too large to be meant an exception of its own.
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DamagedData(f"{name} can't be read as a picture: {str(error) or type(error).__name__}.") from error
    pixels = np.asarray(fitted)
    return (pixels.transpose(2, 0, 1) if colour else pixels[None]), upright.size


def brightness(pixels: np.ndarray) -> Normalise:
    """Mean and standard deviation of each channel, in units of full white; exact, from the counts of the 256 values."""
    if not pixels.size:
        raise DataError("the training split has no images: leave some for it when the validation split is cut off.")
    values = np.arange(256) / 255
    means, stds = [], []
    for channel in range(pixels.shape[1]):
        # np.bincount makes 8 bytes of every pixel, so that a thousand images at a time are counted.
        counts = sum(
            np.bincount(pixels[i : i + 1000, channel].ravel(), minlength=256) for i in range(0, len(pixels), 1000)
        )
        share = counts / pixels[:, channel].size
        mean = float(share @ values)
        means.append(mean)
        stds.append(max(float(np.sqrt(share @ (values - mean) ** 2)), 1 / 255))
    return Normalise(means, stds)
