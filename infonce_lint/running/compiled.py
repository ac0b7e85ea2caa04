"""Whether Python can read a file: it did so before, or it does now."""

from __future__ import annotations

import os
import sys

_HEADER = 16  # bytes: magic number, flags, time and size of the source (PEP 552)


def compiles(data: bytes, path: str, status: os.stat_result) -> bool:
    """Whether a file has no syntax error; False where only `SourceFile` can tell.

    Args:
        data: the bytes of the file at ``path``; ``status`` is its `os.stat`.
    """
    return is_compiled(path, status) or _parses(data)


def _parses(data: bytes) -> bool:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(data, "", "exec", dont_inherit=True)  # makes code and runs none; a tree would take more memory
        except Exception:  # whatever it is, `SourceFile` tells it better
            return False
    return True


def is_compiled(path: str, status: os.stat_result) -> bool:
    """Whether ``__pycache__`` beside a file holds what this Python compiled from the file as it stands.

    Trusted as the import system trusts it, by time and size of the source, and only if it was written after the source
    last changed: a file that was edited within the second in which it was compiled, or whose time was put back after
    an edit, counts as not compiled.

    Args:
        path: the source file; ``status`` is its `os.stat`.
    """
    tag = sys.implementation.cache_tag
    folder, name = os.path.split(path)
    if tag is None or sys.pycache_prefix is not None or not name.endswith(".py"):
        return False
    try:
        with open(
            os.path.join(folder, "__pycache__", f"{name[:-3]}.{tag}.pyc"), "rb", buffering=0, opener=_without_waiting
        ) as compiled:
            header = compiled.read(_HEADER)
            written = os.fstat(compiled.fileno()).st_mtime_ns
    except OSError:
        return False
    from importlib.util import MAGIC_NUMBER

    source = _four_bytes(int(status.st_mtime)) + _four_bytes(status.st_size)
    changed = max(status.st_mtime_ns, status.st_ctime_ns)
    return header == MAGIC_NUMBER + bytes(4) + source and written > changed


def _without_waiting(path: str, flags: int) -> int:
    """Open what may be a pipe that nobody writes to."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _four_bytes(number: int) -> bytes:
    return (number & 0xFFFFFFFF).to_bytes(4, "little")
