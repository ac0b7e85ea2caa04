"""A file counts as compiled only as it stands: a syntax error is never passed over for what was compiled before."""

from __future__ import annotations

import os
import py_compile
from pathlib import Path

import pytest

from infonce_lint.running.compiled import compiles, is_compiled

GOOD, BROKEN = b"x = 1\n", b"x = (\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "a.py"
    path.write_bytes(GOOD)
    while not is_compiled(str(path), path.stat()):  # until it was written a tick of the clock later
        py_compile.compile(str(path), invalidation_mode=py_compile.PycInvalidationMode.TIMESTAMP)
    return path


def judged(path: Path) -> bool:
    return compiles(path.read_bytes(), str(path), path.stat())


def test_what_was_compiled_is_not_parsed(source: Path) -> None:
    assert compiles(b"never looked at (", str(source), source.stat())


def test_an_edit_of_equal_size_whose_time_was_put_back_is_seen(source: Path) -> None:
    before = source.stat()
    source.write_bytes(BROKEN)
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (source.stat().st_size, source.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert not judged(source)


def test_an_edit_within_the_same_second_is_seen(source: Path) -> None:
    source.write_bytes(BROKEN)
    assert not judged(source)


@pytest.mark.parametrize("content", [b"", b"\0" * 16, b"garbage"])
def test_a_damaged_file_of_bytecode_proves_nothing(source: Path, content: bytes) -> None:
    (compiled,) = (source.parent / "__pycache__").iterdir()
    compiled.write_bytes(content)
    assert judged(source)
    source.write_bytes(BROKEN)
    assert not judged(source)
