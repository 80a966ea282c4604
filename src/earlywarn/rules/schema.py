"""The shape of the YAML in `rules/`: packs, rules, tests and actions, as pydantic models.

Every scalar comes as text (see `safeyaml`) and is converted here. What pydantic finds is put into
words with file, line and cure by `explain`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from earlywarn import safeyaml
from earlywarn.conditions import nearest
from earlywarn.errors import Text
from earlywarn.rules.problems import Problem, one_line

MAX_POINTS = 10.0

M = TypeVar("M", bound=BaseModel)

Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=60)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=600)]


class ActionCause(StrEnum):
    """The cause that an action answers."""

    LEARNING_SUPPORT = "learning_support"
    AID = "aid"
    DISTANCE = "distance"
    HEALTH = "health"
    FAMILY = "family"
    HOME_TEACHING = "home_teaching"
    PERSUADING_BACK = "persuading_back"
    WHEREABOUTS = "whereabouts"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Words(_Strict):
    """A text in both languages."""

    zh: Line
    en: Line

    @property
    def text(self) -> Text:
        """The same as `Text`."""
        return Text(zh=self.zh, en=self.en)


def _both(value: Any) -> Any:
    return {"zh": value, "en": value} if isinstance(value, str) else value


class Effective(_Strict):
    """From when to when a rule is in force, both days included."""

    first: date = Field(date.min, alias="from")
    last: date = Field(date.max, alias="to")

    @model_validator(mode="after")
    def _in_order(self) -> Effective:
        if self.last < self.first:
            raise ValueError(
                "`to` is before `from`: swap or correct them / to 早于 from，请对调或改正"
            )
        return self


class RuleTest(_Strict):
    """Values given to a rule and the verdict expected; names not given are unknown."""

    given: dict[str, str | None]
    expect: Literal["hit", "miss", "unknown"]


class RuleEntry(_Strict):
    """One rule as it stands in a pack."""

    id: Id
    title: Words
    when: str
    points: float = Field(ge=0, le=MAX_POINTS, allow_inf_nan=False)
    ladder: Id | None = None
    floor: Literal["urgent", "high", "watch"] | None = None
    action: Id | None = None
    reason: Words
    source: Annotated[Words, BeforeValidator(_both)]
    effective: Effective | None = None
    family: Literal["absence", "lateness", "data", "marks", "home", "school", "history"] | None = (
        None
    )
    tests: list[RuleTest] = Field(default_factory=list)
    allow_group_alone: bool = False
    alone_because: Line | None = None

    @field_validator("when", mode="before")
    @classmethod
    def _written(cls, value: Any) -> Any:
        if value is None:
            raise ValueError("write a condition / 请写条件")
        return value


class PackHead(_Strict):
    """A pack's file, its rules still to be checked one by one."""

    pack: Id
    title: Words
    rules: list[Any]


class ActionEntry(_Strict):
    """One action as it stands in actions.yaml."""

    id: Id
    title: Words
    who: Words
    within_school_days: int = Field(ge=0, le=60)
    what: Words
    form: Words | None = None
    cause: ActionCause


def validate(
    model: type[M], value: Any, document: safeyaml.Document, path: safeyaml.Key, rule: str
) -> tuple[M | None, list[Problem]]:
    """Return `value` as `model`, or None and what is wrong with it."""
    if value is None:
        message = Text(
            "这里是空的，请写成“键: 值”。", "nothing stands here; write it as `key: value`."
        )
        return None, [Problem(document.name, document.line(path), rule, message)]
    if not isinstance(value, Mapping):
        message = Text("这里应写成“键: 值”。", "this must be written as `key: value`.")
        return None, [Problem(document.name, document.line(path), rule, message)]
    try:
        return model.model_validate(value), []
    except ValidationError as error:
        return None, [
            Problem(
                document.name,
                document.line((*path, *_yaml_path(item["loc"]))),
                rule,
                _explain(model, dict(item)),
            )
            for item in error.errors()
        ]


def _yaml_path(loc: tuple[int | str, ...]) -> safeyaml.Key:
    """Leave out what pydantic adds to a place that is no key of the YAML."""
    return tuple(part for part in loc if not (isinstance(part, str) and "[" in part))


