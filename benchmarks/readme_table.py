"""The table of ratios in both READMEs, from docs/proof.json.

    python benchmarks/readme_table.py           write it
    python benchmarks/readme_table.py --check   say whether it is as it should be

It stands between the lines `<!-- ratios -->` and `<!-- /ratios -->`. A missed bar is said to be.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import median
from typing import Any

from earlywarn.files import write_whole

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- ratios -->", "<!-- /ratios -->"
FILES = {"en": ROOT / "README.md", "zh": ROOT / "README.zh-CN.md"}
HEADS = {
    "en": ("Of what, beside what", "Measured", "Bar", "Held", "Seconds", "Commit"),
    "zh": ("什么与什么相比", "实测", "标准", "达到", "秒", "版本"),
}
HELD = {"en": {True: "yes", False: "**no**"}, "zh": {True: "是", False: "**否**"}}
BARS_ZH = {"at most ": "不超过 ", "at least ": "不少于 ", "under ": "低于 "}
_RULES = "rules: 71 over 66,259 children (records: 1,000 judged, scaled): "
_RULES_SECONDS = _RULES.replace("): ", "), seconds")
# What a figure is called in proof.json, and in the table.
ROWS: dict[str, tuple[str, str]] = {
    "weekly: features, rules and score with contributions, times (scan + predict)": (
        "Features, rules, score with every contribution: times a bare scan and predict",
        "特征、规则、评分及全部贡献：是单纯扫描加预测的几倍",
    ),
    "weekly: times faster than pandas with equal results": (
        "The same job: times faster than pandas with equal results",
        "同样的工作：比结果相同的 pandas 快几倍",
    ),
    "cold: the whole score command, times a bare process that imports, scans, predicts": (
        "The whole `score` command with every page and workbook: times a bare Python process",
        "完整的 score 命令，含全部网页和工作簿：是空 Python 进程的几倍",
    ),
    "cold: earlywarn --help, seconds": ("`earlywarn --help`, seconds", "earlywarn --help，秒"),
    "reasons: times the rate of shap's TreeExplainer, 40 features, 200 trees": (
        "Every child's exact reasons: times as fast as shap",
        "每个孩子的精确原因：比 shap 快几倍",
    ),
    _RULES + "times as fast as CEL, a program a rule, the fastest engine of rules": (
        "71 rules: times as fast as the fastest record-at-a-time engine, a program a rule (CEL)",
        "71 条规则：比最快的逐条记录引擎（CEL，每条规则一个程序）快几倍",
    ),
    _RULES + "times as fast as zen-engine, fused, all rules glued into one expression": (
        "71 rules: times as fast as zen-engine with all of them glued into one expression",
        "71 条规则：比把全部规则拼成一个表达式的 zen-engine 快几倍",
    ),
    "scale: ten cities beside one, attendance exceptions: times the time": (
        "Ten cities, attendance as exceptions: times one city's time",
        "十个城市（只记例外）：是一个城市用时的几倍",
    ),
    "scale: ten cities beside one, attendance full: times the time": (
        "Ten cities, attendance in full: times one city's time",
        "十个城市（全部记录）：是一个城市用时的几倍",
    ),
    "scale: ten cities, attendance exceptions: peak memory, GB": (
        "Ten cities, attendance as exceptions: peak memory, GB",
        "十个城市（只记例外）：内存峰值，GB",
    ),
    "scale: ten cities, attendance full: peak memory, GB": (
        "Ten cities, attendance in full: peak memory, GB",
        "十个城市（全部记录）：内存峰值，GB",
    ),
    "scale: province: time a student, times the city's": (
        "A province of 2.5 million students: time a student, times the city's",
        "250 万学生的省：每名学生用时是城市的几倍",
    ),
    "scale: province: peak memory, GB": (
        "A province of 2.5 million students: peak memory, GB",
        "250 万学生的省：内存峰值，GB",
    ),
    "daily: times the bare scan of the attendance columns that it reads": (
        "`daily`: times a bare scan of the attendance columns",
        "daily：是单纯扫描考勤列的几倍",
    ),
    "loading: CSV with validation, times DuckDB's read_csv into Parquet": (
        "Loading 13.7 million rows of CSV with validation: times DuckDB's read_csv",
        "导入 1,370 万行 CSV 并校验：是 DuckDB read_csv 的几倍",
    ),
    "loading: xlsx class sheets, times calamine reading the same files": (
        "Loading 1,660 class sheets (XLSX): times calamine reading them",
        "导入 1,660 张班级表（XLSX）：是 calamine 读取的几倍",
    ),
    "loading: xls class sheets, times xlrd reading the same files": (
        "Loading 1,660 class sheets (XLS): times xlrd reading them",
        "导入 1,660 张班级表（XLS）：是 xlrd 读取的几倍",
    ),
}
# Where the seconds behind a ratio stand in proof.json, and which of them are told.
SECONDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "weekly: features": ("weekly: seconds", ("job", "scan", "predict")),
    "weekly: times faster than pandas with equal": (
        "weekly and pandas, medians of 5: seconds",
        ("ours", "pandas"),
    ),
    "cold: the whole": ("cold: seconds", ("command", "bare")),
    "reasons:": ("reasons: 66,182 children, seconds", ("tables", "shap")),
    _RULES + "times as fast as CEL": (_RULES_SECONDS, ("ours", "CEL, a program a rule")),
    _RULES + "times as fast as zen": (_RULES_SECONDS, ("ours", "zen-engine, fused")),
    "scale: ten cities beside one, attendance exceptions": (
        "scale: attendance exceptions: seconds",
        ("one city", "ten cities"),
    ),
    "scale: ten cities beside one, attendance full": (
        "scale: attendance full: seconds",
        ("one city", "ten cities"),
    ),
    "scale: province: time": (
        "scale: province: seconds",
        ("one city", "one city, after it", "province"),
    ),
    "daily:": ("daily: seconds", ("round", "scan")),
    "loading: CSV with": ("loading: CSV, seconds", ("ingest", "read_csv into Parquet")),
    "loading: xlsx": ("loading: xlsx class sheets, seconds", ("ingest", "calamine")),
    "loading: xls class": ("loading: xls class sheets, seconds", ("ingest", "xlrd")),
}
# What they are called in the table where it is not as in proof.json.
SHORT = {
    "CEL, a program a rule": "CEL",
    "zen-engine, fused": "zen-engine",
    "read_csv into Parquet": "read_csv",
}
ZH = {
    **{"job": "全部", "scan": "扫描", "predict": "预测", "ours": "本程序", "command": "命令"},
    **{"bare": "空进程", "tables": "查表", "one city": "一个城市", "ten cities": "十个城市"},
    **{"one city, after it": "之后再测一个城市", "province": "省"},
    **{"round": "巡查", "ingest": "导入"},
}


def seconds(figures: list[dict[str, Any]], what: str, lang: str) -> str:
    """Return the seconds behind a figure (of several runs the median), "" where there are none."""
    for begins, (behind, told) in SECONDS.items():
        if not what.startswith(begins):
            continue
        for one in figures:
            if one["what"].startswith(behind):
                return ", ".join(_told(name, one["value"][name], lang) for name in told)
    return ""


def _told(name: str, took: float | list[float], lang: str) -> str:
    short = SHORT.get(name, name)
    middle = median(took) if isinstance(took, list) else took
    return f"{ZH.get(short, short) if lang == 'zh' else short} {middle:g}"


def table(figures: list[dict[str, Any]], lang: str) -> str:
    """Return the table in Markdown."""
    by_name = {one["what"]: one for one in figures}
    place = ("en", "zh").index(lang)
    rows = [HEADS[lang], ("---",) * len(HEADS[lang])]
    for what, names in ROWS.items():
        one = by_name.get(what)
        if one is None:
            continue
        bar = str(one["bar"])
        if lang == "zh":
            for english, chinese in BARS_ZH.items():
                bar = bar.replace(english, chinese)
        held, spent = HELD[lang][one["holds"]], seconds(figures, what, lang)
        rows.append((names[place], str(one["value"]), bar, held, spent, one["commit"]))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def with_table(text: str, figures: list[dict[str, Any]], lang: str) -> str:
    """Return a README with its table as proof.json has it."""
    head, rest = text.split(BEGIN)
    _, tail = rest.split(END)
    return f"{head}{BEGIN}\n{table(figures, lang)}\n{END}{tail}"


def main(check: bool) -> int:
    """Write the tables, or say which README is not as it should be."""
    figures = json.loads((ROOT / "docs" / "proof.json").read_text("utf-8"))["figures"]
    stale = []
    for lang, path in FILES.items():
        text = path.read_text("utf-8")
        wanted = with_table(text, figures, lang)
        if wanted != text:
            stale.append(path.name)
            if not check:
                write_whole(path, wanted)
    if check and stale:
        print(f"not as proof.json has it: {', '.join(stale)}; run benchmarks/readme_table.py")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
