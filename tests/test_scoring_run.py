"""The run folder: whole or not at all, the same inputs no new one, and what counts in nothing."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from earlywarn.engine.duckdb import connect
from earlywarn.errors import EarlywarnError
from earlywarn.features.newest import newest_school_day
from earlywarn.files import write_whole
from earlywarn.models.store import registry
from earlywarn.scoring.run import (
    RULES_FILE,
    RUN_FILE,
    SCORES_FILE,
    Run,
    Scored,
    last_week,
    run_folders,
    score,
)
from earlywarn.tables.contract import TABLES
from earlywarn.watchlist.outputs import make_outputs
from earlywarn.workspace import Workspace
from scoring_city import (
    CITY_DAY,
    SCHOOL_DAYS,
    TRUANT,
    VILLAGE_DAY,
    City,
    load,
    put_model,
    rows,
    tree,
    village,
    village_tables,
)

WEEK = timedelta(days=7)


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The village as `ws` copies it."""
    return village(tmp_path_factory.mktemp("village") / "w")


@pytest.fixture
def ws(pristine: Workspace, tmp_path: Path) -> Workspace:
    """A village; scored by the experts unless a test puts a model in."""
    shutil.copytree(pristine.root, tmp_path / "某村 1")
    return Workspace.open(tmp_path / "某村 1")


