"""Who in a list is who in the registry: by identity number, by exact fields, by weight."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import duckdb
import numpy as np
import pyarrow as pa

from earlywarn.reconcile.fields import (
    DIFFERENT,
    EQUAL,
    MISSING,
    SIMILAR,
    agreement_sql,
    comparable,
    side_by_side,
)
from earlywarn.reconcile.matching import LEAST, Weighed, settle
from earlywarn.reconcile.people import PAIRS
from earlywarn.reconcile.weighing import COMMONEST, connect, weigh

REPEATED = pa.schema([("line", pa.int64()), ("first_line", pa.int64())])
MOST_CANDIDATES = 3  # that a person is asked about for one line
HOUSEHOLD = ("number", "guardian", "phone")
CORROBORATING = ("name", "birth", "guardian", "phone")


@dataclass(frozen=True)
class Linked:
    """What became of the lines; one that is in none of the three is on no roll.

    Parameters
    ----------
    sure
        PAIRS, in order of line: each line and each child at most once.
    unsure
        PAIRS that a person must judge: at most three a line, the best first.
    repeated
        Lines that name a child whom an earlier line in `sure` names (line, first_line): a child
        in the lists of two households. `first_line` has the pair in `sure`; it is the line that
        agrees best, which need not be the one higher up.
    """

    sure: pa.Table
    unsure: pa.Table
    repeated: pa.Table


class Pair(NamedTuple):
    """One row of PAIRS."""

    line: int
    student_id: str
    how: str
    weight: float | None
    probability: float | None
    agreement: str


@dataclass
class _State:
    sure: dict[int, Pair] = field(default_factory=dict)
    holder: dict[str, int] = field(default_factory=dict)  # child -> its line
    repeated: dict[int, str] = field(default_factory=dict)  # line -> child
    # The number is equal, the rest against it; or two children of the registry have it.
    doubted: list[Pair] = field(default_factory=list)

    def give(self, pair: Pair) -> None:
        self.sure[pair.line] = pair
        self.holder[pair.student_id] = pair.line

    def settled(self, line: int) -> bool:
        return line in self.sure or line in self.repeated


def link(listed: pa.Table, enrolled: pa.Table, *, seed: int = 0) -> Linked:
    """Find each line's child: one child a line, one line a child.

    An equal identity number is sure unless name, birth date, guardian and telephone all speak
    against it; where its check digit is wrong or missing, name or birth date must agree. Then name,
    birth date and guardian together, where they fit one child and its sex is none other. The rest
    by match weight, where the pair is clearly better than any other of its line and its child
    (`matching`). A pair that differs in name, or in birth date, sex or number where the name is
    only similar, is never sure: brothers, sisters and twins are like that.

    Parameters
    ----------
    listed
        LISTED, each `line` once.
    enrolled
        ENROLLED, each `student_id` once.
    seed
        For the pairs drawn at random by whose agreement chance is judged.
    """
    state = _State()
    con = connect()
    try:
        _tables(con, listed, enrolled)
        if listed.num_rows and enrolled.num_rows:
            _by_number(con, state)
            _exact(con, state)
            unsure = _by_weight(con, state, seed)
        else:
            unsure = []
    finally:
        con.close()
    repeats = [(line, state.holder[child]) for line, child in sorted(state.repeated.items())]
    return Linked(
        sure=_pairs(state.sure[line] for line in sorted(state.sure)),
        unsure=_pairs(unsure),
        repeated=pa.table(
            [[line for line, _ in repeats], [first for _, first in repeats]], schema=REPEATED
        ),
    )


def _tables(con: duckdb.DuckDBPyConnection, listed: pa.Table, enrolled: pa.Table) -> None:
    """Make the tables `lines` and `children`."""
    for name, people, key, number in (
        ("lines", listed, "line", "id_number"),
        ("children", enrolled, "student_id", "student_id"),
    ):
        con.register("given", comparable(people, key, number))
        con.execute(f"CREATE TABLE {name} AS FROM given").fetchall()
        con.unregister("given")


def _signs(agreement: str) -> dict[str, str]:
    return {part[:-1]: part[-1] for part in agreement.split(",")}


def _by_number(con: duckdb.DuckDBPyConnection, state: _State) -> None:
    rows = con.execute(
        f"""
        WITH pairs AS (SELECT {side_by_side()} FROM lines l JOIN children r USING (body))
        SELECT CAST(unique_id_l AS BIGINT) AS line, unique_id_r, {agreement_sql()},
               proved_l AND proved_r,
               EXISTS (FROM children o WHERE o.name = name_l AND o.birth = birth_l
                       AND o.unique_id <> unique_id_r)
        FROM pairs ORDER BY line, unique_id_r
        """
    ).fetchall()
    several = {line for line, times in Counter(row[0] for row in rows).items() if times > 1}
    trusted: dict[str, list[Pair]] = {}
    for line, student_id, agreement, proved, other in rows:
        pair = Pair(line, student_id, "id", None, None, agreement)
        signs = _signs(agreement)
        # The name and birth date are another child's: a sister's number, copied.
        copied = other and signs["name"] != EQUAL
        if line not in several and not copied and _number_holds(signs, proved):
            trusted.setdefault(student_id, []).append(pair)
        elif proved or any(signs[name] == EQUAL for name in CORROBORATING):
            state.doubted.append(pair)
    for student_id, claims in trusted.items():
        first = min(claims, key=lambda pair: (_disagreement(pair.agreement), pair.line))
        state.give(first)
        for pair in claims:
            if pair is not first and not state.settled(pair.line):
                signs = _signs(pair.agreement)
                if _may_repeat(signs):
                    state.repeated[pair.line] = student_id
                else:
                    state.doubted.append(pair)


def _number_holds(signs: dict[str, str], proved: bool) -> bool:
    if not proved:
        return signs["name"] in (EQUAL, SIMILAR) or signs["birth"] == EQUAL
    said = [signs[name] for name in CORROBORATING if signs[name] != MISSING]
    return not said or any(sign in (EQUAL, SIMILAR) for sign in said)


def _same_person(signs: dict[str, str]) -> bool:
    """Whether name, birth date and number may be one person's, slips allowed."""
    agrees = signs["name"] in (EQUAL, SIMILAR)
    return agrees and signs["birth"] != DIFFERENT and signs["number"] != DIFFERENT


