"""`escalation.yaml`: who does what by which school day, read strictly.

    Escalation.load(workspace)      the workspace's own file, else the shipped one

Days are school days; day 1 is the day on which the case opens (the first day of absence without
leave).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files as package_files
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from earlywarn import safeyaml
from earlywarn.errors import EarlywarnError, Text
from earlywarn.followup.states import State
from earlywarn.rules.problems import Problem
from earlywarn.rules.schema import Id, Words, validate
from earlywarn.words import Tier
from earlywarn.workspace import Workspace

FILE = "escalation.yaml"
INSPECTIONS_A_YEAR = 2  # of each school, where the file does not say

M = TypeVar("M", bound=BaseModel)

By = Literal["teacher", "leader", "school", "township", "county"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Task(_Strict):
    id: Id
    reaches: Literal[State.CONTACTED, State.VISITED, State.REPORTED] | None = None
    by: By
    title: Words
    what: Words
    who: Words
    form: Words


class _DatedTask(_Task):
    day: int = Field(ge=1, le=1000)
    every: int | None = Field(None, ge=1, le=1000)


class _File(_Strict):
    format: int = Field(ge=1, le=1)
    absence: Any
    watchlist: Any
    settling_in: Any
    unregistered: Any
    inspections_a_year: int = Field(INSPECTIONS_A_YEAR, ge=1, le=50)


class _Steps(_Strict):
    steps: list[Any]


class _SettlingIn(_Steps):
    days: int = Field(ge=1, le=1000)


class _Watchlist(_Strict):
    tiers: Any
    first: Any


class _Tiers(_Strict):
    urgent: int | None = Field(None, ge=1, le=1000)
    high: int | None = Field(None, ge=1, le=1000)
    watch: int | None = Field(None, ge=1, le=1000)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: due on school day `day`, and again each `every` school days.

    `reaches` is the state that doing it brings; `by` says whose list it stands on.
    """

    id: str
    day: int
    every: int | None
    reaches: State | None
    by: By
    title: Text
    what: Text
    who: Text
    form: Text


@dataclass(frozen=True, slots=True)
class Escalation:
    """All steps: of an absence, of a child that settles in, of a child on no registry.

    `tiers` are the watchlist tiers that open a case, each with its first step. Each school is
    inspected `inspections_a_year` times in a school year at least.
    """

    absence: tuple[Step, ...]
    tiers: Mapping[Tier, Step]
    settling_in: tuple[Step, ...]
    settling_in_days: int
    unregistered: tuple[Step, ...]
    inspections_a_year: int

    @classmethod
    def load(cls, workspace: Workspace) -> Escalation:
        """Read the workspace's `escalation.yaml`, or the shipped one where it has none.

        Raises
        ------
        EarlywarnError
            If it is not well formed; names file, line, value and cure of every fault.
        """
        path = workspace.root / FILE
        return read(safeyaml.load(path) if path.exists() else safeyaml.loads(shipped_text(), FILE))

    def steps(self, kind: str, tier: Tier | None = None) -> tuple[Step, ...]:
        """Return the steps of a case of `kind`; for one of the watchlist those of its `tier`."""
        if kind == "watchlist":
            return (self.tiers[tier],) if tier is not None and tier in self.tiers else ()
        found: dict[str, tuple[Step, ...]] = {
            "absence": self.absence,
            "settling_in": self.settling_in,
            "unregistered": self.unregistered,
        }
        return found[kind]


def shipped_text() -> str:
    """Return the shipped `escalation.yaml`."""
    return (package_files("earlywarn.followup") / FILE).read_text("utf-8")


def read(document: safeyaml.Document) -> Escalation:
    """Return what `document` says; see `Escalation.load` for the errors."""
    reader = _Reader(document)
    file = reader.model(_File, document.data, ())
    if file is None:
        raise reader.error()
    absence = reader.model(_Steps, file.absence, ("absence",))
    settling_in = reader.model(_SettlingIn, file.settling_in, ("settling_in",))
    unregistered = reader.model(_Steps, file.unregistered, ("unregistered",))
    found = Escalation(
        absence=reader.steps(absence, "absence"),
        tiers=reader.tiers(file.watchlist),
        settling_in=reader.steps(settling_in, "settling_in"),
        settling_in_days=settling_in.days if settling_in else 0,
        unregistered=reader.steps(unregistered, "unregistered"),
        inspections_a_year=file.inspections_a_year,
    )
    if reader.problems:
        raise reader.error()
    return found


class _Reader:
    """Collects what is wrong, so that all of it is told in one go."""

    def __init__(self, document: safeyaml.Document) -> None:
        self.document = document
        self.problems: list[Problem] = []

    def model(self, model: type[M], value: Any, path: safeyaml.Key) -> M | None:
        made, problems = validate(model, value, self.document, path, "")
        self.problems += problems
        return made

    def wrong(self, path: safeyaml.Key, text: Text) -> None:
        self.problems.append(Problem(self.document.name, self.document.line(path), "", text))

    def steps(self, section: _Steps | None, name: str) -> tuple[Step, ...]:
        if section is None:
            return ()
        if not section.steps:
            self.wrong(
                (name, "steps"),
                Text(
                    f"{name} 没有步骤，请至少写一步。", f"{name} has no step; write at least one."
                ),
            )
        found: dict[str, Step] = {}
        for i, entry in enumerate(section.steps):
            task = self.model(_DatedTask, entry, (name, "steps", i))
            if task is None:
                continue
            if task.id in found:
                self.wrong(
                    (name, "steps", i, "id"),
                    Text(
                        f"步骤 {task.id} 出现了两次，请改名或删去一个。",
                        f"the step {task.id} stands twice; rename or remove one.",
                    ),
                )
            found[task.id] = _step(task, task.day, task.every)
        return tuple(sorted(found.values(), key=lambda step: (step.day, step.id)))

    def tiers(self, value: Any) -> dict[Tier, Step]:
        section = self.model(_Watchlist, value, ("watchlist",))
        if section is None:
            return {}
        tiers = self.model(_Tiers, section.tiers, ("watchlist", "tiers"))
        first = self.model(_Task, section.first, ("watchlist", "first"))
        if tiers is None or first is None:
            return {}
        # Within n school days of the list's own day, which is day 1.
        return {
            Tier(tier): _step(first, days + 1, None)
            for tier, days in tiers.model_dump(exclude_none=True).items()
        }

    def error(self) -> EarlywarnError:
        found = sorted(self.problems, key=lambda problem: problem.line)
        return EarlywarnError(
            zh="\n".join(problem.text.zh for problem in found),
            en="\n".join(problem.text.en for problem in found),
        )


def _step(task: _Task, day: int, every: int | None) -> Step:
    return Step(
        id=task.id,
        day=day,
        every=every,
        reaches=State(task.reaches) if task.reaches else None,
        by=task.by,
        title=task.title.text,
        what=task.what.text,
        who=task.who.text,
        form=task.form.text,
    )
