"""Little random counties, full of the odd cases that real registries hold.

`world(seed)` is the same world for the same seed, always. Everything a definition speaks of
happens in some of the worlds: borders of every window, several things on one day, gaps, silence,
rows that belong to nothing, rows from the future.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa

from earlywarn.tables.contract import TABLES
from oracle.canonical import arrow_tables, cell

Row = dict[str, Any]
CalendarRows = dict[tuple[date, str | None, str | None], bool]

CHOICES: dict[str, tuple[Any, ...]] = {
    "sex": ("M", "F"),
    "boarding": (True, False),
    "boarding_aid": (True, False),
    "distance_km": (Decimal(0), Decimal("0.5"), Decimal("1.5"), Decimal(7), Decimal("12.25")),
    "travel": ("walk", "bicycle", "family", "public", "school_bus", "lives_at_school"),
    "needs_bus": (True, False),
    "parents_away": ("none", "one_parent", "both_parents"),
    "migrant_child": (True, False),
    "disability": ("none", "none", "visual", "hearing", "other"),
    "placement": ("regular", "special_school", "home_teaching"),
    "poverty": ("none", "none", "low_income", "registered"),
    "receives_aid": (True, False),
    "parent_in_prison": (True, False),
    "orphan_status": ("none", "orphan", "unattended"),
    "guardian": ("mother", "father", "grandmother", "aunt"),
    "homeroom_teacher": ("T1", "T2"),
}
SUBJECTS = ("chinese", "maths", "english", "physics", "art")
EVENTS = (
    "dropped_out",
    "dropped_out",
    "suspected",
    "returned",
    "returned",
    "returned",
    "transferred",
    "graduated",
    "abroad",
    "long_leave",
    "long_leave",
)
STATUSES = ("present", "late", "left_early", "sick", "leave", "unexcused", "home_teaching")


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=i) for i in range((last - first).days + 1)]


@dataclass
class World:
    """One county: its tables as typed rows (attendance as it came, keys may repeat)."""

    seed: int
    as_of: date
    mode: str
    tables: dict[str, list[Any]]
    config: dict[str, Any] = field(default_factory=dict)

    def arrow(self) -> dict[str, pa.Table]:
        """Return the tables of the contract, unique by key, and complete_registries."""
        found = arrow_tables({k: v for k, v in self.tables.items() if k in TABLES})
        complete = self.tables["complete_registries"]
        found["complete_registries"] = pa.table(
            {
                "school_id": pa.array([school for school, _ in complete], pa.string()),
                "snapshot_date": pa.array([day for _, day in complete], pa.date32()),
            }
        )
        return found

    def write_csv(self, folder: Path) -> None:
        """Write each table as a canonical CSV, attendance with its repeated keys."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in TABLES.items():
            columns = [column.name for column in table.columns]
            with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(columns)
                writer.writerows([[cell(r.get(c)) for c in columns] for r in self.tables[name]])

    def later_changed(self, rng: Random) -> World:
        """Return this world with everything after the as-of date added, changed and removed."""
        return replace(self, tables=_Later(self, rng).tables())


FAMILY = 3  # so many neighbouring worlds share as-of date, mode, config and common calendar


def world(seed: int) -> World:
    """Return the random county of this seed. Ids of different worlds never meet."""
    return _Maker(seed).make()


def family(number: int) -> list[World]:
    """Return the worlds that share the settings of family `number`."""
    return [world(seed) for seed in range(number * FAMILY, (number + 1) * FAMILY)]


def together(worlds: list[World]) -> World:
    """Return one world with everything of some worlds of one family."""
    tables: dict[str, list[Any]] = {
        name: [row for one in worlds for row in one.tables[name]] for name in worlds[0].tables
    }
    key = TABLES["calendar"].key
    common = {tuple(row[c] for c in key): row for row in tables["calendar"]}
    return replace(worlds[0], tables=tables | {"calendar": list(common.values())})


