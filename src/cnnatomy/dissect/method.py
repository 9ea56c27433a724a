"""A method as a step calls it: what measures, what shows, and what each asks for by the names of its arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from torch import nn

from cnnatomy.data.prepared import Samples
from cnnatomy.exhibit import Exhibit, Showing, say
from cnnatomy.exhibit.applying import DoesNotApply

Needs = Mapping[str, Callable[[], Any]]
"""What a method may ask for by the name of an argument beside network, samples and settings; made when it does."""


#: What torch says where no gradient leads from an output back to the input: in its own words, it has no class for it.
_CUT_OFF = (
    "does not require grad and does not have a grad_fn",
    "appears to not have been used in the graph",
    "Can't call numpy() on Tensor that requires grad",
    "torch.utils.checkpoint is incompatible with .grad()",
)
#: And where something was written over that the way back needs.
_OVERWRITTEN = "modified by an inplace operation", "is being modified inplace", "being used in an in-place operation"


@dataclass(frozen=True)
class Method:
    """`measure(network, samples, settings, …)` gives a record, `show(record, samples, settings, …)` what is made of it.

    show: None where one function does both, as that of a user may. settings: the class of the settings; without one
    they are handed on as the mapping that they are in YAML.
    """

    measure: Callable[..., Any]
    show: Callable[..., Showing] | None = None
    settings: Callable[..., Any] = dict

    @classmethod
    def of(cls, found: ModuleType | Callable[..., Any]) -> Method:
        """A module with `measure`, `show` and perhaps `Settings`, or a function."""
        if not isinstance(found, ModuleType):
            return cls(found)
        return cls(found.measure, found.show, getattr(found, "Settings", dict))

    def made(self, network: nn.Module, samples: Samples, config: Mapping[str, Any], needs: Needs) -> Showing | Exhibit:
        """The method's numbers and blocks. Raises what it raises, DoesNotApply where it makes no sense."""
        settings = self.settings(**config)
        return self.shown(self.measured(network, samples, settings, needs), samples, settings, needs)

    def measured(self, network: nn.Module, samples: Samples, settings: Any, needs: Needs) -> Any:
        """The method's record; of a function that does both, what it made.

        Raises DoesNotApply for a method that goes back through a network in which something cuts the gradient off, or
        writes over what it needs.
        """
        try:
            return self.measure(network, samples, settings, **_asked(self.measure, needs))
        except RuntimeError as error:
            if any(said in str(error) for said in _CUT_OFF):
                raise DoesNotApply(say("inspection.no_gradient")) from error
            if any(said in str(error) for said in _OVERWRITTEN):
                raise DoesNotApply(say("inspection.no_way_back")) from error
            raise

    def shown(self, found: Any, samples: Samples, settings: Any, needs: Needs) -> Showing | Exhibit:
        """What is made of a record."""
        return found if self.show is None else self.show(found, samples, settings, **_asked(self.show, needs))


def _asked(function: Callable[..., Any], needs: Needs) -> dict[str, Any]:
    return {need: make() for need, make in needs.items() if need in inspect.signature(function).parameters}
