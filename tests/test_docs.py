"""The documentation says what the code says, and shows what the commands print."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from urllib.parse import urlsplit

import pytest

from infonce_lint import fix_source, lint_source
from infonce_lint.finding import Applicability
from infonce_lint.rules.catalogue import Entry, catalogue
from tests.docs.console import BLOCK, DOCS, ROOT, differences, with_fresh_output
from tests.docs.parts import MEASURED, PART, rule_pages, section, with_fresh_parts
from tests.test_architecture import FLOORS, MODEL

PAGES = {file.relative_to(DOCS).as_posix(): file.read_text(encoding="utf-8") for file in sorted(DOCS.rglob("*.md"))}
READMES = {file.name: file.read_text(encoding="utf-8") for file in sorted(ROOT.glob("README*.md"))}
GUIDES = READMES | {file.name: file.read_text(encoding="utf-8") for file in ROOT.glob("CONTRIBUTING.md")}
WITH_CONSOLE = [name for name, page in PAGES.items() if BLOCK.search(page)]
TITLED = [
    pytest.param(title, code, id=f"{name}: {title}")
    for name, page in PAGES.items()
    for title, code in re.findall(
        r'^ *```\w+ title="([\w./]+\.(?:py|yml))"\n(.*?)^ *```$', page, re.DOTALL | re.MULTILINE
    )
    if not title.startswith(".github/")
]


def has_torch() -> bool:
    return importlib.util.find_spec("torch") is not None


@pytest.mark.parametrize("entry", catalogue(), ids=lambda entry: entry.code)
def test_rule_page_is_fresh(entry: Entry) -> None:
    file = DOCS / "rules" / f"{entry.code.lower()}.md"
    assert PAGES.get(file.relative_to(DOCS).as_posix()) == rule_pages()[file], "run: python -m tests.docs"


def test_no_rule_page_outlives_its_rule() -> None:
    assert {file.name for file in rule_pages()} == {file.name for file in (DOCS / "rules").glob("nce*.md")}


@pytest.mark.parametrize("entry", catalogue(), ids=lambda entry: entry.code)
def test_rule_example_is_real(entry: Entry) -> None:
    """The example is reported under its own code, and the fix writes the good example if it writes anything."""
    before, after = re.findall(r"```python\n(.*?)```", entry.doc, re.DOTALL)
    assert {finding.code for finding in lint_source(before)} == {entry.code}
    assert lint_source(after) == []
    fixed = fix_source(before, unsafe=True)
    assert fixed.data.decode() == (after if fixed.changed else before)
    assert fixed.changed == (entry.code != "NCE900")


@pytest.mark.parametrize("name", PAGES)
def test_generated_parts_are_fresh(name: str) -> None:
    assert with_fresh_parts(PAGES[name]) == PAGES[name], "run: python -m tests.docs"


def test_every_measured_table_is_shown_and_filled() -> None:
    parts = {part[2]: part[3] for page in PAGES.values() for part in PART.finditer(page)}
    for name in MEASURED:
        assert parts[name].count("\n|") >= 4, f"run: python -m tests.docs --measure ({name})"


@pytest.mark.slow
@pytest.mark.timeout(900)  # a page shows several commands
@pytest.mark.skipif(sys.platform != "linux" or not has_torch(), reason="the pages show commands of Linux with torch")
@pytest.mark.parametrize("name", WITH_CONSOLE)
def test_commands_print_what_the_page_shows(name: str) -> None:
    wrong = differences(PAGES[name], with_fresh_output(PAGES[name]))
    assert not wrong, "\n".join(["run: python -m tests.docs, and read the difference", *wrong])


def test_differences_are_told() -> None:
    page = "loss 1.204, error 1.0e-07\n  ~~~^^^\ndone\n"
    assert differences(page, "loss 1.208, error 3.0e-07\ndone\n") == []
    assert differences(page, "loss 1.304, error 1.0e-07\ndone\n") == [
        "page: loss 1.204, error 1.0e-07\nnow:  loss 1.304, error 1.0e-07"
    ]
    assert len(differences(page, "loss 1.204, error 5.0e-07\ndone\n")) == 1
    assert differences(page, "loss 1.204, error 1.0e-07\n") == ["page: done\nnow:  (no such line)"]


@pytest.mark.parametrize(("title", "code"), TITLED)
def test_a_titled_block_is_part_of_its_file(title: str, code: str) -> None:
    file = ROOT / title if "/" in title else DOCS / "examples" / title
    assert dedent(code) in dedent(file.read_text(encoding="utf-8")) or code in file.read_text(encoding="utf-8")


@pytest.mark.skipif(not has_torch(), reason="needs torch")
def test_the_reference_is_as_exact_as_the_table_says() -> None:
    from tests.reference.accuracy import rows, table

    (shown,) = (part[3] for part in PART.finditer(PAGES["mathematics.md"]) if part[2] == "accuracy")
    labels = [re.findall(r"\| (\w+) \| ([\d.]+) \|", text) for text in (shown, table())]
    assert labels[0] == labels[1], "run: python -m tests.docs --measure"
    for row in rows():
        assert row.value <= row.allowed
        assert row.value <= 2 * row.copied_value or row.copied_value <= row.allowed


@pytest.mark.skipif(not has_torch(), reason="needs torch")
def test_the_table_of_views_is_fresh() -> None:
    from tests.reference.mistakes import view_table

    (shown,) = (part[3] for part in PART.finditer(PAGES["mathematics.md"]) if part[2] == "views")
    assert differences(shown.strip(), view_table()) == [], "run: python -m tests.docs --measure"


def test_the_comparison_holds() -> None:
    """Of our own row exactly, of the fixtures' number roughly: the other tools are not installed here to count anew."""
    from tests.comparison.score import Score, defects, score
    from tests.comparison.tools import TOOLS

    (shown,) = (part[3] for part in PART.finditer(PAGES["comparison.md"]) if part[2] == "comparison")
    heading, _, ours, *others = shown.strip().splitlines()
    total = int(re.findall(r"of (\d+)", heading)[0])
    assert ours == f"| infonce-lint | {total} | 0 | 0 | 0 |"
    assert [line.split(" | ")[0] for line in others] == [f"| {tool.name}" for tool in TOOLS[1:]]
    assert score(TOOLS[0]) == Score(found=len(defects()), beside=0, repaired=0, silent=0, silent_files=0)
    assert total >= 0.8 * len(defects()), "run: python -m tests.docs --measure"


