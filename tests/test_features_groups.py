"""The groups' definitions: the shipped ones, and every way in which they can be wrong."""

from pathlib import Path

import duckdb
import pytest

from earlywarn.errors import EarlywarnError
from earlywarn.features.groups import GROUP_NAMES, load_groups
from earlywarn.workspace import shipped

SHIPPED = (shipped("rules") / "groups.yaml").read_text("utf-8")


def groups_of(tmp_path: Path, text: str):
    (tmp_path / "groups.yaml").write_text(text, "utf-8")
    return load_groups(tmp_path)


# registry fields, the group, whether the child is in it
MEMBERS = [
    ({"migrant_child": "true"}, "migrant", True),
    ({"migrant_child": "false"}, "migrant", False),
    ({}, "migrant", None),
    ({"parents_away": "'one_parent'"}, "left_behind", True),
    ({"parents_away": "'both_parents'"}, "left_behind", True),
    ({"parents_away": "'none'"}, "left_behind", False),
    ({}, "left_behind", None),
    ({"disability": "'hearing'"}, "disabled", True),
    ({"disability": "'none'"}, "disabled", False),
    ({"poverty": "'low_income'"}, "poor_family", True),
    ({"poverty": "'none'"}, "poor_family", False),
    ({"parent_in_prison": "true"}, "parent_incarcerated", True),
    ({}, "parent_incarcerated", None),
    ({"orphan_status": "'orphan'"}, "orphan", True),
    ({"orphan_status": "'orphan'"}, "unattended", False),
    ({"orphan_status": "'unattended'"}, "unattended", True),
    ({"orphan_status": "'none'"}, "orphan", False),
    ({}, "orphan", None),
]


@pytest.mark.parametrize(("fields", "name", "member"), MEMBERS)
def test_shipped_definitions(fields, name, member):
    groups = load_groups(shipped("rules"))
    texts = ("parents_away", "disability", "poverty", "orphan_status")
    booleans = ("migrant_child", "parent_in_prison")
    columns = ", ".join(
        f"{fields.get(field, 'NULL')}::{'VARCHAR' if field in texts else 'BOOLEAN'} AS {field}"
        for field in (*texts, *booleans)
    )
    query = f"SELECT {groups[name].sql} FROM (SELECT {columns})"
    assert duckdb.sql(query).fetchall() == [(member,)]


def test_the_seven_in_catalogue_order():
    groups = load_groups(shipped("rules"))
    assert tuple(group.name for group in groups) == GROUP_NAMES
    assert groups["parent_incarcerated"].sensitive
    assert "parents_away" in groups.fields
    with pytest.raises(KeyError):
        groups["boys"]


def test_the_hash_is_of_the_meaning(tmp_path):
    one = groups_of(tmp_path, SHIPPED).hash
    commented = SHIPPED.replace("groups:", "# a note\ngroups:\n", 1).replace(
        "when: migrant_child", "when:   ( migrant_child )"
    )
    assert groups_of(tmp_path, commented).hash == one
    other = SHIPPED.replace("poverty <> 'none'", "poverty = 'registered'")
    assert groups_of(tmp_path, other).hash != one


WRONG = [
    ("when: migrant_child", "when: migrant_chlid", "did you mean migrant_child"),
    ("when: migrant_child", "when: absence_rate_20d > 0.1", "no name absence_rate_20d"),
    ("when: migrant_child", "when: left_behind", "no name left_behind"),
    ("when: migrant_child", "when: grade > 3", "no name grade"),
    ("when: migrant_child", "when: migrant_child = 1", "true / false"),
    ("when: migrant_child", "wen: migrant_child", "did you mean when"),
    ("when: migrant_child", "when:", "empty"),
    ("'both_parents')", "'both_parent')", "is never 'both_parent'; it can be none, one_parent"),
    ("name: migrant", "name: migrnt", "did you mean migrant"),
    ("name: migrant", "name: disabled", "stands twice"),
    ('label: {zh: "留守儿童", en: "left-behind child"}', "label: {zh: 留守}", "zh and en"),
    ("    sensitive: yes", "    sensitive: maybe", "yes or no"),
    ("groups:\n", "grups:\n", "`groups:` is missing"),
]


@pytest.mark.parametrize(("old", "new", "words"), WRONG)
def test_wrong_definitions(tmp_path, old, new, words):
    assert old in SHIPPED
    with pytest.raises(EarlywarnError) as caught:
        groups_of(tmp_path, SHIPPED.replace(old, new, 1))
    assert words in caught.value.text.en
    assert "groups.yaml, line " in caught.value.text.en
    assert "groups.yaml 第 " in caught.value.text.zh


def test_imprisonment_is_always_sensitive(tmp_path):
    text = SHIPPED.replace("sensitive: yes", "sensitive: no")
    with pytest.raises(EarlywarnError, match="always sensitive"):
        groups_of(tmp_path, text)


def test_all_problems_in_one_go(tmp_path):
    text = SHIPPED.replace("when: migrant_child", "when: nope > 1").replace(
        "name: orphan", "name: o"
    )
    with pytest.raises(EarlywarnError) as caught:
        groups_of(tmp_path, text)
    for words in ("no name nope", "no group o;", "orphan is not defined"):
        assert words in caught.value.text.en


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(EarlywarnError, match=r"groups\.yaml"):
        load_groups(tmp_path)