def _disagreement(agreement: str) -> int:
    cost = {EQUAL: 0, SIMILAR: 1, MISSING: 2, DIFFERENT: 4}
    return sum(cost[sign] for sign in _signs(agreement).values())


def _exact(con: duckdb.DuckDBPyConnection, state: _State) -> None:
    rows = con.execute(
        f"""
        WITH pairs AS (
            SELECT {side_by_side()} FROM lines l JOIN children r USING (name, birth, guardian)
            WHERE NOT l.placeholder)
        SELECT CAST(unique_id_l AS BIGINT) AS line, unique_id_r, {agreement_sql()}
        FROM pairs QUALIFY count(*) OVER (PARTITION BY unique_id_l) = 1
        ORDER BY line
        """
    ).fetchall()
    contested = {pair.line for pair in state.doubted}
    for line, student_id, agreement in rows:
        if state.settled(line) or line in contested or _signs(agreement)["sex"] == DIFFERENT:
            continue  # a twin of the other sex under its brother's name, perhaps
        if student_id in state.holder:
            state.repeated[line] = student_id
        else:
            state.give(Pair(line, student_id, "exact", None, None, agreement))


def _by_weight(con: duckdb.DuckDBPyConnection, state: _State, seed: int) -> list[Pair]:
    """Settle the other lines by weight and return what is left to a person."""
    con.execute("ALTER TABLE lines ADD COLUMN known VARCHAR").fetchall()
    con.execute("ALTER TABLE children ADD COLUMN known VARCHAR").fetchall()
    known = [(str(p.line), p.student_id) for p in state.sure.values() if p.how == "id"]
    con.register(
        "known",
        pa.table(
            {"line": [p[0] for p in known], "child": [p[1] for p in known]},
            schema=pa.schema([("line", pa.string()), ("child", pa.string())]),
        ),
    )
    con.execute("UPDATE lines SET known = k.child FROM known k WHERE k.line = unique_id").fetchall()
    con.execute(
        "UPDATE children SET known = unique_id WHERE unique_id IN (SELECT child FROM known)"
    ).fetchall()
    for column in ("pinyin", "phone", "sound"):
        _without_commonest(con, column)
    for table in ("lines", "children"):
        con.execute(f"ALTER TABLE {table} ADD COLUMN full_birth DATE").fetchall()
        con.execute(f"UPDATE {table} SET full_birth = birth WHERE NOT placeholder").fetchall()
    settled = pa.array([str(line) for line in (*state.sure, *state.repeated)], pa.string())
    con.register("settled", pa.table({"line": settled}))
    con.execute(
        "CREATE TABLE open_lines AS FROM lines WHERE unique_id NOT IN (SELECT line FROM settled)"
        " ORDER BY CAST(unique_id AS BIGINT)"
    ).fetchall()
    lines = [int(n) for (n,) in con.execute("SELECT unique_id FROM open_lines").fetchall()]
    if not lines:
        return []
    children = [c for (c,) in con.execute("SELECT unique_id FROM children").fetchall()]
    free = len(children) - len(state.holder)
    weighed = weigh(con, free_lines=len(lines), free_children=free, least=LEAST, seed=seed)
    return _settle(weighed, lines, children, state)


