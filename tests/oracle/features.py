"""Every feature, worked out in plain Python, student by student, straight from the definitions.

This is the second opinion on the SQL: no SQL, no pandas, no numpy, no shared code. It is written
to be read next to the definitions, not to be fast. Exact numbers (`Fraction`) are carried to the
last step and only then rounded to 9 decimals.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

Row = dict[str, Any]
Tables = Mapping[str, list[Any]]

DEFAULTS: dict[str, Any] = {
    "stages": {"primary": (1, 6), "junior": (7, 9)},
    "school_year_start": "09-01",
    "age_at_grade_1": 6,
    "pass_mark": Decimal("0.6"),
    "core_subjects": ["chinese", "maths", "english"],
}

# A break is this many calendar days or more *between* two school days: the day after a holiday of
# 1-5 May is a day after a break, the Tuesday after a Friday is not.
BREAK_DAYS = 5

WORST_LAST = ("present", "home_teaching", "left_early", "late", "sick", "leave", "unexcused")
ABSENT = {"sick", "leave", "unexcused"}
THERE = {"present", "home_teaching", "left_early", "late"}
EXITS = {"transferred", "graduated", "abroad"}

ATTENDANCE_FEATURES = (
    "absence_rate_5d",
    "unexcused_days_5d",
    "absence_rate_20d",
    "unexcused_days_20d",
    "absence_rate_60d",
    "unexcused_days_60d",
    "absence_rate_ytd",
    "unexcused_run",
    "absent_run",
    "longest_unexcused_run_60d",
    "late_rate_20d",
    "absence_trend_60d",
    "days_since_present",
    "absent_after_break",
    "home_teaching_days_60d",
    "attendance_gap_20d",
)

_PRECISE = Context(prec=60)
_NINE = Decimal("1e-9")


class NoCalendarError(Exception):
    """Mode `exceptions`, and no calendar row applies to a student of the cohort."""


# ---------------------------------------------------------------------------------- numbers


def _decimal(value: Fraction) -> Decimal:
    return _PRECISE.divide(Decimal(value.numerator), Decimal(value.denominator))


def rounded(value: Fraction | Decimal | None) -> Decimal | None:
    """Return `value` at 9 decimals, halves away from zero."""
    if value is None:
        return None
    exact = _decimal(value) if isinstance(value, Fraction) else value
    return exact.quantize(_NINE, rounding=ROUND_HALF_UP, context=_PRECISE)


def share(part: int | Fraction, whole: int) -> Fraction | None:
    """Return part / whole, or None where there is nothing to divide by."""
    return Fraction(part) / whole if whole else None


def mean(values: list[Fraction]) -> Fraction | None:
    """Return the mean, or None of nothing."""
    return sum(values, Fraction(0)) / len(values) if values else None


def decimal_mean(values: list[Decimal]) -> Decimal | None:
    """Return the mean, or None of nothing."""
    if not values:
        return None
    total = Decimal(0)
    for value in values:
        total = _PRECISE.add(total, value)
    return _PRECISE.divide(total, Decimal(len(values)))


def full_years(birth: date, on: date) -> int:
    """Return the age in full years on a day; a 29 February counts from 1 March in other years."""
    return on.year - birth.year - ((on.month, on.day) < (birth.month, birth.day))


def full_months(birth: date, on: date) -> int:
    """Return the age in full months on a day; below 0 before the birth."""
    months = 12 * (on.year - birth.year) + (on.month - birth.month)
    return months - 1 if on.day < birth.day else months


def last_anniversary(month: int, day: int, not_after: date) -> date:
    """Return the last such day of the year that is not after `not_after`."""
    this_year = date(not_after.year, month, day)
    return this_year if this_year <= not_after else date(not_after.year - 1, month, day)


# ---------------------------------------------------------------------------------- a student


@dataclass
class Student:
    """What is known of one student on the as-of date."""

    student_id: str
    snapshots: list[Row]  # up to the as-of date, oldest first
    record: Row  # the current record, its gaps filled
    events: list[tuple[date, str]]  # up to the as-of date, `returned` last of its day
    statuses: dict[date, str] = field(default_factory=dict)  # the worst of each day
    on_leave: bool = False
    past_leaves: list[tuple[date, date]] = field(default_factory=list)  # [from, returned)
    in_cohort: bool = False

    @property
    def school(self) -> str:
        return str(self.record["school_id"])

    @property
    def class_id(self) -> str | None:
        value: str | None = self.record["class_id"]
        return value


def current_record(snapshots: list[Row], as_of: date) -> Row:
    """Fill what the newest snapshot leaves empty from those before it, left_on excepted."""
    record: Row = {}
    for snapshot in snapshots:
        for name, value in snapshot.items():
            known = value
            ahead = isinstance(value, date) and value > as_of
            if ahead and name not in ("enrolled_on", "left_on"):
                known = None
            if known is not None or name == "left_on" or name not in record:
                record[name] = known
    return record


def leaves(events: list[tuple[date, str]]) -> tuple[bool, list[tuple[date, date]]]:
    """Return whether a long leave is running, and the ones that ended."""
    since: date | None = None
    past = []
    for day, event in events:
        if event == "long_leave" and since is None:
            since = day
        elif event == "returned" and since is not None:
            past.append((since, day))
            since = None
    return since is not None, past


def out_by_event(events: list[tuple[date, str]], newest_snapshot: date) -> bool:
    """Return whether an event takes the student out of the cohort."""
    dropped_out = False
    gone: date | None = None  # day of the latest transferred, graduated or abroad still in force
    for day, event in events:
        if event == "deceased":
            return True
        if event == "dropped_out":
            dropped_out = True
        elif event in EXITS:
            gone = day
        elif event == "returned":
            dropped_out = False
            gone = None
    return dropped_out or (gone is not None and newest_snapshot <= gone)


# ---------------------------------------------------------------------------------- the county


class County:
    """All tables, cut off after the as-of date."""

    def __init__(self, tables: Tables, as_of: date, mode: str, config: Mapping[str, Any]) -> None:
        self.as_of = as_of
        self.mode = mode
        self.config = config
        start = str(config["school_year_start"])
        self.year_start = (int(start[:2]), int(start[3:]))
        self.schools = {row["school_id"]: row for row in tables.get("schools", [])}
        self.students = self._students(tables)
        self.cohort = [s for s in self.students.values() if s.in_cohort]
        self.of_school: dict[str, list[Student]] = defaultdict(list)
        for student in self.students.values():
            self.of_school[student.school].append(student)
        self.calendar = [r for r in tables.get("calendar", []) if r["date"] <= as_of]
        self.reported_rows = [r for r in tables.get("reported_days", []) if r["date"] <= as_of]
        self.totals: dict[str, list[Row]] = defaultdict(list)
        for row in tables.get("attendance_totals", []):
            if row["to"] <= as_of:
                self.totals[row["student_id"]].append(row)
        self.exams = exams_of(self, tables.get("exams", []))
        self._school_days: dict[tuple[str, str | None], list[date]] = {}
        self._reported: dict[tuple[str, str | None], set[date]] = {}

    def _students(self, tables: Tables) -> dict[str, Student]:
        snapshots: dict[str, list[Row]] = defaultdict(list)
        for row in tables["students"]:
            if row["snapshot_date"] <= self.as_of:
                snapshots[row["student_id"]].append(row)
        events: dict[str, list[tuple[date, str]]] = defaultdict(list)
        for row in tables.get("outcomes", []):
            if row["date"] <= self.as_of:
                events[row["student_id"]].append((row["date"], row["event"]))
        complete = [
            (school, day)
            for school, day in tables.get("complete_registries", [])
            if day <= self.as_of
        ]
        students = {}
        for student_id in sorted(snapshots):
            own = sorted(snapshots[student_id], key=lambda row: row["snapshot_date"])
            happened = sorted(
                events[student_id], key=lambda item: (item[0], item[1] == "returned", item[1])
            )
            student = Student(student_id, own, current_record(own, self.as_of), happened)
            student.on_leave, student.past_leaves = leaves(happened)
            student.in_cohort = self._enrolled(student, complete)
            students[student_id] = student
        for row in tables.get("attendance", []):
            if row["date"] <= self.as_of and row["student_id"] in students:
                statuses = students[row["student_id"]].statuses
                known = statuses.get(row["date"], "present")
                statuses[row["date"]] = max(known, row["status"], key=WORST_LAST.index)
        return students

    def _enrolled(self, student: Student, complete: list[tuple[str, date]]) -> bool:
        record = student.record
        if record["enrolled_on"] is not None and record["enrolled_on"] > self.as_of:
            return False
        if record["left_on"] is not None and record["left_on"] <= self.as_of:
            return False
        # Whoever is in a complete registry file has a snapshot of its date.
        if any(
            school == record["school_id"] and day > record["snapshot_date"]
            for school, day in complete
        ):
            return False
        return not out_by_event(student.events, record["snapshot_date"])

    # ------------------------------------------------------------------ school days

    def attended_dates(self, school: str) -> set[date]:
        """Return the dates on which any student of the school has an attendance row."""
        return {day for student in self.of_school[school] for day in student.statuses}

    def calendar_days(self, school: str, class_id: str | None) -> list[date]:
        """Return the school days of a school and class up to the as-of date, in order."""
        key = (school, class_id)
        if key not in self._school_days:
            deciding: dict[date, tuple[int, bool]] = {}
            for row in self.calendar:
                if row["school_id"] not in (None, school):
                    continue
                if row["class_id"] not in (None, class_id):
                    continue
                rank = 2 * (row["school_id"] is not None) + (row["class_id"] is not None)
                if row["date"] not in deciding or rank > deciding[row["date"]][0]:
                    deciding[row["date"]] = (rank, row["is_school_day"])
            if deciding:
                days = [day for day, (_, is_school_day) in deciding.items() if is_school_day]
            elif self.mode == "exceptions":
                raise NoCalendarError(f"school {school}, class {class_id}")
            else:
                days = list(self.attended_dates(school))
            self._school_days[key] = sorted(days)
        return self._school_days[key]

    def own_days(self, student: Student) -> list[date]:
        """Return the student's own school days, in order."""
        enrolled_on = student.record["enrolled_on"]
        return [
            day
            for day in self.calendar_days(student.school, student.class_id)
            if (enrolled_on is None or day >= enrolled_on)
            and not any(start <= day < end for start, end in student.past_leaves)
        ]

    def is_reported(self, student: Student, day: date) -> bool:
        """Return whether the school has handed in that day for the student's class."""
        key = (student.school, student.class_id)
        if key not in self._reported:
            rows = [r for r in self.reported_rows if r["school_id"] == student.school]
            attended = self.attended_dates(student.school)
            if rows:
                days = {r["date"] for r in rows if r["class_id"] in (None, student.class_id)}
            elif self.mode == "full":
                days = attended
            else:
                newest = max(attended, default=date.min)
                days = {d for d in self.calendar_days(*key) if d <= newest}
            self._reported[key] = days
        return day in self._reported[key]

    def marks(self, student: Student) -> list[Day]:
        """Return the student's own school days with what is recorded on each."""
        days = []
        for day in self.own_days(student):
            reported = self.is_reported(student, day)
            status = student.statuses.get(day)
            if status is None and self.mode == "exceptions" and reported:
                status = "present"
            days.append(Day(day, status, reported))
        return days

    def school_year(self, day: date) -> int:
        """Return the year in which the school year of `day` began."""
        return day.year - ((day.month, day.day) < self.year_start)

    def within(self, day: date, days: int) -> bool:
        """Return whether `day` is in the last so many days."""
        return self.as_of - timedelta(days=days) < day <= self.as_of


