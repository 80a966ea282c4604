"""A condition in words: every kind of statement, never ambiguous, the condition's own verdict.

The last property reads the English words back with a small parser of its own and works out their
verdict: it must be the condition's, for every value and for what is unknown.
"""

from __future__ import annotations

import re
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conditions_oracle import show, verdict
from conditions_random import KINDS as ANY_KINDS
from conditions_random import conditions as any_conditions
from earlywarn.conditions import ConditionError, Kind, compile_condition
from earlywarn.features.catalogue import FEATURES, REGISTRY_FIELDS, condition_kinds
from earlywarn.features.groups import Groups, load_groups
from earlywarn.rules.labels import name_label
from earlywarn.rules.pack import load_rulebook
from earlywarn.rules.wording import Phrase, in_words
from earlywarn.tables.contract import STUDENTS
from earlywarn.words import CODE_LABELS
from earlywarn.workspace import shipped

GROUPS = load_groups(shipped("rules"))


def words(text: str, groups: Groups = GROUPS) -> Phrase:
    return in_words(compile_condition(text, condition_kinds()).root, groups)


@pytest.mark.parametrize(
    ("when", "zh", "en"),
    [
        (
            "left_behind and absence_rate_20d >= 0.05",
            "留守儿童，并且近20个上学日缺勤率不低于 5.0%",
            "left-behind child, and absence rate of the last 20 school days at least 5.0%",
        ),
        (
            "(orphan or unattended) and unexcused_days_20d >= 1",
            "（孤儿，或者事实无人抚养儿童），并且近20个上学日旷课天数不少于 1 天",
            "(orphan, or child in fact without carers), and days without leave in the last 20 "
            "school days at least 1",
        ),
        (
            "unexcused_run = 0",
            "连续旷课天数等于 0 天",
            "school days running without leave equal to 0",
        ),
        ("distance_km < 4.5", "上学距离小于 4.5 公里", "distance to school below 4.5 km"),
        (
            "exam_z <= -1.25",
            "最近一次考试标准分不高于 -1.25",
            "standard score in the last exam at most -1.25",
        ),
        # exact, where a list would round to 12%
        (
            "absence_rate_60d > 0.125",
            "近60个上学日缺勤率高于 12.5%",
            "absence rate of the last 60 school days above 12.5%",
        ),
        (
            "0.1 <= absence_rate_ytd",
            "本学年缺勤率不低于 10%",
            "absence rate of this school year at least 10%",
        ),
        (
            "longest_unexcused_run_60d = 1",
            "近60个上学日最长连续旷课等于 1 天",
            "longest run without leave in the last 60 school days equal to 1 day",
        ),
        ("stage = 'junior'", "学段为“初中”", "stage is “junior”"),
        ("stage <> 'vocational'", "学段不为“vocational”", "stage is not “vocational”"),
        (
            "travel in ('walk', 'bicycle')",
            "上学方式为“步行”或“骑自行车”",
            "way to school is “on foot” or “by bicycle”",
        ),
        (
            "placement not in ('regular', 'special_school')",
            "就学安置不是“普通学校”、“特殊教育学校”中的任何一个",
            "placement is none of (“regular school”; “special school”)",
        ),
        ("placement in ('regular')", "就学安置为“普通学校”", "placement is “regular school”"),
        (
            "distance_km between 3 and 5",
            "上学距离在 3 公里至 5 公里之间（含两端）",
            "distance to school from 3 km to 5 km (both included)",
        ),
        (
            "not distance_km between 3 and 5",
            "上学距离不在 3 公里至 5 公里之间（含两端）",
            "distance to school outside 3 km to 5 km",
        ),
        ("distance_km is null", "上学距离未知", "distance to school unknown"),
        ("distance_km is not null", "上学距离已知", "distance to school known"),
        (
            "aid_gap is null",
            "“困难家庭未获资助”无法判断",
            "“poor family without aid” cannot be decided",
        ),
        (
            "(grade >= 8) is not null",
            "（年级不低于 8）能判断",
            "(grade at least 8) can be decided",
        ),
        ("not boarding", "不住校", "does not board at school"),
        ("boarding = false", "不住校", "does not board at school"),
        ("not left_behind", "不属于“留守儿童”", "not in the group “left-behind child”"),
        ("not aid_gap", "并非“困难家庭未获资助”", "not “poor family without aid”"),
        ("not (not boarding)", "住校", "boards at school"),
        (
            "not unexcused_run < 3",
            "连续旷课天数不少于 3 天",
            "school days running without leave at least 3",
        ),
        (
            "not (boarding or needs_bus)",
            "不住校，并且不需要校车",
            "does not board at school, and does not need a school bus",
        ),
        (
            "coalesce(missed_subjects, 0) >= 2",
            "缺考科目数（未知时按 0 科算）不少于 2 科",
            "subjects missed in the last exam (where unknown: 0) at least 2",
        ),
        (
            "coalesce(left_behind, false)",
            "留守儿童（无法判断时算不成立）",
            "left-behind child (counted as no where unknown)",
        ),
        (
            "not coalesce(left_behind, false)",
            "不属于“留守儿童”（无法判断时算成立）",
            "not in the group “left-behind child” (counted as yes where unknown)",
        ),
        (
            "coalesce(left_behind, migrant, boarding)",
            "留守儿童（无法判断时看进城务工人员随迁子女；再看住校）",
            "left-behind child (where unknown: child of migrant workers; then boards at school)",
        ),
        (
            "absence_rate_20d - absence_rate_60d >= 0.1",
            "近20个上学日缺勤率 \u2212 近60个上学日缺勤率不低于 10%",
            "absence rate of the last 20 school days \u2212 absence rate of the last 60 school "
            "days at least 10%",
        ),
        (
            "(absence_rate_20d + late_rate_20d) * 2 > 1",
            "（近20个上学日缺勤率 + 近20个上学日迟到早退率） × 2 大于 1",
            "(absence rate of the last 20 school days + late or left early in the last 20 school "
            "days) × 2 above 1",
        ),
        (
            "abs(exam_z_change) > 1",
            "（标准分变化）的绝对值高于 1",
            "the absolute value of (change of the standard score) above 1",
        ),
        (
            "least(absent_run, unexcused_run) >= 2",
            "（连续缺勤天数；连续旷课天数）中的最小值不少于 2 天",
            "the smallest of (school days absent in a row; school days running without leave) "
            "at least 2",
        ),
        (
            "greatest(absent_run, grade) >= 2",
            "（连续缺勤天数；年级）中的最大值不小于 2",
            "the largest of (school days absent in a row; grade) at least 2",
        ),
        (
            "-exam_z > 1",
            "负（最近一次考试标准分）高于 1",
            "minus (standard score in the last exam) above 1",
        ),
        (
            "boarding = needs_bus",
            "“住校”与“需要校车”真假相同",
            "“boards at school” and “needs a school bus” both hold or both fail",
        ),
        (
            "boarding <> needs_bus",
            "“住校”与“需要校车”真假不同",
            "exactly one of “boards at school” and “needs a school bus” holds",
        ),
        ("boarding and true", "住校，并且总是成立", "boards at school, and always so"),
        ("sex < 'M'", "性别按字序先于“男”", "sex before, in sort order, “male”"),
    ],
)
def test_words(when: str, zh: str, en: str) -> None:
    assert (words(when)("zh"), words(when)("en")) == (zh, en)


