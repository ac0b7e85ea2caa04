"""The command ``infonce-lint``: arguments become calls, and what comes back becomes an exit code."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from infonce_lint.running.configuration import Configurations

#: Sub-commands and the modules whose `main` runs them; known as the first argument only (a folder: ``./explain``).
COMMANDS = {
    "explain": "infonce_lint.command.explain",
    "server": "infonce_lint.command.server",
    "verify": "infonce_lint.command.verify",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the result is the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if sys.stderr is None:  # closed, as by `2>&-`
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    if sys.stdout is None:
        return _failed("standard output is closed")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a file name or a message must not fail for want of a letter
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            code = _run(given)
        finally:  # argparse leaves by an exception
            sys.stdout.flush()
    except KeyboardInterrupt:
        print("infonce-lint: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader has enough, as in `infonce-lint . | head`
        _abandon_output()
        return 141
    except OSError as error:
        if error.errno not in _OUTPUT_ERRORS or error.filename is not None:
            return _internal_error(error)
        _abandon_output()
        return _failed(f"standard output cannot be written: {error.strerror}")
    except Exception as error:  # whatever it is, the user gets one line
        return _internal_error(error)
    return code


def _run(given: Sequence[str]) -> int:
    if given and given[0] in COMMANDS:
        import importlib

        command: Callable[[Sequence[str]], int] = importlib.import_module(COMMANDS[given[0]]).main
        return command(given[1:])
    return _check(given)


#: What writing to a full disk, a device that refuses, or a closed descriptor comes to.
_OUTPUT_ERRORS = (errno.ENOSPC, errno.EIO, errno.EBADF, errno.EFBIG, errno.EDQUOT)


def _internal_error(error: Exception) -> int:
    return _failed(f"internal error, please report it: {type(error).__name__}: {error}", kind="")


def _failed(message: str, kind: str = "error: ") -> int:
    with contextlib.suppress(OSError):
        print(f"infonce-lint: {kind}{message}", file=sys.stderr)
    return 2


def _abandon_output() -> None:
    """Send what is left to nowhere, so that Python does not try again when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _check(arguments: Sequence[str]) -> int:
    from infonce_lint.command.arguments import parse

    options = parse(arguments)
    if options.print_completion is not None:
        from infonce_lint.command.completion import script

        sys.stdout.write(script(options.print_completion, COMMANDS))
        return 0
    from infonce_lint.command.checking import check, configurations_for
    from infonce_lint.command.delivery import deliver, say
    from infonce_lint.running.configuration import ConfigurationError

    try:
        if options.watch:
            from infonce_lint.command.watching import watch

            return watch(options)
        configurations = configurations_for(options)
        if options.show_settings:
            return _show_settings(options.stdin_filename or options.paths[0], configurations)
        checked = check(options, configurations)
    except ConfigurationError as error:
        say("error", str(error))
        return 2
    return deliver(options, checked)


def _show_settings(path: str, configurations: Configurations) -> int:
    import json

    absolute = os.path.abspath(path)
    folder = absolute if os.path.isdir(absolute) else os.path.dirname(absolute)
    configuration = configurations.for_folder(folder)
    print(f"# {path}: settings from {configuration.source or 'the defaults'}")
    for name, value in configuration.settings._asdict().items():
        if name == "per_file_ignores":
            pairs = (f"{json.dumps(pattern)} = {json.dumps(codes)}" for pattern, codes in value)
            written = "{" + ", ".join(pairs) + "}"
        else:
            written = json.dumps(value, ensure_ascii=False)
        print(f"{name.replace('_', '-')} = {written}")
    return 0