@dataclass(frozen=True)
class Day:
    """One school day of one student; status None = no record."""

    date: date
    status: str | None
    reported: bool

    @property
    def recorded(self) -> bool:
        return self.status is not None

    @property
    def absent(self) -> bool:
        return self.status in ABSENT


# ---------------------------------------------------------------------------------- attendance


def _run_back(days: list[Day], statuses: set[str]) -> int:
    count = 0
    for day in reversed(days):
        if day.status not in statuses:
            break
        count += 1
    return count


def _longest_run(days: list[Day], statuses: set[str]) -> int:
    longest = run = 0
    for day in days:
        run = run + 1 if day.status in statuses else 0
        longest = max(longest, run)
    return longest


def _trend(last_60: list[Day]) -> Fraction | None:
    points = [(i, int(day.absent)) for i, day in enumerate(last_60) if day.recorded]
    if len(points) < 10:
        return None
    n = len(points)
    sx, sy = sum(x for x, _ in points), sum(y for _, y in points)
    sxx, sxy = sum(x * x for x, _ in points), sum(x * y for x, y in points)
    return Fraction(20 * (n * sxy - sx * sy), n * sxx - sx * sx)


def _days_since_present(last_60: list[Day]) -> int | None:
    if not any(day.recorded or day.reported for day in last_60):
        return None
    there = [i for i, day in enumerate(last_60) if day.status in THERE]
    after = last_60[there[-1] + 1 :] if there else last_60
    return sum(day.reported for day in after)


