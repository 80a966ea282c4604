"""`earlywarn rules check | test | list`; `explain` stands in a file of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from earlywarn.cli import rules_explain, rules_impact
from earlywarn.cli.common import (
    JsonOption,
    LangOption,
    Output,
    WorkspaceOption,
    command,
    open_workspace,
    output,
)
from earlywarn.errors import Text
from earlywarn.words import counted

rules_app = typer.Typer(
    name="rules",
    help="Check, test, list and explain the rules. / 检查、测试、列出、说明规则。",
    no_args_is_help=True,
)

if TYPE_CHECKING:
    from earlywarn.rules.problems import Problem

FolderArgument = Annotated[
    Path | None, typer.Argument(help="A rules folder instead of the workspace's / 规则文件夹")
]


def _folder(workspace: Path, folder: Path | None) -> Path:
    return folder if folder is not None else open_workspace(workspace).rules


@rules_app.command("check")
@command
def check(
    folder: FolderArgument = None,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> int:
    """Check every rule pack: whether it can be used, and what is likely a mistake.

    Shape, names, types, translations, actions; conditions that can never or always hold, rules
    with the same meaning or none beside another, groups alone, texts that give a group away to
    schools, rules without tests. Prints every problem with file, line, rule and cure; exit code 1
    if there is any. What could not be decided is said, and is no problem.

    Example: earlywarn rules check -w county
    """
    from earlywarn.rules.check import check_rules

    out = output(lang, as_json, workspace)
    report = check_rules(_folder(workspace, folder))
    out.data(
        {
            "rules": len(report.rulebook.rules),
            "packs": sorted(report.rulebook.packs),
            "problems": [_as_data(problem) for problem in report.problems],
            "notes": [_as_data(note) for note in report.notes],
        }
    )
    for problem in report.problems:
        out.say(problem.text)
    for note in report.notes:
        out.say(Text(f"说明：{note.text.zh}", f"note: {note.text.en}"))
    rules, found = len(report.rulebook.rules), len(report.problems)
    out.say(
        Text(
            f"{rules} 条规则，{found} 个问题。",
            f"{counted(rules, 'rule')}, {counted(found, 'problem')}.",
        )
    )
    return 1 if report.problems else 0


def _as_data(problem: Problem) -> dict[str, Any]:
    return {
        "file": problem.file,
        "line": problem.line,
        "rule": problem.rule,
        "fault": problem.fault,
        "zh": problem.message.zh,
        "en": problem.message.en,
    }


@rules_app.command("test")
@command
def run_pack_tests(
    folder: FolderArgument = None,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> int:
    """Run the packs' own tests through the same compiled path as scoring, and print coverage.

    Exit code 1 if a test fails.

    Example: earlywarn rules test -w county
    """
    from earlywarn.rules.pack import load_rulebook
    from earlywarn.rules.testing import VERDICT_LABELS, run_tests

    out = output(lang, as_json, workspace)
    rulebook = load_rulebook(_folder(workspace, folder))
    report = run_tests(rulebook.rules, rulebook.groups)
    out.data(
        {
            "rules": len(report.rules),
            "tests": len(report.results),
            "failures": [
                {"rule": f.rule.id, "test": f.number, "expect": f.expect, "got": f.got}
                for f in report.failures
            ],
            "lacking": {rule: list(missing) for rule, missing in report.lacking.items()},
            "never_unknown": list(report.never_unknown),
        }
    )
    for failure in report.failures:
        expect, got = VERDICT_LABELS[failure.expect], VERDICT_LABELS[failure.got]
        place = f"{failure.rule.file} {failure.rule.id} #{failure.number}"
        out.say(
            Text(
                f"{place}：应为{expect.zh}，得到{got.zh}。",
                f"{place}: expected {expect.en}, got {got.en}.",
            )
        )
    for rule, missing in report.lacking.items():
        words = [VERDICT_LABELS[verdict] for verdict in missing]
        out.say(
            Text(
                f"规则 {rule} 没有{'、'.join(w.zh for w in words)}的测试。",
                f"rule {rule} has no test for: {', '.join(w.en for w in words)}.",
            )
        )
    tests, failed = len(report.results), len(report.failures)
    full = len(report.rules) - len(report.lacking)
    out.say(
        Text(
            f"{tests} 个测试，{failed} 个不通过；{len(report.rules)} 条规则中 {full} 条"
            "能出现的情形（命中、未命中、未知）都有测试。",
            f"{counted(tests, 'test')}, {failed} failed; {full} of "
            f"{counted(len(report.rules), 'rule')} have a test for each of hit, miss and unknown "
            "that they can come to.",
        )
    )
    return 1 if report.failures else 0


@rules_app.command("list")
@command
def list_rules(
    folder: FolderArgument = None,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> int:
    """List every rule with its condition, points, ladder, floor and action.

    Example: earlywarn rules list -w county --lang en
    """
    from earlywarn.rules.pack import load_rulebook

    out = output(lang, as_json, workspace)
    rulebook = load_rulebook(_folder(workspace, folder))
    out.data(
        [
            {
                "id": rule.id,
                "pack": rule.pack,
                "title": rule.title._asdict(),
                "when": rule.when,
                "when_hash": rule.when_hash,
                "points": rule.points,
                "ladder": rule.ladder,
                "floor": rule.floor,
                "action": rule.action,
                "family": rule.family,
                "names_group": rule.names_group,
                "effective": [rule.starts.isoformat(), rule.ends.isoformat()]
                if rule.effective
                else None,
                "reason": rule.reason._asdict(),
                "source": rule.source._asdict(),
            }
            for rule in rulebook.rules
        ]
    )
    if not out.as_json:
        _print_table(out, rulebook.rules)
    return 0


def _print_table(out: Output, rules: tuple[Any, ...]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from earlywarn.words import TIER_LABELS

    headings = (
        Text("规则", "rule"),
        Text("名称", "title"),
        Text("条件", "condition"),
        Text("分值", "points"),
        Text("档梯", "ladder"),
        Text("最低等级", "floor"),
        Text("措施", "action"),
    )
    table = Table(*(heading(out.lang) for heading in headings))
    for rule in sorted(rules, key=lambda rule: (rule.pack, rule.id)):
        table.add_row(
            rule.id,
            escape(rule.title(out.lang)),
            escape(rule.when),
            f"{rule.points:g}",
            rule.ladder or "",
            TIER_LABELS[rule.floor](out.lang) if rule.floor else "",
            rule.action or "",
        )
    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    console.print(table)


rules_explain.add(rules_app)
rules_impact.add(rules_app)


def register(app: typer.Typer) -> None:
    """Add `rules` to the command line."""
    app.add_typer(rules_app)
