"""Settings from configuration files and from the command line, and what is said about wrong ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from infonce_lint.running.configuration import (
    DEFAULT_EXCLUDE,
    ConfigurationError,
    Configurations,
    Overrides,
    known_codes,
    load,
)
from infonce_lint.settings import Settings
from tests.surfaces.conftest import Command
from tests.surfaces.samples import BAD


def settings_of(folder: Path, **overrides: object) -> Settings:
    return Configurations(overrides=Overrides(**overrides)).for_folder(str(folder)).settings  # type: ignore[arg-type]


def write(folder: Path, text: str, name: str = "pyproject.toml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_defaults(project: Path) -> None:
    assert settings_of(project) == Settings(exclude=DEFAULT_EXCLUDE)


def test_every_key(project: Path) -> None:
    write(
        project,
        """
        [tool.infonce-lint]
        select = ["NCE001", "nce002"]
        ignore = ["NCE9"]
        extend-select = ["NCE003"]
        per-file-ignores = { "tests/*" = ["NCE001"], "conftest.py" = ["NCE0"] }
        exclude = ["old"]
        extend-exclude = ["gen/*.py", "*_pb2.py"]
        force-exclude = true
        respect-gitignore = false
        config-names = ["run"]
        size-names = ["per_gpu"]
        guard = "raise"
        local-name = "rows"
        """,
    )
    assert settings_of(project) == Settings(
        select=("NCE001", "NCE002"),
        ignore=("NCE9",),
        extend_select=("NCE003",),
        per_file_ignores=((f"{project}/tests/*", ("NCE001",)), ("conftest.py", ("NCE0",))),
        exclude=("old",),
        extend_exclude=(f"{project}/gen/*.py", f"{project}/**/*_pb2.py"),
        force_exclude=True,
        respect_gitignore=False,
        config_names=("run",),
        size_names=("per_gpu",),
        guard="raise",
        local_name="rows",
    )


def test_the_nearest_file_that_speaks_of_us_wins(project: Path) -> None:
    write(project, '[tool.infonce-lint]\nguard = "raise"\n')
    write(project / "sub", "[tool.other]\n")
    write(project / "sub" / "own", 'local-name = "rows"\n', "infonce-lint.toml")
    assert settings_of(project / "sub").guard == "raise"
    own = settings_of(project / "sub" / "own")
    assert (own.guard, own.local_name) == ("assert", "rows")


def test_a_pyproject_of_others_need_not_even_be_toml(project: Path) -> None:
    write(project, "this is = = no toml")
    assert settings_of(project).guard == "assert"


def test_config_and_isolated(project: Path) -> None:
    write(project, '[tool.infonce-lint]\nguard = "raise"\n')
    other = write(project / "ci", 'local-name = "rows"\nexclude = ["x/*"]\n', "lint.toml")
    chosen = Configurations(str(other)).for_folder(str(project)).settings
    assert (chosen.guard, chosen.local_name) == ("assert", "rows")
    assert chosen.exclude == (f"{project}/x/*",)  # relative to the current folder
    assert Configurations(isolated=True).for_folder(str(project)).settings.guard == "assert"


def test_config_without_our_table_is_an_error(project: Path) -> None:
    path = write(project / "ci", "[tool.other]\n")
    with pytest.raises(ConfigurationError, match=r"pyproject\.toml: has no \[tool\.infonce-lint\] table"):
        Configurations(str(path)).for_folder(str(project))


def test_the_command_line_has_the_last_word(project: Path) -> None:
    write(project, '[tool.infonce-lint]\nselect = ["NCE001"]\nignore = ["NCE002"]\nextend-exclude = ["a"]\n')
    assert settings_of(project, select=("NCE002",)).selects("NCE002")  # the file's ignore no longer counts
    assert settings_of(project, extend_select=("NCE003",)).select == ("NCE001",)
    assert settings_of(project, ignore=("NCE003",)).ignore == ("NCE003",)
    assert settings_of(project, extend_exclude=("b",)).extend_exclude == ("a", "b")
    assert settings_of(project, exclude=("b",)).exclude == ("b",)


def test_per_file_ignores_become_part_of_ignore(project: Path) -> None:
    write(project, '[tool.infonce-lint]\nselect = ["NCE001"]\nper-file-ignores = { "tests/*" = ["NCE0"] }\n')
    configuration = Configurations().for_folder(str(project))
    assert configuration.for_file(str(project / "a.py")).selects("NCE001")
    assert not configuration.for_file(str(project / "tests" / "a.py")).selects("NCE001")
    assert not configuration.for_file(str(project / "tests" / "deep" / "a.py")).selects("NCE001")
    write(project, '[tool.infonce-lint]\nper-file-ignores = { "!src/*" = ["NCE0"] }\n')
    all_but = Configurations().for_folder(str(project))
    assert all_but.for_file(str(project / "src" / "a.py")).selects("NCE001")
    assert not all_but.for_file(str(project / "a.py")).selects("NCE001")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            'selct = ["NCE001"]',
            'unknown key "selct" (did you mean "select"?); accepted keys: baseline, config-names, exclude,',
        ),
        ("zzz = 1", 'unknown key "zzz"; accepted keys: baseline, config-names,'),
        ('select = "NCE001"', """select is 'NCE001'; expected a list of rule codes, such as ["NCE001"]"""),
        ("select = [1]", "select is [1]; expected a list of rule codes"),
        ('select = ["NCE01"]', """select: unknown rule code 'NCE01' (did you mean "NCE001"?); accepted are NCE001,"""),
        ('ignore = ["E501"]', "ignore: unknown rule code 'E501'; accepted are NCE001,"),
        ('exclude = "a"', "exclude is 'a'; expected a list of path patterns"),
        ('exclude = ["a/", "!"]', "exclude is '!'; expected a pattern as in .gitignore"),
        ("extend-exclude = ['a\\']", "extend-exclude is 'a\\\\'; expected a pattern as in .gitignore"),
        ("force-exclude = 1", "force-exclude is 1; expected true or false"),
        ("respect-gitignore = 'no'", "respect-gitignore is 'no'; expected true or false"),
        ('guard = "throw"', """guard is 'throw'; expected "assert" or "raise\""""),
        ("guard = true", "guard is true; expected"),
        ('local-name = "2x"', "local-name is '2x'; expected a Python name"),
        ('local-name = "class"', "local-name is 'class'; expected a Python name"),
        ('size-names = ["a.b"]', "size-names is 'a.b'; expected a Python name"),
        ('per-file-ignores = ["NCE001"]', "per-file-ignores is ['NCE001']; expected a table of path patterns"),
        ('per-file-ignores = {"a" = "NCE001"}', "per-file-ignores.\"a\" is 'NCE001'; expected a list of rule codes"),
        ('per-file-ignores = {"a" = ["NCE01"]}', "per-file-ignores.\"a\": unknown rule code 'NCE01'"),
        ("select = [", "not valid TOML: "),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_everything(
    command: Command, project: Path, line: str, message: str
) -> None:
    path = write(project, f"[tool.infonce-lint]\n{line}\n")
    (project / "a.py").write_text("x = 1\n", encoding="utf-8")
    done = command("a.py")
    assert (done.code, done.out) == (2, "")
    assert len(done.err.splitlines()) == 1
    assert done.err.startswith(f"infonce-lint: error: {path}: ")
    assert message in done.err