def test_the_house_is_as_the_page_says() -> None:
    """Every floor and every room of the model, in order, each with the folders or modules that really stand there."""
    tables = re.findall(r"(?:^\|.*\n)+", PAGES["architecture.md"].partition("\n## The way")[0], re.MULTILINE)
    floors, model = ([row.split(" | ") for row in table.splitlines()[2:]] for table in tables)
    shown = [re.findall(r"`(\w+)`", cells[1]) for cells in floors]
    assert [sorted(rooms) for rooms in shown] == [sorted(rooms) for rooms in FLOORS]
    assert [re.findall(r"`([\w/]+)`", cells[0])[0] for cells in model] == [*MODEL]
    package = ROOT / "infonce_lint"
    lost = [room for rooms in [*shown, MODEL] for room in rooms if not is_room(package / room)]
    assert not lost


def is_room(path: Path) -> bool:
    return path.is_dir() or path.with_suffix(".py").is_file()


def test_files_that_the_page_on_the_architecture_names_are_there() -> None:
    prose = re.sub(r"^ *```.*?^ *```$", "", PAGES["architecture.md"], flags=re.DOTALL | re.MULTILINE)
    files = {*re.findall(r"`([\w/]+\.py)`", prose)} - {"rules/configured_loop.py"}
    known = [
        file.as_posix() for folder in ("infonce_lint", "tests", "fixtures") for file in (ROOT / folder).rglob("*.py")
    ]
    assert len(files) > 15
    assert not [name for name in files if not any(each.endswith(f"/{name}") for each in known)]


