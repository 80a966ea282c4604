"""`earlywarn followup`: from a filled workbook to what is due, settled and told."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner

from earlywarn.cli.main import make_app
from earlywarn.followup.ledger import Ledger
from earlywarn.watchlist.columns import COLUMNS
from scoring_city import TRUANT, VILLAGE_DAY, village


@pytest.fixture
def workspace(tmp_path):
    made = village(tmp_path / "县 一")
    assert run(made, "score")[0] == 0
    return made


def run(workspace, *arguments, lang="en"):
    done = CliRunner().invoke(make_app(), [*arguments, "-w", str(workspace.root), "--lang", lang])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert "Traceback" not in done.output
    return done.exit_code, done.output


def said(workspace, *arguments):
    """Return what a command prints as JSON."""
    return json.loads(run(workspace, *arguments, "--json")[1])


def book(workspace) -> Path:
    lists = workspace.runs / VILLAGE_DAY.isoformat() / "1" / "watchlists" / "schools"
    (found,) = lists.glob("VA*.xlsx")
    return found


def filled(workspace, target: Path, **answers) -> Path:
    """Write the school's workbook with answers for the first child into `target`."""
    made = load_workbook(book(workspace))
    sheet = made.worksheets[0]
    (row,) = (cell.row for cell in sheet["A"] if cell.value == 1)
    for field, value in answers.items():
        column = [key for key, _, _ in COLUMNS].index(field) + 1
        sheet.cell(row, column).value = value
    made.save(target)
    return target


def test_an_answer_goes_into_the_ledger_and_into_what_is_due(workspace, tmp_path):
    (step,) = said(workspace, "followup", "due")["steps"]
    assert (step["student_id"], step["step"], step["kind"]) == (
        TRUANT,
        "First contact",
        "watchlist",
    )
    answers = {"contacted_on": VILLAGE_DAY.isoformat(), "where": "在家", "next": "周五家访"}
    path = filled(workspace, tmp_path / "已填 甲中学.xlsx", **answers)
    code, text = run(workspace, "followup", "import", str(path), "--user", "张三")
    assert (code, text.strip()) == (0, "已填 甲中学.xlsx: 3 new, 0 known, 0 to be settled.")
    code, text = run(workspace, "followup", "import", str(path))
    assert (code, text.strip()) == (0, "已填 甲中学.xlsx: 0 new, 3 known, 0 to be settled.")
    assert said(workspace, "followup", "due")["steps"] == []
    with Ledger.open(workspace) as ledger:
        (case,) = ledger.cases()
        assert {field: one.value for field, one in case.answers.items()} == answers | {
            "where": "at_home"
        }
        assert ledger.check() == ()
    story = said(workspace, "followup", "case", TRUANT)
    (lines,) = (lines for title, lines in story.items() if title.startswith("Case"))
    assert any("where the child is at home" in line for line in lines)


def test_what_cannot_be_read_is_settled_by_hand(workspace, tmp_path):
    path = filled(workspace, tmp_path / "a.xlsx", contacted_on="上周三", outcome="答应返校")
    code, text = run(workspace, "followup", "import", str(path))
    assert code == 3
    assert "K" in text or "J" in text  # the cell is named
    (item,) = said(workspace, "followup", "unsettled")
    assert (item["typed"], item["student_id"], item["field"]) == ("上周三", TRUANT, "contacted_on")
    day = VILLAGE_DAY.isoformat()
    assert run(workspace, "followup", "settle", item["key"][:12], "上周三")[0] != 0
    assert run(workspace, "followup", "settle", item["key"][:12], day)[0] == 0
    assert said(workspace, "followup", "unsettled") == []
    with Ledger.open(workspace) as ledger:
        assert ledger.cases()[0].answers["contacted_on"].value == day


def test_two_answers_are_both_kept(workspace, tmp_path):
    one = filled(workspace, tmp_path / "a.xlsx", outcome="答应返校")
    other = filled(workspace, tmp_path / "b.xlsx", outcome="不愿返校")
    code, _ = run(workspace, "followup", "import", str(one), str(other))
    assert code == 3
    (item,) = said(workspace, "followup", "unsettled")
    assert item["kind"] == "conflict"
    assert sorted(item["answers"]) == ["promised", "refused"]