def _absent_after_break(county: County, days: list[Day]) -> int | None:
    starts = [
        i + 1
        for i, (before, after) in enumerate(pairwise(days))
        if (after.date - before.date).days - 1 >= BREAK_DAYS and county.within(after.date, 365)
    ]
    if not starts:
        return None
    first_three = days[starts[-1] : starts[-1] + 3]
    if not any(day.recorded for day in first_three):
        return None
    return sum(day.absent for day in first_three)


def attendance_features(county: County, student: Student) -> Row:
    """Return what comes from the attendance table."""
    if student.on_leave:
        return dict.fromkeys(ATTENDANCE_FEATURES) | {"on_leave": True}
    days = county.marks(student)
    last = {n: days[-n:] for n in (5, 20, 60)}
    recorded = {n: [day for day in window if day.recorded] for n, window in last.items()}
    year_began = last_anniversary(*county.year_start, county.as_of)
    this_year = [day for day in days if day.recorded and day.date >= year_began]
    out: Row = {}
    for n in (5, 20, 60):
        known = recorded[n]
        out[f"absence_rate_{n}d"] = rounded(share(sum(d.absent for d in known), len(known)))
        unexcused = sum(day.status == "unexcused" for day in known)
        out[f"unexcused_days_{n}d"] = unexcused if known else None
    out["absence_rate_ytd"] = rounded(share(sum(d.absent for d in this_year), len(this_year)))
    known = recorded[60]
    out["unexcused_run"] = _run_back(known, {"unexcused"}) if known else None
    out["absent_run"] = _run_back(known, ABSENT) if known else None
    out["longest_unexcused_run_60d"] = _longest_run(known, {"unexcused"}) if known else None
    late = sum(day.status in ("late", "left_early") for day in recorded[20])
    out["late_rate_20d"] = rounded(share(late, len(recorded[20])))
    out["absence_trend_60d"] = rounded(_trend(last[60]))
    out["days_since_present"] = _days_since_present(last[60])
    out["absent_after_break"] = _absent_after_break(county, days)
    home = sum(day.status == "home_teaching" for day in last[60])
    out["home_teaching_days_60d"] = home if last[60] else None
    silent = sum(not day.recorded for day in last[20])
    enough = len(last[20]) >= 10
    out["attendance_gap_20d"] = rounded(share(silent, len(last[20]))) if enough else None
    out["on_leave"] = False
    return out


