"""What runs in a report's page against torch: the class and the logits of test samples, the time of a pass and its map.

    python benchmarks/live.py results/report/index.html results

Of each run with a network in the page, up to 1,000 test samples, evenly spread, go through the page in Chromium and
through the trained network in torch. It prints one line a run.
"""

from __future__ import annotations

import base64
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from playwright.sync_api import sync_playwright

from cnnatomy import models
from cnnatomy.data import prepared
from cnnatomy.exhibit import read
from cnnatomy.inspection.choosing import evenly
from cnnatomy.inspection.predicting import logits
from cnnatomy.models import weights

SAMPLES = 1000
RUN = """async ([id, packed, type, size]) => {
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  const kinds = { uint8: Uint8Array, int32: Int32Array, float32: Float32Array };
  const all = new kinds[type](bytes.buffer), { block, network } = await CnnatomyLive.open(document.querySelector(id));
  const logits = [], times = [], maps = [];
  for (let at = 0; at < all.length; at += size) {
    const start = performance.now();
    const ran = network.run(all.subarray(at, at + size));
    const end = performance.now();
    times.push(end - start);
    for (const name of block.activation ?? []) network.activation(0, name);
    maps.push(performance.now() - end);
    logits.push([...ran.logits]);
  }
  for (const each of [times, maps]) each.sort((a, b) => a - b);
  const half = times.length >> 1, most = times[Math.floor(times.length * 0.95)];
  return { logits, median: times[half], most, map: maps[half] };
}"""


def main(page: Path, results: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--headless", "--no-sandbox", "--disable-gpu"]
        )
        opened = browser.new_page()
        opened.goto(page.resolve().as_uri())
        opened.locator(".works > noscript").first.wait_for(state="detached", timeout=60_000)
        for folder in sorted(results.glob("exhibits/*/seed0/live")):
            document = read(folder)
            if document["blocks"]:
                compared(opened, document, results)
        browser.close()


def compared(opened, document: dict, results: Path) -> None:
    """One line: how many classes are the same, how far logits are off, how long a pass takes."""
    run = document["name"]
    # A run's folder doesn't name its data; its predictions name their samples.
    predictions = pd.read_csv(results / f"runs/{run}/seed0/predictions.csv", dtype=str, keep_default_na=False)
    ids = list(predictions.loc[predictions["split"] == "test", "id"])
    every = (prepared.load(file.parent) for file in sorted(results.glob("data/*/dataset.json")))
    data = next(one for one in every if ids == list(one.split("test").table["id"]))
    config = yaml.safe_load((results / f"runs/{run}/seed0/config.yaml").read_text(encoding="utf-8"))
    network = models.build(config["model"], data.facts)
    weights.load(network, results / f"runs/{run}/seed0/model.safetensors")
    samples = data.split("test")
    places = evenly(len(samples), SAMPLES)
    inputs = np.asarray(samples.inputs[places])
    true = logits(network.eval(), data.facts, inputs).numpy()
    stored = inputs.astype(np.float32) if inputs.dtype == np.float16 else inputs
    packed = base64.b64encode(stored.tobytes()).decode()
    given = [f"#{run}-live-network .live", packed, str(stored.dtype), int(np.prod(inputs.shape[1:]))]
    ran = opened.evaluate(RUN, given)
    found = np.array(ran["logits"])
    same = int((found.argmax(1) == true.argmax(1)).sum())
    off = float(np.abs(found - true).max() / (true.max() - true.min()))
    print(
        f"{run}: {same} of {len(places)} classes as in torch; logits within {off:.2%} of their range; "
        f"a pass takes {ran['median']:.1f} ms (median), {ran['most']:.1f} ms (95 %), "
        f"its class activation map {ran['map']:.1f} ms"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