class _Maker:
    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.rng = Random(f"world {seed}")
        self._settings(Random(f"family {seed // FAMILY}"))

    def _settings(self, rng: Random) -> None:
        """Choose what all worlds of one family have in common."""
        self.mode = rng.choice(["full", "exceptions"])
        self.first = date(rng.choice([2023, 2024, 2025]), 9, 1) + timedelta(days=rng.randint(0, 20))
        self.last = self.first + timedelta(days=270)
        self.as_of = self.first + timedelta(days=rng.choice([*range(3, 265), 30, 60, 200]))
        if rng.random() < 0.06:  # 28 and 29 February are worth a few worlds
            self.as_of = date(self.first.year + 1, 2, 28) + timedelta(days=rng.randint(0, 1))
        self.config = self._config(rng)
        self.classes = rng.sample(["1", "2", "3"], 2)
        self.common = self._common_calendar(rng)

    def make(self) -> World:
        """Return the world."""
        rng = self.rng
        self.school_ids = [f"{self.seed}S{i}" for i in range(rng.randint(2, 3))]
        self.stranger = f"{self.seed}X99"  # a student whom no snapshot knows
        self.grades = rng.sample([1, 5, 6, 7, 8, 9], 2)
        if "adult" in self.config.get("stages", {}):
            self.grades[0] = 13
        count = rng.choice([2, 3, 5, 7, 8, 9, 10, 12, 14, 18, 30])
        self.ids = [f"{self.seed}G{i:03d}" for i in range(count)]
        tables: dict[str, list[Any]] = {
            "students": [row for i in self.ids for row in self._snapshots(i)],
            "schools": self._schools(),
            "calendar": self._calendar(),
        }
        tables["attendance"] = self._attendance()
        tables["reported_days"] = self._reported()
        tables["attendance_totals"] = [row for i in self.ids for row in self._totals(i)]
        tables["exams"] = self._exams()
        tables["outcomes"] = [row for i in self.ids for row in self._outcomes(i, tables)]
        tables["complete_registries"] = self._complete()
        for rows in tables.values():
            rng.shuffle(rows)
        return World(self.seed, self.as_of, self.mode, tables, self.config)

    def _config(self, rng: Random) -> dict[str, Any]:
        config: dict[str, Any] = {}
        if rng.random() < 0.2:
            config["school_year_start"] = rng.choice(["08-15", "10-01", "02-20", "01-01", "03-01"])
        if rng.random() < 0.1:
            config["pass_mark"] = rng.choice([0.5, 0.7, 0.85])
        if rng.random() < 0.1:
            config["age_at_grade_1"] = 7
        if rng.random() < 0.1:
            config["core_subjects"] = rng.choice([["maths"], ["art", "chinese"]])
        if rng.random() < 0.1:
            config["stages"] = {"lower": (1, 5), "upper": (6, 9), "adult": (13, 13)}
        return config

    def _near(self, before: int, after: int) -> date:
        """Return a day around the as-of date, which itself is likely."""
        rng = self.rng
        if rng.random() < 0.12:
            return self.as_of + timedelta(days=rng.choice([-1, 0, 0, 1]))
        return self.as_of + timedelta(days=rng.randint(-before, after))

    def _schools(self) -> list[Row]:
        rng = self.rng
        known = [s for s in self.school_ids if rng.random() < 0.85]  # the others are unknown
        return [
            {
                "school_id": school,
                "name": f"School {school}",
                "county": "K1",
                "township": None,
                "kind": "nine_year",
                "rural": rng.choice([True, False, None]),
                "remote": rng.choice([True, False, None]),
                "capacity": rng.choice([None, 2]),
            }
            for school in known
        ]

    # ------------------------------------------------------------------ students

    def _birth(self) -> date | None:
        rng = self.rng
        if rng.random() < 0.1:
            return None
        if rng.random() < 0.2:
            return date(rng.choice([2008, 2012, 2016]), 2, 29)
        if rng.random() < 0.15:  # around the borders of the two age features
            month, day = rng.choice([(9, 1), (9, 2), (8, 31), (self.as_of.month, 28)])
            return date(rng.randint(2008, 2018), month, day)
        if rng.random() < 0.03:
            return self.as_of + timedelta(days=rng.randint(1, 40))
        return date(rng.randint(2007, 2018), rng.randint(1, 12), rng.randint(1, 28))

    def _snapshots(self, student_id: str) -> list[Row]:
        rng = self.rng
        count = rng.choice([1, 1, 2, 3, 4])
        borders = [0, 1, 364, 365, 366]
        dates = {
            self.as_of - timedelta(days=rng.choice(borders))
            if rng.random() < 0.1
            else self.as_of + timedelta(days=rng.randint(-600, 60 if i else 0))
            for i in range(count)
        }
        if rng.random() < 0.04:
            dates = {self.as_of + timedelta(days=5)}  # not known yet
        school, class_id = rng.choice(self.school_ids), rng.choice([*self.classes, None])
        grade = rng.choice(self.grades)
        enrolled = rng.choice(
            [
                None,
                self.first - timedelta(days=rng.randint(1, 900)),
                self.first - timedelta(days=400),
                self._near(120, 0) if rng.random() < 0.5 else None,
                self._near(100, 30) if rng.random() < 0.4 else None,
            ]
        )
        birth = self._birth()
        empty = rng.choice([0.1, 0.3, 0.6])
        rows = []
        for day in sorted(dates):
            if rng.random() < 0.2:
                school = rng.choice(self.school_ids)
            if rng.random() < 0.2:
                class_id = rng.choice([*self.classes, None])
            if rng.random() < 0.2:
                grade = rng.choice(self.grades)
            left = None
            if rng.random() < 0.08:
                left = self._near(60, 60)
            row: Row = {column.name: None for column in TABLES["students"].columns}
            row |= {n: rng.choice(c) for n, c in CHOICES.items() if rng.random() >= empty}
            row |= {
                "student_id": student_id,
                "snapshot_date": day,
                "school_id": school,
                "grade": grade,
                "class_id": class_id,
                "name": None if rng.random() < empty else f"N {student_id}",
                "birth_date": None if rng.random() < 0.2 else birth,
                "enrolled_on": None if rng.random() < 0.2 else enrolled,
                "left_on": left,
            }
            rows.append(row)
        self.homes = getattr(self, "homes", {})
        self.homes[student_id] = (school, class_id)
        return rows

    def _complete(self) -> list[tuple[str, date]]:
        rng = self.rng
        if rng.random() < 0.75:
            return []
        return [(rng.choice(self.school_ids), self._near(500, 30))]

    # ------------------------------------------------------------------ days

    def _common_calendar(self, rng: Random) -> CalendarRows:
        """Return the rows of no school: for all, or for a class of any school."""
        rows: CalendarRows = {}
        days = _days(self.first, self.last)
        if rng.random() < 0.07:  # one break, which ended on the border of the last 365 days
            after = self.as_of - timedelta(days=rng.choice([364, 365, 366, 370]))
            closed = _days(after - timedelta(days=7), after - timedelta(days=1))
            for day in _days(after - timedelta(days=20), self.last):
                rows[day, None, None] = day not in closed
        elif self.mode == "exceptions" or rng.random() < 0.7:
            start = rng.randint(100, 150)
            winter = set(days[start : start + rng.choice([4, 20, 28])])
            holiday = rng.randint(10, 250)
            golden = set(days[holiday : holiday + rng.choice([2, 3, 4, 5, 6, 7])])
            for day in days:
                open_ = day.weekday() < 5 and day not in winter and day not in golden
                if rng.random() < 0.02:
                    open_ = not open_
                if rng.random() > 0.01 or day == days[0]:  # some dates have no row
                    rows[day, None, None] = open_
        self.disputed = rng.sample([day for day in days if day <= self.as_of], 3)
        if rows or rng.random() < 0.2:
            for _ in range(rng.choice([0, 1, 3])):
                on = rng.choice(self.disputed if rng.random() < 0.6 else days)
                rows[on, None, rng.choice(self.classes)] = rng.random() < 0.5
        return rows

    def _calendar(self) -> list[Row]:
        rng = self.rng
        rows = dict(self.common)
        days = _days(self.first, self.last)
        if rows or rng.random() < 0.4:
            for _ in range(rng.choice([0, 3, 8, 16])):
                on = rng.choice(self.disputed if rng.random() < 0.6 else days)
                place = rng.choice(self.school_ids), rng.choice([None, *self.classes])
                rows[on, *place] = rng.random() < 0.5
        elif rng.random() < 0.3:  # a calendar that only one school or class has
            class_id = rng.choice([None, self.classes[0]])
            for day in days:
                rows[day, self.school_ids[0], class_id] = day.weekday() < 5
        return [
            {"date": day, "school_id": school, "class_id": class_id, "is_school_day": value}
            for (day, school, class_id), value in rows.items()
        ]

    def _attendance(self) -> list[Row]:
        rng = self.rng
        # Long histories in a third of the worlds: a day costs a row for every student.
        reach = rng.choice([45, 90, 280])
        begin = max(self.first, self.as_of - timedelta(days=reach))
        days = _days(begin, min(self.last, self.as_of + timedelta(days=12)))
        ending = {s: self.as_of - timedelta(days=rng.choice([-9, 0, 0, 1, 5])) for s in self.ids}
        rows: list[Row] = []
        for student in [*self.ids, *([self.stranger] if rng.random() < 0.3 else [])]:
            if rng.random() < 0.08:
                continue  # no row at all
            bad = rng.choice([0.03, 0.1, 0.3, 0.8])
            silence = rng.choice([0, 0.05, 0.3, 0.7])
            kinds = rng.choice([STATUSES[1:], ("unexcused",), ("sick", "leave"), STATUSES[1:]])
            for day in days:
                if (day.weekday() >= 5 and rng.random() < 0.93) or rng.random() < silence:
                    continue
                if day > ending.get(student, self.last):
                    continue
                status = rng.choice(kinds) if rng.random() < bad else "present"
                if status == "present" and self.mode == "exceptions" and rng.random() < 0.97:
                    continue
                rows += self._sessions(student, day, status)
            if rng.random() < 0.1:  # a long run without leave up to the end
                gone = self.as_of - timedelta(days=rng.randint(2, 30))
                rows += [
                    {"student_id": student, "date": d, "status": "unexcused", "session": None}
                    for d in _days(gone, self.as_of)
                    if d.weekday() < 5
                ]
        return rows

    def _sessions(self, student: str, day: date, status: str) -> list[Row]:
        rng = self.rng
        row: Row = {"student_id": student, "date": day, "status": status, "session": None}
        roll = rng.random()
        if roll < 0.9:
            return [row]
        other = rng.choice(STATUSES)
        if roll < 0.95:
            return [row | {"session": "am"}, row | {"session": "pm", "status": other}]
        if roll < 0.97:
            return [row, row | {"status": other}]  # one key twice: the worst counts
        return [row | {"session": str(n), "status": rng.choice(STATUSES)} for n in (1, 2, 3)]

    def _reported(self) -> list[Row]:
        rng = self.rng
        rows: set[tuple[str, str | None, date]] = set()
        days = _days(self.first, min(self.last, self.as_of + timedelta(days=15)))
        for school in [*self.school_ids, f"{self.seed}S9"]:
            habit = rng.choice(["none", "none", "school", "class", "mixed", "once", "later"])
            holes = rng.choice([0, 0.1, 0.4])
            if habit == "once":
                rows.add((school, rng.choice([None, *self.classes]), rng.choice(days)))
            if habit == "later":  # only rows from the future, which do not exist yet
                rows.add((school, None, self.as_of + timedelta(days=3)))
            for day in days:
                if habit in ("school", "mixed") and rng.random() >= holes:
                    rows.add((school, None, day))
                for class_id in self.classes:
                    if habit in ("class", "mixed") and rng.random() >= max(holes, 0.2):
                        rows.add((school, class_id, day))
        return [
            {"school_id": school, "class_id": class_id, "date": day}
            for school, class_id, day in sorted(rows, key=str)
        ]

    # ------------------------------------------------------------------ the rest

    def _totals(self, student: str) -> list[Row]:
        rng = self.rng
        rows: dict[tuple[date, date], Row] = {}
        ends = [self._near(500, 60) for _ in range(rng.choice([0, 0, 1, 2, 3]))]
        if len(ends) > 1 and rng.random() < 0.2:
            ends[1] = ends[0]
        for end in ends:
            begin = end - timedelta(days=rng.randint(20, 150))
            school_days = rng.choice([0, 60, 80, 91, 100])
            rows[begin, end] = {
                "student_id": student,
                "from": begin,
                "to": end,
                "days_absent": rng.randint(0, school_days),
                "school_days": school_days,
                "days_unexcused": None,
                "days_late": rng.choice([None, 2]),
            }
        return list(rows.values())

    def _exams(self) -> list[Row]:
        rng = self.rng
        rows: dict[tuple[Any, ...], Row] = {}
        said = rng.random() < 0.85
        sittings = [
            (self._own(rng.choice(["mid", "final", "月考", "A"])), self._near(reach, 40))
            for reach in (40, 150, 380, 500, 1200, 120)
            if rng.random() < 0.6
        ]
        if sittings and rng.random() < 0.5:  # two on one day: the name decides
            sittings.append((self._own("unit"), sittings[0][1]))
        if sittings and rng.random() < 0.3:  # the same name a year before
            name, day = sittings[0]
            sittings.append((name, day - timedelta(days=365)))
        if sittings and rng.random() < 0.3:
            border = rng.choice([364, 365, 366, 1094, 1095, 1096])
            sittings.append((self._own("border"), self.as_of - timedelta(days=border)))
        for name, day in sittings:
            subjects = rng.sample(SUBJECTS, rng.randint(1, 5))
            full_marks = {s: Decimal(rng.choice([100, 120, 150, 128, 64])) for s in subjects}
            same = rng.random() < 0.1  # everybody alike: sd 0
            for student in [*self.ids, *([self.stranger] if rng.random() < 0.2 else [])]:
                if rng.random() < 0.1:
                    continue
                shift = timedelta(days=rng.choice([0, 0, 0, 0, 1, -9]))
                for subject in subjects:
                    if rng.random() < 0.08:
                        continue
                    again = rng.random() < 0.06
                    for extra in (0, rng.choice([1, 14, -3])) if again else (0,):
                        on = day + shift + timedelta(days=extra)
                        full = full_marks[subject]
                        score = self._score(same, full if said else Decimal(100))
                        rows[student, name, subject, on] = {
                            "student_id": student,
                            "date": on,
                            "exam": name,
                            "subject": subject,
                            "score": score,
                            "full_mark": full if said else None,
                        }
        return list(rows.values())

    def _own(self, exam: str) -> str:
        """Return an exam name of this world alone: all schools that hold it are compared."""
        return f"{self.seed} {exam}"

    def _score(self, same: bool, full: Decimal) -> Decimal | None:
        rng = self.rng
        if rng.random() < 0.1:
            return None
        if same:
            return Decimal(50)
        if rng.random() < 0.1:
            return rng.choice([Decimal(0), full, full * Decimal("0.6"), Decimal(1)])
        if rng.random() < 0.3:  # few different values: ties
            return Decimal(rng.choice([30, 45, 60]))
        return Decimal(rng.randint(0, int(full) * 2)) / 2

    def _outcomes(self, student: str, tables: dict[str, list[Any]]) -> list[Row]:
        rng = self.rng
        if rng.random() < 0.55:
            return []
        rows: dict[tuple[date, str], Row] = {}
        snapshot_days = [
            r["snapshot_date"] for r in tables["students"] if r["student_id"] == student
        ]

        def add(day: date, event: str) -> None:
            cause = rng.choice([None, "hardship", "disengaged"])
            rows[day, event] = {"student_id": student, "date": day, "event": event, "cause": cause}

        day = self.as_of
        for _ in range(rng.choice([1, 2, 2, 3, 4])):
            reach = rng.choice([20, 100, 400, 1200])
            roll = rng.random()
            if roll < 0.25:
                pass  # one more on the same day
            elif roll < 0.4:
                day = rng.choice(snapshot_days)
            elif roll < 0.45:
                day = self.as_of - timedelta(days=rng.choice([1094, 1095, 1096]))
            else:
                day = self._near(reach, 20)
            add(day, "deceased" if rng.random() < 0.02 else rng.choice(EVENTS))
        if rng.random() < 0.25:  # a long leave in the middle of the year, and its end
            start = self._near(90, 5)
            add(start, "long_leave")
            if rng.random() < 0.3:
                add(start + timedelta(days=5), rng.choice(["dropped_out", "long_leave"]))
            if rng.random() < 0.7:
                add(start + timedelta(days=rng.randint(0, 40)), "returned")
        return list(rows.values())


