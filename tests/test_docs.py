"""What the documents say is what the program does."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from earlywarn.cli import reference as commands_reference
from earlywarn.cli.main import make_app
from earlywarn.features import reference as features_reference
from earlywarn.rules.check import check_rules
from earlywarn.rules.testing import run_tests

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
READMES = (ROOT / "README.md", ROOT / "README.zh-CN.md")
PAGES = (*READMES, ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md")))
COMMANDS = dict(commands_reference.commands())
LEAVES = {
    name: c
    for name, c in COMMANDS.items()
    if not commands_reference.is_group(c) or c.invoke_without_command
}


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks(page: Path) -> str:
    """Return what stands in the fenced code blocks of a page."""
    return "\n".join(re.findall(r"^```[a-z]*\n(.*?)^```", read(page), re.DOTALL | re.MULTILINE))


def in_blocks(page: Path) -> list[str]:
    """Return the `earlywarn ...` lines of a page's code blocks, without comments."""
    found = re.findall(r"(?:^|\\)(earlywarn .*?)(?: +#.*)?$", blocks(page), re.MULTILINE)
    return [" ".join(line.split()) for line in found]


def shown(page: Path) -> list[str]:
    """Return every `earlywarn command ...` of a page, in blocks and in running text."""
    return in_blocks(page) + re.findall(r"`(earlywarn [a-z][^`]*)`", read(page))


def find(line: str) -> tuple[str, Any]:
    """Return the command that a line calls (its longest name that exists)."""
    words = line.split()
    for length in range(len(words), 1, -1):
        name = " ".join(words[:length])
        if name in LEAVES:
            return name, LEAVES[name]
    raise AssertionError(f"no such command: {line}")


def test_the_commands_page_is_what_the_program_says() -> None:
    assert read(DOCS / "commands.md") == commands_reference.reference(), "run: make docs"


def test_the_features_page_is_what_the_catalogue_says() -> None:
    assert read(DOCS / "features.md") == features_reference.reference(), "run: make docs"


@pytest.mark.parametrize("columns", ["20", "300"])
def test_the_commands_page_does_not_depend_on_the_terminal(columns: str, tmp_path: Path) -> None:
    look = {"COLUMNS": columns, "FORCE_COLOR": "1", "TERM": "xterm-256color", "LANG": "C"}
    made = subprocess.run(
        [sys.executable, "-m", "earlywarn.cli.reference"],
        capture_output=True,
        check=True,
        cwd=tmp_path,
        env=os.environ | look,
    )
    assert made.stdout == (DOCS / "commands.md").read_bytes()


@pytest.mark.parametrize("name", LEAVES)
def test_every_command_shows_an_example_of_itself(name: str) -> None:
    examples = commands_reference.examples(LEAVES[name])
    assert examples
    for example in examples:
        assert find(example)[0] == name
    asked = CliRunner().invoke(make_app(), [*name.split()[1:], "--help"], env={"COLUMNS": "400"})
    assert asked.exit_code == 0
    assert "Example" in asked.output


def test_both_readmes_name_the_same_commands_in_the_same_order() -> None:
    english, chinese = (in_blocks(page) for page in READMES)
    assert len(english) > 10
    assert english == chinese


def test_both_halves_of_the_follow_up_page_name_the_same_commands() -> None:
    named = in_blocks(DOCS / "followup.md")
    half = len(named) // 2
    assert half > 10
    assert named[:half] == named[half:]


def test_both_readmes_show_the_same_pictures_and_links() -> None:
    english, chinese = (
        {link for link in re.findall(r"\]\(([^)]+)\)", read(page)) if "README" not in link}
        for page in READMES
    )
    assert english == chinese


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_and_option_that_a_page_shows_exists(page: Path) -> None:
    for line in shown(page):
        if line in COMMANDS:
            continue
        name, command = find(line)
        known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
        used = re.findall(r"(?<!\S)--?[a-z][a-z-]*", line)
        assert set(used) <= known, f"{page.name}: {name} has no such option: {line}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", read(page), flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = page.parent / path if path else page
        assert there.exists(), f"{page.name}: {target}"
        if anchor:
            headings = re.findall(r"^#+ (.*)$", read(there), re.MULTILINE)
            anchors = {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}
            assert anchor in anchors, f"{page.name}: {target}"


def test_the_recipes_are_rules_that_pass(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    shutil.copytree(ROOT / "rules", rules)
    (pack,) = re.findall(r"^```yaml\n(.*?)^```", read(DOCS / "rules.md"), re.DOTALL | re.MULTILINE)
    (rules / "recipes.yaml").write_text(pack, encoding="utf-8")
    report = check_rules(rules)
    assert [problem.text.en for problem in report.problems] == []
    recipes = [rule for rule in report.rulebook.rules if rule.pack == "recipes"]
    assert len({rule.ladder or rule.id for rule in recipes}) == 6
    tested = run_tests(recipes)
    assert [(f.rule.id, f.number) for f in tested.failures] == []
    assert not tested.lacking


def test_chinese_prose_has_chinese_punctuation() -> None:
    texts = [read(READMES[1]), read(DOCS / "followup.md")]
    texts += [t for f in features_reference.CATALOGUE for t in (f.label.zh, f.definition.zh)]
    for text in texts:
        prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
        assert re.findall(r"[\u4e00-\u9fff][,:;?!]|[,:;?!][\u4e00-\u9fff]", prose) == []


# A folder of somebody's machine: nobody else has it.
MACHINE = re.compile(r"(?<![\w.~/:}])/(?:home|root|work|tmp|mnt|Users)/")
# Words of how the text came about, which tell a reader nothing.
WORKPLACE = re.compile(r"\b(?:sandbox|helpers?|(?:this|my|last) session)\b", re.IGNORECASE)
TEXTS = (
    *PAGES,
    *(
        path
        for folder in ("src", "rules", "tests", "docs", "benchmarks", "notebooks", "models")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in (".py", ".yaml", ".sql", ".json", ".ipynb", ".j2", ".txt")
    ),
    ROOT / "Makefile",
    ROOT / "pyproject.toml",
)


def test_no_text_names_a_folder_of_one_machine() -> None:
    texts = [path for path in TEXTS if path != Path(__file__)]
    found = [
        (str(path.relative_to(ROOT)), m[0]) for path in texts for m in MACHINE.finditer(read(path))
    ]
    assert found == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_speaks_of_how_it_was_made(page: Path) -> None:
    assert WORKPLACE.findall(read(page)) == []
