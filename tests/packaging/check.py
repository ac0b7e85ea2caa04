"""Builds the package and installs it into empty environments, with the lowest and the newest versions that it claims.

    python -m tests.packaging.check [--lowest PYTHON] [--newest PYTHON] [--keep FOLDER]

Needs a package index. Builds wheel and sdist, has twine check them, installs the wheel beside the lowest versions of
`pyproject.toml` and beside the newest ones, and compares what the command and flake8 find in the fixtures there; has
mypy check a program that uses the typed interface; runs the tests of the sdist with the lowest versions. Prints a row
for each; the exit code is 1 if one of them failed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

import infonce_lint

ROOT = Path(__file__).resolve().parents[2]
#: What the tests of the sdist need beside the package; torch and the external clients are left out.
TEST_PACKAGES = ("hypothesis", "hypothesmith", "jsonschema", "nbformat", "numpy", "pytest", "pytest-asyncio", "pyyaml")
SDIST_TESTS = (
    "tests/repair",
    "tests/semantic",
    "tests/test_fixtures.py",
    "tests/sources/test_notebook.py",
    "tests/sources/test_edits.py",
)
_BOUND = re.compile(r'^\s*"([\w-]+)>=([\d.]+)(?:; python_version < \'3\.(\d+)\')?",$', re.MULTILINE)


class Failed(Exception):
    """A step that did not do what it should; the text says how."""


class Environment:
    """A virtual environment of its own."""

    def __init__(self, folder: Path, python: str) -> None:
        call(python, "-m", "venv", folder)
        self._bin = folder / ("Scripts" if os.name == "nt" else "bin")

    def install(self, *what: str | Path) -> None:
        self.run("python", "-m", "pip", "install", "-q", "--disable-pip-version-check", *what)

    def run(self, program: str, *arguments: str | Path, cwd: Path | None = None, codes: tuple[int, ...] = (0,)) -> str:
        return call(self._bin / program, *arguments, cwd=cwd, codes=codes)

    def versions(self, *names: str) -> str:
        listed = json.loads(self.run("python", "-m", "pip", "list", "--format", "json"))
        found = {each["name"].lower(): each["version"] for each in listed}
        python = self.run("python", "-c", "import platform; print(platform.python_version())").strip()
        return ", ".join([f"Python {python}", *(f"{name} {found[name]}" for name in names if name in found)])


def call(*command: str | Path, cwd: Path | None = None, codes: tuple[int, ...] = (0,)) -> str:
    """The standard output of a command.

    Raises:
        Failed: its exit code is none of ``codes``.
    """
    done = subprocess.run(
        [*map(str, command)], cwd=cwd, capture_output=True, text=True, check=False, env=_environment(), timeout=900
    )
    if done.returncode not in codes or "Traceback" in done.stderr:
        said = (done.stdout + done.stderr).strip().splitlines()[-12:]
        raise Failed(f"{' '.join(map(str, command[:4]))} ...: exit code {done.returncode}\n    " + "\n    ".join(said))
    return done.stdout


def _environment() -> dict[str, str]:
    hidden = ("PYTHONPATH", "FORCE_COLOR", "VIRTUAL_ENV")
    return {**{key: value for key, value in os.environ.items() if key not in hidden}, "PYTHONUTF8": "1"}


def lowest_versions(minor: int) -> list[str]:
    """The lower bounds of the dependencies as pins, for Python 3.``minor``."""
    table = (ROOT / "pyproject.toml").read_text(encoding="utf-8").split("\ndependencies = [\n", 1)[1].split("\n]", 1)[0]
    bounds = _BOUND.findall(table)
    if len(bounds) != len(table.splitlines()):
        raise Failed(f"a dependency of pyproject.toml has no lower bound that can be read: {table}")
    return [f"{name}=={version}" for name, version, below in bounds if not below or minor < int(below)]


def built(folder: Path) -> tuple[Path, Path]:
    """Wheel and sdist, built from the files that git knows or would add."""
    source = folder / "source"
    listed = call("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT).split("\0")
    for name in filter(None, listed):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, source / name)
    tools = Environment(folder / "tools", sys.executable)
    tools.install("build", "twine")
    tools.run("python", "-m", "build", "-q", "--outdir", folder / "dist", source)
    (wheel,), (sdist,) = (folder / "dist").glob("*.whl"), (folder / "dist").glob("*.tar.gz")
    tools.run("python", "-m", "twine", "check", "--strict", wheel, sdist)
    return wheel, sdist


def findings(environment: Environment, folder: Path) -> tuple[list[str], list[str]]:
    """What the command says of all fixtures, and flake8 of those that CPython itself can read."""
    fixtures = folder / "source" / "fixtures"
    listed = json.loads(
        environment.run("infonce-lint", "--no-cache", "--output-format", "json", ".", cwd=fixtures, codes=(1,))
    )
    ours = [
        f"{Path(each['filename']).name}:{each['location']}: {each['code']} {each['message']} {json.dumps(each['fix'])}"
        for each in listed
        if each["code"] != "NCE900"  # in CPython's own words
    ]
    theirs = environment.run("flake8", "--select", "NCE", "-j", "2", "rules", "silent", cwd=fixtures, codes=(1,))
    return ours, sorted(theirs.splitlines())


def main() -> int:
    """Run the steps; the exit code says whether one failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lowest", default=sys.executable, help="the Python for the lowest versions")
    parser.add_argument("--newest", default=sys.executable, help="the Python for the newest versions")
    parser.add_argument("--keep", type=Path, help="work in this new folder, and leave it there")
    options = parser.parse_args()
    if options.keep is not None:
        options.keep.mkdir(parents=True)
        return _check(options, options.keep.resolve())
    with tempfile.TemporaryDirectory() as folder:
        return _check(options, Path(folder).resolve())


