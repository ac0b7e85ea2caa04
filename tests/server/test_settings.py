"""Settings: of the editor and of the nearest configuration file, also when they change while the server runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types

from tests.server.editor import Editor, editing
from tests.surfaces.samples import BAD, run

pytestmark = pytest.mark.asyncio


async def codes(editor: Editor, name: str = "a.py") -> list[object]:
    return [each.code for each in await editor.diagnostics(editor.open(name, BAD))]


async def relinted(editor: Editor, uri: str, before: int) -> list[object]:
    """The codes of the next publication after the first ``before``."""
    await editor.until(lambda: len([each for each in editor.published if each.uri == uri]) > before)
    return [each.code for each in editor.published[-1].diagnostics]


def told(editor: Editor) -> list[str]:
    return [each.message for each in editor.client.messages]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (None, ["NCE001"]),
        ({}, ["NCE001"]),
        ({"select": ["NCE002"]}, []),
        ({"infonce-lint": {"select": ["NCE002"]}}, []),
        ({"ignore": ["NCE001"]}, []),
        ({"select": ["NCE002"], "extendSelect": ["nce001"]}, ["NCE001"]),
        ({"select": None, "configuration": None, "showUnsafeFixes": None}, ["NCE001"]),
    ],
)
async def test_options_at_the_start(tmp_path: Path, options: Any, expected: list[str]) -> None:
    async with editing(tmp_path, options=options) as editor:
        assert await codes(editor) == expected
        assert told(editor) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"selct": ["NCE002"]}, 'unknown key "selct" (did you mean "select"?)'),
        ({"select": "NCE002"}, "select is 'NCE002'; expected a list of rule codes"),
        ({"ignore": ["NCE777"]}, "unknown rule code 'NCE777'"),
        ({"showUnsafeFixes": "no"}, "showUnsafeFixes is 'no'; expected true or false"),
        ({"configuration": 3}, "configuration is 3; expected the path of a file"),
        ({"configuration": "not-there.toml"}, "not-there.toml: cannot be read"),
        ("all", "initializationOptions"),
    ],
)
async def test_bad_options_are_said_and_left_out(tmp_path: Path, options: Any, said: str) -> None:
    async with editing(tmp_path, options=options) as editor:
        assert await codes(editor) == ["NCE001"]
        (message,) = told(editor)
        assert said in message and "\n" not in message


async def test_the_nearest_configuration_file_counts(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.infonce-lint]\nignore = ["NCE001"]\n', encoding="utf-8")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "infonce-lint.toml").write_text(
        'guard = "raise"\nper-file-ignores = {"quiet.py" = ["NCE001"]}\n', encoding="utf-8"
    )
    async with editing(tmp_path) as editor:
        assert await codes(editor) == []
        assert await codes(editor, "inner/quiet.py") == []
        assert await codes(editor, "inner/a.py") == ["NCE001"]
        actions = await editor.actions((tmp_path / "inner" / "a.py").as_uri(), "self.args.batch_size", ["quickfix"])
        assert "raise ValueError" in str(next(iter(actions.values())).edit)


async def test_the_editor_may_name_a_configuration_file(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('ignore = ["NCE001"]\n', encoding="utf-8")
    async with editing(tmp_path, options={"configuration": "mine.toml"}) as editor:
        assert await codes(editor) == []


async def test_a_changed_configuration_file_counts_at_once(tmp_path: Path) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text("[tool.infonce-lint]\n", encoding="utf-8")
    async with editing(tmp_path) as editor:
        await editor.until(lambda: editor.registered)
        assert editor.registered[0].method == "workspace/didChangeWatchedFiles"
        assert await codes(editor) == ["NCE001"]
        uri = (tmp_path / "a.py").as_uri()

        file.write_text('[tool.infonce-lint]\nignore = ["NCE001"]\n', encoding="utf-8")
        event = types.FileEvent(uri=file.as_uri(), type=types.FileChangeType.Changed)
        editor.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([event]))
        assert await relinted(editor, uri, 1) == []

        file.write_text("[tool.infonce-lint]\n", encoding="utf-8")
        editor.save(uri)  # an editor that watches no files: the text's own next save is soon enough
        assert await relinted(editor, uri, 2) == ["NCE001"]

        file.write_text('[tool.infonce-lint]\nignore = ["NCE001"]\n', encoding="utf-8")
        editor.save(file.as_uri())  # one that tells of the saves of all files
        assert await relinted(editor, uri, 3) == []


async def test_a_bad_configuration_file_is_said_once_and_survived(tmp_path: Path) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text("[tool.infonce-lint]\nselct = 1\n", encoding="utf-8")
    async with editing(tmp_path) as editor:
        assert await codes(editor) == ["NCE001"]
        assert await codes(editor, "b.py") == ["NCE001"]
        (message,) = told(editor)
        assert 'unknown key "selct" (did you mean "select"?)' in message
        file.write_text('[tool.infonce-lint]\nignore = ["NCE001"]\n', encoding="utf-8")
        editor.save(file.as_uri())
        assert await relinted(editor, (tmp_path / "a.py").as_uri(), 1) == []
        assert len(told(editor)) == 1


@pytest.mark.parametrize("settings", [{"infonce-lint": {"ignore": ["NCE001"]}}, {"ignore": ["NCE001"]}])
async def test_changed_settings_count_at_once(tmp_path: Path, settings: Any) -> None:
    async with editing(tmp_path) as editor:
        assert await codes(editor) == ["NCE001"]
        editor.client.workspace_did_change_configuration(types.DidChangeConfigurationParams({"python": {"x": 1}}))
        editor.client.workspace_did_change_configuration(types.DidChangeConfigurationParams(settings))
        assert await relinted(editor, (tmp_path / "a.py").as_uri(), 1) == []
        assert told(editor) == []


async def test_settings_are_asked_for_when_a_change_does_not_tell_them(tmp_path: Path) -> None:
    async with editing(tmp_path) as editor:
        assert await codes(editor) == ["NCE001"]
        editor.client.set_configuration({"ignore": ["NCE001"]}, section="infonce-lint")
        editor.client.workspace_did_change_configuration(types.DidChangeConfigurationParams(None))
        assert await relinted(editor, (tmp_path / "a.py").as_uri(), 1) == []


async def test_what_the_baseline_holds_is_not_told_and_not_fixed(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(BAD, encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text('[tool.infonce-lint]\nbaseline = "known.json"\n', encoding="utf-8")
    async with editing(tmp_path) as editor:
        assert await codes(editor) == ["NCE001"]
        assert ["known.json: no such baseline" in message for message in told(editor)] == [True]
        assert run("--no-cache", "--write-baseline", "known.json", "a.py", cwd=tmp_path).returncode == 0
        uri = (tmp_path / "a.py").as_uri()
        editor.save(uri)
        assert await relinted(editor, uri, 1) == []
        assert await editor.actions(uri, "self.args.batch_size") == {}
        version = editor.replace(uri, "import torch\n", "import torch\n# a row more\n")
        assert await editor.diagnostics(uri, version) == []
        version = editor.replace(uri, "self.args.batch_size", "self.args.batch_size + self.args.batch_size")
        assert [each.code for each in await editor.diagnostics(uri, version)] == ["NCE001"]
        assert await codes(editor, "b.py") == ["NCE001"]