@pytest.fixture(scope="module")
def once(pristine: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The village with a promoted model and one run, as `scored` copies it."""
    root = tmp_path_factory.mktemp("scored") / "w"
    shutil.copytree(pristine.root, root)
    workspace = Workspace.open(root)
    label = put_model(workspace)
    with workspace.lock("test"):
        registry.promote(workspace, label)
    score(workspace, VILLAGE_DAY, outputs=make_outputs)
    return workspace


@pytest.fixture
def scored(once: Workspace, tmp_path: Path) -> Workspace:
    """A village with a promoted model and run 1 of it."""
    shutil.copytree(once.root, tmp_path / "某村 2")
    return Workspace.open(tmp_path / "某村 2")


def first_run(workspace: Workspace) -> Path:
    """The folder of run 1."""
    (folder,) = run_folders(workspace, VILLAGE_DAY)
    assert folder.number == 1
    return folder.path


def scores_of(run: Run) -> bytes:
    return (run.folder.path / SCORES_FILE).read_bytes()


def numbers(workspace: Workspace, as_of: date = VILLAGE_DAY) -> list[int]:
    return [folder.number for folder in run_folders(workspace, as_of)]


def absences(*found: tuple[str, date], status: str = "unexcused") -> Any:
    return rows(
        "attendance",
        student_id=[child for child, _ in found],
        date=[day for _, day in found],
        status=[status] * len(found),
    )


# --- the same inputs, and others ---


def test_the_run_says_what_it_was_made_of(ws: Workspace) -> None:
    run = score(ws, VILLAGE_DAY, outputs=make_outputs)
    assert run.folder.path == ws.runs / "2026-04-10" / "1"
    files = {SCORES_FILE, RULES_FILE, RUN_FILE, "watchlists"}
    assert {p.name for p in run.folder.path.iterdir()} == files
    info = run.folder.info()
    assert info == json.loads(json.dumps(run.info))
    assert info["scores_sha256"] == hashlib.sha256(scores_of(run)).hexdigest()
    assert (info["model"], info["number"], info["compared_with"]) == ("experts/1", 1, None)
    assert info["inputs"]["data"]["attendance"] == [
        hashlib.sha256(p.read_bytes()).hexdigest() for p in ws.data.glob("attendance/*.parquet")
    ]
    assert info["counts"]["students"] == 18
    assert (run.folder.path / info["outputs"]["index"]).is_file()
    text = json.dumps(info, ensure_ascii=False)
    assert TRUANT not in text  # no child is named in it
    assert str(ws.root) not in text


def test_the_same_inputs_make_no_new_run(scored: Workspace) -> None:
    before = tree(scored.runs)
    for model in (None, "main", "main/1"):
        again = score(scored, VILLAGE_DAY, model=model, outputs=make_outputs)
        assert (again.is_new, again.folder.path) == (False, first_run(scored))
        assert again.info == again.folder.info()
    score(scored, VILLAGE_DAY)  # without watchlists: those that are there do no harm
    assert tree(scored.runs) == before


def test_the_experts_twice_are_one_run(ws: Workspace) -> None:
    first = score(ws, VILLAGE_DAY)
    before = tree(ws.root)
    again = score(ws, VILLAGE_DAY, model="none")
    assert (again.is_new, again.folder, again.info) == (False, first.folder, first.info)
    assert tree(ws.root) == before


def test_a_run_without_watchlists_will_not_do_where_they_are_asked_for(ws: Workspace) -> None:
    bare = score(ws, VILLAGE_DAY)
    full = score(ws, VILLAGE_DAY, outputs=make_outputs)
    assert (bare.folder.number, full.folder.number, full.is_new) == (1, 2, True)
    assert (full.folder.path / full.info["outputs"]["index"]).is_file()
    assert scores_of(bare) == scores_of(full)
    assert score(ws, VILLAGE_DAY, outputs=make_outputs).folder == full.folder


def new_batch(workspace: Workspace) -> dict[str, Any]:
    load(workspace, "attendance", absences(("LA05", VILLAGE_DAY)))
    return {}


def changed_rule(workspace: Workspace) -> dict[str, Any]:
    path = workspace.rules / "attendance.yaml"
    text = path.read_text("utf-8")
    assert "absence_rate_60d >= 0.2\n" in text
    write_whole(path, text.replace("absence_rate_60d >= 0.2\n", "absence_rate_60d >= 0.25\n"))
    return {}


def changed_config(workspace: Workspace) -> dict[str, Any]:
    workspace.set_config(capacity={"least": 1, "share": 0.01})
    return {}


def newer_model(workspace: Workspace) -> dict[str, Any]:
    label = put_model(workspace, version=2, b0=-4.0)
    with workspace.lock("test"):
        registry.promote(workspace, label)
    return {}


def last_weeks_run(workspace: Workspace) -> dict[str, Any]:
    score(workspace, VILLAGE_DAY - WEEK)
    return {}


@pytest.mark.parametrize(
    "change",
    [
        new_batch,
        changed_rule,
        changed_config,
        newer_model,
        last_weeks_run,
        lambda workspace: {"model": "none"},
        lambda workspace: {"lang": "en"},
    ],
    ids=["batch", "rule", "config", "promoted", "last week", "--model", "--lang"],
)
def test_other_inputs_make_the_next_run_and_touch_none(
    scored: Workspace, change: Callable[[Workspace], dict[str, Any]]
) -> None:
    first = first_run(scored)
    # Somebody is filling in a list: what they typed stays, byte for byte.
    write_whole(first / "watchlists" / "VA.xlsx", b"typed by a teacher")
    before = tree(first)
    options = change(scored)
    second = score(Workspace.open(scored.root), VILLAGE_DAY, **options)
    assert (second.is_new, second.folder.number) == (True, 2)
    assert tree(first) == before
    assert numbers(scored) == [1, 2]
    # A changed rule has no fitted weight: it counts with its author's points, and is named.
    named = ["absence-20"] if change is changed_rule else []
    assert second.info["rules_with_author_points"] == named


def test_two_fresh_copies_give_the_same_bytes(city: City, tmp_path: Path) -> None:
    found = []
    for name in ("甲 1", "b"):
        run = score(city.copy(tmp_path / name), CITY_DAY)
        assert (run.is_new, run.folder.number) == (True, 1)
        assert run.info["inputs"] == city.trained.info["inputs"]
        found.append(scores_of(run))
    assert found == [scores_of(city.trained)] * 2


def test_the_order_of_loading_does_not_matter(tmp_path: Path) -> None:
    orders = [list(village_tables()), list(village_tables())[::-1]]
    spaces = [village(tmp_path / str(i), order) for i, order in enumerate(orders)]
    # And attendance in two halves, the later one first.
    halves = village(tmp_path / "halves", ["students"])
    tables = village_tables()
    whole = tables["attendance"]
    cut = whole.num_rows // 2
    for part in (whole.slice(cut), whole.slice(0, cut)):
        load(halves, "attendance", part)
    for table in ("calendar", "schools"):
        load(halves, table, tables[table])
    runs = [score(w, VILLAGE_DAY) for w in [*spaces, halves]]
    assert len({scores_of(run) for run in runs}) == 1
    assert len({run.info["inputs_hash"] for run in runs[:2]}) == 1


# --- killed, or failing ---

KILLED = """
import sys, time
from datetime import date
from pathlib import Path
from earlywarn.scoring.run import score
from earlywarn.watchlist.outputs import make_outputs
from earlywarn.workspace import Workspace

def outputs(folder, scored):
    made = make_outputs(folder, scored)
    print("written", folder.name, flush=True)
    time.sleep(60)
    return made

score(Workspace.open(Path(sys.argv[1])), date(2026, 4, 10), outputs=outputs)
"""


def test_a_killed_run_leaves_no_folder_and_the_next_one_works(
    scored: Workspace,
) -> None:
    ws, first = scored, first_run(scored)
    before = tree(first)
    new_batch(ws)
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(ws.root)],
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONUTF8": "1"},
    )
    try:
        assert child.stdout is not None
        said = child.stdout.readline().split()
        assert said[:1] == ["written"]
        with pytest.raises(EarlywarnError, match=f"in use by .*pid {child.pid}, score"):
            score(ws, VILLAGE_DAY)
    finally:
        child.kill()  # SIGKILL: nothing is tidied up
        child.wait()
        child.stdout.close()
    parent = ws.runs / "2026-04-10"
    assert sorted(p.name for p in parent.iterdir()) == sorted([said[1], "1"])
    assert (parent / said[1] / SCORES_FILE).is_file()  # it was far on
    assert numbers(ws) == [1]
    assert tree(first) == before
    second = score(ws, VILLAGE_DAY, outputs=make_outputs)
    assert (second.is_new, second.folder.number) == (True, 2)
    assert tree(first) == before
    assert (second.folder.path / second.info["outputs"]["index"]).is_file()


def test_an_error_in_the_outputs_leaves_nothing(ws: Workspace) -> None:
    def failing(folder: Path, given: Scored) -> dict[str, Any]:
        (folder / "watchlists").mkdir()
        (folder / "watchlists" / "VA.html").write_text("half", "utf-8")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        score(ws, VILLAGE_DAY, outputs=failing)
    assert numbers(ws) == []
    assert list((ws.runs / "2026-04-10").iterdir()) == []
    assert score(ws, VILLAGE_DAY).folder.number == 1


def test_leftovers_and_damaged_runs_are_passed_over(ws: Workspace) -> None:
    parent = ws.runs / "2026-04-10"
    (parent / ".part-123-abc").mkdir(parents=True)
    (parent / ".part-123-abc" / RUN_FILE).write_text("{}", "utf-8")
    (parent / "7").write_text("a file, no run", "utf-8")
    assert numbers(ws) == []
    first = score(ws, VILLAGE_DAY)
    assert first.folder.number == 1
    (first.folder.path / RUN_FILE).write_text("{", "utf-8")
    with pytest.raises(EarlywarnError, match="damaged or missing"):
        first.folder.info()
    second = score(ws, VILLAGE_DAY)
    assert (second.is_new, second.folder.number) == (True, 2)
    assert scores_of(second) == scores_of(first)
    (first.folder.path / SCORES_FILE).write_bytes(b"PAR1")
    with pytest.raises(EarlywarnError, match="damaged or missing"):
        first.folder.scores()


# --- what belongs to nothing stays, and changes nothing ---


def stray(*found: tuple[str, date]) -> dict[str, Any]:
    return {"attendance": absences(*found)}


HOLIDAY = date(2026, 4, 5)  # a Sunday
STRAYS: dict[str, dict[str, Any]] = {
    "unknown student": stray(("XX99", VILLAGE_DAY)),
    "non-school day": stray(("LA03", HOLIDAY), ("LA03", HOLIDAY - timedelta(days=1))),
    "in the future": stray(*(("LA03", VILLAGE_DAY + timedelta(days=d)) for d in (3, 4, 5, 300))),
    "before enrolment": stray(("LA03", date(2025, 8, 29)), ("LA03", date(2025, 8, 28))),
    "unknown school": {
        "reported_days": rows("reported_days", school_id=["ZZ"], date=[VILLAGE_DAY]),
        "exams": rows(
            "exams",
            student_id=["XX99"],
            date=[VILLAGE_DAY],
            exam=["期中"],
            subject=["maths"],
            score=[Decimal(1)],
            full_mark=[Decimal(100)],
        ),
        "outcomes": rows(
            "outcomes", student_id=["XX99"], date=[VILLAGE_DAY], event=["dropped_out"]
        ),
    },
}


def score_and_keep(workspace: Workspace) -> tuple[Run, bytes, list[dict[str, Any]]]:
    """Score by the experts; return the run, its scores' bytes and the features it was made of."""
    kept: list[dict[str, Any]] = []

    def keep(folder: Path, given: Scored) -> dict[str, Any]:
        query = "SELECT * FROM features ORDER BY student_id"
        kept.extend(given.con.sql(query).to_arrow_table().to_pylist())
        return {"kept": len(kept)}

    run = score(workspace, VILLAGE_DAY, outputs=keep)
    return run, scores_of(run), kept


def test_it_stays_and_counts_in_nothing(ws: Workspace) -> None:
    # Before enrolment must lie on a day of the calendar, or it would be no school day anyway.
    august = [date(2025, 8, 28), date(2025, 8, 29)]
    load(ws, "calendar", rows("calendar", date=august, is_school_day=[True, True]))
    _, scores, features = score_and_keep(ws)
    assert len(features) == 18
    had = count_rows(ws)
    for case in STRAYS.values():
        for table, content in case.items():
            load(ws, table, content)
            had[table] += content.num_rows
    assert count_rows(ws) == had  # it stays
    run, again, features_again = score_and_keep(ws)
    assert (run.is_new, run.folder.number) == (True, 2)  # other inputs, the same scores
    assert features_again == features
    assert again == scores


def count_rows(workspace: Workspace) -> dict[str, int]:
    """Return how many rows each table holds."""
    con = connect(workspace)
    try:
        return {
            table: con.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0] for table in TABLES
        }
    finally:
        con.close()


