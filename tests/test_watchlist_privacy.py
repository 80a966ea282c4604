"""What a school gets says nothing of its children's monitored groups.

Two counties that differ in one sensitive field of the registry are scored as they are, a hidden
rule for every group included; only tiers, ranks and who is listed are held. The schools' files are
then the same, byte for byte after unzipping, and no word, code or rule of a group stands in them.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Collection
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from earlywarn.features.catalogue import CATALOGUE
from earlywarn.followup.answers import CHOICES
from earlywarn.followup.ledger import Ledger, NewCase, NewEntry
from earlywarn.rules.pack import load_rulebook
from earlywarn.rules.sensitive import SPOKEN
from earlywarn.scoring.run import SCORES_FILE, Run, Scored, score
from earlywarn.tables.batches import add_batch
from earlywarn.tables.contract import TABLES
from earlywarn.watchlist.outputs import make_outputs
from earlywarn.words import Tier
from earlywarn.workspace import Workspace
from watchlist_county import AS_OF, JUNIOR, LAST_WEEK, children, county, scores

MING, GULI = "G110101201201010012", "G110101201202020023"
EVERYBODY = [child.student_id for child in children()]
LISTED = [child.student_id for child in children() if child.listed]
# What a rule may ask of the registry's sensitive fields, and a record of which it is true.
HIDDEN: dict[str, tuple[str, dict[str, Any]]] = {
    "migrant": ("migrant", {"migrant_child": True}),
    "left-behind": ("left_behind", {"parents_away": "both_parents"}),
    "left-by-one": ("parents_away = 'one_parent'", {"parents_away": "one_parent"}),
    "disabled": ("disabled", {"disability": "hearing"}),
    "placed": ("placement = 'special_school'", {"placement": "special_school"}),
    "poor": ("poverty = 'registered'", {"poverty": "registered"}),
    "low-income": ("poor_family", {"poverty": "low_income"}),
    "no-aid": ("not receives_aid", {"receives_aid": False}),
    "aid-gap": ("aid_gap", {"poverty": "registered", "receives_aid": False}),
    "inmates": ("parent_incarcerated", {"parent_in_prison": True}),
    "orphan": ("orphan", {"orphan_status": "orphan"}),
    "unattended": ("unattended", {"orphan_status": "unattended"}),
}
MARK = "密语"  # stands in the texts of the hidden rules and nowhere else
RULE = """
  - id: hidden-{name}
    title: {{zh: {mark}{name}, en: cipher {name}}}
    when: {when} and grade >= 1
    allow_group_alone: yes
    alone_because: made up
    points: 4.0
    ladder: absence
    action: talk
    reason: {{zh: "{mark}{name}", en: "cipher {name}"}}
    source: made up
    tests:
      - {{given: {{grade: 0}}, expect: miss}}
"""
CODES = {
    *(field for _, record in HIDDEN.values() for field in record),
    *(feature.name for feature in CATALOGUE if feature.sensitive or feature.kind == "group"),
}


def rule_pack() -> str:
    rules = "".join(
        RULE.format(name=name, when=when, mark=MARK) for name, (when, _) in HIDDEN.items()
    )
    return f"pack: hidden\ntitle: {{zh: 暗, en: hidden}}\nrules:{rules}"


def held(folder: Path, scored: Scored) -> dict[str, Any]:
    """Write the lists with every child's tier, rank and place on the list as in `children`.

    Last week all stood a place lower and were to be watched.
    """
    fixed = scores(children())
    if scored.as_of == LAST_WEEK:
        lower, watch = pc.add(fixed["rank"], 1), pa.array(["watch"] * len(fixed))
        fixed = fixed.set_column(fixed.column_names.index("rank"), "rank", lower)
        fixed = fixed.set_column(fixed.column_names.index("tier"), "tier", watch)
    table = scored.con.table("scores").to_arrow_table().sort_by("student_id")
    assert table["student_id"].to_pylist() == fixed["student_id"].to_pylist()
    for name in ("tier", "rank", "listed"):
        field = table.schema.field(name)
        column = fixed[name].cast(field.type)
        table = table.set_column(table.column_names.index(name), field, column)
    pq.write_table(table, folder / SCORES_FILE)
    scored.con.register("scores", table)
    return make_outputs(folder, scored)


def scored_county(root: Path, record: dict[str, Any], students: Collection[str] = ()) -> Run:
    """Make the county with `record` in the registry for `students`, and its lists of two weeks.

    It came into the registry between the two, so what it does is among what has changed. The ledger
    has running cases: an absence, and one of the list that was answered.
    """
    made = county(root)
    registry = made.con.table("students").to_arrow_table()
    made.con.close()
    newer = [
        row | {"snapshot_date": AS_OF} | (record if row["student_id"] in students else {})
        for row in registry.to_pylist()
    ]
    with made.workspace.lock("test"):
        table = pa.Table.from_pylist(newer, schema=TABLES["students"].schema)
        add_batch(made.workspace, {"students": table}, origin="newer", content="newer")
    (made.workspace.rules / "hidden.yaml").write_text(rule_pack(), encoding="utf-8")
    with Ledger.open(made.workspace) as ledger:
        absent, listed = ledger.open_cases(
            NewCase("absence", JUNIOR, date(2026, 11, 18), "daily", student_id=MING),
            NewCase("watchlist", JUNIOR, LAST_WEEK, "list", student_id=GULI, tier=Tier.HIGH),
            who="test",
        )
        ledger.assign(absent.case_id, who="test", leader="周校长", teacher="钱老师")
        ledger.record(
            NewEntry(absent.case_id, "state", date(2026, 11, 18), value="contacted"),
            NewEntry(listed.case_id, "state", date(2026, 11, 16), value="visited"),
            who="test",
        )
    score(made.workspace, LAST_WEEK, model="none", outputs=held)
    return score(made.workspace, AS_OF, model="none", outputs=held)


def school_files(run: Run) -> dict[str, bytes]:
    """Return what the schools get: each page, and each workbook's parts, by name."""
    found = {}
    for path in sorted((run.folder.path / "watchlists" / "schools").iterdir()):
        if path.suffix == ".xlsx":
            with zipfile.ZipFile(path) as book:
                found |= {f"{path.name}/{name}": book.read(name) for name in book.namelist()}
        else:
            found[path.name] = path.read_bytes()
    return found


