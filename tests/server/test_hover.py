"""Hovers: the page of a rule where its code or a finding stands."""

from __future__ import annotations

import pytest

from infonce_lint import lint_source
from infonce_lint.command.explain import main as explain
from infonce_lint.rules.catalogue import catalogue
from tests.server.editor import Editor
from tests.surfaces.samples import BAD, CLEAN, SUPPRESSED

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGES = {entry.code: entry.doc for entry in catalogue()}


@pytest.mark.parametrize("code", sorted(PAGES))
async def test_a_suppressed_code_shows_its_page(
    editor: Editor, code: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    uri = editor.open(f"code-{code}.py", f"x = '🎉'  # noqa: E501, {code.lower()}\n")
    hover = await editor.hover(uri, code.lower())
    explain([code])
    assert hover.strip() == capsys.readouterr().out.strip()
    assert await editor.hover(uri, "'🎉'") == ""


async def test_a_finding_shows_its_origin_its_fix_and_its_page(editor: Editor) -> None:
    uri = editor.open("finding.py", BAD)
    hover = await editor.hover(uri, "args.batch_size")
    (finding,) = lint_source(BAD)
    assert finding.fix is not None
    assert finding.origin[0] in hover
    assert "**Safe fix:** " + finding.fix.message in hover
    assert finding.fix.why in hover
    assert PAGES["NCE001"] in hover
    assert await editor.hover(uri, "import") == ""


async def test_a_withheld_fix_says_why(editor: Editor) -> None:
    text = SUPPRESSED.replace("/ self.args.temperature", "/ self.args.temperature / self.args.batch_size")
    withheld = [each for each in lint_source(text) if each.withheld]
    assert withheld
    uri = editor.open("withheld.py", text)
    assert f"**No automatic fix:** {withheld[0].withheld}" in await editor.hover(uri, "self.args.batch_size\n")


async def test_a_prefix_lists_its_codes(editor: Editor) -> None:
    hover = await editor.hover(editor.open("prefix.py", "x = 1  # noqa: NCE00\n"), "NCE00")
    assert [line.split("**")[1] for line in hover.splitlines()] == [code for code in PAGES if code.startswith("NCE00")]


async def test_an_unknown_code_and_clean_code_show_nothing(editor: Editor) -> None:
    assert await editor.hover(editor.open("unknown.py", "x = 1  # noqa: NCE777\n"), "NCE777") == ""
    assert await editor.hover(editor.open("comment.py", "x = 1  # NCE001 is no comment of flake8\n"), "NCE001") == ""
    assert await editor.hover(editor.open("clean.py", CLEAN), "features") == ""
    closed = editor.open("closed.py", BAD)
    editor.close(closed)
    assert await editor.hover(closed, "args.batch_size") == ""
