"""Quick fixes, suppressions and fix all: what an editor offers, and what the text becomes when it is taken."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types

from infonce_lint import fix_source, lint_source
from infonce_lint.finding import Applicability, Finding
from tests.fixture_cases import FIXTURES
from tests.server.editor import Editor, capabilities, editing
from tests.surfaces.samples import BAD, CLEAN, UNUSED_NOQA

pytestmark = pytest.mark.asyncio(loop_scope="module")

SIZE = "self.args.batch_size"
SAFE = "Derive the batch size from the features (safe fix)"
SUPPRESS = "Suppress with # noqa: NCE001"
ALL = "infonce-lint: fix all (safe fixes)"
FILES = sorted(FIXTURES.glob("rules/*/*.py"))


def safely_fixed(text: str) -> str:
    return fix_source(text.encode()).data.decode()


def with_fix(applicability: Applicability) -> tuple[str, Finding]:
    """A fixture with a fix of this kind, and the finding that has it."""
    for file in FILES:
        text = file.read_bytes().decode()
        for finding in lint_source(text.encode()):
            if finding.fix is not None and finding.fix.applicability is applicability:
                return text, finding
    raise AssertionError(applicability)


async def test_what_is_offered_on_a_finding(editor: Editor) -> None:
    uri = editor.open("offered.py", BAD)
    (diagnostic,) = await editor.diagnostics(uri)
    actions = await editor.actions(uri, SIZE)
    assert list(actions) == [SAFE, SUPPRESS, ALL]
    assert actions[SAFE].is_preferred is True
    assert actions[SUPPRESS].is_preferred is None
    assert list(actions[SAFE].diagnostics or ()) == list(actions[SUPPRESS].diagnostics or ()) == [diagnostic]
    kinds = [actions[title].kind for title in actions]
    assert kinds == [types.CodeActionKind.QuickFix, types.CodeActionKind.QuickFix, "source.fixAll.infonce-lint"]


async def test_elsewhere_only_fix_all_is_offered_and_nothing_in_clean_code(editor: Editor) -> None:
    assert list(await editor.actions(editor.open("elsewhere.py", BAD), "import")) == [ALL]
    assert await editor.actions(editor.open("clean.py", CLEAN), "import") == {}


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        (["quickfix"], [SAFE, SUPPRESS]),
        (["source"], [ALL]),
        (["source.fixAll"], [ALL]),
        (["source.fixAll.infonce-lint"], [ALL]),
        (["source.fixAll.other", "source.organizeImports", "sour", "notebook.source.fixAll"], []),
    ],
)
async def test_only_the_wanted_kinds(editor: Editor, only: list[str], expected: list[str]) -> None:
    uri = editor.open(f"kinds-{only[0]}.py", BAD)
    assert list(await editor.actions(uri, SIZE, only)) == expected


async def test_the_quick_fix_repairs_the_loss(editor: Editor) -> None:
    uri = editor.open("repair.py", BAD)
    editor.apply((await editor.actions(uri, SIZE))[SAFE].edit)
    assert editor.text[uri] == safely_fixed(BAD)


async def test_a_quick_fix_leaves_the_other_losses(editor: Editor) -> None:
    second = BAD[BAD.index("class") :].replace("Trainer", "Second")
    uri = editor.open("two.py", BAD + "\n\n" + second)
    actions = await editor.actions(uri, SIZE)
    editor.apply(actions[SAFE].edit)
    assert editor.text[uri] == safely_fixed(BAD) + "\n\n" + second


async def test_an_unsafe_fix_says_so(editor: Editor, tmp_path: Path) -> None:
    text, finding = with_fix(Applicability.UNSAFE)
    assert finding.fix is not None
    title = f"{finding.fix.message} (unsafe fix)"
    uri = editor.open("unsafe.py", text)
    here = editor.text[uri].splitlines()[finding.span.start.row - 1][finding.span.start.column - 1 :]
    action = (await editor.actions(uri, here))[title]
    assert action.is_preferred is None
    editor.apply(action.edit)
    assert editor.text[uri] == fix_source(text.encode(), unsafe=True).data.decode()
    async with editing(tmp_path, options={"showUnsafeFixes": False}) as careful:
        uri = careful.open("unsafe.py", text)
        offered = await careful.actions(uri, here)
        assert offered and title not in offered


@pytest.mark.parametrize("file", FILES[::4], ids=lambda file: f"{file.parent.name}/{file.stem}")
async def test_fix_all_equals_the_command(editor: Editor, file: Path) -> None:
    text = file.read_bytes().decode()
    uri = editor.open(f"all-{file.parent.name}-{file.name}", text)
    fixed = safely_fixed(text)
    actions = await editor.actions(uri, "", ["source.fixAll"])
    assert bool(actions) is (fixed != text)
    if actions:
        editor.apply(actions[ALL].edit)
    assert editor.text[uri] == fixed


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
async def test_edits_hit_their_places(tmp_path: Path, encoding: str) -> None:
    lines = BAD.replace("labels", "𝒩é漢").replace("dim=0)\n", "dim=0)  # 🎉\n")
    last = "# 🎉🎉 the last row has no end"
    async with editing(tmp_path, capabilities(encoding)) as editor:
        for name, row_end in (("lf", "\n"), ("crlf", "\r\n"), ("cr", "\r")):
            text = lines.replace("\n", row_end)
            uri = editor.open(f"{name}.py", text)
            editor.apply((await editor.actions(uri, SIZE))[ALL].edit)
            assert editor.text[uri] == safely_fixed(text) != text
            uri = editor.open(f"{name}-last.py", text + last)
            editor.apply((await editor.actions(uri, SIZE))[SUPPRESS].edit)
            assert editor.text[uri] == text.replace("# 🎉", "# 🎉  # noqa: NCE001") + last


async def test_a_byte_order_mark_stays(editor: Editor) -> None:
    uri = editor.open("mark.py", "\ufeff" + UNUSED_NOQA + BAD)
    editor.apply((await editor.actions(uri, "", ["source"]))[ALL].edit)
    assert editor.text[uri] == "\ufeff" + safely_fixed(UNUSED_NOQA + BAD)


async def test_an_unused_suppression_is_removed(editor: Editor) -> None:
    uri = editor.open("unused.py", UNUSED_NOQA)
    actions = await editor.actions(uri, "# noqa")
    assert list(actions) == ["Remove the unused suppression of NCE001 (safe fix)", ALL]
    editor.apply(actions["Remove the unused suppression of NCE001 (safe fix)"].edit)
    assert editor.text[uri] == "rows = 3\n"


@pytest.mark.parametrize(
    ("row", "suppressed"),
    [
        ("x = torch.arange(SIZE)", "x = torch.arange(SIZE)  # noqa: NCE001"),
        ("x = torch.arange(SIZE)  # why", "x = torch.arange(SIZE)  # why  # noqa: NCE001"),
        ("x = torch.arange(SIZE)  # noqa: E501", "x = torch.arange(SIZE)  # noqa: E501, NCE001"),
        ("x = torch.arange(SIZE)  # NOQA:E501,W1 # y", "x = torch.arange(SIZE)  # NOQA:E501,W1, NCE001 # y"),
        ("x = torch.arange(\n    SIZE,\n)", "x = torch.arange(\n    SIZE,  # noqa: NCE001\n)"),
        ("x = \\\n  torch.arange(SIZE) + \\\n  0", "x = \\\n  torch.arange(SIZE) + \\\n  0  # noqa: NCE001"),
        ("x = torch.arange(SIZE) + len('''\n''')", "x = torch.arange(SIZE) + len('''\n''')  # noqa: NCE001"),
    ],
)
async def test_suppressions_stand_where_they_count(editor: Editor, row: str, suppressed: str) -> None:
    frame = (
        "import torch\nimport torch.nn.functional as F\n\ndef info_nce(args, a, b):\n    ROW\n"
        "    return F.cross_entropy(a @ b.T / args.temperature, x)\n"
    )
    before, after = (
        frame.replace("ROW", text.replace("\n", "\n    ")).replace("SIZE", "args.batch_size")
        for text in (row, suppressed)
    )
    uri = editor.open(f"suppress{abs(hash(row))}.py", before)
    actions = await editor.actions(uri, "args.batch_size")
    editor.apply(actions[SUPPRESS].edit)
    assert editor.text[uri] == after
    assert [each.code for each in lint_source(after)] == []


async def test_no_suppression_for_what_cannot_be_suppressed(editor: Editor) -> None:
    uri = editor.open("syntax.py", "x = (\n")
    assert await editor.actions(uri, "(") == {}


async def test_edits_name_no_version_for_editors_that_cannot_tell(tmp_path: Path) -> None:
    async with editing(tmp_path, capabilities(versioned=False)) as editor:
        uri = editor.open("a.py", BAD)
        edit = (await editor.actions(uri, SIZE))[SAFE].edit
        assert edit is not None
        assert edit.document_changes is None
        editor.apply(edit)
        assert editor.text[uri] == safely_fixed(BAD)


async def test_actions_are_for_the_newest_text(editor: Editor) -> None:
    uri = editor.open("newest.py", BAD)
    await editor.diagnostics(uri)
    editor.replace(uri, "import torch\n", "import torch\n# a new row\n")
    editor.apply((await editor.actions(uri, SIZE))[SAFE].edit)  # at once: not linted yet
    assert editor.text[uri] == safely_fixed(BAD.replace("import torch\n", "import torch\n# a new row\n", 1))


async def test_the_command_fixes_a_text_or_all(tmp_path: Path) -> None:
    async with editing(tmp_path) as editor:
        first, second, clean = editor.open("a.py", BAD), editor.open("b.py", BAD), editor.open("c.py", CLEAN)

        async def fix_all(*uris: str) -> None:
            params = types.ExecuteCommandParams("infonce-lint.fixAll", list(uris))
            await editor.client.workspace_execute_command_async(params)

        await fix_all(first)
        assert [editor.text[uri] for uri in (first, second)] == [safely_fixed(BAD), BAD]
        await fix_all("file:///not/open.py")
        editor.replace(first, editor.text[first], BAD)
        await fix_all()
        assert [editor.text[uri] for uri in (first, second, clean)] == [safely_fixed(BAD)] * 2 + [CLEAN]


async def test_what_the_server_says_that_it_can(tmp_path: Path) -> None:
    editor = Editor(tmp_path)
    can = await editor.start(capabilities(), None)
    assert isinstance(can.code_action_provider, types.CodeActionOptions)
    assert "source.fixAll.infonce-lint" in (can.code_action_provider.code_action_kinds or ())
    assert can.execute_command_provider is not None
    assert list(can.execute_command_provider.commands) == ["infonce-lint.fixAll"]
    assert can.diagnostic_provider is None
    assert can.hover_provider
    await editor.client.shutdown_session()
    await editor.client.stop()
