"""What makes a shell complete the command: a script with the options of each sub-command, made from their parsers.

shtab, which makes such scripts from argparse, knows either a sub-command or a path as the first word; ours is either.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Iterable, Iterator, Mapping
from shlex import quote

from infonce_lint.command.arguments import parser
from infonce_lint.rules.catalogue import catalogue

_BASH = """\
# Completion of infonce-lint for bash. In ~/.bashrc: eval "$(infonce-lint --print-completion bash)"
"""
_ZSH = """\
# Completion of infonce-lint for zsh, which reads bash's. In ~/.zshrc: eval "$(infonce-lint --print-completion zsh)"
autoload -Uz compinit bashcompinit && compinit && bashcompinit
"""
_FUNCTION = """\
_infonce_lint() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} first="" offered="" files=""
    if [[ $word == "=" ]]; then
        word=""
    elif [[ $before == "=" ]]; then
        before=${COMP_WORDS[COMP_CWORD-2]}
    fi
    if (( COMP_CWORD > 1 )); then
        first=${COMP_WORDS[1]}
    fi
    case $first in
        @COMMANDS@) ;;
        *) first="" ;;
    esac
    case "$first $before" in
@VALUES@
        *)
            case "$first $word" in
@WORDS@
            esac
            ;;
    esac
    COMPREPLY=($(compgen -W "$offered" -- "$word"))
    if [[ -n $files ]]; then
        local IFS=$'\\n'
        compopt -o filenames 2>/dev/null
        COMPREPLY+=($(compgen -f -- "$word"))
    fi
}
complete -F _infonce_lint infonce-lint
"""
_INDENT = " " * 8


def script(shell: str, commands: Mapping[str, str]) -> str:
    """The script for ``bash`` or ``zsh``.

    Args:
        commands: the sub-commands, and the modules whose function ``parser`` knows their options.
    """
    parsers = {"": parser()}
    for name, module in commands.items():
        parsers[name] = importlib.import_module(module).parser()
    names = [word for entry in catalogue() for word in (entry.code, entry.name)]
    positional = {"": "files=1", "explain": _offer(names), "verify": "files=1"}
    values = [line for name, made in parsers.items() for line in _values(name, made)]
    words = [f"{quote(f'{name} ')}-*) {_offer(_options(made))} ;;" for name, made in parsers.items()]
    words += [f"{quote(f'{name} ')}*) {does} ;;" for name, does in positional.items() if name]
    first = f"if (( COMP_CWORD == 1 )); then {_offer(commands)}; fi"
    words.append(f"' '*) {positional['']}; {first} ;;")
    text = _FUNCTION.replace("@COMMANDS@", "|".join(commands))
    text = text.replace("@VALUES@", "\n".join(_INDENT + line for line in values))
    text = text.replace("@WORDS@", "\n".join(2 * _INDENT + line for line in words))
    return (_ZSH if shell == "zsh" else _BASH) + text


def _options(made: argparse.ArgumentParser) -> list[str]:
    return [word for action in made._actions for word in action.option_strings if word.startswith("--")]


def _values(command: str, made: argparse.ArgumentParser) -> Iterator[str]:
    """One branch for each option that takes a value: what it offers."""
    codes = [entry.code for entry in catalogue()]
    for action in made._actions:
        if action.option_strings and action.nargs != 0:
            kinds = {"FILE": "files=1", "CODES": _offer(codes)}
            does = _offer(map(str, action.choices)) if action.choices else kinds.get(str(action.metavar), ":")
            pattern = "|".join(quote(f"{command} {word}") for word in action.option_strings)
            yield f"{pattern}) {does} ;;"


def _offer(words: Iterable[str]) -> str:
    return f"offered={quote(' '.join(words))}"
