"""A network's forward pass as a graph of torch's operators, and its constants."""

from __future__ import annotations

import logging
import operator
import warnings
from collections import Counter
from collections.abc import Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass, replace
from io import StringIO
from typing import Any

import torch
from torch import Tensor, fx, nn

from cnnatomy.inspection.calls import next_call
from cnnatomy.inspection.layers import evaluating, whole

Shape = tuple[int, ...]


class InTheWay(Exception):
    """An operation that the page has not; the message is its name."""


class NotTraced(Exception):
    """The network can't be written as one graph, for what it does depends on the numbers."""


@dataclass(frozen=True)
class Graph:
    """Nodes from the input to the answer, in their order, without those that are constants.

    nodes: what is worked out anew for each sample. input, answer: of them the first, and the node of the logits.
    constants: what a node is that no sample changes. origins: the names of those that the network keeps.
    names: the layer whose output a node gives.
    """

    nodes: list[fx.Node]
    input: fx.Node
    answer: fx.Node
    constants: dict[fx.Node, Any]
    origins: dict[fx.Node, str]
    names: dict[fx.Node, str]


class _Answering(nn.Module):
    """The network below a name, so that what is hooked to it takes part, too."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        answer = self.network(x)
        assert isinstance(answer, Tensor)
        return answer


def traced(network: nn.Module, x: Tensor) -> Graph:
    """The graph of a pass on `x`, (2, *shape of a sample): two, so that no operation takes the batch for an axis of 1.

    Raises NotTraced.
    """
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)  # torch says at length why it can't; the exhibit says it in a sentence
    try:
        with evaluating(network), torch.no_grad(), warnings.catch_warnings(), redirect_stderr(StringIO()):
            warnings.simplefilter("ignore")
            exported = torch.export.export(_Answering(network), (x,)).run_decompositions({})
    except Exception as error:  # of the network's own code, of any kind
        raise NotTraced(next(iter(str(error).strip().splitlines()), type(error).__name__)) from error
    finally:
        logging.disable(disabled)
    signature = exported.graph_signature
    kept = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
    kept |= signature.inputs_to_lifted_tensor_constants
    held = {**exported.constants, **exported.state_dict}
    answer = next(node for node in exported.graph.nodes if node.name == signature.user_outputs[0])
    inputs = [node for node in exported.graph.nodes if node.name == signature.user_inputs[0]]
    needed = _behind(answer)
    constants: dict[fx.Node, Any] = {}
    origins: dict[fx.Node, str] = {}
    nodes: list[fx.Node] = []
    for node in exported.graph.nodes:
        if node not in needed:
            continue
        if node.name in kept:
            origins[node] = kept[node.name].removeprefix("network.")
            constants[node] = held[kept[node.name]].detach()
        elif node in inputs:
            nodes.append(node)
        elif all(each in constants for each in node.all_input_nodes):
            constants[node] = _worked_out(node, constants)
        else:
            nodes.append(node)
    if not nodes or nodes[0] not in inputs:
        raise NotTraced("its answer does not depend on the input")
    return Graph(nodes, nodes[0], answer, constants, origins, _names(network, nodes))


def again(graph: Graph, network: nn.Module) -> Graph:
    """The graph of the same network with other weights."""
    state = network.state_dict()
    constants: dict[fx.Node, Any] = {}
    for node, value in graph.constants.items():
        if graph.origins.get(node) in state:
            constants[node] = state[graph.origins[node]].detach()
        else:
            constants[node] = _worked_out(node, constants) if node.all_input_nodes else value
    return replace(graph, constants=constants)


def _behind(answer: fx.Node) -> set[fx.Node]:
    """All nodes that the answer is made of."""
    found, waiting = set[fx.Node](), [answer]
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting += node.all_input_nodes
    return found


def _worked_out(node: fx.Node, constants: dict[fx.Node, Any]) -> Any:
    args, named = fx.map_arg((node.args, node.kwargs), lambda each: constants[each])
    with torch.no_grad():
        return node.target(*args, **named)  # type: ignore[operator]


def _names(network: nn.Module, nodes: Sequence[fx.Node]) -> dict[fx.Node, str]:
    """The layer's call of whose nodes each is the last one; layers with parts have none."""
    calls: dict[str, tuple[str, fx.Node]] = {}
    for node in nodes:
        if stack := node.meta.get("nn_module_stack"):
            key, (path, _) = list(stack.items())[-1]
            name = path.removeprefix("network").removeprefix(".")
            if name and whole(network.get_submodule(name)) and not passes(node):
                calls[key] = name, node
    counts = Counter[str]()
    return {node: next_call(name, counts) for name, node in calls.values()}


PASSED = frozenset(
    {
        *("dropout", "feature_dropout", "alpha_dropout", "native_dropout", "to", "_to_copy", "contiguous", "clone"),
        *("detach", "alias", "lift_fresh_copy", "type_as"),
    }
)


def passes(node: fx.Node) -> bool:
    """Whether a node hands on what it gets."""
    return node.target is operator.getitem or operation(node) in PASSED


def operation(node: fx.Node) -> str:
    """The name of a node's operator."""
    schema = getattr(node.target, "_schema", None)
    return node.name if schema is None else str(schema.name).removeprefix("aten::")


def arguments(node: fx.Node) -> dict[str, Any]:
    """A node's arguments by name, those that were left out as the operator has them."""
    schema = node.target._schema  # type: ignore[union-attr]
    found = {each.name: each.default_value for each in schema.arguments if each.has_default_value()}
    found |= dict(zip((each.name for each in schema.arguments), node.args, strict=False))
    return found | dict(node.kwargs)


def shape_of(node: fx.Node) -> Shape:
    """The shape of what a node gives for one sample. Raises InTheWay where samples are mixed."""
    value = node.meta["val"]
    value = value[0] if isinstance(value, tuple | list) else value
    if value.dim() == 0 or value.shape[0] != 2:
        raise InTheWay(operation(node))
    return tuple(int(size) for size in value.shape[1:])


def where(node: fx.Node) -> str:
    """In which layer a node is, as the end of a sentence; nothing for the network itself."""
    path, kind = list(node.meta.get("nn_module_stack", {"": ("", "")}).values())[-1]
    name = path.removeprefix("network").removeprefix(".")
    return f" ({name}, {str(kind).rpartition('.')[2]})" if name else ""
