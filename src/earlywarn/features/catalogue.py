"""The catalogue: every feature with its type, unit, labels, source and meaning.

The entries stand in catalogue.yaml. Their order is the order of columns and of contributions.
"""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files as package_files
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from earlywarn import safeyaml
from earlywarn.conditions import Kind
from earlywarn.errors import Lang, Text

FeatureType = Literal["number", "integer", "boolean", "text"]
FeatureKind = Literal["sign", "context", "group"]
Family = Literal["absence", "lateness", "data", "marks", "home", "school", "history"]

_DIRECTIONS = {"up": 1, "none": 0, "down": -1}
_STEPS = {"integer": 1.0, "number": 0.01}
# What a number can be, by unit, unless catalogue.yaml says otherwise: least, most (None: no limit).
_RANGES: dict[str, tuple[float | None, float | None]] = {
    "share": (0.0, 1.0),
    "z": (None, None),
    "slope": (None, None),
}


OrNone = Annotated[float | None, BeforeValidator(lambda value: None if value == "" else value)]


class _Words(BaseModel):
    model_config = ConfigDict(extra="forbid")
    zh: str
    en: str


def _text(value: Any) -> Any:
    if isinstance(value, dict):
        words = _Words.model_validate(value)
        return Text(zh=words.zh, en=words.en)
    return value


Words = Annotated[Text, BeforeValidator(_text)]


class Feature(BaseModel):
    """One documented column, computed as of a date, per student.

    Attributes
    ----------
    calm
        The value of a sign when nothing is wrong (booleans: 0 or 1); None where it has none.
    sensitive
        Tells of a monitored group: no input of the classifier unless the config allows it.
    direction
        1 if risk may only grow with the value, -1 if it may only fall, 0 if neither.
    step
        The smallest change of a number that means something, in its unit: 1 of what is counted,
        0.01 of any other number unless catalogue.yaml says otherwise; None of what is no number.
    range
        The least and the most that a number can be, both included (None: no limit).
    always_known
        Whether it is never NULL for a child of the cohort.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    name: str
    type: FeatureType
    unit: str = ""
    label: Words
    table: str
    kind: FeatureKind
    family: Family
    calm: float | None = None
    sensitive: bool = False
    direction: Annotated[
        Literal[-1, 0, 1], BeforeValidator(lambda value: _DIRECTIONS.get(value, value))
    ]
    step: float | None = None
    range: tuple[OrNone, OrNone] = (None, None)
    always_known: bool = False
    definition: Words

    @model_validator(mode="before")
    @classmethod
    def _of_its_type_and_unit(cls, entry: dict[str, Any]) -> dict[str, Any]:
        step = _STEPS.get(entry["type"])
        limits = (None, None) if step is None else _RANGES.get(entry.get("unit", ""), (0.0, None))
        return {"step": step, "range": limits, **entry}

    @property
    def sql_type(self) -> str:
        """The type of the column in the feature table."""
        return {"number": "DOUBLE", "integer": "BIGINT", "boolean": "BOOLEAN", "text": "VARCHAR"}[
            self.type
        ]


def _read() -> tuple[Feature, ...]:
    raw = (package_files("earlywarn.features") / "catalogue.yaml").read_bytes()
    document = safeyaml.loads(raw, "catalogue.yaml")
    return tuple(Feature.model_validate(entry) for entry in document.data["features"])


CATALOGUE: tuple[Feature, ...] = _read()
FEATURES: dict[str, Feature] = {feature.name: feature for feature in CATALOGUE}

# The version changes whenever what a model may rely on does: names, order, types, definitions.
CATALOGUE_VERSION: str = hashlib.sha256(
    json.dumps([[f.name, f.type, f.direction, f.definition.en] for f in CATALOGUE]).encode()
).hexdigest()[:12]

# Registry fields that conditions may name beside the features (placement is both), and their kind.
REGISTRY_FIELDS: dict[str, Kind] = {
    "sex": Kind.TEXT,
    "placement": Kind.TEXT,
    "parents_away": Kind.TEXT,
    "migrant_child": Kind.BOOLEAN,
    "disability": Kind.TEXT,
    "poverty": Kind.TEXT,
    "receives_aid": Kind.BOOLEAN,
    "boarding_aid": Kind.BOOLEAN,
    "parent_in_prison": Kind.BOOLEAN,
    "orphan_status": Kind.TEXT,
    "travel": Kind.TEXT,
}

_KINDS = {
    "number": Kind.NUMBER,
    "integer": Kind.NUMBER,
    "boolean": Kind.BOOLEAN,
    "text": Kind.TEXT,
}


def condition_kinds() -> dict[str, Kind]:
    """Return every name that a condition may use, features and registry fields, with its kind."""
    return {f.name: _KINDS[f.type] for f in CATALOGUE} | REGISTRY_FIELDS


_UNITS: dict[str, Text] = {
    "days": Text(" 天", " days"),
    "subjects": Text(" 科", " subjects"),
    "exams": Text(" 次", " exams"),
    "times": Text(" 次", " times"),
    "years": Text(" 岁", " years"),
    "months": Text(" 个月", " months"),
    "groups": Text(" 类", " groups"),
    "schools": Text(" 所", ""),
    "km": Text(" 公里", " km"),
}


def format_value(name: str, value: Any, lang: Lang) -> str:
    """Return the value of feature `name` as people read it: `12%`, `3 天`, `是`; `未知` if None."""
    feature = FEATURES[name]
    if value is None:
        return Text("未知", "unknown")(lang)
    if feature.type == "boolean":
        return (Text("是", "yes") if value else Text("否", "no"))(lang)
    if feature.type == "text":
        return str(value)
    if feature.unit == "share":
        share = float(value) * 100
        return f"{share:.0f}%" if abs(share) >= 10 or share == 0 else f"{share:.1f}%"
    number = (
        f"{value:d}" if isinstance(value, int) else f"{float(value):.2f}".rstrip("0").rstrip(".")
    )
    return number + _UNITS.get(feature.unit, Text("", ""))(lang)


def describe(name: str, value: Any, lang: Lang) -> str:
    """Return feature `name` and its value in words: `近60天缺勤率 12%`."""
    return f"{FEATURES[name].label(lang)} {format_value(name, value, lang)}"
