"""A child's story in lines, for a role.

Who may not see monitored groups sees no rules and no score; a researcher sees no names.
"""

from __future__ import annotations

from earlywarn.errors import Lang, Text
from earlywarn.followup.answers import CHOICES, FIELDS
from earlywarn.followup.ledger import Case, Entry
from earlywarn.followup.states import STATE_LABELS, State
from earlywarn.followup.story import Story
from earlywarn.roles import Role, pseudonym
from earlywarn.rules.pack import load_rulebook
from earlywarn.words import TIER_LABELS
from earlywarn.workspace import Workspace

_KINDS = {
    "absence": Text("无故缺课", "absence without leave"),
    "watchlist": Text("名单", "watchlist"),
    "settling_in": Text("返校跟踪", "settling in"),
    "unregistered": Text("无学籍儿童", "on no registry"),
}
_ASSIGNED = {"leader": Text("包保领导", "leader"), "teacher": Text("教师", "teacher")}
_BECAUSE = {
    "taken_over": Text("并入新个案", "taken over by another case"),
    "settled_in": Text("跟踪期满", "settled in"),
    "resolved": Text("已解决", "resolved"),
    "withdrawn": Text("已撤销", "withdrawn"),
}


def told(workspace: Workspace, found: Story, role: Role, lang: Lang) -> dict[str, list[str]]:
    """Return the story as headed lists of lines, oldest first."""
    titles = {rule.id: rule.title for rule in load_rulebook(workspace.rules).rules}
    who = found.student_id or (found.cases[0].person or "")
    if not role.sees_names:
        who = pseudonym(workspace, who)
    registry = []
    for one in found.snapshots:
        parts = [one.date.isoformat(), one.school_id, str(one.grade or ""), one.class_id or ""]
        if role.sees_names:
            parts += [one.name or "", one.homeroom_teacher or ""]
        else:
            parts[1], parts[3] = pseudonym(workspace, one.school_id), ""
        registry.append("  ".join(part for part in parts if part))
    scores = []
    for run in found.scorings:
        line = f"{run.as_of}  {TIER_LABELS[run.tier](lang)}  {run.rank}"
        if role.sees_groups:
            hit = [titles[rule](lang) if rule in titles else rule for rule in run.rules_hit]
            line += f"  {run.score * 100:.2g}%  {Text('、', ', ')(lang).join(hit)}"
        scores.append(line)
    story = {Text("学籍", "Registry")(lang): [who, *registry]}
    if role.sees_names:
        story[Text("监护人", "Guardians")(lang)] = [f"{on}  {name}" for on, name in found.guardians]
    story[Text("评分", "Scores")(lang)] = scores
    story = {title: lines for title, lines in story.items() if lines}
    for case in found.cases:
        lines = [_line(entry, role, lang) for entry in case.story]
        story[_title(case, lang)] = [line for line in lines if line]
    return story


def _title(case: Case, lang: Lang) -> str:
    state = STATE_LABELS[case.state](lang)
    title = Text(
        f"个案 {case.id}（{_KINDS[case.kind].zh}，{case.opened_on} 起）：{state}",
        f"Case {case.id} ({_KINDS[case.kind].en}, from {case.opened_on}): {state}",
    )(lang)
    if case.because is not None:
        title += f" · {_BECAUSE[case.because](lang)}"
    return title


def _line(entry: Entry, role: Role, lang: Lang) -> str:
    """Return an entry's day, what it says and who wrote it; nothing if the role may not read it."""
    what = _what(entry, role, lang)
    who = entry.who if role.sees_names else ""
    parts = (entry.happened_on.isoformat(), what, who)
    return "  ".join(part for part in parts if part) if what else ""


def _what(entry: Entry, role: Role, lang: Lang) -> str:
    value = entry.value or ""
    if entry.kind == "state":
        return STATE_LABELS[State(value)](lang)
    if entry.kind == "assign":
        name = value if role.sees_names else ""
        return f"{_ASSIGNED[entry.field or 'leader'](lang)} {name}".strip()
    if entry.kind == "closed":
        return _BECAUSE[value](lang) if value in _BECAUSE else value
    if entry.kind == "step":
        return Text(f"已办：{entry.field}", f"done: {entry.field}")(lang)
    if entry.field in FIELDS:
        choices = CHOICES.get(entry.field, {})
        if not role.sees_names and entry.field not in CHOICES:
            value = ""
        said = choices[value](lang) if value in choices else value
        return f"{FIELDS[entry.field](lang)} {said}".strip()
    return value if role.sees_names else ""
