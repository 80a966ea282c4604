"""`earlywarn rules impact`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from earlywarn.cli.common import (
    JsonOption,
    LangOption,
    Output,
    WorkspaceOption,
    command,
    open_workspace,
    output,
    parse_date,
)
from earlywarn.errors import Text

if TYPE_CHECKING:
    from earlywarn.impact.rows import Impact

# So many rules stand in the summary; the page has them all.
TOP_RULES = 5

_STAGES = {
    "features": Text("特征", "features"),
    "score": Text("现行规则", "present rules"),
    "new rules": Text("新规则", "new rules"),
    "compare": Text("比较", "comparing"),
    "write": Text("写出", "writing"),
}


@command
def impact(
    new_dir: Annotated[
        Path, typer.Argument(metavar="NEW_DIR", help="A whole rules folder, changed / 新规则文件夹")
    ],
    as_of: Annotated[
        str, typer.Option("--as-of", help="Default: the newest reported school day / 截止日期")
    ] = "",
    model: Annotated[
        str,
        typer.Option(
            "--model",
            help="NAME or NAME/VERSION, or none for the experts' points / 模型，none = 专家分值",
        ),
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Default: WORKSPACE/impact/AS_OF / 输出文件夹"),
    ] = None,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> int:
    """Show what other rules would change before they are switched on. / 试算新规则的影响。

    Per school, tier and monitored group: who would enter or leave each list, whose tier would
    change, and because of which rule; impact.html and impact.json. Nothing is switched on.

    Copy the workspace's rules folder, change the copy, and name it.

    Example: earlywarn rules impact new-rules --as-of 2026-06-26 -w county
    """
    from earlywarn.impact.trial import impact as find_impact
    from earlywarn.report.impact import check_target, impact_json, write_impact

    shown = output(lang, as_json, workspace)
    opened = open_workspace(workspace)
    day = parse_date(as_of, "--as-of") if as_of else None
    target = out.expanduser().resolve() if out else None
    if target:
        check_target(target)
    with shown.progress(Text("正在试算…", "Trying the rules ...")) as tell:

        def stage(name: str) -> None:
            tell(_STAGES[name](shown.lang))

        found = find_impact(opened, new_dir, day, model=model or None, stage=stage)
        stage("write")
        folder = target or opened.root / "impact" / found.as_of.isoformat()
        page, _ = write_impact(folder, found, shown.lang)
    shown.data(impact_json(found) | {"folder": str(folder)})
    if new_dir.expanduser().resolve() == opened.rules.resolve():
        shown.say(
            Text(
                "这就是工作区自己的规则文件夹，当然什么也不会变。请复制一份，在副本里修改。",
                "This is the workspace's own rules folder: nothing would change. Copy it and "
                "change the copy.",
            )
        )
    _summary(shown, found)
    shown.line(str(page))
    return 0


def _summary(shown: Output, found: Impact) -> None:
    """Print what would change in numbers, and the rules that move most children."""
    from earlywarn.report.impact_words import headline, model, term

    if found.generated:
        shown.say(Text("注意：这是生成的数据，不是真实学生。", "Generated data: no real children."))
    shown.say(
        Text(
            f"截止 {found.as_of}，{model(found, 'zh')}，在校 {found.students} 人。试算，尚未启用。",
            f"As of {found.as_of}, {model(found, 'en')}, {found.students} students. A trial: "
            "nothing is switched on.",
        )
    )
    shown.say(Text(headline(found, "zh"), headline(found, "en")))
    if found.same:
        return
    old, new = found.before, found.after
    shown.say(
        Text(
            f"各校每周可跟进 {found.capacity} 人；因名额未列入 {old.cut} → {new.cut} 人，"
            f"超出名额 {old.over} → {new.over} 人。",
            f"Schools can follow up {found.capacity} a week; left out for capacity "
            f"{old.cut} -> {new.cut}, beyond capacity {old.over} -> {new.over}.",
        )
    )
    effects = [(rule.id, rule.moves) for rule in found.rules if rule.moves.any][:TOP_RULES]
    effects += [(other.term, other.moves) for other in found.others if other.moves.any]
    for name, moves in effects:
        label = {"zh": term(name, found, "zh"), "en": term(name, found, "en")}
        extra = f" [{name}]" if name in found.titles else ""
        shown.say(
            Text(
                f"  {label['zh']}{extra}：进入 {moves.enter}，离开 {moves.leave}，"
                f"上升 {moves.up}，下降 {moves.down}",
                f"  {label['en']}{extra}: enter {moves.enter}, leave {moves.leave}, "
                f"up {moves.up}, down {moves.down}",
            )
        )
    idle = [rule.id for rule in found.rules if rule.changes_nobody]
    if idle:
        names = "、".join(idle[:TOP_RULES]), ", ".join(idle[:TOP_RULES])
        more = len(idle) > TOP_RULES
        shown.say(
            Text(
                f"有 {len(idle)} 条规则不同但不改变任何人：{names[0]}{'等' if more else ''}。",
                f"Rules that differ and change nobody: {len(idle)} "
                f"({names[1]}{', ...' if more else ''}).",
            )
        )


def add(app: typer.Typer) -> None:
    """Add `impact` to `earlywarn rules`."""
    app.command("impact")(impact)
