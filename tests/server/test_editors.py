"""The editors of the README: their set-ups as it prints them, and Neovim itself where it is installed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from pytest_lsp import client_capabilities

from infonce_lint import fix_source
from infonce_lint.server.options import KEYS, read_options
from tests.readme import README
from tests.server.editor import editing
from tests.surfaces.samples import BAD

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SECTION = README.read_text(encoding="utf-8").partition("\n## Editors\n")[2].partition("\n## ")[0]
SIZE = "self.args.batch_size"


def snippet(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", SECTION, re.DOTALL)
    return str(found)


def nvim() -> str | None:
    """Neovim 0.11 or newer, if there is one."""
    program = shutil.which("nvim")
    if program is None:
        return None
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=60).stdout
    version = re.match(r"NVIM v(\d+)\.(\d+)", said)
    return program if version and (int(version[1]), int(version[2])) >= (0, 11) else None


def check_options(options: dict[str, Any]) -> None:
    assert options
    assert read_options(options)[1] == []


def test_every_setting_is_explained() -> None:
    assert set(re.findall(r"`(\w+)`(?=.*\|.*\|)", SECTION)) >= set(KEYS)


def test_vs_code_set_up() -> None:
    settings = json.loads(snippet("json"))
    assert [settings["glspc.server.command"], *settings["glspc.server.commandArguments"]] == ["infonce-lint", "server"]
    assert settings["glspc.server.languageId"] == ["python"]
    assert list(settings["editor.codeActionsOnSave"]) == ["source.fixAll.infonce-lint"]
    check_options(settings["glspc.server.initializationOptions"])


def test_helix_set_up() -> None:
    settings = tomllib.loads(snippet("toml"))
    server = settings["language-server"]["infonce-lint"]
    assert [server["command"], *server["args"]] == ["infonce-lint", "server"]
    check_options(server["config"])
    (language,) = settings["language"]
    assert language["name"] == "python"
    assert "infonce-lint" in language["language-servers"]


@pytest.mark.asyncio
@pytest.mark.filterwarnings("error::pytest_lsp.LspSpecificationWarning")
@pytest.mark.parametrize("name", ["visual-studio-code", "neovim@v0.11.0", "emacs"])
async def test_with_what_each_editor_says_that_it_can(tmp_path: Path, name: str) -> None:
    can = client_capabilities(name)
    async with editing(tmp_path, can) as editor:
        uri = editor.open("a.py", BAD.replace("labels", "𝒩é漢"))
        (diagnostic,) = await editor.diagnostics(uri)
        assert editor.covered(uri, diagnostic.range) == SIZE
        assert "configured-labels" in await editor.hover(uri, SIZE)
        for action in (await editor.actions(uri, SIZE, ["source"])).values():
            editor.apply(action.edit)
        assert editor.text[uri] == fix_source(BAD.replace("labels", "𝒩é漢")).data.decode()
        general = can.general
        wishes = general.position_encodings if general is not None else None
        assert editor.encoding == (wishes or [types.PositionEncodingKind.Utf16])[0]


DRIVE = """
local function wait(what, condition)
  if not vim.wait(40000, condition, 20) then print('FAILED: ' .. what) vim.cmd('cquit') end
end
vim.cmd('edit loss.py')
wait('a finding', function() return #vim.diagnostic.get(0) == 1 end)
local first = vim.diagnostic.get(0)[1]
print(first.code, first.source, first.lnum, first.col)
vim.api.nvim_buf_set_lines(0, 0, 0, false, { '# 🎉 typed' })
wait('the finding a row below', function()
  local now = vim.diagnostic.get(0)
  return #now == 1 and now[1].lnum == first.lnum + 1
end)
vim.lsp.buf.code_action({ context = { only = { 'source.fixAll' }, diagnostics = {} }, apply = true })
wait('no finding', function() return #vim.diagnostic.get(0) == 0 end)
vim.cmd('write! fixed.py')
vim.cmd('qall!')
"""


@pytest.mark.skipif(nvim() is None, reason="needs Neovim 0.11 on the path")
def test_neovim_finds_and_fixes(tmp_path: Path) -> None:
    text = BAD.replace("labels", "𝒩é漢")
    (tmp_path / "loss.py").write_text(text, encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text("", encoding="utf-8")
    set_up = snippet("lua").replace("'infonce-lint', 'server'", f"'{sys.executable}', '-m', 'infonce_lint', 'server'")
    (tmp_path / "init.lua").write_text(set_up, encoding="utf-8")
    (tmp_path / "drive.lua").write_text(DRIVE, encoding="utf-8")
    home = {name: str(tmp_path / "home") for name in ("HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")}
    done = subprocess.run(
        [nvim() or "nvim", "--headless", "-u", "init.lua", "-S", "drive.lua"],
        cwd=tmp_path,
        env={**os.environ, **home, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    row = text.splitlines().index(next(line for line in text.splitlines() if "torch.arange" in line))
    column = len(text.splitlines()[row].partition(SIZE)[0].encode())
    assert done.stderr.split()[:4] == ["NCE001", "infonce-lint", str(row), str(column)]
    fixed = fix_source(text).data.decode()
    assert (tmp_path / "fixed.py").read_text(encoding="utf-8") == "# 🎉 typed\n" + fixed
