"""Malformed packs through `earlywarn rules check`: each refused with file, line, rule and a cure.

The tables below are the specification: what is written, where the refusal points, and what it says
to do, in Chinese and in English. Conditions stand in line 6 of the pack, rule `one`.
"""

# ruff: noqa: E501  (one row of a table is one line)
from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from earlywarn.cli.rules import register
from earlywarn.workspace import shipped

app = typer.Typer(pretty_exceptions_enable=False)
register(app)

GOOD = """\
pack: ours
title: {zh: 本县, en: Ours}
rules:
  - id: one
    title: {zh: 旷课, en: Away}
    when: unexcused_run >= 3
    points: 2.0
    ladder: unexcused
    floor: urgent
    action: group-visit
    reason:
      zh: "旷课 {unexcused_run} 天"
      en: "Away for {unexcused_run} days"
    source: {zh: 县规, en: county rule}
    effective: {from: 2026-01-01, to: 2099-12-31}
    tests:
      - {given: {unexcused_run: 3}, expect: hit}
      - {given: {unexcused_run: 2}, expect: miss}
"""
RULE = GOOD[GOOD.index("  - id: one") :]
WHEN = "unexcused_run >= 3"

# --- what stands after `when:` ------------------------------------------------------------------
# name: the condition, the cure in zh, the cure in en
CONDITIONS = {
    # names
    "unknown feature": ("unexcused_runs >= 3", "是不是 unexcused_run", "did you mean unexcused_run"),
    "nothing near": ("qqq >= 3", "earlywarn features", "write a feature, group or registry"),
    "upper case": ("Unexcused_Run >= 3", "是不是 unexcused_run", "did you mean unexcused_run"),
    "the outcome itself": ("left_on > date '2026-01-01'", "没有 left_on", "no name left_on"),
    "an identifier": ("student_id = '1'", "没有 student_id", "no name student_id"),
    "a column of a table": ("facts.unexcused_run > 3", "没有 facts", "no name facts"),
    "a code there is not": ("disability = 'blind'", "可用：", "it can be none"),
    # kinds
    "number against text": ("unexcused_run >= '3'", "数字不加引号", "numbers without quotes"),
    "text against number": ("travel = 3", "文字加单引号", "texts in quotes"),
    "number against yes/no": ("unexcused_run = true", "直接写名称", "write a yes/no bare"),
    "order of yes/no": ("boarding > false", "请用 = 或 <>", "use = or <>"),
    "yes/no between": ("boarding between false and true", "请用 = 或 <>", "use = or <>"),
    "arithmetic with text": ("travel + 1 > 2", "请改用数字", "write a number here"),
    "abs of text": ("abs(travel) > 1", "请改用数字", "write numbers in it"),
    "number as a condition": ("unexcused_run", "请与某个值比较", "compare it, such as"),
    "number joined": ("unexcused_run and boarding", "请与某个值比较", "compare it with a value"),
    "text as a condition": ("'x'", "请与某个值比较", "compare it, such as"),
    "null as a condition": ("null", "请与某个值比较", "compare it, such as"),
    "date that is no date": ("date '2026-02-30' < date '2026-03-01'", "真有这一天", "one that exists"),
    "date without quotes": ("date 2026 < date '2026-03-01'", "date '2026-11-20'", "date '2026-11-20'"),
    # SQL that is not of the language
    "aggregate": ("max(unexcused_run) >= 3", "请用 greatest", "use greatest"),
    "another aggregate": ("sum(unexcused_run) >= 3", "请直接写名称", "write the name"),
    "count of all": ("count(*) > 3", "请直接写名称", "write the name"),
    "subquery": ("unexcused_run in (select 1)", "请直接写特征名称", "write the name of a feature"),
    "exists": ("exists (select 1)", "请直接写特征名称", "write the name of a feature"),
    "function not on the list": ("round(unexcused_run) >= 3", "可用的函数：abs", "use abs, coalesce"),
    "window": ("unexcused_run over (partition by travel) > 1", "直接写特征", "name of a feature"),
    "case": ("case when boarding then 1 end = 1", "请用 and / or", "use and / or"),
    "cast": ("cast(unexcused_run as int) > 3", "请直接写名称", "write the name by itself"),
    "short cast": ("unexcused_run::int > 3", "不允许类型转换，请删去", "casts are not allowed; remove"),
    "like": ("travel like 'b%'", "请用 = 或 in", "use = or in"),
    "star": ("* > 3", "请删去；能写什么见", "remove it, docs/rules.md lists"),
    "second statement": ("unexcused_run >= 3; drop table x", "删去它和后面", "remove it and what follows"),
    "comment": ("unexcused_run >= 3 -- note", "不允许注释，请删去", "comments are not allowed; remove"),
    "block comment": ("unexcused_run >= /* x */ 3", "请删去", "comments are not allowed; remove"),
    "hash comment": ("unexcused_run >= 3 # x", "请删去", "comments are not allowed; remove"),
    "backticks": ("`unexcused_run` >= 3", "不加引号", "without quotes"),
    "double quotes": ('"unexcused_run" >= 3', "名称直接写", "write names bare"),
    "dollar parameter": ("unexcused_run >= $1", "请直接写值", "write the value itself"),
    "question mark": ("unexcused_run >= ?", "请直接写值", "write the value itself"),
    "named parameter": ("unexcused_run >= :x", "请直接写值", "write the value itself"),
    "at sign": ("unexcused_run >= @x", "请删去", "@ is not allowed; remove it"),
    "square brackets": ("unexcused_run in [1, 2]", "请用圆括号", "round brackets: in (1, 2)"),
    "braces": ("{unexcused_run} >= 3", "请用圆括号", "use round brackets"),
    "is distinct": ("unexcused_run is distinct from 3", "请用 = 或 <>", "use = or <>"),
    "is true": ("boarding is true", "或写 = true", "or = true"),
    "is not a value": ("boarding is not false", "或写 = true", "or = true"),
    "is a number": ("unexcused_run is 3", "只能是 null", "only null or not null"),
    # what runs or reads
    "a file": ("read_csv('/etc/passwd') is null", "可用的函数", "use abs, coalesce"),
    "a text file": ("read_text('canary.txt') = 'x'", "可用的函数", "use abs, coalesce"),
    "the environment": ("getenv('HOME') = 'x'", "可用的函数", "use abs, coalesce"),
    "pragma": ("pragma version", "可用的名称见", "write a feature"),
    "copy": ("copy facts to 'x'", "可用的名称见", "write a feature"),
    "python": ("__import__('os').system('x')", "可用的函数", "use abs, coalesce"),
    # signs of other languages and keyboards
    "double equals": ("unexcused_run == 3", "请写一个 =", "a single ="),
    "not equal of C": ("unexcused_run != 3", "请写 <>", "write <>"),
    "and of C": ("boarding && aid_gap", "请写 and", "write and"),
    "or of C": ("boarding || aid_gap", "请写 or", "write or"),
    "not of C": ("!boarding", "请写 not", "write not"),
    "arrow": ("unexcused_run => 3", "请写 >=", "write >="),
    "power": ("unexcused_run ** 2 > 9", "请写成乘法", "write a product"),
    "percent": ("absence_rate_20d > 5%", "5% 写 0.05", "5% is 0.05"),
    "full-width sign": ("unexcused_run \uff1e 3", "英文输入法的 >", "write >"),
    "full-width brackets": ("（unexcused_run > 3）", "英文输入法的 (", "write ("),
    "full-width digit": ("unexcused_run > \uff13", "英文输入法的 3", "write 3"),
    "wide space": ("unexcused_run\u3000> 3", "英文输入法的 空格", "write a space"),
    "greater or equal in one": ("unexcused_run ≥ 3", "英文输入法的 >=", "write >="),
    "curly quotes": ("travel = ‘bus’", "英文输入法的 '", "write '"),
    "Chinese words": ("旷课 >= 3", "文字请放在单引号里", "put texts in quotes"),
    "a sign not seen": ("boarding\u202e", "其余请删去", "remove the rest"),
    "nul": ("boarding \0", "其余请删去", "remove the rest"),
    # numbers and texts
    "nan": ("unexcused_run > nan", "请写 null", "write null"),
    "infinity": ("unexcused_run > inf", "没有 inf", "no name inf"),
    "huge number": ("unexcused_run > 1e999", "小于 1e308", "below 1e308"),
    "thousands": ("unexcused_run > 1_000", "3、0.05 或 1e3", "write 3, 0.05 or 1e3"),
    "hexadecimal": ("unexcused_run > 0x1F", "3、0.05 或 1e3", "write 3, 0.05 or 1e3"),
    "decimal comma": ("exam_mean_pct > 0,5", "条件应像", "a condition reads like"),
    "open text": ("travel = 'bus", "请补上", "closing quote '; add it"),
    "two texts": ("travel = 'a' 'b'", "缺少运算符", "is missing before this; add it"),
    "long text": ("travel = '" + "x" * 201 + "'", "请改短", "shorten it"),
    # shape and size
    "empty text": ("", "如 unexcused_run >= 3", "such as unexcused_run >= 3"),
    "blank": ("  \n ", "如 unexcused_run >= 3", "such as unexcused_run >= 3"),
    "half": ("unexcused_run >=", "条件应像", "a condition reads like"),
    "chained": ("1 < unexcused_run < 3", "a < b and b < c", "a < b and b < c"),
    "empty list": ("unexcused_run in ()", "in ('a', 'b')", "in ('a', 'b')"),
    "one for least": ("least(unexcused_run) > 1", "如 least(x, 0)", "such as least(x, 0)"),
    "bare function": ("abs > 1", "如 abs(...)", "abs(...)"),
    "a name called": ("boarding(1)", "请删去括号", "remove the bracket"),
    "open bracket": ("(unexcused_run >= 3", "请补上", "never closed; add )"),
    "bracket too many": ("unexcused_run >= 3)", "请删去", "too many; remove it"),
    "25 levels": ("(" * 25 + "boarding" + ")" * 25, "拆成几条规则", "split it into several rules"),
    "2,000 brackets": ("(" * 2000 + "boarding" + ")" * 2000, "拆成几条规则", "split it into several"),
    "9 times not": ("not " * 9 + "boarding", "拆成几条规则", "split it into several rules"),
    "301 words": (" or ".join(["aid_gap"] * 151), "拆成几条规则", "split it into several rules"),
    "61 operators": ("+".join(["1"] * 62) + " > 1", "请简化", "make it simpler"),
    "nested divisions": ("1/(1/(1/(1/(1/(1/grade))))) > 1", "请简化", "make it simpler"),
    "half a megabyte": ("boarding and " * 40_000 + "boarding", "拆成几条", "split it into several"),
    # meaning
    "a group alone": ("left_behind", "请用 and 加上一个迹象", "Add a sign with and"),
    "a group and always": ("migrant and grade >= 1", "加上一个迹象", "Add a sign with and"),
    "a group or a sign": ("poor_family or unexcused_run >= 3", "加上一个迹象", "Add a sign with and"),
}  # fmt: skip