def test_attendance_after_leaving_counts_in_nothing(ws: Workspace) -> None:
    left = rows(
        "students",
        student_id=["LA12"],
        snapshot_date=[VILLAGE_DAY - timedelta(days=8)],
        school_id=["VA"],
        class_id=["7.1"],
        grade=[7],
        left_on=[VILLAGE_DAY - timedelta(days=6)],
    )
    load(ws, "students", left)
    days = [day for day in SCHOOL_DAYS if VILLAGE_DAY - timedelta(days=6) <= day <= VILLAGE_DAY]
    load(ws, "attendance", absences(*(("LA12", day) for day in days), status="present"))
    first = score(ws, VILLAGE_DAY)
    load(ws, "attendance", absences(*(("LA12", day) for day in days)))
    second = score(ws, VILLAGE_DAY)
    assert "LA12" not in second.folder.scores()["student_id"].to_pylist()
    assert scores_of(second) == scores_of(first)


def test_children_of_a_school_that_is_in_no_table_are_scored(ws: Workspace) -> None:
    stranger = rows(
        "students",
        student_id=["LZ01", "LZ02"],
        snapshot_date=[VILLAGE_DAY] * 2,
        school_id=["ZZ"] * 2,
        grade=[8] * 2,
    )
    before = {r["student_id"]: r for r in score(ws, VILLAGE_DAY).folder.scores().to_pylist()}
    load(ws, "students", stranger)
    run = score(ws, VILLAGE_DAY, outputs=make_outputs)
    after = {r["student_id"]: r for r in run.folder.scores().to_pylist()}
    assert {name for name, row in after.items() if row["school_id"] == "ZZ"} == {"LZ01", "LZ02"}
    assert {name: after[name] for name in before} == before


