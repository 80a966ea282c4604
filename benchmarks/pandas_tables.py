"""The tables of the weekly job in pandas: who there is, and which days are school days.

Ids are whole numbers, codes are categories; of the Parquet files only the columns and rows that can
matter are read. `pandas_peer` goes on from here, and says what is not handled.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
import pyarrow as pa

from earlywarn.words import EVENTS
from earlywarn.workspace import Config, Workspace

LONG_AGO = pd.Timestamp(1900, 1, 1)
WINDOW = 60
BREAK_DAYS = 5
# Read as dictionaries: few values, never missing (of one with NULLs pandas makes no category).
CODES = frozenset({"event", "status", "subject", "exam"})
RECORD = (
    *("school_id", "class_id", "grade", "sex", "birth_date", "enrolled_on", "boarding"),
    *("boarding_aid", "distance_km", "travel", "needs_bus", "parents_away", "migrant_child"),
    *("disability", "placement", "poverty", "receives_aid", "parent_in_prison", "orphan_status"),
    "guardian",
)


@dataclass(frozen=True)
class Times:
    """The as-of date, what is counted back from it, and whether only exceptions are listed."""

    as_of: pd.Timestamp
    year_start: pd.Timestamp
    year_ago: pd.Timestamp
    three_years_ago: pd.Timestamp
    exceptions: bool

    @classmethod
    def of(cls, as_of: date, config: Config) -> Times:
        day = pd.Timestamp(as_of)
        year, three = pd.Timedelta(days=365), pd.Timedelta(days=1095)
        begun = pd.Timestamp(config.school_year_begins(as_of))
        return cls(day, begun, day - year, day - three, config.attendance == "exceptions")


def read(
    workspace: Workspace, table: str, columns: tuple[str, ...], filters: Any = None
) -> pd.DataFrame:
    """Return columns of a table in types that pandas is quick with."""
    frame = pd.read_parquet(
        workspace.data / table,
        columns=list(columns),
        filters=filters,
        dtype_backend="pyarrow",
        read_dictionary=[name for name in columns if name in CODES],
    )
    return frame.assign(**{name: _quick(frame[name]) for name in columns})


def _quick(column: pd.Series) -> pd.Series:
    kind = column.dtype.pyarrow_dtype
    if pa.types.is_date(kind):
        return column.astype("timestamp[s][pyarrow]").astype("datetime64[s]")  # not by objects
    if pa.types.is_decimal(kind):
        return column.astype("double[pyarrow]").astype("float64")
    if pa.types.is_boolean(kind):
        return column.astype("boolean")
    if pa.types.is_integer(kind):
        return column.astype("Int64")
    return column.astype("category")


def number(column: pd.Series, names: pd.CategoricalDtype) -> pd.Series:
    """Return the place of each id among `names`, -1 for none."""
    return column.astype(names).cat.codes.astype("int64")


@dataclass(frozen=True)
class Registry:
    """Who there is: every table speaks of children and schools by their places in their types.

    `snapshots`: child, snapshot_date and RECORD, in that order; `known`: the current record by
    child; `cohort`: those enrolled, with `on_leave`; `events`: child, date, event; `past_leaves`:
    child, date, until (the day of the return).
    """

    children: pd.CategoricalDtype
    schools: pd.CategoricalDtype
    classes: pd.CategoricalDtype
    snapshots: pd.DataFrame
    events: pd.DataFrame
    last_events: pd.DataFrame
    past_leaves: pd.DataFrame
    known: pd.DataFrame
    cohort: pd.DataFrame


def registry(workspace: Workspace, times: Times) -> Registry:
    """Return current records, events and the cohort."""
    until = [("snapshot_date", "<=", times.as_of)]
    snapshots = read(workspace, "students", ("student_id", "snapshot_date", *RECORD), until)
    children = pd.CategoricalDtype(snapshots["student_id"].cat.categories.sort_values())
    schools = pd.CategoricalDtype(snapshots["school_id"].cat.categories.sort_values())
    snapshots["child"] = number(snapshots["student_id"], children)
    snapshots["school"] = number(snapshots["school_id"], schools)
    classes = snapshots["class_id"].dtype
    snapshots["class_id"] = snapshots["class_id"].cat.codes
    snapshots["grade"] = snapshots["grade"].astype("int64")
    snapshots = snapshots.drop(columns=["student_id", "school_id"])
    snapshots = snapshots.sort_values(["child", "snapshot_date"], ignore_index=True)
    known = snapshots.groupby("child").last()  # the last known value of each field

    events = read(
        workspace, "outcomes", ("student_id", "date", "event"), [("date", "<=", times.as_of)]
    )
    events["child"] = number(events["student_id"], children)
    events = events.sort_values("date")
    last = events.groupby(["child", "event"], observed=True)["date"].max().unstack("event")
    last = last.reindex(index=known.index, columns=[*EVENTS])
    returned = last["returned"].fillna(LONG_AGO)
    away = last[["transferred", "graduated", "abroad"]].max(axis=1)
    known["on_leave"] = last["long_leave"] > returned
    known["in_cohort"] = (
        ~(known["enrolled_on"] > times.as_of)
        & last["deceased"].isna()
        & ~(last["dropped_out"] > returned)
        & ~((away > returned) & (away >= known["snapshot_date"]))
    )
    leaves = pd.merge_asof(
        events.loc[events["event"] == "long_leave", ["child", "date"]],
        events.loc[events["event"] == "returned", ["child", "date"]].assign(
            until=lambda e: e["date"]
        ),
        on="date",
        by="child",
        direction="forward",
    )
    return Registry(
        children=children,
        schools=schools,
        classes=classes,
        snapshots=snapshots,
        events=events[["child", "date", "event"]],
        last_events=last,
        past_leaves=leaves[leaves["until"] > leaves["date"]],
        known=known,
        cohort=known[known["in_cohort"]],
    )


@dataclass(frozen=True)
class SchoolDays:
    """`days`: cal, date, back (0 = the last), reported. `roster`: by child of the cohort, cal, days
    (how many since enrolment), reported_ytd, break_back. `reported`, by cal: whether each of the
    last 60 days is; `break_reported`, by cal: whether any of the first 3 after the break is.
    """

    days: pd.DataFrame
    roster: pd.DataFrame
    reported: pd.DataFrame
    break_reported: pd.Series
    before_break: pd.Timestamp


def school_days(workspace: Workspace, people: Registry, times: Times) -> SchoolDays:
    """Return the school days: a calendar a school, a class that reports by itself, a past leave."""
    until = [("date", "<=", times.as_of)]
    rows = read(workspace, "calendar", ("date", "school_id", "is_school_day"), until)
    rows["school"] = number(rows["school_id"], people.schools)
    schools = pd.DataFrame({"school": range(len(people.schools.categories))})
    general = rows.loc[rows["school_id"].isna(), ["date", "is_school_day"]]
    own = rows.loc[rows["school_id"].notna(), ["school", "date", "is_school_day"]]
    open_days = pd.concat([schools.merge(general, how="cross"), own])
    open_days = open_days.drop_duplicates(["school", "date"], keep="last")
    open_days = open_days.loc[open_days["is_school_day"], ["school", "date"]]

    reports = read(workspace, "reported_days", ("school_id", "class_id", "date"), until)
    reports["school"] = number(reports["school_id"], people.schools)
    by_class = reports["class_id"].notna()
    reports["class_id"] = number(reports["class_id"], people.classes)
    cohort = people.cohort
    classes = reports.loc[by_class, ["school", "class_id"]].drop_duplicates()
    reporting = pd.MultiIndex.from_frame(cohort[["school", "class_id"]]).isin(
        pd.MultiIndex.from_frame(classes)
    )
    followed = pd.DataFrame(
        {
            "school": cohort["school"],
            "class_id": cohort["class_id"].where(reporting, -1),
            "private_to": cohort.index.where(cohort.index.isin(people.past_leaves["child"]), -1),
            "enrolled_on": cohort["enrolled_on"].fillna(LONG_AGO),
        }
    )
    followed["cal"] = followed.groupby(["school", "class_id", "private_to"]).ngroup()
    calendars = followed.drop(columns="enrolled_on").drop_duplicates()

    days = calendars.merge(open_days, on="school")
    away = days.merge(people.past_leaves, left_on="private_to", right_on="child")
    away = away[away["date_x"].between(away["date_y"], away["until"], inclusive="left")]
    gone = pd.MultiIndex.from_arrays([away["cal"], away["date_x"]])
    days = days[~pd.MultiIndex.from_frame(days[["cal", "date"]]).isin(gone)]
    days = days.merge(
        reports.loc[~by_class, ["school", "date"]].assign(whole=True), "left", ["school", "date"]
    ).merge(
        reports.loc[by_class, ["school", "class_id", "date"]].assign(part=True),
        "left",
        ["school", "class_id", "date"],
    )
    days = days.sort_values(["cal", "date"], ignore_index=True)
    days["reported"] = days["whole"].notna() | days["part"].notna()
    by_cal = days.groupby("cal")
    days["back"] = by_cal.cumcount(ascending=False)
    days["before"] = by_cal["date"].shift()
    days["ytd"] = days["reported"] & (days["date"] >= times.year_start)
    by_cal = days.groupby("cal")["ytd"]
    days["reported_ytd"] = by_cal.transform("sum") - by_cal.cumsum() + days["ytd"]  # from here on

    broken = ((days["date"] - days["before"]).dt.days > BREAK_DAYS) & (
        days["date"] > times.year_ago
    )
    breaks = days[broken].groupby("cal")[["back", "before"]].last()
    breaks.columns = ["break_back", "before_break"]
    after = days.merge(breaks, on="cal")
    first_three = (after["break_back"] - after["back"]).between(0, 2)
    roster = pd.merge_asof(
        followed.reset_index().sort_values("enrolled_on"),
        days[["cal", "date", "back", "reported_ytd"]].sort_values("date"),
        left_on="enrolled_on",
        right_on="date",
        by="cal",
        direction="forward",
    ).merge(breaks, "left", "cal")
    roster["days"] = (roster["back"] + 1).fillna(0).astype("int64")
    roster["reported_ytd"] = roster["reported_ytd"].fillna(0)
    roster["break_back"] = roster["break_back"].where(
        roster["before_break"] >= roster["enrolled_on"]
    )
    last = days[days["back"] < WINDOW].pivot(index="cal", columns="back", values="reported")
    return SchoolDays(
        days=days[["cal", "date", "back", "reported"]],
        roster=roster.set_index("child").sort_index()[
            ["cal", "days", "reported_ytd", "break_back"]
        ],
        reported=last.reindex(columns=range(WINDOW)).fillna(False),
        break_reported=after[first_three].groupby("cal")["reported"].any(),
        before_break=breaks["before_break"].min(),
    )