def test_a_folder_is_read_and_a_bad_file_stops_no_other(workspace, tmp_path):
    folder = tmp_path / "回收 的表"
    folder.mkdir()
    filled(workspace, folder / "a.xlsx", outcome="答应返校")
    (folder / "b.xlsx").write_bytes(b"no workbook")
    (folder / "~$a.xlsx").write_bytes(b"lock")
    code, text = run(workspace, "followup", "import", str(folder))
    assert code == 3
    assert "a.xlsx: 1 new" in text
    assert "b.xlsx" in text
    assert "~$" not in text
    (folder / "a.xlsx").unlink()
    assert run(workspace, "followup", "import", str(folder))[0] == 1


def test_a_workbook_of_another_workspace_is_refused(workspace, tmp_path):
    workspace.set_config(seed=7)
    path = filled(workspace, tmp_path / "a.xlsx", outcome="答应返校")
    code, text = run(workspace, "followup", "import", str(path))
    assert code == 1
    assert "does not fit its signature" in text


def test_steps_states_and_names_are_entered_by_hand(workspace):
    code, text = run(workspace, "followup", "assign", TRUANT, "--leader", "李校长", lang="zh")
    assert (code, "包保领导 李校长" in text) == (0, True)
    day = VILLAGE_DAY.isoformat()
    code, text = run(workspace, "followup", "done", TRUANT, "first-contact", "--on", day)
    assert (code, "contacted" in text) == (0, True)
    code, text = run(workspace, "followup", "done", TRUANT, "dropped_out", "--on", day)
    assert (code, "dropped out" in text) == (0, True)
    assert run(workspace, "followup", "done", TRUANT, "fly")[0] == 2
    assert run(workspace, "followup", "assign", TRUANT)[0] == 2
    assert run(workspace, "followup", "case", "nobody")[0] == 1
    # It is an outcome now, and no scoring of a later day has the child.
    later = (VILLAGE_DAY + timedelta(days=7)).isoformat()
    assert said(workspace, "score", "--as-of", later)["counts"]["students"] == 17


def test_a_child_on_no_registry_has_a_case(workspace):
    code, _ = run(workspace, "followup", "open", "--school", "VB", "--person", "李小花")
    assert code == 0
    rows = said(workspace, "followup", "due")["steps"]
    assert "李小花" in {row["student"] for row in rows}
    hidden = said(workspace, "followup", "due", "--role", "researcher")["steps"]
    assert len(hidden) == len(rows)
    assert not any(name in str(row) for row in hidden for name in ("李小花", TRUANT, "'甲'"))
    assert run(workspace, "followup", "open", "--school", "VB")[0] == 2


def test_a_case_of_nobody_says_whether_school_or_child_is_unknown(workspace):
    for school, student, says in (
        ("NOWHERE", TRUANT, "No school NOWHERE is in the table of schools. Check --school."),
        ("VB", "NOBODY", "No student NOBODY is on the registry. Check --student;"),
    ):
        code, text = run(
            workspace, "followup", "open", "--school", school, "--student", student, lang="en"
        )
        assert (code, says in text) == (1, True)


def test_every_look_is_logged(workspace, tmp_path):
    out = tmp_path / "features.parquet"
    day = VILLAGE_DAY.isoformat()
    arguments = ["features", "--as-of", day, "--out", str(out), "--user", "张三"]
    assert run(workspace, *arguments, "--role", "researcher")[0] == 0
    shared = pq.read_table(out)
    assert TRUANT not in shared["student_id"].to_pylist()
    assert "VA" not in shared["school_id"].to_pylist()
    assert shared["student_id"].to_pylist() == sorted(shared["student_id"].to_pylist())
    assert run(workspace, *arguments, "--role", "school")[0] == 0
    assert "parent_incarcerated" not in pq.read_table(out).column_names
    assert run(workspace, *arguments)[0] == 0
    assert "parent_incarcerated" in pq.read_table(out).column_names
    assert run(workspace, "explain", TRUANT, "--as-of", day, "--role", "homeroom")[0] == 1
    assert run(workspace, "explain", TRUANT, "--as-of", day)[0] == 0
    assert run(workspace, "followup", "case", TRUANT)[0] == 0
    with Ledger.open(workspace) as ledger:
        lines = ledger.audited()
    told = [(line.action, line.role, line.student_id, line.rows) for line in lines]
    assert told == [
        ("features", "researcher", None, 18),
        ("features", "school", None, 18),
        ("features", "county", None, 18),
        ("explain", "county", TRUANT, 1),
        ("followup case", "county", TRUANT, 1),
    ]
    assert all(line.sha256 for line in lines[:3])


def test_a_whole_ledger_is_called_whole(workspace):
    assert run(workspace, "followup", "check")[0] == 0