class _Later:
    """Changes, adds and removes whatever lies after a world's as-of date."""

    def __init__(self, world: World, rng: Random) -> None:
        self.world = world
        self.rng = rng
        self.as_of = world.as_of
        students = world.tables["students"]
        self.ids = sorted({row["student_id"] for row in students} | {"NEW"})
        self.schools = sorted({row["school_id"] for row in students})
        self.exams = sorted({row["exam"] for row in world.tables["exams"]} | {"later"})

    def _ahead(self) -> date:
        return self.as_of + timedelta(days=self.rng.choice([1, 1, 2, 7, 30, 200]))

    def tables(self) -> dict[str, list[Any]]:
        """Return the changed tables."""
        tables: dict[str, list[Any]] = {"schools": self.world.tables["schools"]}
        for name in ("students", "attendance", "calendar", "reported_days", "exams", "outcomes"):
            dated = "snapshot_date" if name == "students" else "date"
            rows = self.world.tables[name]
            kept = [row for row in rows if row[dated] <= self.as_of]
            later = [row for row in rows if row[dated] > self.as_of and self.rng.random() < 0.4]
            later = [row | self._other(name) for row in later] + self._new(name)
            if self.rng.random() < 0.15:
                later = []
            if name == "students":
                kept = [self._inside(row) for row in kept]
            tables[name] = self._unique(name, kept, later)
        tables["attendance_totals"] = self._unique(
            "attendance_totals",
            [row for row in self.world.tables["attendance_totals"] if row["to"] <= self.as_of],
            [
                row | {"to": self._ahead(), "days_absent": 0}
                for row in self.world.tables["attendance_totals"]
                if row["to"] > self.as_of
            ]
            + [
                {
                    "student_id": student,
                    "from": self.as_of - timedelta(days=30),
                    "to": self._ahead(),
                    "days_absent": 20,
                    "school_days": 20,
                    "days_unexcused": None,
                    "days_late": None,
                }
                for student in self.ids
            ],
        )
        tables["complete_registries"] = [
            (school, day)
            for school, day in self.world.tables["complete_registries"]
            if day <= self.as_of
        ] + [(self.rng.choice(self.schools), self._ahead())]
        return tables

    def _unique(self, name: str, kept: list[Row], later: list[Row]) -> list[Row]:
        key = TABLES[name].key
        found = {tuple(row[c] for c in key): row for row in later}
        # The rows up to the as-of date stay as they came, repeated attendance keys too.
        return kept + list(found.values())

    def _inside(self, row: Row) -> Row:
        """Change the dates inside a known row that lie ahead (enrolled_on counts, so it stays)."""
        changed = dict(row)
        left = row["left_on"]
        if left is None or left > self.as_of:
            changed["left_on"] = self.rng.choice([None, self._ahead()])
        if row["birth_date"] is not None and row["birth_date"] > self.as_of:
            changed["birth_date"] = self.rng.choice([None, self._ahead()])
        return changed

    def _other(self, name: str) -> Row:
        rng = self.rng
        match name:
            case "attendance":
                return {"status": rng.choice(STATUSES)}
            case "calendar":
                return {"is_school_day": rng.random() < 0.5}
            case "exams":
                return {"score": Decimal(rng.randint(0, 60))}
            case "outcomes":
                return {"cause": "work", "date": self._ahead()}
            case "students":
                return {"school_id": rng.choice(self.schools), "guardian": "uncle", "grade": 3}
        return {}

    def _new(self, name: str) -> list[Row]:
        rng = self.rng
        rows: list[Row] = []
        for student in self.ids:
            day = self._ahead()
            match name:
                case "attendance":
                    row: Row = {"status": "unexcused", "session": None}
                case "exams":
                    row = {
                        "exam": rng.choice(self.exams),
                        "subject": "maths",
                        "score": Decimal(1),
                        "full_mark": Decimal(100),
                    }
                case "outcomes":
                    row = {"event": rng.choice([*EVENTS, "deceased"]), "cause": None}
                case "students":
                    row = {column.name: None for column in TABLES["students"].columns}
                    row |= {
                        "snapshot_date": day,
                        "school_id": rng.choice(self.schools),
                        "grade": 4,
                        "left_on": rng.choice([None, day]),
                        "poverty": "registered",
                        "guardian": "uncle",
                    }
                case _:
                    break
            row |= {"student_id": student}
            if name != "students":
                row["date"] = day
            rows.append(row)
        if name in ("calendar", "reported_days"):
            for school in self.schools:
                day = self._ahead()
                row = {"date": day, "school_id": school, "class_id": rng.choice([None, "1"])}
                rows.append(row | ({"is_school_day": True} if name == "calendar" else {}))
        return rows
