"""The sub-command: without its extra, its help, its end, and what it costs those who do not use it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from tests.surfaces.samples import BAD, CLEAN, run
from tests.surfaces.test_imports import imported

LSP = ("pygls", "lsprotocol", "cattrs", "attrs", "asyncio")


def test_without_pygls_one_line_says_what_to_install(tmp_path: Path) -> None:
    for package in ("pygls", "lsprotocol"):  # as if they were not installed
        (tmp_path / package).mkdir(exist_ok=True)
        (tmp_path / package / "__init__.py").write_text(
            f"raise ModuleNotFoundError('No module named {package}', name='{package}')\n", encoding="utf-8"
        )
    first = {"PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])}
    done = run("server", cwd=tmp_path, stdin=b"", env=first)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == "infonce-lint: error: the server needs pygls: pip install 'infonce-lint[lsp]'\n"
    assert run("server", "--help", cwd=tmp_path, env=first).returncode == 0


def test_help_and_wrong_options(tmp_path: Path) -> None:
    help_ = run("server", "--help", cwd=tmp_path)
    assert help_.returncode == 0
    assert help_.stdout.startswith("usage: infonce-lint server")
    wrong = run("server", "--port", "80", cwd=tmp_path)
    assert wrong.returncode == 2
    assert wrong.stderr.count("\n") == 1


def test_an_editor_that_vanishes_ends_the_server(tmp_path: Path) -> None:
    assert run("server", "--stdio", cwd=tmp_path, stdin=b"").returncode == 1


def test_the_end_does_not_wait_for_a_file_that_is_being_linted(tmp_path: Path) -> None:
    """An editor that closes must not leave a process that computes what nobody will read."""

    def message(method: str, params: object, **more: int) -> bytes:
        body = json.dumps({"jsonrpc": "2.0", "method": method, "params": params, **more})
        return f"Content-Length: {len(body)}\r\n\r\n{body}".encode()

    head, loss = BAD.split("class ")
    item = {"uri": (tmp_path / "a.py").as_uri(), "languageId": "python", "version": 1}
    text = head + "\n\n".join(f"class A{number}{loss}" for number in range(3000))
    with subprocess.Popen(
        [sys.executable, "-m", "infonce_lint", "server"], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as server:
        assert server.stdin is not None
        server.stdin.write(message("initialize", {"capabilities": {}}, id=1))
        server.stdin.write(message("initialized", {}))
        server.stdin.write(message("textDocument/didOpen", {"textDocument": {**item, "text": text}}))
        server.stdin.flush()
        time.sleep(2)  # it is in the midst of it; the whole would take minutes
        server.stdin.write(message("shutdown", None, id=2) + message("exit", None))
        server.stdin.flush()
        started = time.monotonic()
        try:
            assert server.wait(60) == 0
        finally:
            server.kill()  # the end of the block waits for it
        assert time.monotonic() - started < 30


def test_rubbish_does_not_end_the_server(tmp_path: Path) -> None:
    """What is no message is passed over, and the goodbye behind it still counts."""

    def message(body: str) -> bytes:
        return f"Content-Length: {len(body)}\r\n\r\n{body}".encode()

    begin = message('{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":{}}}')
    odd = message(
        '{"jsonrpc":"2.0","method":"textDocument/didChange","params":{"textDocument":{"uri":"x","version":1},'
        '"contentChanges":[{"text":"x"}]}}'
    ) + message('{"jsonrpc":"2.0","id":2,"method":"no/such"}')
    odd += message('{"jsonrpc":"2.0","method":"textDocument/didClose","params":{"textDocument":{"uri":"x"}}}')
    end = message('{"jsonrpc":"2.0","id":3,"method":"shutdown"}') + message('{"jsonrpc":"2.0","method":"exit"}')
    done = subprocess.run(
        [sys.executable, "-m", "infonce_lint", "server"],
        input=begin + odd + end,
        capture_output=True,
        cwd=tmp_path,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0
    assert done.stdout.count(b"Content-Length") == 3


def test_the_ordinary_command_imports_nothing_of_it(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(CLEAN, encoding="utf-8")
    code = "from infonce_lint.command.cli import main\nmain(['--no-cache', '--isolated', 'a.py'])"
    modules = imported(code, tmp_path)
    assert not modules & set(LSP)
    assert not [each for each in modules if each.startswith("infonce_lint.server")]
