"""The command `cnnatomy`: what --help teaches, what the Tab key offers, what counts as a folder of one's own."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys

import pytest

from cnnatomy.cli import known
from cnnatomy.cli import main as command
from cnnatomy.config import folders


def test_help_lists_every_name_that_an_argument_may_be_with_what_it_is(capsys):
    for word, group in (("report", "report"), ("dissect", "run"), ("dissect", "dissect"), ("study", "study")):
        with pytest.raises(SystemExit):
            command.main([word, "--help"])
        lines = capsys.readouterr().out.splitlines()
        told = {line.split()[0]: line for line in lines if line.startswith("  ") and line.split()}
        for name in folders.options(group):
            assert len(told[name].split()) > 1 and len(told[name]) <= known.WIDTH, name
    assert "First-layer kernels" in known._said_of("dissect", "kernels")
    assert known._said_of("run", "article") == "Handwritten digits, an article's network"


def test_every_word_says_more_in_its_own_help_than_in_the_list(capsys):
    for word in known._words(command.parser()):
        with pytest.raises(SystemExit) as ended:
            command.main([word, "--help"])
        assert ended.value.code == 0 and len(capsys.readouterr().out.split("\n\n")) >= 3, word


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("re", ["report"]),
        ("report de", ["default"]),
        ("report default tr", []),
        ("report --profile slurm ac", ["accuracy"]),
        ("report --profile ", []),
        ("dissect mni", ["mnist", "mnist_60000"]),
        ("dissect mnist ker", ["kernels"]),
        ("export mni", ["mnist", "mnist_60000"]),
        ("dissect --seed 1 mnist ker", ["kernels"]),
        ("study direction_", ["direction_lstm", "direction_quick"]),
        ("new --kind s", ["sounds", "signals"]),
        ("new --lab", ["--labels"]),
        ("new pho", []),
        ("completion b", ["bash"]),
        ("nonsense x", []),
    ],
)
def test_what_may_come_next_is_offered(line, offered):
    words = [*line.split(), *([""] if line.endswith(" ") else [])]
    assert known.candidates(command.parser(), words) == offered


def test_bash_completes_the_command_itself(tmp_path):
    """In a real bash, by the script that it is given, with the user's own names among them."""
    (tmp_path / "conf/run").mkdir(parents=True)
    (tmp_path / "conf/run/mnemonics.yaml").write_text("# @package _global_\n")
    (tmp_path / "cnnatomy").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m cnnatomy "$@"\n')
    (tmp_path / "cnnatomy").chmod(0o755)
    script = (
        f'export PATH="{tmp_path}:$PATH" CNNATOMY_CONF="{tmp_path}/conf"; eval "$(cnnatomy completion bash)"; '
        "COMP_WORDS=(cnnatomy dissect mn); COMP_CWORD=2; _cnnatomy; "
        'printf "%s\\n" "${COMPREPLY[@]}"; complete -p cnnatomy'
    )
    said = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60)
    assert said.stdout.split()[:3] == ["mnemonics", "mnist", "mnist_60000"], said.stderr
    assert "-F _cnnatomy cnnatomy" in said.stdout


def test_zsh_completes_the_command_too(tmp_path):
    """In a real zsh that has no completion yet, called as its bashcompinit calls what completes in bash."""
    if shutil.which("zsh") is None:
        pytest.skip("there is no zsh here")
    (tmp_path / "cnnatomy").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m cnnatomy "$@"\n')
    (tmp_path / "cnnatomy").chmod(0o755)
    script = (
        f'path=({tmp_path} $path); eval "$(cnnatomy completion zsh)"; setopt shwordsplit ksharrays; '
        "COMP_WORDS=(cnnatomy dissect mn); COMP_CWORD=2; _cnnatomy; "
        'printf "%s\\n" "${COMPREPLY[@]}"; print ${_comps[cnnatomy]}'
    )
    home = os.environ | {"ZDOTDIR": str(tmp_path)}
    said = subprocess.run(["zsh", "-f", "-c", script], capture_output=True, text=True, timeout=60, env=home)
    assert said.stdout.split()[:2] == ["mnist", "mnist_60000"] and "_cnnatomy" in said.stdout.split("\n", 2)[2], said


def test_a_folder_is_ones_own_configuration_when_it_has_a_group_and_is_no_checkouts(tmp_path):
    assert not folders.is_own(tmp_path / "conf")
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/nginx.conf").touch()
    assert not folders.is_own(tmp_path / "conf"), "of something else"
    (tmp_path / "conf/run").mkdir()
    assert folders.is_own(tmp_path / "conf") and not folders.is_own(folders.CONF)


def test_a_configuration_that_is_none_is_said_in_one_line(monkeypatch, capsys):
    monkeypatch.setenv("CNNATOMY_CONF", "/nowhere")
    assert command.main(["study", "--help"]) == 1
    assert capsys.readouterr().err.startswith("ConfigurationError: CNNATOMY_CONF=/nowhere: there is no such folder")


def test_who_reads_no_further_gets_no_traceback():
    command = f"{shlex.quote(sys.executable)} -m cnnatomy doctor | true"
    ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert ran.stderr == ""