# --- which model, which day ---


def test_the_model_that_is_asked_for(scored: Workspace) -> None:
    put_model(scored, version=2, b0=-3.0)
    put_model(scored, name="其他")
    wanted = {None: "main/1", "main": "main/2", "main/1": "main/1", "其他": "其他/1"}
    for model, label in wanted.items():  # main/2 is there, and not in use
        chosen = registry.choose(scored, model)
        assert chosen is not None
        assert chosen.label == label
    assert registry.choose(scored, "none") is None
    run = score(scored, VILLAGE_DAY, model="main")
    assert run.info["model"] == "main/2"
    assert set(run.folder.scores()["model"].to_pylist()) == {"main/2"}
    assert score(scored, VILLAGE_DAY, model="none").info["model"] == "experts/1"


def test_without_a_promoted_model_the_experts_score(ws: Workspace) -> None:
    put_model(ws)
    assert score(ws, VILLAGE_DAY).info["model"] == "experts/1"


def test_an_unknown_model_is_said_plainly(scored: Workspace) -> None:
    for model in ("main/9", "nobody", "nobody/1", "../main/1", "main/x", "experts"):
        with pytest.raises(EarlywarnError) as error:
            score(scored, VILLAGE_DAY, model=model)
        assert (
            f"There is no model {model}. There are: main/1, demonstration/1." in error.value.text.en
        )
        assert f"没有模型 {model}" in error.value.text.zh
    assert numbers(scored) == [1]


