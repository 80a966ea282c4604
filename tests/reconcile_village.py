"""A village for the tests of `reconcile`: a registry, three weeks of class, lists written by hand.

Who is who is known by construction: every child of the registry has an identity number, a name, a
birth date and a guardian of its own, and so has every line.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from daily_village import day, village, workspace_of
from earlywarn.reconcile.numbers import check_digit
from earlywarn.reconcile.run import Reconciled, reconcile
from earlywarn.roles import Role
from earlywarn.workspace import Workspace

AS_OF = day(24)
THERE, AWAY, SILENT = "." * 25, "x" * 25, "-" * 25
COLUMNS = ("姓名", "性别", "出生日期", "身份证号", "监护人", "联系电话", "县区", "乡镇", "住址")
_NAMES = (
    *("赵一凡", "钱雨桐", "孙浩宇", "李佳怡", "周子墨"),
    *("吴梦洁", "郑天佑", "王思远", "冯晓彤", "陈俊杰"),
)
_GUARDIANS = (
    *("赵国强", "钱秀英", "孙建华", "李春梅", "周志刚"),
    *("吴桂兰", "郑海涛", "王玉珍", "冯永福", "陈翠花"),
)


def number(born: date, serial: int) -> str:
    """Return an identity number with a right check digit."""
    body = f"530102{born:%Y%m%d}{serial:03}"
    return body + check_digit(body)


def child(place: int, **changes: Any) -> dict[str, Any]:
    """Return a child's record: number `place` of ten, born in 2012 or 2013."""
    born = date(2012 + place % 2, 1 + place, 10 + place)
    return {
        "student_id": f"G{number(born, 11 + place)}",
        "name": _NAMES[place],
        "sex": "MF"[place % 2],
        "birth_date": born,
        "guardian": _GUARDIANS[place],
        "guardian_phone": f"1380000{place:04}",
        "poverty": "none",
        "receives_aid": False,
    } | changes


def line(record: Mapping[str, Any], **changes: Any) -> dict[str, str]:
    """Return a child as a list writes it."""
    return {
        "姓名": str(record["name"]),
        "性别": {"M": "男", "F": "女"}[record["sex"]],
        "出生日期": record["birth_date"].isoformat(),
        "身份证号": str(record["student_id"])[1:],
        "监护人": str(record["guardian"]),
        "联系电话": str(record["guardian_phone"]),
        "县区": "某县",
        "乡镇": "镇",
        "住址": "某村一组",
    } | changes


def stranger(name: str, born: date, serial: int = 900, **changes: str) -> dict[str, str]:
    """Return a line of a child on no roll."""
    whole = {"sex": "F", "guardian": f"{name[0]}老三", "guardian_phone": f"1399999{serial:04}"}
    record = {"name": name, "birth_date": born, "student_id": "G" + number(born, serial)}
    return line(record | whole, **changes)


def write(path: Path, lines: Iterable[Mapping[str, str]]) -> Path:
    """Write a list as a CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="")
        writer.writeheader()
        writer.writerows(lines)
    return path


def make(
    root: Path,
    children: Mapping[str, tuple[dict[str, Any], str]],
    outcomes: Iterable[dict[str, Any]] = (),
    schools: Iterable[dict[str, Any]] = (),
    **config: Any,
) -> Workspace:
    """Make a workspace of children, each by a short name with its record and its line of signs."""
    ids = {record["student_id"]: (record, signs) for record, signs in children.values()}
    tables = village(
        {student: signs for student, (_, signs) in ids.items()},
        children={student: record for student, (record, _) in ids.items()},
        reported=25,
        more={"outcomes": list(outcomes), "schools": list(schools)},
    )
    return workspace_of(root, tables, **config)


def compared(workspace: Workspace, households: Path, *poverty: Path, **options: Any) -> Reconciled:
    """Reconcile as the county does."""
    said: dict[str, Any] = {"who": "t", "role": Role.COUNTY, "lang": "zh"} | options
    return reconcile(workspace, AS_OF, [households], list(poverty), **said)
