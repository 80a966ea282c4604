"""Why one student has the score it has: every term in words, adding up to the log-odds.

This is the full account, monitored groups included: for an authorised role, never for a school.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import duckdb
from rich.console import Group
from rich.table import Table
from rich.text import Text as RichText

from earlywarn.engine.duckdb import connect
from earlywarn.errors import EarlywarnError, Lang, Text
from earlywarn.features.build import build
from earlywarn.features.catalogue import FEATURES
from earlywarn.rules.pack import load_rulebook
from earlywarn.scoring.run import is_of_other_data, run_folders
from earlywarn.tables.batches import one_row_a_day
from earlywarn.watchlist import wording
from earlywarn.watchlist.reasons import Evidence, feature_reason, full_reasons, rule_reason
from earlywarn.watchlist.rows import Reason
from earlywarn.words import TIER_LABELS

if TYPE_CHECKING:
    import pyarrow as pa

    from earlywarn.rules.pack import Rule, RuleBook
    from earlywarn.workspace import Workspace

START = Text(
    "起点（各项平平、没有命中规则的孩子）", "starting point (an average child, no rule hit)"
)
_TIER_STYLES = {
    "urgent": "bold white on red",
    "high": "bold black on yellow",
    "watch": "bold yellow",
    "routine": "dim",
}


@dataclass(frozen=True)
class Term:
    """One contribution: its size in log-odds, and the sum with all terms before it."""

    term: str
    text: Text
    value: float
    running: float


@dataclass(frozen=True)
class UnknownRule:
    """A rule that could not be decided, and the names in it that have no value."""

    rule: str
    title: Text
    missing: tuple[str, ...]

    def why(self, lang: Lang) -> str:
        """Say what is missing; with nothing missing its arithmetic has no result."""
        if not self.missing:
            return "算不出结果（如除以 0）" if lang == "zh" else "no result (such as x / 0)"
        names = [
            f"{FEATURES[name].label(lang)} ({name})" if name in FEATURES else name
            for name in self.missing
        ]
        return ("缺少 " + "、".join(names)) if lang == "zh" else ("missing " + ", ".join(names))


@dataclass(frozen=True)
class Explanation:
    """The whole account of one student's score.

    `terms` are the contributions that are not zero, in the order in which they add up, so that the
    last one's `running` is the log-odds (within 1e-9).
    """

    student_id: str
    name: str
    school: str
    class_id: str
    as_of: date
    score: float
    log_odds: float
    tier: str
    rank: int
    listed: bool
    model: str
    terms: tuple[Term, ...]
    reasons: tuple[Reason, ...]
    unknown: tuple[UnknownRule, ...]
    rules_changed: bool
    data_changed: bool
    generated: bool

    def as_dict(self, lang: Lang) -> dict[str, Any]:
        """Return the explanation for `--json`."""
        return {
            "student_id": self.student_id,
            "name": self.name,
            "school": self.school,
            "class_id": self.class_id,
            "as_of": self.as_of.isoformat(),
            "score": self.score,
            "log_odds": self.log_odds,
            "tier": self.tier,
            "rank": self.rank,
            "listed": self.listed,
            "model": self.model,
            "generated": self.generated,
            "rules_changed_since": self.rules_changed,
            "data_changed_since": self.data_changed,
            "contributions": [
                {
                    "term": term.term,
                    "text": term.text(lang),
                    "value": term.value,
                    "running_sum": term.running,
                }
                for term in self.terms
            ],
            "reasons": [reason(lang) for reason in self.reasons],
            "rules_unknown": [
                {
                    "rule": rule.rule,
                    "title": rule.title(lang),
                    "missing": list(rule.missing),
                    "why": rule.why(lang),
                }
                for rule in self.unknown
            ],
            "note": wording.CONVERSATION(lang),
        }

    def render(self, lang: Lang) -> Group:
        """Return the explanation for a terminal (print it with a rich Console)."""
        zh = lang == "zh"
        parts: list[Any] = []
        if self.generated:
            parts.append(RichText(f"[{wording.GENERATED.zh} / {wording.GENERATED.en}]", "bold"))
        who = " · ".join(
            part for part in (self.name, self.student_id, self.school, self.class_id) if part
        )
        parts.append(RichText(who, "bold"))
        parts.append(self._headline(lang))
        for place, reason in enumerate(self.reasons, start=1):
            parts.append(RichText(f"  {place}. {reason(lang)}"))
        parts += [RichText(""), self._table(lang)]
        if self.unknown:
            title = (
                "无法判断的规则（不加分，也不算没有命中）"
                if zh
                else ("Rules that could not be decided (they add nothing and are no miss)")
            )
            parts += [RichText(""), RichText(title, "bold")]
            parts += [
                RichText(f"  {rule.title(lang)} ({rule.rule}): {rule.why(lang)}")
                for rule in self.unknown
            ]
        if self.rules_changed:
            parts.append(
                RichText(
                    "注意：评分之后规则有改动，请重新运行 earlywarn score。"
                    if zh
                    else "Note: the rules were changed after this scoring; run `earlywarn score`.",
                    "yellow",
                )
            )
        if self.data_changed:
            parts.append(
                RichText(
                    "注意：评分之后又导入或更正过数据；原因里的数值按现有数据计算，分数还是当时的。"
                    if zh
                    else "Note: data were loaded or corrected after this scoring; the values in "
                    "the reasons are as the data stand now, the score as it was then.",
                    "yellow",
                )
            )
        parts += [RichText(""), RichText(wording.CONVERSATION(lang), "italic")]
        return Group(*parts)

    def _headline(self, lang: Lang) -> RichText:
        zh = lang == "zh"
        line = RichText()
        line.append(f" {TIER_LABELS[self.tier](lang)} ", _TIER_STYLES.get(self.tier, ""))
        score = f"{self.score * 100:.3g}%"
        on_list = (
            ("在名单上" if self.listed else "不在名单上")
            if zh
            else ("on the list" if self.listed else "not on the list")
        )
        line.append(
            f"  {self.as_of} 评分 {score}，本校第 {self.rank}，{on_list}（模型 {self.model}）"
            if zh
            else f"  {self.as_of}: score {score}, no. {self.rank} of the school, {on_list} "
            f"(model {self.model})"
        )
        return line

    def _table(self, lang: Lang) -> Table:
        zh = lang == "zh"
        table = Table(show_edge=False, pad_edge=False)
        table.add_column("组成" if zh else "Term", overflow="fold")
        table.add_column("对数几率" if zh else "log-odds", justify="right", no_wrap=True)
        table.add_column("累计" if zh else "running sum", justify="right", no_wrap=True)
        for term in self.terms:
            table.add_row(RichText(term.text(lang)), f"{term.value:+.4f}", f"{term.running:+.4f}")
        table.add_section()
        table.add_row(
            RichText("对数几率 → 分数" if zh else "log-odds → score", "bold"),
            f"{self.log_odds:+.4f}",
            f"{self.score * 100:.3g}%",
        )
        return table


def explain_student(workspace: Workspace, student_id: str, as_of: date) -> Explanation:
    """Explain one student's score in the newest run of `as_of`; features are built anew.

    Raises
    ------
    EarlywarnError
        If there is no run of that day, or the student is not in its cohort.
    """
    folders = run_folders(workspace, as_of)
    if not folders:
        raise EarlywarnError(
            zh=f"{as_of} 还没有评分。请先运行 earlywarn score --as-of {as_of}。",
            en=f"There is no scoring of {as_of} yet. Run `earlywarn score --as-of {as_of}` first.",
        )
    rulebook = load_rulebook(workspace.rules)
    con = connect(workspace)
    try:
        con.register("scores", folders[-1].scores())
        # Before the features are built: a mistyped number is told at once.
        _scored_row(con, student_id, as_of)
        build(
            con,
            workspace.config,
            rulebook.groups,
            as_of,
            one_row_a_day=one_row_a_day(workspace),
        )
        info = folders[-1].info()
        return explanation(
            con,
            rulebook,
            student_id,
            as_of,
            calm=info.get("calm", {}),
            data_changed=is_of_other_data(info, workspace),
            generated=workspace.config.generated,
        )
    finally:
        con.close()


def explanation(
    con: duckdb.DuckDBPyConnection,
    rulebook: RuleBook,
    student_id: str,
    as_of: date,
    *,
    calm: Mapping[str, float],
    data_changed: bool = False,
    generated: bool = False,
) -> Explanation:
    """Return the account of one student's score.

    `con` has `scores`, `facts`, `basis`, `cohort` and `schools`; `calm` is what each sign adds
    where nothing is wrong (`scorecard.calm_terms`); `data_changed`: `facts` and `basis` are of
    other data than the scores.

    Raises
    ------
    EarlywarnError
        If the student is not in `scores`.
    """
    scored = _scored_row(con, student_id, as_of)
    evidence = Evidence(
        as_of=as_of,
        contributions=[(item["term"], item["value"]) for item in scored["contributions"]],
        hits=scored["rules_hit"] or [],
        facts=_row(con, "facts", student_id),
        basis=_row(con, "basis", student_id),
        calm=calm,
    )
    record = _row(con, "cohort", student_id)
    rules = {rule.id: rule for rule in rulebook.in_force(as_of)}
    names = con.execute(
        "SELECT name FROM schools WHERE school_id = ?", [scored["school_id"]]
    ).fetchall()
    return Explanation(
        student_id=student_id,
        name=record.get("name") or "",
        school=names[0][0] if names else scored["school_id"],
        class_id=record.get("class_id") or "",
        as_of=as_of,
        score=scored["score"],
        log_odds=scored["log_odds"],
        tier=scored["tier"],
        rank=scored["rank"],
        listed=scored["listed"],
        model=scored["model"],
        terms=_terms(evidence, rules),
        reasons=full_reasons(evidence, rules),
        unknown=_unknown(scored["rules_unknown"] or [], rules, evidence.facts),
        rules_changed=scored["rules_hash"] != rulebook.hash,
        data_changed=data_changed,
        generated=generated,
    )


def _scored_row(con: duckdb.DuckDBPyConnection, student_id: str, as_of: date) -> dict[str, Any]:
    row = _row(con, "scores", student_id)
    if not row:
        raise EarlywarnError(
            zh=f"{as_of} 的评分里没有学生 {student_id}：请核对学籍号，或者该生当天不在校。",
            en=f"The scoring of {as_of} has no student {student_id}: check the number; the "
            "student may not have been enrolled that day.",
        )
    return row


def _row(con: duckdb.DuckDBPyConnection, table: str, student_id: str) -> dict[str, Any]:
    query = f"SELECT * FROM {table} WHERE student_id = ?"
    found: pa.Table = con.sql(query, params=[student_id]).to_arrow_table()
    rows = found.to_pylist()
    return dict(rows[0]) if rows else {}


def _terms(evidence: Evidence, rules: Mapping[str, Rule]) -> tuple[Term, ...]:
    """Add up left to right, as the score does, and keep the terms that are not zero."""
    terms = []
    running = 0.0
    for name, value in evidence.contributions:
        running += value
        if value == 0 and name != "b0":
            continue
        terms.append(Term(name, _term_text(evidence, name, value, rules), value, running))
    return tuple(terms)


def _term_text(evidence: Evidence, name: str, value: float, rules: Mapping[str, Rule]) -> Text:
    if name == "b0":
        return START
    reason: Reason | None = None
    prefix = Text("", "")
    if name in FEATURES:
        reason = feature_reason(evidence, name, value)
    elif name.startswith("rule:") and name.removeprefix("rule:") in rules:
        rule = rules[name.removeprefix("rule:")]
        reason = rule_reason(evidence, rule, value)
        prefix = Text(f"规则“{wording.typeset(rule.title.zh)}”：", f"Rule “{rule.title.en}”: ")
    if reason is None:
        return Text(f"{name}（已不在规则中）", f"{name} (no longer among the rules)")
    return Text(prefix.zh + reason("zh"), prefix.en + reason("en"))


def _unknown(
    ids: list[str], rules: Mapping[str, Rule], facts: Mapping[str, Any]
) -> tuple[UnknownRule, ...]:
    found = []
    for rule_id in ids:
        rule = rules.get(rule_id)
        if rule is not None:
            missing = tuple(name for name in rule.condition.names if _missing(facts.get(name)))
            found.append(UnknownRule(rule_id, wording.chinese(rule.title), missing))
    return tuple(found)


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
