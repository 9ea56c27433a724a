"""The whole chain on a small dataset of a user's own, as a user runs it."""

from __future__ import annotations

import csv
import fcntl
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import termios
import time
import zipfile
from datetime import datetime
from pathlib import Path

import pytest

from cnnatomy.steps import clock
from tests.conftest import OWN, PROJECT, Checkout, copied, jobs, with_own


def test_the_report_is_there_with_every_number_in_results_csv(made):
    page = (made.folder / "results/report/index.html").read_text()
    with (made.folder / "results/report/results.csv").open() as file:
        rows = list(csv.DictReader(file))
    accuracy = [row for row in rows if (row["kind"], row["name"], row["metric"]) == ("run", "stripes", "test_accuracy")]
    assert len(accuracy) == 1
    assert float(accuracy[0]["ci_low"]) <= float(accuracy[0]["value"]) <= float(accuracy[0]["ci_high"])
    assert {row["method"] for row in rows} >= {"samples", "evaluation", "kernels", "feature_maps", "darkness"}
    assert "Stripes" in page


def test_test_accuracy_is_the_share_of_right_predictions(made):
    with (made.folder / "results/runs/stripes/seed0/predictions.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "test"]
    share = sum(row["label"] == row["prediction"] for row in rows) / len(rows)
    metrics = json.loads((made.folder / "results/runs/stripes/seed0/metrics.json").read_text())
    assert [n["value"] for n in metrics["numbers"] if n["metric"] == "test_accuracy"] == [pytest.approx(share)]
    assert len(rows) == 200


def test_a_second_run_does_nothing(made):
    answer = made.snakemake("--config", "report=stripes")
    assert answer.returncode == 0
    assert jobs(answer.stdout) == []


def test_make_report_and_plain_snakemake_agree(made):
    answer = made.run(sys.executable, "-m", "cnnatomy.launch", REPORT="stripes")
    assert answer.returncode == 0, answer.stdout
    assert jobs(answer.stdout) == []


def test_the_run_leaves_no_trace_outside_its_folders(made):
    assert {p.name for p in made.folder.iterdir()} - {p.name for p in Path(__file__).parents[2].iterdir()} <= {
        "results",
        "resources",
        ".snakemake",
    }
    assert not list(made.folder.rglob("outputs")) and not list(made.folder.rglob("lightning_logs"))


def test_a_step_works_by_itself_and_gives_the_same_bytes(made):
    exhibit = made.folder / "results/exhibits/stripes/seed0/kernels/exhibit.json"
    before = exhibit.read_bytes()
    answer = made.step("dissect", "run=stripes", "method=kernels")
    assert answer.returncode == 0, answer.stdout
    assert exhibit.read_bytes() == before


def test_a_network_leaves_as_onnx_when_it_is_asked_for_and_no_report_asks(made, tmp_path, capsys):
    session = pytest.importorskip("onnxruntime", reason="files of ONNX are of the extra `export`").InferenceSession
    pytest.importorskip("onnxscript", reason="files of ONNX are of the extra `export`")
    own = copied(made, tmp_path / "checkout")
    file = own.folder / "results/networks/stripes/seed0/network.onnx"
    assert not file.exists()
    answer = own.snakemake("--config", "report=stripes", "--", str(file.relative_to(own.folder)))
    assert answer.returncode == 0 and jobs(answer.stdout) == ["export"], answer.stdout
    assert "its logits are within" in (own.folder / "results/logs/export/stripes-seed0.log").read_text()
    found = session(str(file), providers=["CPUExecutionProvider"])
    about = found.get_modelmeta().custom_metadata_map
    assert about["run"] == "stripes" and about["kind"] == "images"
    # As docs/export.md reads it, with these names.
    told = re.search("^```python\n(.*?)^```$", (PROJECT / "docs/export.md").read_text(), re.MULTILINE | re.DOTALL)[1]
    told = told.replace("results/networks/mnist/seed0/network.onnx", str(file))
    exec(told.replace("(28, 28)", str(tuple(found.get_inputs()[0].shape[2:]))), {})
    assert capsys.readouterr().out.strip() in json.loads(about["classes"])


def test_a_step_by_hand_with_other_values_needs_a_folder_of_its_own(made, tmp_path):
    refused = made.step("train", "run=stripes", "training.max_epochs=1")
    assert refused.returncode != 0 and "out=" in refused.stdout
    out = tmp_path / "out"
    trained = made.step("train", "run=stripes", "training.max_epochs=1", f"out={out}")
    assert trained.returncode == 0, trained.stdout
    assert (out / "runs/stripes/seed0/model.safetensors").is_file()
    # Other values read the network that other values made; the usual ones refuse it.
    shown = made.step("dissect", "run=stripes", "method=kernels", "training.max_epochs=1", f"out={out}")
    assert shown.returncode == 0, shown.stdout
    foreign = made.step("dissect", "run=stripes", "method=kernels", f"out={out}")
    assert foreign.returncode != 0 and "made with other values" in foreign.stdout


def test_a_step_by_hand_trains_in_two_processes(made, tmp_path):
    answer = made.step("train", "run=stripes", "training.devices=2", f"out={tmp_path}")
    assert answer.returncode == 0, answer.stdout
    assert "MEMBER: 2/2" in answer.stdout and answer.stdout.count("epoch 3 of 3") == 1
    assert (tmp_path / "runs/stripes/seed0/model.safetensors").is_file()


def test_an_unknown_method_or_run_offers_the_nearest(made):
    assert "Did you mean 'kernels'?" in made.step("dissect", "run=stripes", "method=kernel").stdout
    assert "Did you mean 'stripes'?" in made.step("dissect", "run=stripe", "method=kernels").stdout


def test_make_hands_over_every_printable_character(made, tmp_path):
    odd = "".join(chr(c) for c in range(32, 127) if chr(c) not in "'\\")
    quoted = "report.title.en='" + odd + "'"
    # As a user's shell would hand it over: OVERRIDES=<one word, quoted for a shell>.
    word = "'" + quoted.replace("'", "'\\''") + "'"
    checkout = with_own(tmp_path / "checkout")
    for part in ("results", "resources", ".snakemake"):
        shutil.copytree(made.folder / part, checkout.folder / part, symlinks=True)
    (checkout.folder / ".venv").symlink_to(Path(sys.prefix))
    (checkout.folder / "requirements.lock").touch()
    os.utime(checkout.folder / "requirements.lock", (0, 0))
    ready = Path(sys.prefix) / ".ready"
    if not ready.exists():
        pytest.skip("the environment was not set up by make")
    for file in (checkout.folder / "pyproject.toml", checkout.folder / "workflow/setup.sh"):
        os.utime(file, (0, 0))
    answer = checkout.run("make", "report", REPORT="stripes", OVERRIDES=word)
    assert answer.returncode == 0, answer.stdout
    assert jobs(answer.stdout) == ["report"] or jobs(answer.stdout) == ["report", "all"], answer.stdout
    import html

    assert odd in html.unescape((checkout.folder / "results/report/index.html").read_text())


def test_killed_at_any_moment_make_report_goes_on(tmp_path):
    checkout = with_own(tmp_path / "checkout")
    command = [sys.executable, "-m", "cnnatomy.launch"]
    # As the data are being prepared, as the network is being trained, and as it is there but the job has not ended.
    for seen in ("logs/prepare/stripes.log", "logs/train/stripes-seed0.log", "runs/stripes/seed0/model.safetensors"):
        process = subprocess.Popen(
            command,
            cwd=checkout.folder,
            env=checkout.environment | {"REPORT": "stripes"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        while not (checkout.folder / "results" / seen).exists():
            assert process.poll() is None, f"it ended before there was {seen}"
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    answer = checkout.run(*command, REPORT="stripes")
    assert answer.returncode == 0, answer.stdout
    assert (checkout.folder / "results/report/index.html").is_file()


@pytest.mark.parametrize("asked_by", ["Ctrl-C", "SIGTERM"])
def test_stopped_on_a_terminal_it_says_so_in_words_and_goes_on(tmp_path, asked_by):
    checkout = with_own(tmp_path / "checkout")
    ours, theirs = pty.openpty()
    environment = checkout.environment | {"REPORT": "stripes", "OVERRIDES": "training.max_epochs=10000"}
    process = subprocess.Popen(
        [sys.executable, "-m", "cnnatomy.launch"],
        cwd=checkout.folder,
        env=environment | {"SNAKEMAKE_LOGGER_CNNATOMY_EVERYTHING": "false", "TERM": "dumb"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # whose Ctrl-C is for all processes of the session
    )
    os.close(theirs)
    log, said = checkout.folder / "results/logs/train/stripes-seed0.log", b""
    asked = False
    while part := _read(ours):
        said += part
        if not asked and b"samples" in said:  # the training has begun beside it, or does now
            while not (log.is_file() and "epoch 2 " in log.read_text()):
                assert process.poll() is None
                time.sleep(0.05)
            asked = True
            os.write(ours, b"\x03") if asked_by == "Ctrl-C" else os.killpg(process.pid, signal.SIGTERM)
        elif asked and asked_by == "Ctrl-C" and b"partial.html" in part:
            os.write(ours, b"\x03")  # once more, which breaks off nothing
    status, lines = process.wait(), said.decode().replace("^C", "").splitlines()
    assert status == {"Ctrl-C": 130, "SIGTERM": 143}[asked_by], said
    word = {"Ctrl-C": "Interrupted", "SIGTERM": "Stopped"}[asked_by]
    assert lines[-1] == f"{word}. The same command goes on from here." and lines[-2].startswith("Stopped; 3 of 9")
    for never in (b"Traceback", b"FAILED", b"Mend the cause", b"Error"):
        assert never not in said, said.decode()
    assert not list((checkout.folder / ".snakemake/locks").glob("*"))


def _read(terminal: int) -> bytes:
    """What comes from a terminal; nothing when its last process has ended."""
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""


def test_a_second_make_report_waits_and_says_so(made):
    command = [sys.executable, "-m", "cnnatomy.launch"]
    environment = made.environment | {"REPORT": "stripes"}
    options = {"cwd": made.folder, "env": environment, "stdin": subprocess.DEVNULL, "text": True}
    begun = made.folder / "results/config/asked.yaml"  # written once it has the checkout for itself
    begun.unlink(missing_ok=True)
    first = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    while not begun.exists():
        assert first.poll() is None, first.communicate()[0]
        time.sleep(0.02)
    os.kill(first.pid, signal.SIGSTOP)  # however fast it is, it isn't done until the second has seen it
    second = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    try:
        assert second.stdout is not None and "waiting" in second.stdout.readline()
    finally:
        os.kill(first.pid, signal.SIGCONT)
    for process in (first, second):
        said, _ = process.communicate(timeout=120)
        assert process.returncode == 0, said


def test_two_checkouts_and_two_datasets_share_one_cache(tmp_path):
    cache = tmp_path / "cache"
    cache.mkdir()
    hands = [with_own(tmp_path / name) for name in ("one", "two")]
    made = []
    wanted = ["results/data/stripes/dataset.json", "results/data/dots/dataset.json"]
    for checkout in hands:
        own = checkout.folder / "own"
        shutil.copytree(OWN / "conf", own)
        text = (own / "data/stripes.yaml").read_text()
        (own / "data/dots.yaml").write_text(
            text.replace("name: stripes", "name: dots").replace("raw: stripes", "raw: dots")
        )
        checkout.environment["CNNATOMY_CONF"] = str(own)
        checkout.environment["SNAKEMAKE_OUTPUT_CACHE"] = str(cache)
        answer = checkout.snakemake("--cache", "--", *wanted)
        assert answer.returncode == 0, answer.stdout
        facts = [json.loads((checkout.folder / file).read_text()) for file in wanted]
        assert [f["name"] for f in facts] == ["stripes", "dots"]
        made.append(sorted((file.name, file.stat().st_ino) for file in cache.iterdir()))
    assert made[0] == made[1], "the second checkout made what the cache already had"
    assert all((hands[1].folder / file).is_symlink() for file in wanted)
    # What the second took does not look new to the first.
    assert jobs(hands[0].snakemake("--dry-run", "--", *wanted).stdout) == []
    # What comes out of a cache is verified on every read.
    for file in cache.rglob("*.npy"):
        file.write_bytes(file.read_bytes()[:-1] + b"\x00")
    answer = hands[1].step("samples", "run=stripes")
    assert answer.returncode != 0 and "SHA-256" in answer.stdout


def test_the_time_line_has_every_job_and_agrees_with_snakemakes_clock(made):
    page = (made.folder / "results/report/index.html").read_text()
    rows = re.findall(
        r"<tr><td translate=no>(\w+)<td><bdi translate=no>([^<]+)</bdi><td class=short>[^<]+"
        r"<td class=number>([\d.]+)<td class=number>([\d.]+)",
        page,
    )
    times = {(rule, job): (float(clock), float(cpu)) for rule, job, clock, cpu in rows}
    logs = {(log.parent.name, log.stem) for log in (made.folder / "results/logs").glob("*/*.log")}
    assert set(times) == logs - {("report", "report")} and len(times) > 6
    records = [json.loads(file.read_text()) for file in (made.folder / ".snakemake/metadata").iterdir()]
    theirs = {log: (record["starttime"], record["endtime"]) for record in records for log in record["log"]}
    for (rule, job), (seconds, cpu) in times.items():
        log = f"results/logs/{rule}/{job}.log"
        told = clock.read(made.folder / log, rule, job)
        start, end = (datetime.fromisoformat(told[which]).timestamp() for which in ("start", "end"))
        assert seconds == pytest.approx(end - start, abs=0.06)
        # From outside a job begins earlier, by the start of Python and the wait for what it needs to be loaded, and
        # ends soon after: within three seconds of a machine of its own.
        assert theirs[log][0] <= start and end <= theirs[log][1] + 0.01
        assert theirs[log][1] - end < 3 * max(1, seconds / cpu)
        assert cpu < 4 * seconds + 1


def test_what_a_job_took_is_kept_in_snakemakes_columns(made):
    from snakemake.benchmark import BenchmarkRecord

    files = list((made.folder / "results/benchmarks").glob("*/*.tsv"))
    assert {file.parent.name for file in files} == {"train", "evaluate", "samples", "dissect", "report"}
    for file in files:
        with file.open() as lines:
            (row,) = csv.DictReader(lines, delimiter="\t")
        assert list(row) == BenchmarkRecord.get_header()
        assert 0 < float(row["cpu_time"]) <= 1.2 * float(row["s"]) + 1  # of one thread
        assert 30 < float(row["max_rss"]) < 2000


def test_the_graph_is_snakemakes(made):
    answer = made.snakemake("--config", "report=stripes", "--dag")
    # Labels leave out the wildcards that a job has in common with those that read it.
    jobs_of = {
        number: tuple(label.split("\\n")) for number, label in re.findall(r'(\d+)\[label = "([^"]*)"', answer.stdout)
    }
    theirs = {(jobs_of[a], jobs_of[b]) for a, b in re.findall(r"(\d+) -> (\d+)", answer.stdout)}
    rules = {job[0] for job in jobs_of.values()}
    nodes = {
        key: job for job in jobs_of.values() for key in ([job[0], job[1].split()[-1]] if len(job) > 1 else [job[0]])
    }

    page = (made.folder / "results/report/index.html").read_text()
    (drawing,) = re.findall(r'<svg class="graph".*?</svg>', page)
    labels = re.findall(r"<text[^>]*>([^<]*)</text>", drawing)
    assert {label.split()[0] for label in labels} == rules - {"all"}
    assert sum(int(label.partition("× ")[2] or 1) for label in labels) == len(jobs_of) - 1
    program = (
        "import json; from pathlib import Path\n"
        "from cnnatomy.config.plan import Plan; from cnnatomy.steps import lineage\n"
        "plan = Plan('stripes'); ways_to = [lineage.lineage_of(plan, Path(exhibit)) for exhibit in plan.exhibits()]\n"
        "print(json.dumps([[[v.rule, v.about] for v in pair] for way in ways_to for pair in lineage.pairs(way)]))"
    )
    ours = json.loads(made.run(sys.executable, "-c", program).stdout)
    assert len(ours) > 10
    for pair in ours:
        source, target = (nodes[about.split()[-1] if rule == "dissect" else rule] for rule, about in pair)
        assert (source, target) in theirs, pair


def test_snakemakes_own_report_holds_the_page_with_categories(made, tmp_path):
    file = tmp_path / "report.zip"
    answer = made.snakemake("--config", "report=stripes", "--report", str(file))
    assert answer.returncode == 0, answer.stdout
    with zipfile.ZipFile(file) as archive:
        pages = [name for name in archive.namelist() if name.endswith("/index.html")]
        assert [archive.read(name) for name in pages] == [(made.folder / "results/report/index.html").read_bytes()]
        own = archive.read("report/report.html").decode()
    for said in ("Everything that was measured", "opened up", "Networks", "while it learned", "of stripes (seed 0)"):
        assert said in own


def test_reports_are_compared_by_one_command(made, tmp_path):
    results = made.folder / "results/report/results.csv"
    out = tmp_path / "comparison.html"
    answer = made.run(sys.executable, "-m", "cnnatomy.compare", str(results), str(results), "--out", str(out))
    assert answer.returncode == 0, answer.stdout
    numbers = len(results.read_text().splitlines()) - 1
    assert re.search(rf"Of {numbers} numbers 0 moved .* and {numbers} are the same", answer.stdout.replace(",", ""))
    assert out.is_file()


def test_a_failed_dissection_leaves_the_report_and_a_partial_one_with_the_rest(made, tmp_path):
    folder = tmp_path / "checkout"
    shutil.copytree(made.folder, folder, symlinks=True)
    checkout = Checkout(folder, made.environment | {"PYTHONPATH": f"{folder / 'src'}{os.pathsep}{OWN}"})
    before = (folder / "results/report/index.html").read_bytes()
    answer = checkout.snakemake("--config", "report=stripes", 'overrides=["dissect.feature_maps.sample=5000"]')
    assert answer.returncode != 0 and "results/report/partial.html" in answer.stdout
    assert (folder / "results/report/index.html").read_bytes() == before
    partial = (folder / "results/report/partial.html").read_text()
    assert "dissect stripes seed0 feature_maps" in partial and "give one of 0 to 199" in partial
    assert 'id="stripes-kernels"' in partial and 'id="stripes-feature_maps"' not in partial


def test_a_failing_step_shows_its_log_and_names_the_cause(tmp_path):
    checkout = with_own(tmp_path / "checkout")
    answer = checkout.snakemake("--config", "report=stripes", 'overrides=["data.prepare.validation=200"]')
    assert answer.returncode != 0
    assert "DataError: data.prepare.validation: no image is left to train on" in answer.stdout
    assert "Traceback" not in answer.stdout
    assert not (checkout.folder / "results/report/index.html").exists()
    partial = (checkout.folder / "results/report/partial.html").read_text()
    assert (
        "This report is partial" in partial
        and "DataError: data.prepare.validation: no image is left to train on" in partial
    )
    assert not (checkout.folder / "results/data").exists() or not any((checkout.folder / "results/data").rglob("*.*"))
