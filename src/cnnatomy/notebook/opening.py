"""A network in a notebook, opened up by the same methods as in the workflow."""

from __future__ import annotations

import html
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnatomy.config.errors import ConfigurationError, nearest

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

    from cnnatomy.data.prepared import Dataset

METHODS = {
    "images": ["evaluation", "structure", "kernels", "feature_maps", "top_patches"],
    "signals": ["evaluation", "structure", "kernels", "feature_maps", "top_patches"],
    "texts": ["evaluation", "structure", "kernels", "ngrams"],
}
COLUMNS = ["metric", "subject", "value", "ci_low", "ci_high", "unit", "n"]
HEIGHT = 720  # px of an exhibit in a notebook


@dataclass(frozen=True)
class Shown:
    """One exhibit: what a method made of the network. In a notebook it shows itself."""

    method: str
    folder: Path
    place: tempfile.TemporaryDirectory[str] = field(repr=False, compare=False)  # its files are there as long as this is

    @property
    def document(self) -> dict[str, Any]:
        """All that it holds, in words (docs/exhibit.md)."""
        from cnnatomy.exhibit import read
        from cnnatomy.exhibit.languages import in_words

        return in_words(read(self.folder))

    @property
    def numbers(self) -> pd.DataFrame:
        """A row a number: metric, subject, value, ci_low, ci_high, unit, n."""
        import pandas as pd

        return pd.DataFrame(self.document["numbers"], columns=COLUMNS)

    def _repr_html_(self) -> str:
        with tempfile.TemporaryDirectory() as place:
            page = _page([self], Path(place)).read_text(encoding="utf-8")
        # Without what a report says before its first exhibit.
        page = page.replace("<header class=front", "<header hidden class=front", 1)
        page = re.sub("<header class=chapter-head>.*?</header>", "", page, count=1, flags=re.DOTALL)
        return f'<iframe srcdoc="{html.escape(page)}" width="100%" height="{HEIGHT}" frameborder="0"></iframe>'


class Opened(Mapping[str, Shown]):
    """The exhibits of a network by their methods; `numbers` has those of all, `save` writes the page."""

    def __init__(self, shown: Sequence[Shown]) -> None:
        self._shown = {one.method: one for one in shown}

    def __getitem__(self, method: str) -> Shown:
        return self._shown[method]

    def __iter__(self) -> Iterator[str]:
        return iter(self._shown)

    def __len__(self) -> int:
        return len(self._shown)

    @property
    def numbers(self) -> pd.DataFrame:
        """A row a number of every method, as in results.csv."""
        import pandas as pd

        return pd.concat({method: one.numbers for method, one in self.items()}, names=["method"]).reset_index(0)

    def save(self, folder: str | Path) -> Path:
        """Write the page with its files, as the workflow does; its path."""
        return _page(list(self.values()), Path(folder))

    def _repr_html_(self) -> str:
        return "".join(one._repr_html_() for one in self.values())


def open_up(
    network: nn.Module,
    X: Any,
    y: Any,
    *,
    methods: Sequence[str] | None = None,
    train: tuple[Any, Any] | None = None,
    classes: Sequence[str] | None = None,
    vocabulary: Sequence[str] | None = None,
    rate: float | None = None,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    seed: int = 0,
) -> Opened:
    """Open up a trained network by the workflow's methods.

    network: gives one number for each class, in any of the forms that the workflow takes; a copy is looked at. X, y:
    samples that it was not trained on, torch or numpy, in the numbers that it gets: see `arrays.dataset`. train: the
    same of samples that it was trained on, which some methods ask for. classes: their names. vocabulary: the words of
    texts. rate: values a second of signals.
    methods: names as in docs/dissections.md, in the order to be shown; a few quick ones unless given. settings: by
    method what differs from conf/dissect.

    >>> from torch import nn, rand
    >>> network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3))
    >>> found = open_up(network, X=rand(30, 1, 8, 8), y=[0, 1, 2] * 10, methods=["structure", "kernels"])
    >>> list(found)
    ['structure', 'kernels']
    >>> numbers = found["structure"].numbers.query("metric == 'parameters'")
    >>> int(numbers.value.max())
    475

    Raises ConfigurationError for a method or a setting that there isn't, DataError for arrays that are none of these.
    """
    from cnnatomy.notebook import arrays

    place = tempfile.TemporaryDirectory(prefix="cnnatomy-")
    data = arrays.dataset(Path(place.name) / "data", train, (X, y), classes=classes, vocabulary=vocabulary, rate=rate)
    looked_at = _read(network, data)
    wanted = list(methods) if methods is not None else METHODS[data.facts.kind]
    how = _settings(wanted, settings or {})
    shown = []
    for method in wanted:
        folder = Path(place.name) / method
        _made(method, looked_at, data, how[method], seed).write(folder, {"dissect": {method: how[method]}}, {})
        shown.append(Shown(method, folder, place))
    return Opened(shown)


def _read(network: nn.Module, data: Dataset) -> nn.Module:
    """A copy of the network that answers with logits."""
    from cnnatomy.data.batches import to_tensor
    from cnnatomy.models import answering
    from cnnatomy.models.copying import copied

    own = copied(network).float().cpu().eval()
    answering.read(own, to_tensor(data.facts, data.split("test").inputs[:3]), len(data.facts.classes))
    return own


def _settings(methods: Sequence[str], given: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Of each method the workflow's settings, and what differs."""
    from cnnatomy.config.compose import compose

    known = compose(["run=mnist"])["dissect"]
    for method in [*methods, *given]:
        if method not in known:
            raise ConfigurationError(f"methods: there is no {method!r}. {nearest(method, set(known))}")
    for method, its in given.items():
        for key in its:
            if key not in known[method]:
                raise ConfigurationError(f"settings: {method} has no {key!r}. {nearest(key, set(known[method]))}")
    return {method: {**known[method], **given.get(method, {})} for method in methods}


def _made(method: str, network: nn.Module, data: Dataset, settings: dict[str, Any], seed: int) -> Any:
    """A method's exhibit, as its step in the workflow makes it."""
    from hydra.utils import get_object

    from cnnatomy.dissect.method import Method
    from cnnatomy.exhibit import Exhibit
    from cnnatomy.exhibit.applying import DoesNotApply, does_not_apply

    test = data.split("test")
    if method == "evaluation":
        from cnnatomy import evaluation

        found = evaluation.measure(evaluation.predict(network, test), None, test)
        shown = evaluation.show(found, test, evaluation.Settings(**settings))
        return Exhibit.of(shown, "run", "network", method, seed)
    if method == "samples":
        from cnnatomy.dissect import samples

        shown = samples.show(samples.measure(data), data, samples.Settings(**settings))
        return Exhibit.of(shown, "run", "network", method, seed)
    needs: dict[str, Callable[[], Any]] = {
        "training": lambda: data.split("train") if "train" in data.facts.splits else None,
        "others": list,
        "sound": lambda: None,
        "prepare": dict,
        "seed": lambda: seed,
    }
    target = settings.get("_target_", f"cnnatomy.dissect.{method}")
    try:
        made = Method.of(get_object(target)).made(network, test, settings, needs)
    except DoesNotApply as because:
        made = does_not_apply(because)
    return Exhibit.of(made, "run", "network", method, seed)


def _page(shown: Sequence[Shown], folder: Path) -> Path:
    from cnnatomy.report import build

    build([one.folder for one in shown], folder, {"title": "Opened up"})
    return folder / "index.html"
