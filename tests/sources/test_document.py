"""Documents: Python files and notebooks behind one face."""

from __future__ import annotations

import pytest

from infonce_lint.sources.document import is_plain, opened, python_of, read, text_of
from infonce_lint.sources.source import SourceError
from tests.surfaces.samples import notebook

CELLS = notebook("%ls\n", "a = 1\n").encode()


@pytest.mark.parametrize(
    ("data", "path"), [(b"\xef\xbb\xbfa = 1\r\n", "a.py"), (CELLS, "a.ipynb"), (b"a = 1", "notes")]
)
def test_what_is_read_is_written_back(data: bytes, path: str) -> None:
    document = read(data, path)
    assert document.rewrite(document.source.text) == data
    assert document.rewrite(document.source.text.replace("a = 1", "b = 2")) == data.replace(b"a = 1", b"b = 2")
    assert list(document.errors) == []


def test_what_cannot_be_read_is_an_error_of_its_own() -> None:
    for data, path in ((b"\xff", "a.py"), (b"{", "a.ipynb")):
        with pytest.raises(SourceError):
            read(data, path)


def test_a_letter_that_the_encoding_lacks_is_not_written() -> None:
    with pytest.raises(ValueError, match="'é' cannot be written in ascii"):
        read(b"# coding: ascii\na = 1\n", "a.py").rewrite("# coding: ascii\na = 'é'\n")


def test_what_an_editor_has_open_comes_back_in_its_parts() -> None:
    (text,) = opened([("\ufeffa = 1\n", True)], "a.py", in_cells=False).texts("b = 2\n")
    assert text == "\ufeffb = 2\n"
    document = opened([("# Title", False), ("%ls", True), ("a = 1", True)], "a.ipynb", in_cells=True)
    assert document.texts(document.source.text.replace("a = 1", "b = 2")) == ["# Title", "%ls", "b = 2"]


def test_the_text_of_a_place() -> None:
    assert text_of(CELLS, "a.ipynb", 3) == "a = 1\n"
    assert text_of(b"\xff", "a.py", None) == "\ufffd"
    assert python_of("!ls", 1) == "pass  # magic 1"
    assert python_of("!ls", None) == "!ls"
    assert not is_plain("a.ipynb") and is_plain("a.py") and is_plain("-")
