"""Every feature of the catalogue in pandas, from the tables of `pandas_tables`.

The last 60 school days are a table of children and days (pivot, then numpy over its rows); marks
are grouped by child and exam.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas_tables import WINDOW, Registry, SchoolDays, Times, number, read

from earlywarn.words import MONITORED_GROUPS, STATUS_SEVERITY
from earlywarn.workspace import Config, Workspace

ABSENT, UNEXCUSED, HOME = 4, 6, 1  # severities: absent from 4 on; 2 and 3 are late or left early


def attendance_rows(
    workspace: Workspace, people: Registry, school: SchoolDays, times: Times
) -> pd.DataFrame:
    """Return the rows that say something: child, cal, date, back, reported, severity.

    Where only exceptions are listed, being there says something new on unreported days only.
    """
    in_reach = school.days.loc[school.days["back"] < WINDOW, "date"].min()
    first = min(times.year_start, in_reach, school.before_break)
    reach = [("date", ">=", first), ("date", "<=", times.as_of)]
    filters = [reach]
    if times.exceptions:
        silent = school.days[~school.days["reported"] & (school.days["date"] >= first)]
        there = school.roster.index[school.roster["cal"].isin(silent["cal"])]
        on_days = ("date", "in", silent["date"].unique().tolist())
        of_children = ("student_id", "in", people.children.categories[there].tolist())
        filters = [[*reach, ("status", "!=", "present")], [on_days, of_children]]
    rows = read(workspace, "attendance", ("student_id", "date", "status"), filters)
    rows["child"] = number(rows["student_id"], people.children)
    rows["severity"] = rows["status"].map(STATUS_SEVERITY).astype("int8")
    rows = rows[["child", "date", "severity"]].merge(school.roster, on="child")
    rows = rows.merge(school.days, on=["cal", "date"])
    kept = rows["back"] < rows["days"]
    if times.exceptions:
        kept &= (rows["severity"] > 0) | ~rows["reported"]
    return rows[kept]


def attendance_features(
    rows: pd.DataFrame, people: Registry, school: SchoolDays, times: Times
) -> pd.DataFrame:
    """Return the features from attendance by child, and absent_20, recorded_20 and days_20."""
    roster = school.roster
    wide = rows[rows["back"] < WINDOW].pivot(index="child", columns="back", values="severity")
    status = wide.reindex(index=roster.index, columns=range(WINDOW)).fillna(-1).to_numpy("int8")
    days = roster["days"].to_numpy()
    reported = school.reported.to_numpy(bool)[roster["cal"]] & (np.arange(WINDOW) < days[:, None])
    recorded = reported & times.exceptions | (status >= 0)
    absent, unexcused = status >= ABSENT, status == UNEXCUSED
    late, there = (status == 2) | (status == 3), recorded & ~absent
    known = {n: recorded[:, :n].sum(axis=1) for n in (5, 20, 60)}
    absences = {n: absent[:, :n].sum(axis=1) for n in (5, 20, 60)}
    counts = {
        "unexcused_run": run_back(unexcused, recorded & ~unexcused),
        "absent_run": run_back(absent, there),
        "longest_unexcused_run_60d": longest_run(unexcused, recorded & ~unexcused),
    }
    days_20 = np.minimum(days, 20)
    ytd = rows[rows["date"] >= times.year_start]
    known_ytd = ytd["child"].value_counts().reindex(roster.index, fill_value=0)
    if times.exceptions:
        unreported = ytd.loc[~ytd["reported"], "child"].value_counts()
        known_ytd = roster["reported_ytd"] + unreported.reindex(roster.index, fill_value=0)
    away = ytd.loc[ytd["severity"] >= ABSENT, "child"].value_counts()
    after = rows[(rows["break_back"] - rows["back"]).between(0, 2)]
    first_absences = after.loc[after["severity"] >= ABSENT, "child"].value_counts()
    first_known = roster["break_back"].notna() & (
        school.break_reported.reindex(roster["cal"], fill_value=False).to_numpy() & times.exceptions
        | roster.index.isin(after["child"])
    )
    found = pd.DataFrame(
        {f"absence_rate_{n}d": share(absences[n], known[n]) for n in known}
        | {
            f"unexcused_days_{n}d": np.where(days_n > 0, unexcused[:, :n].sum(axis=1), np.nan)
            for n, days_n in known.items()
        }
        | {name: np.where(known[60] > 0, count, np.nan) for name, count in counts.items()}
        | {
            "absence_rate_ytd": share(away.reindex(roster.index, fill_value=0), known_ytd),
            "late_rate_20d": share(late[:, :20].sum(axis=1), known[20]),
            "absence_trend_60d": trend(recorded, absent),
            "days_since_present": np.where(
                (known[60] > 0) | reported.any(axis=1), run_back(reported, there), np.nan
            ),
            "absent_after_break": np.where(
                first_known, first_absences.reindex(roster.index, fill_value=0), np.nan
            ),
            "home_teaching_days_60d": np.where(days > 0, (status == HOME).sum(axis=1), np.nan),
            "attendance_gap_20d": share(days_20 - known[20], np.where(days >= 10, days_20, 0)),
            "absent_20": absences[20],
            "recorded_20": known[20],
            "days_20": days_20,
        },
        index=roster.index,
    )
    found[people.cohort["on_leave"]] = np.nan
    return found


def share(part: Any, whole: Any) -> NDArray[np.float64]:
    """Return part / whole at 9 decimals, NaN where there is nothing to divide by."""
    part, whole = np.asarray(part, float), np.asarray(whole, float)
    return np.round(np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0), 9)


def run_back(what: NDArray[np.bool_], broken: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return how many days hold, counted back from the last one to the first that is broken."""
    return (what & ~np.logical_or.accumulate(broken, axis=1)).sum(axis=1)