def totals_features(county: County, student: Student) -> Row:
    """Return what comes from attendance_totals."""
    periods = sorted(county.totals[student.student_id], key=lambda r: (r["to"], r["from"]))
    rates = [share(r["days_absent"], r["school_days"]) for r in periods]
    last = rates[-1] if rates else None
    before = rates[-2] if len(rates) > 1 else None
    absent, school_days = (sum(r[c] for r in periods) for c in ("days_absent", "school_days"))
    return {
        "totals_absence_rate": rounded(last),
        "totals_absence_change": (
            rounded(last - before) if last is not None and before is not None else None
        ),
        "totals_absence_rate_all": rounded(share(absent, school_days)),
    }


# ---------------------------------------------------------------------------------- marks


@dataclass
class Exam:
    """One exam (school, grade, school year, name) of one student."""

    key: tuple[str, int, int, str]
    rows: dict[str, Row] = field(default_factory=dict)  # by subject, the latest dated
    latest: date = date.min  # of the own rows

    @property
    def order(self) -> tuple[date, str]:
        return (self.latest, self.key[3])

    @property
    def taken(self) -> dict[str, Fraction]:
        """Share of the full mark of each subject with a score."""
        return {s: percent(r) for s, r in self.rows.items() if r["score"] is not None}

    @property
    def mean_pct(self) -> Fraction | None:
        return mean(list(self.taken.values()))


