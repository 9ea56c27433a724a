"""Which sentences the code chooses among, and which of them some text says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from itertools import product
from pathlib import Path
from typing import Any

from cnnatomy.exhibit import Say
from cnnatomy.exhibit.languages import FIRST, language

SOURCE = Path(__file__).parents[2] / "src" / "cnnatomy"
ROOMS = ("dissect", "evaluation", "lessons", "studies", "drawing")

#: What is chosen and is no verdict, by why.
NAMED = {
    "by the kind of data": [
        r".*\.(images|sounds|texts|signals|pictures|pixels|steps)", r".*\.axis\.\w+", r".*\.along\.\w+", r"data\..*",
        r"deconvolution\.reading\..*", r"kernels\.filters\.(scale|axes)\..*", r"kernels\.filters\.(channels|height)",
        r"attribution\.(of_words|maps\.cell)", r"class_activation\.cells\.(scale\.\w+|over|alone)",
        r"class_activation\.words\.\w+", r"faithfulness\.ranked", r"feature_visualisation\.ink",
        r"feature_maps\.(maps\.smaller|strips\..*)", r"filter_maximisation\.real\.\w+", r"changed\.colours",
        r"samples\.(drawn|channels|clips|words|voices|means)\.\w+",
        r"samples\.(first|changed)\..*",
       
        r"samples\.caption\.(fitting|left_out|licence|splits\.\w+)", r"saliency\.baseline\.\w+", r"patching\.smaller",
        r"structure\.code\..*", r"structure\.does\..*", r"structure\.sees\..*", r"structure\.box\..*",
        r"evaluation\.misread\.unknown",
        r"spectrogram\.(the_same|voices\.\w+)", r"top_patches\.(moves|reading\.words)",
        r"top_patches\.(reading\.rows|heard\..*|cut|place)", r"study\.units\.\w+", r"study\.difference\.(points|plain)",
        r"output_size\.cube\.\w+", r"left_out\..*",
    ],
    "a name": [
        r".*\.method\.\w+",
        r".*\.prior\.\w+", r".*\.way\.\w+", r".*\.named\.\w+", r"classic_filters\.(name|border)\.\w+",
        r"mse_surface\.(path|together)\..*", r"class_maximisation\.real", r"convolution\.channels\.size",
        r".*\.label.*",
        r"neuron\.(network|back)\.\w+", r"output_size\.calculator\.\w+", r"filter_maximisation\.(by_layer\.\w+|all)",
        r"dense_maximisation\.(units|filters|formula)", r"filter_maximisation\.(formula|map|position)",
        r"class_activation\.map\.\w+", r"filter_ablation\.kept\.source\.\w+", r"ngrams\.row\..*", r"ngrams\.slide\..*",
        r"patching\.filters\.\w+", r"(patching|feature_visualisation)\.others", r"style\.what\.\w+",
        r"ngrams\.source\.\w+",
        r"structure\.(network\.(last_)?box|several)", r"feature_maps\.maps\.(title_seeing|silent|output|after)",
        r"board\.boards\.alt\.\w+", r"dream\.(raised|silent)", r"evaluation\.share\.\w+", r"study\.sweep\.caption\.\w+",
        r"classic_filters\.rescaled", r"faithfulness\.methods\.(samples|groups)",
        r"faithfulness\.(deletion|insertion|flipping|randomisation)\.\w+", r"evaluation\.advice\.\w+",
        r"study\.(difference\.(effect|interval|margin)|verdict\.one_against)", r"filter_ablation\.test\.\w+",
        r"learn_sobel\.(start|after)", r"learning\.walk\.\w+",
    ],
    "why a method does not apply": [
        r"\w+\.(no_\w+|not_\w+|not_traced\.\w+|too_few|too_large|bent|one_label|in_the_way)"
    ],
    "a setting": [
        r"patching\.(asked_for|chosen)", r".*\.(thinned_out|smaller|looked_at|few|drawn|layers|fewer)", r".*\.left_out",
        r"filter_ablation\.(order|kept\.order|lost\.caption)\.\w+", r"structure\.network\.boxes",
        r"class_maximisation\.classes\.signs", r"ngrams\.shown\.\w+", r"ngrams\.deletion\.caption\.\w+",
        r"attribution\.maps\..*",
    ],
    "part of what stands with it": [r".*\.(title|alt|caption)", r".*\.study"],
}  # fmt: skip
#: Verdicts that the patterns above would take for names.
YET = {
    "evaluation.curves.alone", "faithfulness.outcome.few", "saliency.test.few", "faithfulness.few.all",
    "faithfulness.few.time", "saliency.left_out", "top_patches.few", "feature_maps.maps.too_few",
    "class_maximisation.no_others", "spectrogram.caption.not_moved",
}  # fmt: skip


def verdicts() -> set[str]:
    """Every sentence that is said under a condition on what was measured."""
    ids = language(FIRST).sentences
    patterns, always = set[str](), set[str]()
    for room in ROOMS:
        for file in sorted((SOURCE / room).rglob("*.py")):
            for chosen, pattern in _patterns_of(ast.parse(file.read_text(encoding="utf-8"))):
                (patterns if chosen else always).add(pattern)
    named = [re.compile(pattern) for each in NAMED.values() for pattern in each]
    return {
        id_
        for id_ in ids
        if re.escape(id_) not in always
        and any(re.fullmatch(pattern, id_) for pattern in patterns)
        and (id_ in YET or not any(one.fullmatch(id_) for one in named))
    }


def _patterns_of(tree: ast.AST) -> Iterator[tuple[bool, str]]:
    """Patterns of the ids that are said, and whether that is in one branch of several, or put together."""
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say" and node.args:
            chosen = not isinstance(node.args[0], ast.Constant) or _under_a_condition(node, parents)
            for pattern in _patterns(node.args[0]):
                yield chosen, pattern


def _under_a_condition(node: ast.AST, parents: Mapping[ast.AST, ast.AST]) -> bool:
    while (parent := parents.get(node)) is not None:
        if isinstance(parent, ast.If | ast.IfExp) and node is not parent.test:
            return True
        if isinstance(parent, ast.ListComp | ast.GeneratorExp) and any(one.ifs for one in parent.generators):
            return True
        if isinstance(parent, ast.FunctionDef):
            before = parent.body[: parent.body.index(node)] if isinstance(node, ast.stmt) else []
            return any(
                isinstance(part, ast.Return) for one in before if isinstance(one, ast.If) for part in ast.walk(one)
            )
        node = parent
    return False


def _patterns(id_: ast.expr) -> list[str]:
    if isinstance(id_, ast.IfExp):
        return [*_patterns(id_.body), *_patterns(id_.orelse)]
    if isinstance(id_, ast.JoinedStr):
        parts = [_patterns(one.value) if isinstance(one, ast.FormattedValue) else _patterns(one) for one in id_.values]
        return ["".join(one) for one in product(*parts)]
    return [re.escape(str(id_.value))] if isinstance(id_, ast.Constant) else ["[^.]+"]


def said(told: Any) -> Iterator[str]:
    """The ids of all sentences in a text, a block or a whole exhibit, those inside of sentences too."""
    if isinstance(told, Say):
        yield told.id
        yield from said(list(told.values.values()))
    elif isinstance(told, Mapping):
        yield from said(list(told.values()))
    elif isinstance(told, list | tuple):
        for one in told:
            yield from said(one)
    elif is_dataclass(told) and not isinstance(told, type):
        yield from said([getattr(told, field.name) for field in fields(told)])