def bureau_json(run: Run) -> str:
    return (run.folder.path / "watchlists" / "bureau" / "watchlist.json").read_text("utf-8")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The county in which no child belongs to any group; to be read only."""
    return scored_county(tmp_path_factory.mktemp("plain") / "某县", {})


def test_the_plain_county_is_followed_and_compared(plain: Run) -> None:
    files = school_files(plain)
    assert len([name for name in files if name.endswith(".html")]) == 2
    assert len([name for name in files if name.endswith("sheet1.xml")]) == 2
    page = next(text.decode() for name, text in files.items() if JUNIOR in name)
    assert "周校长" in page
    assert "跟进：" in page
    assert plain.info["compared_with"] == f"runs/{LAST_WEEK}/1"


@pytest.mark.parametrize("name", HIDDEN)
def test_a_sensitive_field_changes_no_byte_that_a_school_gets(
    name: str, plain: Run, tmp_path: Path
) -> None:
    """Of every child at once: were one row or a school's number to tell, it would show."""
    other = scored_county(tmp_path / "某县", HIDDEN[name][1], EVERYBODY)
    assert school_files(other) == school_files(plain)
    # It is no empty comparison: the hidden rule has hit, and the bureau reads so.
    assert MARK in bureau_json(other)
    assert MARK not in bureau_json(plain)
    assert other.folder.scores()["score"] != plain.folder.scores()["score"]


@pytest.mark.parametrize("student", LISTED[::3])
def test_a_parent_in_prison_shows_for_no_child(student: str, plain: Run, tmp_path: Path) -> None:
    other = scored_county(tmp_path / "某县", {"parent_in_prison": True}, [student])
    assert school_files(other) == school_files(plain)
    assert f"{MARK}inmates" in bureau_json(other)


def test_no_word_of_a_group_stands_in_a_schools_files(tmp_path: Path) -> None:
    """Every child in every group: no label, code, rule or word that people use for one."""
    record = {field: value for _, given in HIDDEN.values() for field, value in given.items()}
    run = scored_county(tmp_path / "某县", record, EVERYBODY)
    rulebook = load_rulebook(Workspace.open(tmp_path / "某县").rules)
    hidden = [rule for rule in rulebook.rules if rule.hidden_from_schools]
    assert {rule.id for rule in hidden} >= {f"hidden-{name}" for name in HIDDEN}
    words = [MARK, "cipher", *CODES, *(rule.id for rule in hidden)]
    words += [text for rule in hidden for text in rule.title]
    words += [text for group in rulebook.groups for text in group.label]
    patterns = [re.escape(word) for word in words]
    patterns += [pattern for text in SPOKEN.values() for pattern in text]
    telling = re.compile(r"(?<![a-z])(?:" + "|".join(patterns) + ")", re.IGNORECASE)
    found = {
        (name, match[0])
        for name, content in school_files(run).items()
        for match in telling.finditer(without_choices(content.decode()))
    }
    assert found == set()
    assert telling.search(bureau_json(run))


def without_choices(text: str) -> str:
    """Take out the answers that every school may choose from, whatever its children."""
    words = {
        word
        for choices in CHOICES.values()
        for code, label in choices.items()
        for word in (code, *label)
    }
    for word in sorted(words, key=len, reverse=True):
        text = text.replace(word, "")
    return text