def _without_commonest(con: duckdb.DuckDBPyConnection, column: str) -> None:
    """Add `common_<column>`: the column without what too many children share."""
    for table in ("lines", "children"):
        con.execute(f"ALTER TABLE {table} ADD COLUMN common_{column} VARCHAR").fetchall()
        con.execute(
            f"""
            UPDATE {table} SET common_{column} = {column} WHERE {column} NOT IN (
                SELECT {column} FROM children WHERE {column} IS NOT NULL
                GROUP BY {column} HAVING count(*) > {COMMONEST})
            """
        ).fetchall()


def _settle(weighed: pa.Table, lines: list[int], children: list[str], state: _State) -> list[Pair]:
    rows = [
        Pair(w["line"], w["student_id"], "linked", w["weight"], w["probability"], w["agreement"])
        for w in weighed.to_pylist()
    ]
    line_at = {line: n for n, line in enumerate(lines)}
    child_at = {child: n for n, child in enumerate(children)}
    signs = [_signs(pair.agreement) for pair in rows]
    contested = {pair.line for pair in state.doubted}
    pairs = Weighed(
        line=np.array([line_at[p.line] for p in rows], dtype=np.int64),
        child=np.array([child_at[p.student_id] for p in rows], dtype=np.int64),
        weight=np.array([p.weight for p in rows], dtype=np.float64),
        eligible=np.array(
            [_may_be_sure(s) and p.line not in contested for p, s in zip(rows, signs, strict=True)],
            dtype=bool,
        ),
        same=np.array([s["name"] == EQUAL and _same_person(s) for s in signs], dtype=bool),
        near=np.array([_same_person(s) for s in signs], dtype=bool),
        repeats=np.array([_may_repeat(s) for s in signs], dtype=bool),
        telling=np.array([_telling(s) for s in signs], dtype=bool),
    )
    taken = np.zeros(len(children), dtype=bool)
    taken[[child_at[child] for child in state.holder]] = True
    settled = settle(pairs, taken, len(lines))
    for n in settled.sure.tolist():
        state.give(rows[n])
    for n in settled.repeated.tolist():
        state.repeated[rows[n].line] = rows[n].student_id
    doubted = {(pair.line, pair.student_id) for pair in state.doubted}
    candidates = [pair for pair in state.doubted if not state.settled(pair.line)]
    candidates += [
        rows[n] for n in settled.open.tolist() if (rows[n].line, rows[n].student_id) not in doubted
    ]
    candidates.sort(key=lambda p: (p.line, p.how != "id", -(p.weight or 0.0), p.student_id))
    kept: dict[int, list[Pair]] = {}
    for pair in candidates:
        of_line = kept.setdefault(pair.line, [])
        if len(of_line) < MOST_CANDIDATES:
            of_line.append(pair)
    return [pair for of_line in kept.values() for pair in of_line]


def _may_be_sure(signs: dict[str, str]) -> bool:
    """What weights, which take the fields as independent, do not know of families and namesakes.

    A name with a slip may be a twin's or a sister's; one name and birth date, without a guardian,
    telephone, number or township in common, may be two people's.
    """
    if signs["name"] == SIMILAR:
        return all(signs[name] != DIFFERENT for name in ("birth", "sex", "number"))
    said = {signs[name] for name in (*HOUSEHOLD, "township")} - {MISSING}
    return signs["name"] == EQUAL and said != {DIFFERENT}


def _may_repeat(signs: dict[str, str]) -> bool:
    """Whether a line may be a child found already: who says so hides a child on no roll."""
    together = any(signs[name] in (EQUAL, SIMILAR) for name in HOUSEHOLD)
    return together and _same_person(signs) and signs["sex"] != DIFFERENT


def _telling(signs: dict[str, str]) -> bool:
    return signs["name"] == signs["birth"] == EQUAL and signs["number"] != DIFFERENT


def _pairs(rows: Iterable[Pair]) -> pa.Table:
    columns: list[list[Any]] = [list(column) for column in zip(*rows, strict=True)]
    return pa.table(columns or [[] for _ in PAIRS], schema=PAIRS)