# --- a part of the pack replaced ----------------------------------------------------------------
# name: what is replaced in GOOD, by what, line, rule, the cure in zh, the cure in en
PARTS = {
    # missing keys, one by one
    "no pack": ("pack: ours\n", "", 1, "", "缺少 pack，请补上", "pack is missing; add it"),
    "no pack title": ("title: {zh: 本县, en: Ours}\n", "", 1, "", "缺少 title", "title is missing; add"),
    "no rules": ("rules:\n" + RULE, "", 1, "", "缺少 rules，请补上", "rules is missing; add it"),
    "no id": ("- id: one\n    title", "- title", 4, "#1", "缺少 id，请补上", "id is missing; add it"),
    "no title": ("    title: {zh: 旷课, en: Away}\n", "", 4, "one", "缺少 title", "title is missing; add"),
    "no when": (f"    when: {WHEN}\n", "", 4, "one", "缺少 when，请补上", "when is missing; add it"),
    "no points": ("    points: 2.0\n", "", 4, "one", "缺少 points，请补上", "points is missing; add it"),
    "no source": ("    source: {zh: 县规, en: county rule}\n", "", 4, "one", "缺少 source", "add it"),
    "no English title": ("旷课, en: Away", "旷课", 5, "one", "中英文都要写", "write zh and en"),
    "no Chinese reason": ('zh: "旷课 {unexcused_run} 天"\n      ', "", 11, "one", "中英文", "write zh and en"),
    "no given": ("given: {unexcused_run: 3}, ", "", 17, "one", "缺少 tests.0.given", "given is missing; add"),
    "no expect": (", expect: hit", "", 17, "one", "缺少 tests.0.expect", "expect is missing; add it"),
    # empty values
    "empty when": (f"when: {WHEN}", "when:", 6, "one", "请写条件", "write a condition"),
    "empty points": ("points: 2.0", "points:", 7, "one", "请写成 0.7", "write one such as 0.7"),
    "empty title": ("en: Away", "en: ''", 5, "one", "请填写", "fill it in"),
    "blank title": ("en: Away", "en: '  '", 5, "one", "请填写", "fill it in"),
    "empty id": ("id: one", "id:", 4, "#1", "请填写", "fill it in"),
    "long title": ("en: Away", f"en: {'x' * 601}", 5, "one", "请缩短", "shorten it"),
    # numbers
    "negative points": ("points: 2.0", "points: -1", 7, "one", "应为 0 到 10", "log-odds from 0 to 10"),
    "11 points": ("points: 2.0", "points: 11", 7, "one", "应为 0 到 10", "log-odds from 0 to 10"),
    "nan points": ("points: 2.0", "points: nan", 7, "one", "应为 0 到 10", "log-odds from 0 to 10"),
    "infinite points": ("points: 2.0", "points: inf", 7, "one", "应为 0 到 10", "log-odds from 0 to 10"),
    "points in words": ("points: 2.0", "points: lots", 7, "one", "请写成 0.7", "write one such as 0.7"),
    "points as a list": ("points: 2.0", "points: [2]", 7, "one", "请写成 0.7", "write one such as 0.7"),
    # unknown keys and values
    "a key near another": ("points: 2.0", "pionts: 2.0", 7, "one", "是不是 points", "did you mean points"),
    "a key near none": ("points: 2.0", "points: 2.0\n    qqq: 1", 8, "one", "可用的键：id", "there are id, "),
    "a key of the pack": ("rules:\n", "owner: me\nrules:\n", 3, "", "可用的键：pack", "there are pack"),
    "a key of a test": ("expect: hit", "expct: hit", 17, "one", "是不是 expect", "did you mean expect"),
    "a third language": ("en: Away", "en: Away, de: Weg", 5, "one", "可用的键：zh, en", "there are zh, en"),
    "floor no tier": ("floor: urgent", "floor: red", 9, "one", "可用：urgent", "can be urgent, high, watch"),
    "floor routine": ("floor: urgent", "floor: routine", 9, "one", "可用：urgent", "can be urgent, high"),
    "no such action": ("group-visit", "group-vist", 10, "one", "是不是 group-visit", "mean group-visit?"),
    "an action near none": ("group-visit", "qqq", 10, "one", "请在那里加上", "add it there"),
    "no such family": ("ladder: unexcused", "family: homes", 8, "one", "可用：absence", "it can be absence"),
    "ladder with a space": ("ladder: unexcused", "ladder: a b", 8, "one", "连字符", "small letters, digits"),
    "bad id": ("id: one", "id: One Rule", 4, "One Rule", "连字符", "small letters, digits"),
    "id of SQL": ("id: one", "id: 'a; drop'", 4, "a; drop", "连字符", "small letters, digits"),
    "bad pack id": ("pack: ours", "pack: Our Pack", 1, "", "连字符", "small letters, digits"),
    # shapes
    "title no keys": ("{zh: 旷课, en: Away}", "Away", 5, "one", "{zh: ..., en: ...}", "{zh: ..., en: ...}"),
    "when a list": (f"when: {WHEN}", "when: [1]", 6, "one", "一段文字", "must be one text"),
    "rules no list": ("rules:\n" + RULE, "rules: none\n", 3, "", "以 - 开头", "with a - before it"),
    "rule no keys": (RULE, "  - one\n" + RULE, 4, "#1", "写成“键: 值”", "written as `key: value`"),
    "given no keys": ("{unexcused_run: 3}", "[3]", 17, "one", "{unexcused_run: 3}", "{unexcused_run: 3}"),
    "source no text": ("{zh: 县规, en: county rule}", "[a]", 14, "one", "{zh: ..., en: ...}", "{zh: ..."),
    # dates
    "no such day": ("from: 2026-01-01", "from: 2026-02-30", 15, "one", "写成 2026-09-01", "write 2026-09-01"),
    "a word for a day": ("from: 2026-01-01", "from: soon", 15, "one", "写成 2026-09-01", "2026-09-01"),
    "upside down": ("to: 2099-12-31", "to: 2025-01-01", 15, "one", "请对调或改正", "swap or correct"),
    "since": ("from: 2026", "since: 2026", 15, "one", "可用的键：from, to", "there are from, to"),
    "effective no keys": ("{from: 2026-01-01, to: 2099-12-31}", "2026", 15, "one", "{from: ..., to", "{from: ..."),
    # tests
    "test of no name": ("{unexcused_run: 3}", "{unexcused_runs: 3}", 17, "one", "是不是 unexcused_run", "mean unex"),
    "test of words": ("{unexcused_run: 3}", "{unexcused_run: many}", 17, "one", "请写成 3", "such as 3"),
    "test of yes/no": ("{unexcused_run: 3}", "{aid_gap: maybe}", 17, "one", "请写成 yes", "such as yes"),
    "test of infinity": ("{unexcused_run: 3}", "{unexcused_run: inf}", 17, "one", "请写成 3", "such as 3"),
    "no such verdict": ("expect: hit", "expect: hits", 17, "one", "可用：hit", "it can be hit, miss, unknown"),
    "no test at all": (RULE[RULE.index("    tests:") :], "", 4, "one", "请在 tests: 下补上", "add one under tests"),
    # group alone
    "alone, no reason": ("ladder: unexcused", "allow_group_alone: yes", 8, "one", "请写 alone_because", "write alone_bec"),
    "alone, perhaps": ("ladder: unexcused", "allow_group_alone: perhaps", 8, "one", "yes 或 no", "yes or no"),
    # reasons
    "reason of no feature": ("for {unexcused_run}", "for {unexcused_runs}", 13, "one", "是不是 unexcused_run", "mean unexcused_run"),
    "reason of another": ("for {unexcused_run}", "for {absent_run}", 13, "one", "从理由里删去", "take it out"),
    "reason near none": ("for {unexcused_run}", "for {qqq}", 13, "one", "请写条件里的特征", "write a feature"),
    "reason, format": ("for {unexcused_run}", "for {unexcused_run:>9}", 13, "one", "只能写成", "nothing more"),
    "reason, repr": ("for {unexcused_run}", "for {unexcused_run!r}", 13, "one", "只能写成", "nothing more"),
    "reason, attribute": ("for {unexcused_run}", "for {unexcused_run.__class__}", 13, "one", "只能写成", "nothing"),
    "reason, index": ("for {unexcused_run}", "for {unexcused_run[0]}", 13, "one", "只能写成", "nothing more"),
    "reason, empty braces": ("for {unexcused_run}", "for {}", 13, "one", "只能写成", "nothing more"),
    "reason, open brace": ("for {unexcused_run}", "for {unexcused_run", 13, "one", "只能写成", "nothing more"),
    "reason, in Chinese": ("旷课 {unexcused_run}", "旷课 {天数}", 12, "one", "请写条件里的特征", "write a feature"),
    # twice
    "one id twice": (RULE, RULE + RULE.replace("run >= 3", "run >= 5"), 19, "one", "请改名，或给", "rename it, or give"),
    # YAML
    "tab": ("    floor: urgent", "\tfloor: urgent", 9, "", "请改用空格", "use spaces"),
    "anchor": ("points: 2.0", "points: &a 2.0", 7, "", "请把内容写全", "write the value out"),
    "alias": ("points: 2.0", "points: *a", 7, "", "请把内容写全", "write the value out"),
    "merge key": ("    points: 2.0", "    <<: {points: 2.0}", 7, "", "请把内容写全", "write the values out"),
    "key twice": ("points: 2.0", "points: 2.0\n    points: 3.0", 8, "", "请删去一个", "remove one"),
    "python's tag": ("points: 2.0", "points: !!python/object/apply:os.system [ls]", 7, "", "普通文字", "write plain text"),
    "a tag of its own": ("points: 2.0", "points: !points 2.0", 7, "", "普通文字", "write plain text"),
    "a key that is a list": ("    points:", "    ? [a]\n    : 1\n    points:", 7, "", "“键: 值”", "write `key: value`"),
    "two documents": ("rules:\n", "---\nrules:\n", 3, "", "删去 ---", "remove the line ---"),
    "colon in a text": ("en: Away}\n", "en: Away}\n    note: a: b\n", 6, "", "加引号", "in quotes"),
    "open quote": ('en: "Away for {unexcused_run} days"', 'en: "Away', 13, "", "补上右边的引号", "add the closing"),
    "open bracket": ("{zh: 旷课, en: Away}", "{zh: 旷课, en: Away", 5, "", "请补上 }", "add }"),
    "open list": ("points: 2.0", "points: [2.0", 7, "", "请补上 ]", "add ]"),
    "no colon": ("    points: 2.0", "    points", 7, "", "缺少冒号", "a colon is missing"),
    "out of line": ("    points: 2.0", "     points: 2.0", 7, "", "缩进不齐", "out of line"),
    "out of line, left": ("    points: 2.0", "   points: 2.0", 7, "", "请对齐", "line it up"),
    "when begins with >": (f"when: {WHEN}", "when: > 3", 6, "", "加引号", "in quotes"),
    "begins with @": (f"when: {WHEN}", "when: @x", 6, "", "加引号", "in quotes"),
    "begins with a star": (f"when: {WHEN}", "when: * > 3", 6, "", "加引号", "in quotes"),
    "backslash": ("en: Away", r'en: "C:\q"', 5, "", "改用单引号", "use single quotes"),
    "control character": ("en: Away", "en: A\x1b[31m", 5, "", "请删去", "cannot be seen: remove it"),
    "too deep": ("points: 2.0", "points: " + "[" * 30 + "]" * 30, 7, "", "写得平一些", "write it flatter"),
}  # fmt: skip

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)
)
# --- a whole file -------------------------------------------------------------------------------
# name: the file's bytes, line, the cure in zh, the cure in en
FILES = {
    "empty": (b"", 1, "请写成“键: 值”", "write it as `key: value`"),
    "only a comment": (b"# later\n", 1, "请写成“键: 值”", "write it as `key: value`"),
    "list at the top": (b"- pack: ours\n", 1, "应写成“键: 值”", "must be written as `key: value`"),
    "one word": (b"rules\n", 1, "应写成“键: 值”", "must be written as `key: value`"),
    "GBK": (GOOD.encode("gbk"), 2, "另存为 UTF-8", "save the file as UTF-8"),
    "UTF-16": (GOOD.encode("utf-16"), 1, "另存为 UTF-8", "save the file as UTF-8"),
    "a picture": (b"\x89PNG\r\n\x1a\n\0\0", 1, "另存为 UTF-8", "save the file as UTF-8"),
    "too large": (GOOD.encode() + b"# " + b"x" * 1_000_000, 1, "请拆成几个文件", "split it into several"),
    "alias bomb": (BOMB.encode(), 1, "请把内容写全", "write the value out"),
    "a string of 1 MB": (
        GOOD.replace(WHEN, "x" * 1_000_000).encode(), 1, "请拆成几个文件", "split it into several",
    ),
    "a long string": (GOOD.replace(WHEN, "x" * 990_000).encode(), 6, "拆成几条规则", "split it into several"),
}  # fmt: skip