def _explain(model: type[BaseModel], error: dict[str, Any]) -> Text:
    """Put one of pydantic's findings into words, with the cure."""
    loc = [one_line(part) for part in _yaml_path(error["loc"])]
    key, kind, value = ".".join(loc), error["type"], error.get("input")
    limits = error.get("ctx", {})
    empty = value is None or value == ""
    shown = Text("（空）", "empty") if empty else Text(one_line(value), one_line(value))
    if kind == "missing":
        if loc and loc[-1] in ("zh", "en"):
            return Text(f"{key} 缺失：中英文都要写。", f"{key} is missing: write zh and en.")
        return Text(f"缺少 {key}，请补上。", f"{key} is missing; add it.")
    if kind == "extra_forbidden":
        known = _keys(model, loc)
        near = nearest(loc[-1], known)
        zh, en = (
            (f"是不是 {near}？", f"did you mean {near}?")
            if near
            else (
                f"请删去；可用的键：{', '.join(known)}。",
                f"remove it; there are {', '.join(known)}.",
            )
        )
        return Text(f"没有 {key} 这个键，{zh}", f"there is no key {key}; {en}")
    if kind in ("model_type", "model_attributes_type"):
        keys = ", ".join(f"{name}: ..." for name in _keys(model, [*loc, ""]))
        return Text(
            f"{key} 要写成 {{{keys}}} 这样的键和值。",
            f"{key} must be written as keys and values, such as {{{keys}}}.",
        )
    if kind in ("literal_error", "enum"):
        expected = str(limits.get("expected", "")).replace(" or ", ", ").replace("'", "")
        return Text(
            f"{key} 的值 {shown.zh} 不对，可用：{expected}。",
            f"{key} is {shown.en}; it can be {expected}.",
        )
    if kind in ("greater_than_equal", "less_than_equal", "finite_number"):
        return _explain_number(key, shown, limits)
    if kind in ("float_parsing", "float_type"):
        return Text(
            f"{key} 的值 {shown.zh} 不是数字，请写成 0.7 这样。",
            f"{key} is {shown.en}, which is no number; write one such as 0.7.",
        )
    if kind in ("int_parsing", "int_type", "int_from_float", "int_parsing_size"):
        return Text(
            f"{key} 的值 {shown.zh} 不是整数，请写成 3 这样。",
            f"{key} is {shown.en}, which is no number without a fraction; write one such as 3.",
        )
    return _explain_form(key, kind, shown, limits, str(error.get("msg", "")))


def _explain_form(key: str, kind: str, shown: Text, limits: Mapping[str, Any], msg: str) -> Text:
    if kind == "string_pattern_mismatch":
        return Text(
            f"{key} 的值 {shown.zh} 不对：用小写字母、数字和连字符，如 unexcused-3d。",
            f"{key} is {shown.en}: use small letters, digits and hyphens, such as unexcused-3d.",
        )
    if kind.startswith("bool"):
        return Text(f"{key} 只能是 yes 或 no。", f"{key} is yes or no.")
    if kind.startswith("date"):
        return Text(
            f"{key} 的值 {shown.zh} 不是日期，请写成 2026-09-01。",
            f"{key} is {shown.en}, which is no date; write 2026-09-01.",
        )
    if kind == "string_type" and shown.en != "empty":
        return Text(
            f"{key} 要写成一段文字，不能是列表或键值。",
            f"{key} must be one text; write no list and no keys there.",
        )
    if kind in ("string_too_short", "string_type"):
        return Text(f"{key} 是空的，请填写。", f"{key} is empty; fill it in.")
    if kind == "string_too_long":
        return Text(
            f"{key} 超过 {limits.get('max_length')} 个字符，请缩短。",
            f"{key} is longer than {limits.get('max_length')} characters; shorten it.",
        )
    if kind == "list_type":
        return Text(
            f"{key} 要写成列表，每项一行，以 - 开头。",
            f"{key} must be a list: write each item on a line of its own, with a - before it.",
        )
    if kind == "dict_type":
        return Text(
            f"{key} 要写成键和值，如 {{unexcused_run: 3}}。",
            f"{key} must be keys and values, such as {{unexcused_run: 3}}.",
        )
    message = msg.removeprefix("Value error, ")
    en, _, zh = message.partition(" / ")
    return Text(f"{key}：{zh or en}。", f"{key}: {en}.")


def _explain_number(key: str, shown: Text, limits: Mapping[str, Any]) -> Text:
    if key == "points":
        return Text(
            f"points 的值 {shown.zh} 不对："
            f"应为 0 到 {MAX_POINTS:g} 的对数几率（如 0.7 约为两倍）。",
            f"points is {shown.en}: write log-odds from 0 to {MAX_POINTS:g} "
            "(0.7 doubles the odds).",
        )
    low, high = limits.get("ge"), limits.get("le")
    bound_zh = f"不小于 {low}" if low is not None else f"不大于 {high}"
    bound_en = f"at least {low}" if low is not None else f"at most {high}"
    return Text(
        f"{key} 的值 {shown.zh} 不对，请写{bound_zh}的数字。",
        f"{key} is {shown.en}; write a number that is {bound_en}.",
    )


def _keys(model: type[BaseModel], loc: Sequence[str]) -> list[str]:
    """Return the keys that may stand where the last of `loc` stands."""
    if len(loc) <= 1:
        return [field.alias or name for name, field in model.model_fields.items()]
    inside: dict[str, type[BaseModel]] = {"effective": Effective, "tests": RuleTest}
    return _keys(inside.get(loc[0], Words), ())