def flip_weight(text: str) -> str:
    return text.replace('"b0": -20.0', '"b0": 20.0')


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (flip_weight, "it was changed"),
        (lambda text: text[:-40], "it was changed"),
        (lambda text: "", "it was changed"),
        (lambda text: "\x80\x04]", "refused unopened"),
    ],
    ids=["a number", "cut short", "empty", "a pickle"],
)
def test_a_damaged_model_is_refused(
    scored: Workspace, damage: Callable[[str], str], words: str
) -> None:
    path = scored.models / "main" / "1" / registry.MODEL_FILE
    changed = damage(path.read_text("utf-8"))
    assert changed != path.read_text("utf-8")
    path.write_bytes(changed.encode("latin-1"))
    with pytest.raises(EarlywarnError, match=words):  # never the experts instead
        score(scored, VILLAGE_DAY)
    assert numbers(scored) == [1]


def make_runs(workspace: Workspace, *found: tuple[int, int]) -> None:
    """Make empty runs so many days before VILLAGE_DAY, each with its number."""
    for days, number in found:
        folder = workspace.runs / (VILLAGE_DAY - timedelta(days=days)).isoformat() / str(number)
        folder.mkdir(parents=True)


@pytest.mark.parametrize(
    ("runs", "newest"),
    [
        ((), None),
        (((0, 1), (1, 1), (4, 1), (10, 1), (14, 1)), None),
        (((5, 1),), (5, 1)),
        (((9, 1),), (9, 1)),
        (((9, 1), (7, 1), (6, 1), (4, 1)), (6, 1)),
        (((7, 1), (7, 2), (7, 10), (8, 11)), (7, 10)),
    ],
)
def test_last_week_is_the_newest_run_5_to_9_days_before(
    ws: Workspace, runs: tuple[tuple[int, int], ...], newest: tuple[int, int] | None
) -> None:
    make_runs(ws, *runs)
    found = last_week(ws, VILLAGE_DAY)
    if newest is None:
        assert found is None
    else:
        assert found is not None
        assert (found.as_of, found.number) == (VILLAGE_DAY - timedelta(days=newest[0]), newest[1])


def test_what_it_is_compared_with_is_named(scored: Workspace) -> None:
    run = score(scored, VILLAGE_DAY + WEEK)
    assert run.info["compared_with"] == "runs/2026-04-10/1"
    assert (scored.root / run.info["compared_with"]) == first_run(scored)


def test_the_newest_school_day(ws: Workspace) -> None:
    today = date(2026, 4, 20)

    def newest(day: date = today) -> date:
        con = connect(ws)
        try:
            return newest_school_day(con, day)
        finally:
            con.close()

    assert newest() == VILLAGE_DAY
    assert newest(VILLAGE_DAY - timedelta(days=1)) == VILLAGE_DAY - timedelta(days=1)
    # A mistyped year, and a Sunday after the last school day.
    load(ws, "attendance", absences(("LA03", date(2062, 4, 10)), ("LA03", date(2026, 4, 12))))
    assert newest() == VILLAGE_DAY
    # A school that hands in an empty day has reported all the same.
    monday = date(2026, 4, 13)
    load(ws, "reported_days", rows("reported_days", school_id=["VA"], date=[monday]))
    assert newest() == monday
    with pytest.raises(EarlywarnError, match="No attendance is loaded"):
        newest(date(2026, 3, 1))


def test_without_a_day_the_newest_school_day_is_scored(ws: Workspace) -> None:
    load(ws, "attendance", absences(("LA03", date(2099, 4, 10))))
    assert score(ws).info["as_of"] == VILLAGE_DAY.isoformat()