# --- the other two files ------------------------------------------------------------------------
# name: file, what is replaced, by what, the cure in zh, the cure in en
OTHERS = {
    "a group missing": ("groups.yaml", "name: orphan\n", "name: orfan\n", "是不是 orphan", "did you mean orphan"),
    "a group gone": ("groups.yaml", "  - name: orphan\n    when: orphan_status = 'orphan'\n    label: {zh: \"孤儿\", en: \"orphan\"}\n    sensitive: yes\n", "", "groups.yaml 里补上", "copy it from the shipped"),
    "a label missing": ("groups.yaml", ', en: "orphan"', "", "要写 zh 和 en", "needs zh and en"),
    "a group not sensitive": ("groups.yaml", "label: {zh: \"服刑人员子女\", en: \"child of an inmate\"}\n    sensitive: yes", "label: {zh: \"服刑人员子女\", en: \"child of an inmate\"}\n    sensitive: no", "请写 sensitive: yes", "write sensitive: yes"),
    "a group over a feature": ("groups.yaml", "when: migrant_child", "when: absent_run > 1", "没有 absent_run", "no name absent_run"),
    "no groups": ("groups.yaml", "groups:", "grups:", "groups.yaml 里补上", "copy it from the shipped"),
    "no such cause": ("actions.yaml", "cause: persuading_back", "cause: magic", "可用：learning_support", "it can be learning_support"),
    "days in words": ("actions.yaml", "within_school_days: 1", "within_school_days: soon", "请写成 3", "write one such as 3"),
    "half a day": ("actions.yaml", "within_school_days: 1\n", "within_school_days: 1.5\n", "请写成 3", "write one such as 3"),
    "days below 0": ("actions.yaml", "within_school_days: 1", "within_school_days: -1", "不小于 0", "at least 0"),
    "61 days": ("actions.yaml", "within_school_days: 1\n", "within_school_days: 61\n", "不大于 60", "at most 60"),
    "an action twice": ("actions.yaml", "id: home-visit", "id: call-guardian", "请删去一个", "stands twice; remove one"),
    "another list": ("actions.yaml", "actions:\n", "acts:\n", "只有 actions: 列表", "holds one list, `actions:`"),
    "a tab": ("actions.yaml", "    cause:", "\tcause:", "请改用空格", "use spaces"),
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A rules folder with the shipped groups' definitions and actions, and no rules."""
    target = tmp_path / "规则"
    target.mkdir()
    text = (shipped("rules") / "groups.yaml").read_text("utf-8")
    (target / "groups.yaml").write_text(text.split("\npack:")[0] + "\n", "utf-8")
    shutil.copy(shipped("rules") / "actions.yaml", target)
    return target


def checked(folder: Path, lang: str) -> list[str]:
    """Run the real command, which must refuse; return its problems, each with its caret lines."""
    result = CliRunner().invoke(app, ["rules", "check", str(folder), "--lang", lang])
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    *problems, end = re.split(r"\n(?=\S+\.yaml|\d+ )", result.output.rstrip("\n"))
    assert re.match(r"\d+ ", end), end
    return problems


def refused(folder: Path, place: tuple[str, str], cure: tuple[str, str]) -> None:
    """Check that one problem in each language begins with its place and says its cure."""
    in_zh, in_en = checked(folder, "zh"), checked(folder, "en")
    assert len(in_zh) == len(in_en)
    assert [p for p in in_zh if p.startswith(place[0]) and cure[0] in p], in_zh
    assert [p for p in in_en if p.startswith(place[1]) and cure[1] in p], in_en
    assert not set(in_zh) & set(in_en)
    assert all(re.search(r"[\u4e00-\u9fff]", problem) for problem in in_zh)
    for problem in in_en:  # what is Chinese in it is a repeated word of the pack itself
        assert len(re.findall(r"[a-z]{2,}", problem)) >= 4
        assert len(problem) < 1_500


def place(file: str, line: int, rule: str) -> tuple[str, str]:
    zh, en = f"{file} 第 {line} 行", f"{file}, line {line}"
    if rule:
        zh, en = f"{zh} 规则 {rule}", f"{en}, rule {rule}"
    return f"{zh}：", f"{en}: "


def test_the_good_pack_passes(folder):
    (folder / "ours.yaml").write_text(GOOD, "utf-8")
    result = CliRunner().invoke(app, ["rules", "check", str(folder), "--lang", "en"])
    assert result.exit_code == 0, result.output


def test_there_are_enough_of_them():
    assert len(CONDITIONS) + len(PARTS) + len(FILES) + len(OTHERS) >= 60


@pytest.mark.parametrize("name", CONDITIONS)
def test_conditions(folder, name):
    text, zh, en = CONDITIONS[name]
    written = GOOD.replace(WHEN, json.dumps(text, ensure_ascii=False), 1)
    (folder / "ours.yaml").write_text(written, "utf-8")
    refused(folder, place("ours.yaml", 6, "one"), (zh, en))


@pytest.mark.parametrize("name", PARTS)
def test_parts(folder, name):
    old, new, line, rule, zh, en = PARTS[name]
    assert old in GOOD
    (folder / "ours.yaml").write_text(GOOD.replace(old, new, 1), "utf-8")
    refused(folder, place("ours.yaml", line, rule), (zh, en))


@pytest.mark.parametrize("name", FILES)
def test_files(folder, name):
    raw, line, zh, en = FILES[name]
    (folder / "ours.yaml").write_bytes(raw)
    rule = "one" if name == "a long string" else ""
    refused(folder, place("ours.yaml", line, rule), (zh, en))


@pytest.mark.parametrize("name", OTHERS)
def test_groups_and_actions(folder, name):
    file, old, new, zh, en = OTHERS[name]
    text = (folder / file).read_text("utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), "utf-8")
    (folder / "ours.yaml").write_text(GOOD, "utf-8")
    refused(folder, (file + " 第 ", file + ", line "), (zh, en))


def test_several_faults_of_one_condition(folder):
    text = "unexcused_runs >= 3 and faild_core == 2 and left_behnd and qqq(1) > 1"
    (folder / "ours.yaml").write_text(GOOD.replace(WHEN, text), "utf-8")
    problems = checked(folder, "en")
    assert [re.search(r"character (\d+)", p)[1] for p in problems] == ["1", "25", "36", "45", "60"]
    for near in ("unexcused_run?", "failed_core?", "left_behind?", "a single =", "no function qqq"):
        assert sum(near in problem for problem in problems) == 1
    for problem in problems:  # the caret stands under its own place
        _, line, caret = problem.splitlines()
        column = int(re.search(r"character (\d+)", problem)[1])
        words = text[column - 1 :].split(maxsplit=1)[0][:9]
        assert line[caret.index("^") :].startswith(words)


def test_several_kinds_of_one_condition(folder):
    text = "unexcused_run >= '3' and travel = 5 and (boarding > 1 or not grade)"
    (folder / "ours.yaml").write_text(GOOD.replace(WHEN, text), "utf-8")
    columns = [re.search(r"character (\d+)", p)[1] for p in checked(folder, "en")]
    assert columns == ["18", "35", "53", "62"]


ALL = """\
pack: ours
title: {zh: 本县}
owner: me
rules:
  - id: one
    title: {zh: 旷课, en: ''}
    when: unexcused_runs >= 3 and faild_core >= 2
    points: -1
    floor: red
    action: group-vist
    reason:
      zh: "旷课 {unexcused_runs} 天"
      en: "Away for {unexcused_run.real} days {qqq}"
    effective: {from: 2026-02-30}
    tests:
      - {given: {unexcused_runs: 3}, expect: hits}
      - {given: {aid_gap: maybe}, expect: hit}
  - just a text
  - id: two
    title: {zh: 留守, en: Left behind}
    when: left_behind
    points: &p 3
    points: 4
    allow_group_alone: perhaps
    reason: {zh: 旷课, en: "{absent_run}"}
    source: county
  - id: two
    title: {zh: 留守, en: Left behind}
    when: unexcused_run >= '3' and travel = 3
    points: lots
    reason: {zh: 旷课, en: away}
    source: county
"""
ALL_FOUND = [
    ("actions.yaml", 3, ""),  # an unknown key
    ("again.yaml", 2, ""),  # not UTF-8
    ("broken.yaml", 2, ""),  # a tab
    ("groups.yaml", 1, ""),  # a group missing
    ("groups.yaml", 22, ""),  # a group twice
    ("ours.yaml", 2, ""),  # no English title
    ("ours.yaml", 3, ""),  # an unknown key
    ("ours.yaml", 5, "one"),  # no source
    ("ours.yaml", 6, "one"),  # an empty title
    ("ours.yaml", 7, "one"),  # two unknown names
    ("ours.yaml", 7, "one"),
    ("ours.yaml", 8, "one"),  # negative points
    ("ours.yaml", 9, "one"),  # no tier
    ("ours.yaml", 10, "one"),  # no such action
    ("ours.yaml", 12, "one"),  # a reason's feature
    ("ours.yaml", 13, "one"),  # its braces, and one more feature
    ("ours.yaml", 13, "one"),
    ("ours.yaml", 14, "one"),  # no such day
    ("ours.yaml", 16, "one"),  # a test's name and its verdict
    ("ours.yaml", 16, "one"),
    ("ours.yaml", 17, "one"),  # a test's value
    ("ours.yaml", 18, "#2"),  # no keys
    ("ours.yaml", 22, ""),  # an anchor
    ("ours.yaml", 23, ""),  # a key twice
    ("ours.yaml", 24, "two"),  # neither yes nor no
    ("ours.yaml", 24, "two"),  # and no reason for it
    ("ours.yaml", 25, "two"),  # a reason of another feature
    ("ours.yaml", 27, "two"),  # an id twice
    ("ours.yaml", 29, "two"),  # two wrong kinds
    ("ours.yaml", 29, "two"),
    ("ours.yaml", 30, "two"),  # points in words
]


def test_everything_in_one_go_in_the_order_of_the_files(folder):
    actions = (folder / "actions.yaml").read_text("utf-8")
    (folder / "actions.yaml").write_text("actions:\n  - id: group-visit\n    qqq: 1\n" + (
        actions[actions.index("    cause") : actions.index("  - id: home-visit")]
    ), "utf-8")  # fmt: skip
    groups = (folder / "groups.yaml").read_text("utf-8")
    groups = groups[groups.index("groups:") :].replace("name: orphan\n", "name: migrant\n")
    (folder / "groups.yaml").write_text(groups, "utf-8")
    (folder / "ours.yaml").write_text(ALL, "utf-8")
    (folder / "broken.yaml").write_text("pack: b\n\trules:\n", "utf-8")
    (folder / "again.yaml").write_bytes(GOOD.encode("gbk"))
    found = []
    for problem in checked(folder, "en"):
        match = re.match(r"(\S+\.yaml), line (\d+)(?:, rule ([^:]*))?: ", problem)
        found.append((match[1], int(match[2]), match[3] or ""))
    assert found == ALL_FOUND


CANARY = "canary-2f9c"


def test_nothing_is_run_and_no_file_is_read(folder, tmp_path, monkeypatch):
    """Every text of a pack tries to run code, to read a file and to read the environment."""
    (tmp_path / "canary.txt").write_text(CANARY, "utf-8")
    monkeypatch.setenv("EARLYWARN_CANARY", CANARY)
    monkeypatch.chdir(tmp_path)
    attempts = [
        f"read_text('{tmp_path}/canary.txt') = 'x'",
        "read_text('canary.txt') = 'x' or getenv('EARLYWARN_CANARY') = 'x'",
        "(select content from read_text('canary.txt')) = 'x'",
        "1; copy (select 1) to 'made.csv'",
        "unexcused_run >= 3; attach 'made.db'",
        "__import__('os').system('touch made')",
        "{unexcused_run.__class__.__mro__} {0.__globals__} {unexcused_run!r:{unexcused_run}}",
        "{{ cycler.__init__.__globals__.os.popen('touch made').read() }} {% include 'canary.txt' %}",
        "$(touch made) `touch made` ${EARLYWARN_CANARY} %EARLYWARN_CANARY% ~/canary.txt",
        "!include canary.txt",
        "!!python/object/apply:os.system ['touch made']",
        "file:///proc/self/environ @canary.txt <canary.txt",
    ]
    before = sorted(path.name for path in tmp_path.rglob("*"))
    for attempt in attempts:
        quoted = json.dumps(attempt)
        for written in (quoted, attempt):  # as a text, and as it stands
            fields = GOOD
            for old in ("本县", "ours", "旷课", "Away", WHEN, "urgent", "group-visit", "县规",
                        "county rule", "2026-01-01", "hit}", "unexcused\n"):  # fmt: skip
                end = old[-1] if old[-1] in "}\n" else ""
                fields = fields.replace(old, written + end, 1)
            only_when = GOOD.replace(WHEN, written)
            reasons = GOOD.replace('"Away for {unexcused_run} days"', written)
            for text in (fields, only_when, reasons):
                (folder / "ours.yaml").write_text(text, "utf-8")
                for command in ("check", "test", "list"):
                    ran = CliRunner().invoke(app, ["rules", command, str(folder), "--lang", "en"])
                    assert ran.exception is None or isinstance(ran.exception, SystemExit)
                    assert CANARY not in ran.output
    (folder / "ours.yaml").unlink()
    assert sorted(path.name for path in tmp_path.rglob("*")) == before