def test_dates_are_before_and_after() -> None:
    kinds = {"d": Kind.DATE}
    for when, zh, en in (
        ("d >= date '2026-09-01'", "d不早于 2026-09-01", "d not before 2026-09-01"),
        ("d < date '2026-09-01'", "d早于 2026-09-01", "d before 2026-09-01"),
        ("d = date '2026-09-01'", "d是 2026-09-01", "d on 2026-09-01"),
    ):
        phrase = in_words(compile_condition(when, kinds).root, GROUPS)
        assert (phrase("zh").replace(" ", ""), phrase("en")) == (zh.replace(" ", ""), en)


def test_printed_one_line_a_part() -> None:
    phrase = words("unexcused_run >= 3 and (boarding or (migrant and not left_behind))")
    assert phrase.lines("en") == [
        "all of:",
        "  - school days running without leave at least 3",
        "  - any of:",
        "      - boards at school",
        "      - all of:",
        "          - child of migrant workers",
        "          - not in the group “left-behind child”",
    ]
    assert phrase.lines("zh")[:3] == [
        "以下各项都成立：",
        "  - 连续旷课天数不少于 3 天",
        "  - 以下任一成立：",
    ]
    assert phrase("zh") == (
        "连续旷课天数不少于 3 天，并且（住校，或者（进城务工人员随迁子女，并且不属于“留守儿童”））"
    )
    assert words("boarding").lines("zh") == ["住校"]