def longest_run(what: NDArray[np.bool_], broken: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the longest run of days that hold; days neither held nor broken are passed over."""
    run = np.zeros(len(what), np.int64)
    longest = run
    for back in range(WINDOW):
        run = np.where(broken[:, back], 0, run + what[:, back])
        longest = np.maximum(longest, run)
    return longest


def trend(recorded: NDArray[np.bool_], absent: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the least-squares slope of absence over the recorded days, times 20."""
    back = np.arange(WINDOW, dtype=float)
    n, sx, sxx = recorded.sum(axis=1), recorded @ back, recorded @ back**2
    sy, sxy = absent.sum(axis=1), absent @ back
    return np.where(n >= 10, share(20 * (sx * sy - n * sxy), n * sxx - sx * sx), np.nan)


def sittings_of(
    workspace: Workspace, people: Registry, times: Times, config: Config
) -> pd.DataFrame:
    """Return one row per child and exam, a child's in order: what it made of it."""
    columns = ("student_id", "date", "exam", "subject", "score", "full_mark")
    until = [("date", "<=", times.as_of)]
    marks = read(workspace, "exams", columns, until)
    marks["child"] = number(marks["student_id"], people.children)
    marks["sitting"] = marks.groupby(["child", "date", "exam"], observed=True).ngroup()
    sat = marks.drop_duplicates("sitting").set_index("sitting")[["child", "date", "exam"]]
    places = people.snapshots[["child", "snapshot_date", "school", "grade"]]
    sat = pd.merge_asof(
        sat.reset_index().sort_values("date"),
        places.sort_values("snapshot_date"),
        left_on="date",
        right_on="snapshot_date",
        by="child",
    ).set_index("sitting")
    sat = sat.sort_index()
    first = places.drop_duplicates("child").set_index("child").reindex(sat["child"])
    for name in ("school", "grade"):
        sat[name] = sat[name].fillna(first[name].set_axis(sat.index)).astype("int64")
    month, day = map(int, config.school_year_start.split("-"))
    in_year = sat["date"].dt.month * 100 + sat["date"].dt.day
    sat["year"] = sat["date"].dt.year - (in_year < month * 100 + day)
    sat["key"] = sat.groupby(["school", "grade", "year", "exam"], observed=True).ngroup()

    marks["p"] = (marks["score"] * 1e6 / marks["full_mark"]).round()
    marks["key"] = sat["key"].to_numpy()[marks["sitting"]]
    everyone = marks.groupby(["key", "subject"], observed=True)["p"]
    spread = everyone.transform("std").where(lambda std: std > 0)
    marks["z"] = (marks["p"] - everyone.transform("mean")) / spread
    marks["z"] = marks["z"].where(everyone.transform("count") >= 5)
    marks["failed"] = marks["p"] < round(config.pass_mark * 1e6)
    core = marks["subject"].isin(config.core_subjects)
    marks["failed_core"] = marks["failed"] & core
    marks["core"] = marks["p"].where(core)
    marks["maths"] = marks["p"].where(marks["subject"] == "maths")
    made = marks.groupby("sitting").agg(
        taken=("p", "count"),
        rows=("p", "size"),
        p=("p", "sum"),
        failed=("failed", "sum"),
        core=("core", "count"),
        failed_core=("failed_core", "sum"),
        maths=("maths", "max"),
        z=("z", "mean"),
    )
    sat = sat.join(made)
    # the mean of p in billionths, halves up
    sat["mean"] = ((2000 * sat["p"] + sat["taken"]) // (2 * sat["taken"])).where(sat["taken"] > 0)
    return sat


def mark_features(sat: pd.DataFrame, people: Registry, times: Times) -> pd.DataFrame:
    """Return the features from marks, by child."""
    newest = sat.drop_duplicates("child", keep="last")
    results = sat[sat["key"].isin(newest["key"]) & sat["mean"].notna()].groupby("key")["mean"]
    n = results.transform("size")
    rank = ((results.rank(ascending=False) - 1) / (n - 1)).where(n >= 5)
    before = sat.drop(newest.index).dropna(subset="z").groupby("child")["z"].last()
    recent = sat[sat["date"] > times.three_years_ago].groupby("child")
    total, count = recent["mean"].sum(), recent["mean"].count()
    # whole billionths, halves up
    mean_3y = ((2 * total + count) // (2 * count)).where(count > 0) / 1e9
    taken = sat.loc[(sat["date"] > times.year_ago) & (sat["taken"] > 0), "child"].value_counts()
    newest = newest.assign(rank=rank).set_index("child").reindex(people.cohort.index)
    z_before = before.reindex(newest.index)
    return pd.DataFrame(
        {
            "exam_mean_pct": newest["mean"] / 1e9,
            "exam_maths_pct": newest["maths"] / 1e6,
            "failed_subjects": newest["failed"].where(newest["taken"] > 0),
            "failed_core": newest["failed_core"].where(newest["core"] > 0),
            "missed_subjects": newest["rows"] - newest["taken"],
            "exam_rank_pct": newest["rank"].round(9),
            "exam_pct_mean_3y": mean_3y.reindex(newest.index),
            "exams_taken_365d": taken.reindex(newest.index, fill_value=0),
            # Not rounded: so near a tie both sides would be right.
            "exam_z": newest["z"],
            "exam_z_prev": z_before,
            "exam_z_change": newest["z"] - z_before,
            "exam_z_mean_3y": recent["z"].mean().reindex(newest.index),
        }
    )


def registry_features(people: Registry, times: Times, config: Config) -> pd.DataFrame:
    """Return the features from registry and outcomes, by child; groups have been added."""
    cohort, snapshots = people.cohort, people.snapshots
    said, born, grade = cohort["snapshot_date"], cohort["birth_date"], cohort["grade"]
    day_of_birth = born.dt.month * 100 + born.dt.day
    today = times.as_of.month * 100 + times.as_of.day
    september = said.dt.year - (said.dt.month < 9)
    usual = (grade + config.age_at_grade_1 - 1).where(grade.between(1, 9))
    months = 12 * (september - born.dt.year) + 9 - born.dt.month - (born.dt.day > 1)
    stages = {
        n: stage for stage, (low, high) in config.stages.items() for n in range(low, high + 1)
    }
    monitored = cohort[list(MONITORED_GROUPS)]
    schools = snapshots.groupby("child")["school"].nunique()
    counted = people.events["event"] == "dropped_out"
    dropouts = people.events.loc[counted, "child"].value_counts()
    return cohort[["boarding", "distance_km", "needs_bus", "placement", "on_leave"]].assign(
        grade=grade,
        stage=grade.map(stages).astype("category"),
        age_years=times.as_of.year - born.dt.year - (day_of_birth > today),
        over_age_years=(september - born.dt.year - (day_of_birth > 901) - usual).clip(lower=0),
        months_over_age=months - 12 * usual,
        days_enrolled=(times.as_of - cohort["enrolled_on"]).dt.days,
        days_since_snapshot=(times.as_of - said).dt.days,
        guardian_changes_365d=changes(snapshots, "guardian", times).reindex(cohort.index),
        school_moves_365d=changes(snapshots, "school", times).reindex(cohort.index),
        schools_attended=schools.reindex(cohort.index),
        group_count=monitored.sum(axis=1).where(monitored.notna().any(axis=1)),
        aid_gap=cohort["poor_family"] & ~cohort["receives_aid"],
        prior_dropouts=dropouts.reindex(cohort.index, fill_value=0),
        days_since_return=(times.as_of - people.last_events["returned"]).dt.days.reindex(
            cohort.index
        ),
    )


def changes(snapshots: pd.DataFrame, name: str, times: Times) -> pd.Series:
    """Return by child how often a field's known value changed in a year; two must be known."""
    said = snapshots.loc[snapshots[name].notna(), ["child", "snapshot_date"]]
    value = snapshots.loc[said.index, name]
    value = value.cat.codes if isinstance(value.dtype, pd.CategoricalDtype) else value
    follows = said["child"] == said["child"].shift()
    changed = follows & (value != value.shift()) & (said["snapshot_date"] > times.year_ago)
    by_child = changed.groupby(said["child"])
    return by_child.sum().where(by_child.size() >= 2)


def school_features(
    workspace: Workspace,
    people: Registry,
    attendance: pd.DataFrame,
    sat: pd.DataFrame,
    times: Times,
) -> pd.DataFrame:
    """Return the features of the school, by child."""
    cohort = people.cohort
    of_child = cohort["school"]
    days = attendance[["absent_20", "recorded_20", "days_20"]].groupby(of_child).sum()
    dropped = people.events[people.events["event"] == "dropped_out"]
    dropped = dropped.loc[dropped["date"] > times.three_years_ago, "child"]
    schools = read(workspace, "schools", ("school_id", "rural", "remote"))
    schools = schools.set_index(number(schools["school_id"], people.schools))
    shares = cohort[["poor_family", "left_behind", "migrant"]].astype("Float64")
    shares = shares.groupby(of_child).mean().astype("float64")
    of_school = people.known["school"].reindex(dropped).value_counts()
    found = pd.DataFrame(
        {
            "school_absence_rate_20d": share(days["absent_20"], days["recorded_20"]),
            "school_gap_20d": share(days["days_20"] - days["recorded_20"], days["days_20"]),
            "school_dropouts_3y_rate": share(
                of_school.reindex(days.index, fill_value=0),
                of_child.value_counts(sort=False)[days.index],
            ),
            "school_exam_z": standings(sat, cohort).reindex(days.index),
            "school_rural": schools["rural"].reindex(days.index),
            "school_remote": schools["remote"].reindex(days.index),
            "school_poor_share": shares["poor_family"].round(9),
            "school_left_behind_share": shares["left_behind"].round(9),
            "school_migrant_share": shares["migrant"].round(9),
        },
        index=days.index,
    )
    return found.reindex(of_child).set_axis(of_child.index)


def standings(sat: pd.DataFrame, cohort: pd.DataFrame) -> pd.Series:
    """Return by school how its children's last means stand among all schools' results."""
    results = sat[sat["mean"].notna()]
    everyone = results.groupby(["grade", "year", "exam"], observed=True)
    means, schools = everyone["mean"], everyone["school"]
    spread = means.transform("std").where(lambda std: std > 0)
    z = (results["mean"] - means.transform("mean")) / spread
    compared = (means.transform("size") >= 5) & (
        schools.transform("min") < schools.transform("max")
    )
    newest = sat.drop_duplicates("child", keep="last")
    own = newest.assign(z=z.where(compared)).set_index("child")["z"].reindex(cohort.index)
    return own.groupby(cohort["school"]).mean()