@dataclass
class Exams:
    """All exams: those of each student in order, and what all made of each."""

    of_student: dict[str, list[Exam]]
    shares: dict[tuple[tuple[str, int, int, str], str], list[Fraction]]  # by exam and subject
    means: dict[tuple[str, int, int, str], list[Fraction]]  # by exam
    # By grade, school year and name: the school and exam_mean_pct of every result.
    results: dict[tuple[int, int, str], list[tuple[str, Decimal]]]

    def z(self, exam: Exam) -> Decimal | None:
        """Return exam_z of one student's exam."""
        values = []
        for subject, own in exam.taken.items():
            everyone = self.shares[exam.key, subject]
            n = len(everyone)
            if n < 5:
                continue
            centre = sum(everyone, Fraction(0)) / n
            variance = sum(((p - centre) ** 2 for p in everyone), Fraction(0)) / (n - 1)
            if variance == 0:
                continue
            deviation = _PRECISE.sqrt(_decimal(variance))
            values.append(_PRECISE.divide(_decimal(own - centre), deviation))
        return decimal_mean(values)

    def z_of_all_schools(self, exam: Exam) -> Decimal | None:
        """Return how one student's exam_mean_pct stands beside all results of all schools."""
        own = rounded(exam.mean_pct)
        everyone = self.results[exam.key[1:]]
        if own is None or len(everyone) < 5 or len({school for school, _ in everyone}) == 1:
            return None
        values = [Fraction(value) for _, value in everyone]
        n = len(values)
        centre = sum(values, Fraction(0)) / n
        variance = sum(((value - centre) ** 2 for value in values), Fraction(0)) / (n - 1)
        if variance == 0:
            return None
        deviation = _PRECISE.sqrt(_decimal(variance))
        return _PRECISE.divide(_decimal(Fraction(own) - centre), deviation)

    def rank_pct(self, exam: Exam) -> Fraction | None:
        """Return the place among all with a mean in that exam: 0 the best, 1 the last."""
        own = exam.mean_pct
        everyone = self.means[exam.key]
        if own is None or len(everyone) < 5:
            return None
        better = sum(value > own for value in everyone)
        equal = sum(value == own for value in everyone)
        rank = better + Fraction(equal + 1, 2)
        return (rank - 1) / (len(everyone) - 1)


def percent(row: Row) -> Fraction:
    """Return score / full_mark at 6 decimals, halves away from zero."""
    full_mark = row["full_mark"] if row["full_mark"] is not None else Decimal(100)
    exact = _PRECISE.divide(row["score"], full_mark)
    return Fraction(exact.quantize(Decimal("1e-6"), rounding=ROUND_HALF_UP, context=_PRECISE))


def exams_of(county: County, rows: Iterable[Row]) -> Exams:
    """Put every student's rows together into exams."""
    found: dict[str, dict[tuple[str, int, int, str], Exam]] = defaultdict(dict)
    for row in rows:
        student = county.students.get(row["student_id"])
        if row["date"] > county.as_of or student is None:
            continue
        in_force = student.snapshots[0]
        for snapshot in student.snapshots:
            if snapshot["snapshot_date"] <= row["date"]:
                in_force = snapshot
        key = (
            in_force["school_id"],
            in_force["grade"],
            county.school_year(row["date"]),
            row["exam"],
        )
        exam = found[student.student_id].setdefault(key, Exam(key))
        exam.latest = max(exam.latest, row["date"])
        earlier = exam.rows.get(row["subject"])
        if earlier is None or row["date"] > earlier["date"]:
            exam.rows[row["subject"]] = row
    exams = Exams({}, defaultdict(list), defaultdict(list), defaultdict(list))
    for student_id, by_key in found.items():
        exams.of_student[student_id] = sorted(by_key.values(), key=lambda exam: exam.order)
        for exam in by_key.values():
            for subject, value in exam.taken.items():
                exams.shares[exam.key, subject].append(value)
            if exam.mean_pct is not None:
                exams.means[exam.key].append(exam.mean_pct)
            if (result := rounded(exam.mean_pct)) is not None:
                exams.results[exam.key[1:]].append((exam.key[0], result))
    return exams