def test_a_county_calls_its_groups_what_it_likes(tmp_path) -> None:
    text = (shipped("rules") / "groups.yaml").read_text("utf-8")
    (tmp_path / "groups.yaml").write_text(
        text.replace("left-behind child", "child at home"), "utf-8"
    )
    phrase = words("left_behind and boarding", load_groups(tmp_path))
    assert phrase("en") == "child at home, and boards at school"


def test_every_name_and_code_has_words() -> None:
    for name in condition_kinds():
        label = name_label(name, GROUPS)
        assert label.zh
        assert label.en
        assert name in FEATURES or name != label.zh
    for column in STUDENTS.columns:
        if column.choices and column.name in REGISTRY_FIELDS:
            assert set(CODE_LABELS[column.name]) == set(column.choices)


def test_the_shipped_rules_read_as_sentences() -> None:
    rulebook = load_rulebook(shipped("rules"))
    for rule in rulebook.rules:
        phrase = in_words(rule.condition.root, rulebook.groups)
        for name in rule.condition.names:
            assert "_" not in phrase("en"), (rule.id, name)
        assert not re.search(r"[A-Za-z_]{3}", phrase("zh")), rule.id
        assert not re.search(r"[\u4e00-\u9fff][,:;?!()]|[,:;?!()][\u4e00-\u9fff]", phrase("zh"))


RENAMED = {
    "a": "absence_rate_20d",
    "b": "distance_km",
    "n": "unexcused_run",
    "t": "travel",
    "u": "placement",
    "p": "left_behind",
    "q": "boarding",
}


def rename(tree):
    if isinstance(tree, list):
        return [rename(part) for part in tree]
    if not isinstance(tree, tuple):
        return tree
    if tree[0] == "name":
        return ("name", RENAMED.get(tree[1], tree[1]))
    return tuple(rename(part) for part in tree)


@settings(max_examples=200, deadline=None)
@given(any_conditions, st.booleans())
def test_any_condition_has_words_in_both_languages(tree, known: bool) -> None:
    kinds = {(RENAMED.get(n, n) if known else n): kind for n, kind in ANY_KINDS.items()}
    try:
        condition = compile_condition(show(rename(tree) if known else tree), kinds)
    except ConditionError:
        return
    phrase = in_words(condition.root, GROUPS)
    for lang in ("zh", "en"):
        assert phrase(lang).strip()
        lines = phrase.lines(lang)
        assert all(line.strip(" -") for line in lines)
        # one line for each statement and each head
        assert len(lines) == count(phrase)


def count(phrase: Phrase) -> int:
    return 1 + sum(count(part) for part in phrase.parts)


# --- the words mean what the condition means ---

