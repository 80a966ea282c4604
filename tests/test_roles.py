"""What a role may see: pseudonyms that cannot be guessed, tables without small cells."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earlywarn.errors import EarlywarnError, UsageError
from earlywarn.roles import (
    KEY_FILE,
    LEAST_CELL,
    Role,
    pseudonym,
    refuse_unless_groups,
    role_of,
    without_small_cells,
)
from earlywarn.workspace import Config, Workspace


@pytest.fixture
def workspace(tmp_path):
    return Workspace.init(tmp_path / "县 一", Config())


def test_who_sees_what():
    assert [role for role in Role if role.sees_groups] == ["bureau", "county", "township"]
    assert [role for role in Role if not role.sees_names] == ["researcher"]
    for role in Role:
        if role.sees_groups:
            refuse_unless_groups(role)
        else:
            with pytest.raises(EarlywarnError, match=f"The role {role} may not see"):
                refuse_unless_groups(role)


def test_the_configs_role_unless_another_is_asked_for(workspace):
    assert role_of(workspace) is Role.COUNTY
    assert role_of(workspace, "homeroom") is Role.HOMEROOM
    with pytest.raises(UsageError, match="There is no role head") as error:
        role_of(workspace, "head")
    assert "没有 head 这个角色" in error.value.text.zh


def test_a_pseudonym_is_the_same_in_a_workspace_and_another_elsewhere(workspace, tmp_path):
    one = pseudonym(workspace, "G110101201301010012")
    assert one == pseudonym(Workspace.open(workspace.root), "G110101201301010012")
    assert len(one) == 16
    assert set(one) <= set("0123456789abcdef")
    other = Workspace.init(tmp_path / "other", Config())
    assert pseudonym(other, "G110101201301010012") != one
    assert len(bytes.fromhex((workspace.root / KEY_FILE).read_text("utf-8"))) == 32


def test_a_damaged_key_is_said_and_not_replaced(workspace):
    pseudonym(workspace, "1")
    (workspace.root / KEY_FILE).write_text("nothing", encoding="utf-8")
    with pytest.raises(EarlywarnError, match=r"secret\.key is damaged"):
        pseudonym(workspace, "1")
    assert (workspace.root / KEY_FILE).read_text("utf-8") == "nothing"


def with_totals(cells):
    rows = [[*row, sum(row)] for row in cells]
    return [*rows, [sum(column) for column in zip(*rows, strict=True)]]


def test_a_single_small_cell_hides_three_others():
    table = with_totals([[3, 9], [8, 20]])
    assert without_small_cells(table) == [[None, None, 12], [None, None, 28], [11, 29, 40]]


def test_nothing_small_is_nothing_hidden():
    table = with_totals([[0, 9], [8, 20]])
    assert without_small_cells(table) == table
    assert without_small_cells([]) == []


def test_a_total_gives_nothing_away():
    """By columns and rows alone the one child visited would follow from the totals."""
    table = with_totals([[6, 0, 5], [8, 0, 6], [7, 0, 4], [4, 1, 1]])
    shown = without_small_cells(table)
    assert shown[3][1] is None
    assert shown[4][1] is None
    assert not told(shown)


def told(shown):
    """Whether a hidden cell follows by filling in lines with one gap, over and over."""
    known = [[None if cell is None else True for cell in row] for row in shown]
    begun = [row[:] for row in known]
    lines = [[(i, j) for j in range(len(known[0]))] for i in range(len(known))]
    lines += [[(i, j) for i in range(len(known))] for j in range(len(known[0]))]
    for _ in range(len(lines)):
        for line in lines:
            gaps = [(i, j) for i, j in line if known[i][j] is None]
            if len(gaps) == 1:
                known[gaps[0][0]][gaps[0][1]] = True
    return known != begun


tables = st.integers(1, 4).flatmap(
    lambda width: st.lists(
        st.lists(st.integers(0, 12), min_size=width, max_size=width), min_size=1, max_size=5
    )
)


@given(tables)
def test_no_small_number_is_shown_or_follows(cells):
    table = with_totals(cells)
    shown = without_small_cells(table)
    for row, seen in zip(table, shown, strict=True):
        for value, cell in zip(row, seen, strict=True):
            assert cell in (None, value)
            assert not (0 < value < LEAST_CELL and cell is not None)
    if any(cell is not None for row in shown for cell in row):
        assert not told(shown)
