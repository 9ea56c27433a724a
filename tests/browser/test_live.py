"""A network that runs in the page gives what torch gives: each operation, whole networks, and the page's own words."""

from __future__ import annotations

import base64
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnatomy import report
from tests.browser.live_cases import CASES, Case

pytestmark = pytest.mark.browser

ENGINE = Path(report.__file__).parent / "templates" / "live_engine.js"
EACH = 500  # cases of an operation

#: Every case of an operation, worked out at once: numbers come and go as one array.
RUN = """([op, cases, packed]) => {
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0)), all = new Float32Array(bytes.buffer);
  let at = 0;
  const tensor = (shape) => { const n = shape.reduce((a, b) => a * b, 1); at += n; return { shape, data: all.slice(at - n, at) }; };
  const made = cases.map(({ inputs, weights, given, shape }) => {
    const parts = inputs.map(tensor), own = weights.map(tensor);
    const out = { shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(77) };
    CnnatomyLive.OPERATIONS[op](out, parts, given, own);
    return [...out.data];
  });
  return made.flat();
}"""


@pytest.fixture(scope="module")
def engine(chromium):
    """A page with the engine alone."""
    page = chromium.new_page()
    page.add_script_tag(content=ENGINE.read_text())
    yield page
    page.close()


def test_every_operation_of_the_engine_has_its_cases(engine):
    assert set(engine.evaluate("Object.keys(CnnatomyLive.OPERATIONS)")) == set(CASES)


@pytest.mark.parametrize("op", CASES)
def test_an_operation_gives_what_torch_gives(engine, op):
    random = np.random.default_rng(zlib.crc32(op.encode()))
    cases = [CASES[op](random) for _ in range(EACH)]
    found = np.array(engine.evaluate(RUN, [op, list(map(_described, cases)), _packed(cases)]), np.float32)
    start = 0
    for number, case in enumerate(cases):
        expected = case.expected.numpy().ravel()
        ours = found[start : start + len(expected)]
        start += len(expected)
        spread = max(1.0, float(np.abs(expected).max(initial=0)))
        np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-5 * spread, err_msg=f"{op} {number} {_described(case)}")
    assert start == len(found)


def _described(case: Case) -> dict[str, Any]:
    return {
        "inputs": [list(one.shape) for one in case.inputs],
        "weights": [list(one.shape) for one in case.weights],
        "given": case.given,
        "shape": list(case.expected.shape),
    }


def _packed(cases: list[Case]) -> str:
    parts = [one.numpy().astype("<f4").tobytes() for case in cases for one in (*case.inputs, *case.weights)]
    return base64.b64encode(b"".join(parts)).decode()