NUMBER = st.sampled_from([-1.0, 0.0, 1.0, 2.0, 2.5])
LEAVES = st.one_of(
    st.sampled_from("pq").map(lambda n: ("name", n)),
    st.tuples(
        st.sampled_from(["=", "<>", "<", "<=", ">", ">="]),
        st.just(("name", "a")),
        NUMBER.map(lambda x: ("num", x)),
    ),
    st.tuples(
        st.sampled_from(["<", "<=", ">", ">=", "="]),
        NUMBER.map(lambda x: ("num", x)),
        st.just(("name", "a")),
    ),
    st.tuples(
        st.just("between"),
        st.just(("name", "a")),
        st.just(("num", 0.0)),
        NUMBER.map(lambda x: ("num", x)),
    ),
    st.tuples(
        st.sampled_from(["in", "notin"]),
        st.just(("name", "a")),
        st.lists(NUMBER.map(lambda x: ("num", x)), min_size=1, max_size=3),
    ),
    st.tuples(st.sampled_from(["isnull", "notnull"]), st.just(("name", "a"))),
    st.sampled_from([True, False]).map(lambda b: ("bool", b)),
)
PLAIN = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["and", "or"]), inner, inner),
        st.tuples(st.just("not"), inner),
        st.tuples(
            st.sampled_from(["=", "<>"]),
            inner,
            st.sampled_from([True, False]).map(lambda b: ("bool", b)),
        ),
    ),
    max_leaves=6,
)
N = r"(-?[\d.]+)"
OPS = {
    "at least": ">=",
    "at most": "<=",
    "above": ">",
    "below": "<",
    "equal to": "=",
    "not equal to": "<>",
}


class Reader:
    """Reads English words back and gives their verdict over values (None = unknown)."""

    def __init__(self, text: str, row: dict) -> None:
        self.text, self.at, self.row = text, 0, row

    def take(self, pattern: str):
        found = re.compile(pattern).match(self.text, self.at)
        if found:
            self.at = found.end()
        return found

    def whole(self):
        truth = self.joined()
        assert self.at == len(self.text), self.text[self.at :]
        return truth

    def joined(self):
        truths, joints = [self.item()], set()
        while found := self.take(", (and|or) "):
            joints.add(found[1])
            truths.append(self.item())
        assert len(joints) <= 1, self.text  # never both without brackets
        if "or" in joints:
            return True if True in truths else None if None in truths else False
        return False if False in truths else None if None in truths else True

    def item(self):
        if self.take(r"\("):
            truth = self.joined()
            assert self.take(r"\)")
            return truth
        a = self.row["a"]
        if self.take("always so"):
            return True
        if self.take("never so"):
            return False
        if found := self.take("a (known|unknown)"):
            return (a is None) == (found[1] == "unknown")
        if found := self.take(f"a (from|outside) {N} to {N}( \\(both included\\))?"):
            low, high = float(found[2]), float(found[3])
            truth = self.both(self.test(">=", a, low), self.test("<=", a, high))
            return truth if found[1] == "from" or truth is None else not truth
        if found := self.take(f"a (equal to|not equal to|at least|at most|above|below) {N}"):
            return self.test(OPS[found[1]], a, float(found[2]))
        if found := self.take(f"a is not {N}"):
            return self.test("<>", a, float(found[1]))
        if found := self.take(r"a is none of \(([^)]*)\)"):
            return None if a is None else a not in map(float, found[1].split("; "))
        if found := self.take(f"a is ({N}( or {N})*)"):
            return None if a is None else a in map(float, found[1].split(" or "))
        if found := self.take("not “([pq])”"):
            return None if self.row[found[1]] is None else not self.row[found[1]]
        found = self.take("[pq]")
        assert found, self.text[self.at :]
        return self.row[found[0]]

    @staticmethod
    def both(one, two):
        return False if False in (one, two) else None if None in (one, two) else True

    @staticmethod
    def test(op, a, b):
        tests = {
            "=": "__eq__",
            "<>": "__ne__",
            "<": "__lt__",
            "<=": "__le__",
            ">": "__gt__",
            ">=": "__ge__",
        }
        return None if a is None else getattr(a, tests[op])(b)


@settings(max_examples=200, deadline=None)
@given(PLAIN)
def test_the_words_mean_what_the_condition_means(tree) -> None:
    kinds = {"a": Kind.NUMBER, "p": Kind.BOOLEAN, "q": Kind.BOOLEAN}
    try:
        root = compile_condition(show(tree), kinds).root
    except ConditionError:
        return
    text = in_words(root, GROUPS)("en")
    for a, p, q in product(
        [None, -1.0, 0.0, 0.5, 1.0, 2.0, 3.0], [None, True, False], [None, True, False]
    ):
        row = {"a": a, "p": p, "q": q}
        assert Reader(text, row).whole() is verdict(tree, row), (show(tree), text, row)