def marks_features(county: County, student: Student) -> Row:
    """Return what comes from the exams table."""
    own = county.exams.of_student.get(student.student_id, [])
    pass_mark = Fraction(str(county.config["pass_mark"]))
    recent = [exam for exam in own if county.within(exam.latest, 1095)]
    recent_z = [z for z in map(county.exams.z, recent) if z is not None]
    out: Row = dict.fromkeys(
        (
            "exam_mean_pct",
            "exam_maths_pct",
            "exam_z",
            "exam_z_prev",
            "failed_subjects",
            "failed_core",
            "missed_subjects",
            "exam_rank_pct",
            "exam_z_change",
        )
    )
    if own:
        latest = own[-1]
        taken = latest.taken
        z = county.exams.z(latest)
        before = [value for value in map(county.exams.z, own[:-1]) if value is not None]
        z_before = before[-1] if before else None
        core = {s: p for s, p in taken.items() if s in county.config["core_subjects"]}
        out["exam_mean_pct"] = rounded(latest.mean_pct)
        out["exam_maths_pct"] = rounded(taken.get("maths"))
        out["exam_z"] = rounded(z)
        out["exam_z_prev"] = rounded(z_before)
        if z is not None and z_before is not None:
            out["exam_z_change"] = rounded(_PRECISE.subtract(z, z_before))
        out["failed_subjects"] = sum(p < pass_mark for p in taken.values()) if taken else None
        out["failed_core"] = sum(p < pass_mark for p in core.values()) if core else None
        out["missed_subjects"] = len(latest.rows) - len(taken)
        out["exam_rank_pct"] = rounded(county.exams.rank_pct(latest))
    means = [exam.mean_pct for exam in recent]
    out["exam_pct_mean_3y"] = rounded(mean([value for value in means if value is not None]))
    out["exam_z_mean_3y"] = rounded(decimal_mean(recent_z))
    out["exams_taken_365d"] = sum(bool(e.taken) and county.within(e.latest, 365) for e in own)
    return out


# ---------------------------------------------------------------------------------- registry


def _equals(value: Any, *among: Any) -> bool | None:
    return None if value is None else value in among


def groups(record: Row) -> Row:
    """Return the groups, three-valued."""
    disabled = _equals(record["disability"], "none")
    poor = _equals(record["poverty"], "none")
    return {
        "migrant": record["migrant_child"],
        "left_behind": _equals(record["parents_away"], "one_parent", "both_parents"),
        "disabled": None if disabled is None else not disabled,
        "poor_family": None if poor is None else not poor,
        "parent_incarcerated": record["parent_in_prison"],
        "orphan": _equals(record["orphan_status"], "orphan"),
        "unattended": _equals(record["orphan_status"], "unattended"),
    }


def _changes(county: County, student: Student, column: str) -> int | None:
    known = [
        (row["snapshot_date"], row[column]) for row in student.snapshots if row[column] is not None
    ]
    if len(known) < 2:
        return None
    return sum(
        bool(value != value_before) and county.within(day, 365)
        for (_, value_before), (day, value) in pairwise(known)
    )


