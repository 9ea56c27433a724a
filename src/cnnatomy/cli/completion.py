"""`eval "$(cnnatomy completion bash)"`: the Tab key completes words, options and names of the configuration."""

from __future__ import annotations

import argparse
from typing import Any

from cnnatomy.cli import known

BASH = """_cnnatomy() {
    local IFS=$'\\n'
    COMPREPLY=($("${COMP_WORDS[0]}" completion -- "${COMP_WORDS[@]:1:$COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _cnnatomy cnnatomy
"""
#: zsh reads a completion of bash's behind bashcompinit, and that wants zsh's own to be there.
ZSH = f"""(( $+functions[compdef] )) || {{ autoload -Uz compinit && compinit }}
autoload -Uz bashcompinit && bashcompinit
{BASH}"""
SCRIPTS = {"bash": BASH, "zsh": ZSH}


def add_to(words: Any) -> None:
    """Add the word `completion` to a parser's."""
    asked = words.add_parser(
        "completion",
        help="have the Tab key complete words, options and names",
        description="Prints what has the Tab key complete words, options, reports, runs, methods and studies. "
        'Put  eval "$(cnnatomy completion bash)"  into ~/.bashrc, or the same with zsh into ~/.zshrc.',
    )
    asked.add_argument("shell", choices=[*SCRIPTS], help="whose")
    asked.set_defaults(do=completion)


def completion(told: argparse.Namespace) -> int:
    """Print the script for a shell; the exit status."""
    print(SCRIPTS[told.shell], end="")
    return 0


def complete(parser: argparse.ArgumentParser, words: list[str]) -> int:
    """Print what the last of a command's words may become, for those scripts; the exit status."""
    print(*known.candidates(parser, words), sep="\n")
    return 0