@pytest.mark.parametrize("name", [*PAGES, *GUIDES])
def test_what_is_bold_begins_and_ends(name: str) -> None:
    prose = re.sub(r"^ *```.*?^ *```$|`[^`\n]+`", "", (PAGES | GUIDES)[name], flags=re.DOTALL | re.MULTILINE)
    assert not [paragraph for paragraph in re.split(r"\n(?:\n|[*|#] ?)", prose) if paragraph.count("**") % 2]


def test_the_relations_of_facts_are_those_of_the_page() -> None:
    from infonce_lint.semantic.shapes.facts import Relation

    rows = re.findall(r"^\| `([A-Z]+)` \|", PAGES["architecture.md"], re.MULTILINE)
    assert rows == [each.name for each in Relation]


def test_the_fix_on_the_page_is_real() -> None:
    loss, fix = re.findall(r"^```python\n(.*?)^```$", PAGES["architecture.md"], re.DOTALL | re.MULTILINE)
    (finding,) = lint_source(loss)
    assert finding.fix is not None and finding.fix.applicability is Applicability.SAFE
    assert fix in fix_source(loss).data.decode()
    (told,) = re.findall(r"`(\(the loss needs .*?\))`", PAGES["architecture.md"].partition("### Safe")[0])
    assert told in finding.fix.why


def test_a_part_of_no_name_is_an_error() -> None:
    with pytest.raises(ValueError, match="no part is called 'weather'"):
        with_fresh_parts("<!-- begin generated: weather -->\n<!-- end generated: weather -->")
    with pytest.raises(ValueError, match="no heading 'Weather'"):
        section("Weather")


@pytest.mark.parametrize("name", [*PAGES, *GUIDES])
def test_external_links_are_well_formed(name: str) -> None:
    prose = re.sub(r"^ *```.*?^ *```$|`[^`\n]+`", "", (PAGES | GUIDES)[name], flags=re.DOTALL | re.MULTILINE)
    for link in re.findall(r"\]\((\w+:[^)]*)\)|<(\w+:[^>]*)>|(?<![(<])(https?://[^\s)]+)", prose):
        parts = urlsplit(next(filter(None, link)))
        assert (parts.scheme, bool(re.fullmatch(r"[\w-]+(\.[\w-]+)+", parts.netloc))) == ("https", True), link


@pytest.mark.parametrize("name", GUIDES)
def test_links_of_the_guides_lead_somewhere(name: str) -> None:
    for link in re.findall(r"\]\(([^):#]+)[^)]*\)", GUIDES[name]):
        assert (ROOT / link).exists(), link


def test_the_fast_tests_are_one_command_everywhere() -> None:
    """It is told in three places, and what it names is there."""
    told = {name: re.findall(r"python -m pytest[^`|\n]*order_of_sets[^`|\n]*", text) for name, text in GUIDES.items()}
    (command,) = {each for found in told.values() for each in found}
    assert all(told.values())
    for path in re.findall(r"tests/[\w/.]+", command):
        assert (ROOT / path).exists(), path


def test_formulas_become_mathml_outside_of_code() -> None:
    pytest.importorskip("latex2mathml")
    path = DOCS / "hooks.py"
    spec = importlib.util.spec_from_file_location("docs_hooks", path)
    assert spec is not None and spec.loader is not None
    hooks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hooks)
    text = hooks.with_formulas("$B$ rows\n\n$$ x_i $$\n\n`$HOME` and `$B$`\n```sh\n$ ls $B\n```\n")
    assert text.count("<math") == 2
    assert "`$HOME` and `$B$`\n```sh\n$ ls $B\n```\n" in text


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    for package in ("mkdocs", "material", "latex2mathml"):
        pytest.importorskip(package)
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    home = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert not re.findall(r'(?:src|href)="https?://(?!squidfunk)[^"]*"', home), (
        "the home page loads something from elsewhere"
    )
    assert not (tmp_path / "site" / "hooks.py").exists()