def _check(options: argparse.Namespace, folder: Path) -> int:
    failures = 0

    def step(name: str, do: Callable[[], str]) -> None:
        nonlocal failures
        try:
            print(f"ok      {name}: {do()}", flush=True)
        except (Failed, OSError, ValueError) as error:
            failures += 1
            print(f"FAILED  {name}: {error}", flush=True)

    names = ("libcst", "flake8", "rich", "pathspec", "tomli")
    made: dict[str, Environment] = {}
    found: dict[str, tuple[list[str], list[str]]] = {}
    archives: list[Path] = []
    pins: list[str] = []

    def build() -> str:
        archives.extend(built(folder))
        return ", ".join(f"{each.name} ({each.stat().st_size // 1024} KiB)" for each in archives)

    def install(kind: str, python: str) -> str:
        environment = made[kind] = Environment(folder / kind, python)
        minor = int(environment.run("python", "-c", "import sys; print(sys.version_info.minor)"))
        if kind == "lowest":
            pins.extend(lowest_versions(minor))
        environment.install(archives[0], *(pins if kind == "lowest" else ()))
        environment.run("python", "-m", "pip", "check")
        said = environment.run("infonce-lint", "--version", cwd=folder).strip()
        if said != f"infonce-lint {infonce_lint.__version__}":
            raise Failed(f"--version says {said!r}")
        return environment.versions(*names)

    def lint(kind: str) -> str:
        ours, theirs = found[kind] = findings(made[kind], folder)
        if len(ours) < 100 or len(theirs) < 100:
            raise Failed(f"only {len(ours)} and {len(theirs)} findings")
        return f"{len(ours)} findings by the command, {len(theirs)} by flake8"

    def compare() -> str:
        for lowest, newest in zip(found["lowest"], found["newest"]):
            if lowest != newest:
                raise Failed("\n    ".join(sorted(set(lowest) ^ set(newest))[:6]))
        return "the same findings and fixes"

    def consume() -> str:
        program = folder / "consumer.py"
        shutil.copy2(Path(__file__).with_name("consumer.py"), program)
        made["newest"].install("mypy")
        made["newest"].run("python", "-m", "mypy", "--strict", program, cwd=folder)
        return "; ".join(made[kind].run("python", program, cwd=folder).strip() for kind in ("lowest", "newest"))

    def test() -> str:
        with tarfile.open(archives[1]) as archive:
            archive.extractall(folder / "sdist")
        (unpacked,) = (folder / "sdist").iterdir()
        made["lowest"].install(*TEST_PACKAGES, *pins)
        tests = made["lowest"].run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", *SDIST_TESTS, cwd=unpacked)
        return tests.strip().splitlines()[-1]

    step("build and twine check", build)
    if not archives:
        return 1
    for kind, python in (("lowest", options.lowest), ("newest", options.newest)):
        step(f"install with the {kind} versions", lambda kind=kind, python=python: install(kind, python))
        step(f"fixtures with the {kind} versions", lambda kind=kind: lint(kind))
    step("lowest against newest", compare)
    step("typed interface", consume)
    step("tests of the sdist", test)
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