def test_a_wrong_configuration_stops_only_its_own_folder(command: Command, project: Path) -> None:
    write(project / "sub" / "deeper", "guard = 1\n", "infonce-lint.toml")
    for path in ("a.py", "sub/b.py", "sub/deeper/c.py", "sub/deeper/more/d.py"):
        (project / path).parent.mkdir(exist_ok=True)
        (project / path).write_text(BAD, encoding="utf-8")
    done = command(".", "sub/deeper/c.py", "--output-format", "concise")
    assert done.code == 2
    assert [line.split(":")[0] for line in done.out.splitlines() if "NCE001" in line] == ["a.py", "sub/b.py"]
    assert len(done.err.splitlines()) == 1


def test_a_configuration_that_cannot_be_read(project: Path) -> None:
    folder = project / "pyproject.toml"
    folder.mkdir()
    assert settings_of(project).guard == "assert"  # a folder is no configuration
    with pytest.raises(ConfigurationError, match=r"pyproject\.toml: cannot be read: "):
        load(str(folder), anchored_at=str(project))


def test_a_byte_order_mark_and_windows_rows_are_fine(project: Path) -> None:
    (project / "pyproject.toml").write_bytes(b'\xef\xbb\xbf[tool.infonce-lint]\r\nguard = "raise"\r\n')
    assert settings_of(project).guard == "raise"


def test_the_settings_of_a_folder_are_read_once(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(project, "[tool.infonce-lint]\n")
    configurations = Configurations()
    first = configurations.for_folder(str(project / "a" / "b"))
    monkeypatch.setattr("infonce_lint.running.configuration.load", None)
    assert configurations.for_folder(str(project / "a" / "b" / "c")) is first
    assert configurations.for_folder(os.curdir) is first


def test_known_codes_are_the_rules_and_the_two_notices() -> None:
    assert known_codes() == ("NCE001", "NCE002", "NCE003", "NCE004", "NCE005", "NCE900", "NCE901")
