"""``[tool.infonce-lint.verify]``: what a project tells every run, and what is said of a table that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")

from infonce_lint.command.cli import main
from infonce_lint.command.verify_table import VerifyTable, read_table
from infonce_lint.running.configuration import ConfigurationError
from tests.verify.samples import STACKED, TRAINER, write

TWO_VIEWS = STACKED.replace(
    "return -((share * positive).sum(dim=1) / positive.sum(dim=1)).mean()",
    "first = positive.int().argmax(dim=1, keepdim=True)\n    return -share.gather(1, first).mean()",
)


def test_a_loss_for_two_views_says_the_way_out_and_can_be_green(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, TWO_VIEWS)
    assert main(["verify", "--checks", "value", str(path)]) == 1
    out = capsys.readouterr().out
    assert out.count("  FAIL ") == 1
    assert "for two views only: it is the value of positives first with target 0" in out
    assert "--set n_views=2" in out
    (tmp_path / "pyproject.toml").write_text('[tool.infonce-lint.verify]\nset = ["n_views=2"]\nchecks = ["value"]\n')
    assert main(["verify", str(path)]) == 0
    assert "checks: 2 passed, 0 failed" in capsys.readouterr().out
    assert main([str(path), "--no-cache"]) == 0, "linting leaves the table alone"


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ('sets = ["a=1"]', 'unknown key "sets" (did you mean "set"?); accepted keys: checks, require-gpu, set,'),
        ('set = ["temperature"]', "set: 'temperature' is not NAME=VALUE"),
        ("set = 3", "set is 3; expected a list of settings"),
        ('checks = ["sises"]', "checks: unknown 'sises' (did you mean \"sizes\"?); there are value"),
        ("unit-rows = 1", "unit-rows is 1; expected true or false"),
        ("time-limit = -1", "time-limit is -1; expected a number of seconds above 0"),
    ],
)
def test_a_table_that_cannot_be_used_is_one_line(
    table: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, STACKED)
    (tmp_path / "infonce-lint.toml").write_text(f"[verify]\n{table}\n", encoding="utf-8")
    assert main(["verify", str(path)]) == 2
    err = capsys.readouterr().err
    assert told in err
    assert err.count("\n") == 1


def test_the_table_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "infonce-lint.toml"
    path.write_text(
        '[verify]\nset=["a.b=2"]\nchecks=["sizes","value"]\nunit-rows=true\nrequire-gpu=true\ntime-limit=5\n'
    )
    assert read_table(str(path)) == VerifyTable({"a.b": 2}, ("value", "sizes"), True, True, 5.0)
    assert read_table(None) == VerifyTable()
    path.write_text("verify = 3\n")
    with pytest.raises(ConfigurationError, match="expected a table"):
        read_table(str(path))


def test_prove_takes_set_and_prints_what_it_proved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, TRAINER)
    options = ["--diff", "--prove", "--set", "args.temperature=0.3", "--isolated", "--no-cache", str(path)]
    assert main(options) == 1
    told = f"note: proven: {path}: Trainer.info_nce: same value at 8, value of a configured 5 at 5"
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "told"),
    [(["--set", "a=1"], "--set needs --prove"), (["--diff", "--prove", "--set", "a"], "--set: 'a' is not NAME=VALUE")],
)
def test_set_without_use_is_one_line(
    options: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [*options, "--isolated", "--no-cache", "--quiet", str(write(tmp_path, STACKED))]
    try:
        assert main(arguments) == 2
    except SystemExit as left:
        assert left.code == 2
    assert told in capsys.readouterr().err
