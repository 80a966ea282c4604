"""How often a rule hit in the last runs, and what became of the children that it hit.

Precision: of the children hit in a run, the share with a label event in the horizon after its day.
It is known once that window lies within the time for which outcomes are complete. Children lost
from sight without a label event are left out, as in training (models/labels.sql).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import duckdb

from earlywarn.engine.duckdb import sql_file
from earlywarn.errors import EarlywarnError
from earlywarn.models.dates import known_period
from earlywarn.scoring.run import SCORES_FILE, RunFolder, unreadable
from earlywarn.workspace import Config

_Z = 1.959963984540054  # of a normal distribution, 95 % lie within so many standard deviations


@dataclass(frozen=True)
class Hits:
    """What a rule came to in one run, in children.

    `hits` and `unknown` are of the run's `students`; `listed`, `urgent` and `high` of the hits.
    `was_used` tells whether the rule was in force in that run and `same_condition` whether its
    condition was the one of now; None where the run does not say which rules it used.
    """

    as_of: date
    number: int
    students: int
    hits: int
    unknown: int
    listed: int
    urgent: int
    high: int
    was_used: bool | None
    same_condition: bool | None

    @property
    def share(self) -> float:
        """The share of the run's students that were hit."""
        return self.hits / self.students if self.students else 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return the counts for `--json`."""
        return {
            "as_of": self.as_of.isoformat(),
            "number": self.number,
            "students": self.students,
            "hits": self.hits,
            "share": self.share,
            "unknown": self.unknown,
            "hits_listed": self.listed,
            "hits_urgent": self.urgent,
            "hits_high": self.high,
            "was_used": self.was_used,
            "same_condition": self.same_condition,
        }


@dataclass(frozen=True)
class Share:
    """`events` of `children` had a label event."""

    children: int
    events: int

    @property
    def value(self) -> float | None:
        """The share; None of nobody."""
        return self.events / self.children if self.children else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of Wilson (1927), which holds for few children too."""
        if not self.children:
            return None
        n, p = self.children, self.events / self.children
        middle = (p + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        half = _Z * math.sqrt(p * (1 - p) / n + _Z**2 / (4 * n**2)) / (1 + _Z**2 / n)
        return max(0.0, middle - half), min(1.0, middle + half)

    def as_dict(self) -> dict[str, Any]:
        """Return the share for `--json`."""
        return {
            "children": self.children,
            "events": self.events,
            "share": self.value,
            "interval_95": list(self.interval) if self.interval else None,
        }


@dataclass(frozen=True)
class Judged:
    """What became of the children of one run, or of several together (`runs` > 1).

    Of several runs, `hit` counts each child once, at its first hit among them; `cohort` is the
    average over the runs, each child counted in each run; `not_hit` is None.
    `lost` of the children hit were lost from sight and stand in no share. `same_condition` tells
    whether the rule's condition was then the one of now; None where a run does not say.
    """

    as_of: date
    number: int
    runs: int
    hit: Share
    cohort: Share
    not_hit: Share | None
    lost: int
    same_condition: bool | None

    @property
    def lift(self) -> float | None:
        """How many times the cohort's share the precision is; None where that is nothing."""
        own, base = self.hit.value, self.cohort.value
        return own / base if own is not None and base else None

    def as_dict(self) -> dict[str, Any]:
        """Return the shares for `--json`."""
        return {
            "as_of": self.as_of.isoformat(),
            "number": self.number,
            "runs": self.runs,
            "hit": self.hit.as_dict(),
            "cohort": self.cohort.as_dict(),
            "not_hit": self.not_hit.as_dict() if self.not_hit else None,
            "lost_from_sight": self.lost,
            "lift": self.lift,
            "same_condition": self.same_condition,
        }


@dataclass(frozen=True)
class Outcomes:
    """The precision of a rule.

    Attributes
    ----------
    complete_until
        Up to when outcomes are known; None if there are none.
    judged
        By as-of date, the newest runs whose windows have ended.
    pooled
        All of `judged` together, if there are any.
    known_from
        Where nothing is judged: the day until which outcomes must be complete for the earliest run
        that used the rule; None if there is none.
    """

    complete_until: date | None
    horizon_days: int
    label_events: tuple[str, ...]
    judged: tuple[Judged, ...]
    pooled: Judged | None
    known_from: date | None

    def as_dict(self) -> dict[str, Any]:
        """Return the precision for `--json`."""
        return {
            "complete_until": self.complete_until.isoformat() if self.complete_until else None,
            "horizon_days": self.horizon_days,
            "label_events": list(self.label_events),
            "runs": [judged.as_dict() for judged in self.judged],
            "pooled": self.pooled.as_dict() if self.pooled else None,
            "known_from": self.known_from.isoformat() if self.known_from else None,
        }


def hits_in(
    con: duckdb.DuckDBPyConnection,
    run: RunFolder,
    rule_id: str,
    hash_on: Callable[[date], str | None],
) -> Hits:
    """Count a rule's hits in a run (EarlywarnError if its files cannot be read).

    `hash_on` gives the hash of the condition that the rule has now for a day, None for none.
    """
    was_used, same = _then(run, rule_id, hash_on)
    ((students, hits, unknown, listed, urgent, high),) = _of_run(
        con,
        run,
        """
        SELECT count(*),
            count(*) FILTER (hit), count(*) FILTER (unknown), count(*) FILTER (hit AND listed),
            count(*) FILTER (hit AND tier = 'urgent'), count(*) FILTER (hit AND tier = 'high')
        FROM (
            SELECT tier, listed,
                coalesce(list_contains(rules_hit, $rule), FALSE) AS hit,
                coalesce(list_contains(rules_unknown, $rule), FALSE) AS unknown
            FROM read_parquet($scores)
        )
        """,
        rule=rule_id,
    )
    return Hits(
        as_of=run.as_of,
        number=run.number,
        students=students,
        hits=hits,
        unknown=unknown,
        listed=listed,
        urgent=urgent,
        high=high,
        was_used=was_used,
        same_condition=same,
    )


def _then(
    run: RunFolder, rule_id: str, hash_on: Callable[[date], str | None]
) -> tuple[bool | None, bool | None]:
    """Return whether the run used the rule, and with the condition of now."""
    used = run.rules()
    if used is None:
        return None, None
    if rule_id not in used:
        return False, None
    return True, used[rule_id].get("when_hash") == hash_on(run.as_of)


def outcomes_of(
    con: duckdb.DuckDBPyConnection,
    config: Config,
    runs: Sequence[RunFolder],
    rule_id: str,
    hash_on: Callable[[date], str | None],
    most: int,
) -> Outcomes:
    """Return the precision of a rule.

    Parameters
    ----------
    con
        A connection with the workspace's tables; it gets the temporary tables cohort, run_labels
        and first_hits.
    runs
        One run of each as-of date, by date.
    hash_on
        As for `hits_in`.
    most
        Of the runs that used the rule and whose windows have ended, how many to judge: the newest.
        Those that cannot be read are passed over.
    """
    horizon = timedelta(days=config.horizon_days)
    try:
        complete: date | None = known_period(con, config).complete_until
    except EarlywarnError:  # no outcomes, or it is not known up to when
        complete = None
    ended = [run for run in runs if complete is not None and run.as_of + horizon <= complete]
    chosen = _used_last(con, ended, rule_id, most)
    con.execute(
        "CREATE OR REPLACE TEMP TABLE first_hits (student_id VARCHAR, label BOOLEAN, lost BOOLEAN)"
    ).fetchall()
    judged = [_judge(con, config, run, rule_id, hash_on) for run in chosen]
    first = None if judged else next(iter(_used_last(con, runs, rule_id, len(runs))), None)
    return Outcomes(
        complete_until=complete,
        horizon_days=config.horizon_days,
        label_events=tuple(config.label_events),
        judged=tuple(judged),
        pooled=_pool(con, judged) if judged else None,
        known_from=first.as_of + horizon if first else None,
    )


def _used_last(
    con: duckdb.DuckDBPyConnection, runs: Sequence[RunFolder], rule_id: str, most: int
) -> list[RunFolder]:
    """Return the last runs that can be read and (as far as they say) used the rule, by date."""
    chosen: list[RunFolder] = []
    for run in reversed(runs):
        if len(chosen) == most:
            break
        try:
            used = run.rules()
            _of_run(con, run, "SELECT count(*) FROM read_parquet($scores)")
        except EarlywarnError:
            continue
        if used is None or rule_id in used:
            chosen.append(run)
    return chosen[::-1]


def _judge(
    con: duckdb.DuckDBPyConnection,
    config: Config,
    run: RunFolder,
    rule_id: str,
    hash_on: Callable[[date], str | None],
) -> Judged:
    """Judge one run, and note the children that it is the first to hit."""
    _of_run(
        con,
        run,
        """
        CREATE OR REPLACE TEMP TABLE cohort AS
        SELECT student_id, coalesce(list_contains(rules_hit, $rule), FALSE) AS hit
        FROM read_parquet($scores)
        """,
        rule=rule_id,
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE run_labels AS " + sql_file("earlywarn.models", "labels.sql"),
        {
            "as_of": run.as_of,
            "window_end": run.as_of + timedelta(days=config.horizon_days),
            # A registry may say later that a child had left: whatever is loaded is read, as in
            # training; the events themselves are of the window only.
            "until": date.max,
            "label_events": config.label_events,
        },
    ).fetchall()
    con.execute(
        """
        INSERT INTO first_hits
        SELECT c.student_id, l.label, l.lost
        FROM cohort AS c
        JOIN run_labels AS l ON l.student_id = c.student_id
        WHERE c.hit AND c.student_id NOT IN (SELECT student_id FROM first_hits)
        """
    ).fetchall()
    found = con.execute(
        """
        SELECT c.hit, count(*) FILTER (NOT l.lost), count(*) FILTER (l.label),
            count(*) FILTER (l.lost)
        FROM cohort AS c
        JOIN run_labels AS l ON l.student_id = c.student_id
        GROUP BY c.hit
        """
    ).fetchall()
    parts = {hit: (Share(children, events), lost) for hit, children, events, lost in found}
    hit, lost = parts.get(True, (Share(0, 0), 0))
    others, _ = parts.get(False, (Share(0, 0), 0))
    _, same = _then(run, rule_id, hash_on)
    return Judged(run.as_of, run.number, 1, hit, _sum([hit, others]), others, lost, same)


def _pool(con: duckdb.DuckDBPyConnection, judged: Sequence[Judged]) -> Judged:
    ((children, events, lost),) = con.execute(
        "SELECT count(*) FILTER (NOT lost), count(*) FILTER (label), count(*) FILTER (lost) "
        "FROM first_hits"
    ).fetchall()
    return Judged(
        as_of=judged[-1].as_of,
        number=judged[-1].number,
        runs=len(judged),
        hit=Share(children, events),
        cohort=_sum([run.cohort for run in judged]),
        not_hit=None,
        lost=lost,
        same_condition=_all_same([run.same_condition for run in judged]),
    )


def _all_same(same: Sequence[bool | None]) -> bool | None:
    if False in same:
        return False
    return None if None in same else True


def _sum(shares: Sequence[Share]) -> Share:
    return Share(sum(share.children for share in shares), sum(share.events for share in shares))


def _of_run(
    con: duckdb.DuckDBPyConnection, run: RunFolder, sql: str, **parameters: Any
) -> list[tuple[Any, ...]]:
    """Run `sql` over the run's scores.parquet ($scores), which is read a column at a time."""
    path = run.path / SCORES_FILE
    try:
        return con.execute(sql, {"scores": str(path)} | parameters).fetchall()
    except duckdb.Error:
        raise unreadable(path) from None