def registry_features(county: County, student: Student) -> Row:
    """Return what comes from the registry."""
    record = student.record
    as_of = county.as_of
    grade = record["grade"]
    birth = record["birth_date"]
    stage = None
    for name, (low, high) in county.config["stages"].items():
        if low <= grade <= high:
            stage = name
    over_age = months_over = None
    if birth is not None and stage is not None and 1 <= grade <= 9:
        september = last_anniversary(9, 1, record["snapshot_date"])
        usual = grade + int(county.config["age_at_grade_1"]) - 1
        over_age = max(0, full_years(birth, september) - usual)
        months_over = full_months(birth, september) - 12 * usual
    member = groups(record)
    monitored = [member[g] for g in ("migrant", "left_behind", "disabled", "poor_family")] + [
        member["parent_incarcerated"]
    ]
    known = [value for value in monitored if value is not None]
    poor, aided = member["poor_family"], record["receives_aid"]
    aid_gap = None
    if poor is False or aided is True:
        aid_gap = False
    elif poor and aided is False:
        aid_gap = True
    enrolled_on = record["enrolled_on"]
    return {
        "grade": grade,
        "stage": stage,
        "age_years": None if birth is None else full_years(birth, as_of),
        "over_age_years": over_age,
        "months_over_age": months_over,
        "days_enrolled": None if enrolled_on is None else (as_of - enrolled_on).days,
        "boarding": record["boarding"],
        "distance_km": record["distance_km"],
        "needs_bus": record["needs_bus"],
        "placement": record["placement"],
        "days_since_snapshot": (as_of - record["snapshot_date"]).days,
        "guardian_changes_365d": _changes(county, student, "guardian"),
        "school_moves_365d": _changes(county, student, "school_id"),
        "schools_attended": len({row["school_id"] for row in student.snapshots}),
        **member,
        "group_count": sum(known) if known else None,
        "aid_gap": aid_gap,
    }


def history_features(county: County, student: Student) -> Row:
    """Return what comes from the outcomes table."""
    returns = [day for day, event in student.events if event == "returned"]
    return {
        "prior_dropouts": sum(event == "dropped_out" for _, event in student.events),
        "days_since_return": (county.as_of - returns[-1]).days if returns else None,
    }


# ---------------------------------------------------------------------------------- school


def school_features(county: County, school: str) -> Row:
    """Return what all students of one school share."""
    cohort = [student for student in county.of_school[school] if student.in_cohort]
    days = [
        day for student in cohort if not student.on_leave for day in county.marks(student)[-20:]
    ]
    recorded = [day for day in days if day.recorded]
    dropouts = sum(
        event == "dropped_out" and county.within(day, 1095)
        for student in county.of_school[school]
        for day, event in student.events
    )

    def among_known(group: str) -> Fraction | None:
        known = [v for v in (groups(s.record)[group] for s in cohort) if v is not None]
        return share(sum(known), len(known))

    latest = [own[-1] for s in cohort if (own := county.exams.of_student.get(s.student_id))]
    standings = [z for z in map(county.exams.z_of_all_schools, latest) if z is not None]
    row = county.schools.get(school, {})
    return {
        "school_absence_rate_20d": rounded(share(sum(d.absent for d in recorded), len(recorded))),
        "school_gap_20d": rounded(share(len(days) - len(recorded), len(days))),
        "school_dropouts_3y_rate": rounded(share(dropouts, len(cohort))),
        "school_exam_z": rounded(decimal_mean(standings)),
        "school_rural": row.get("rural"),
        "school_remote": row.get("remote"),
        "school_poor_share": rounded(among_known("poor_family")),
        "school_left_behind_share": rounded(among_known("left_behind")),
        "school_migrant_share": rounded(among_known("migrant")),
    }


def compute(
    tables: Tables, as_of: date, mode: str, config: Mapping[str, Any] | None = None
) -> list[Row]:
    """Return one dict of all features for each student of the cohort, sorted by student_id.

    `tables` holds typed Python values (date, bool, int, Decimal, str, None);
    `complete_registries`, if there, is a list of (school_id, date). `mode` is `full` or
    `exceptions`. Raises NoCalendarError where `exceptions` lacks a calendar.
    """
    county = County(tables, as_of, mode, DEFAULTS | dict(config or {}))
    of_school = {s: school_features(county, s) for s in {x.school for x in county.cohort}}
    return [
        {
            "student_id": student.student_id,
            "school_id": student.school,
            **attendance_features(county, student),
            **totals_features(county, student),
            **marks_features(county, student),
            **registry_features(county, student),
            **history_features(county, student),
            **of_school[student.school],
        }
        for student in county.cohort
    ]
