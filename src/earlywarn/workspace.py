"""A workspace: its paths, its config and its lock.

A workspace is one folder with everything of one county or city:

    earlywarn.yaml  data/  rules/  mappings/  models/  runs/  escalation.yaml  ledger.db
"""

from __future__ import annotations

import difflib
import getpass
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_CEILING, Decimal
from functools import cached_property
from importlib.resources import files as package_files
from pathlib import Path
from typing import Annotated, Any, Literal

from filelock import FileLock, Timeout
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from earlywarn import safeyaml
from earlywarn.errors import EarlywarnError, Lang, Text
from earlywarn.files import write_whole
from earlywarn.words import EVENTS

CONFIG_FILE = "earlywarn.yaml"
FORMAT = 1


def _grades(value: Any) -> Any:
    """Read `1-6` or `13` as the grades from and to, both included."""
    if isinstance(value, str):
        first, _, last = value.partition("-")
        if not first.strip().isdigit() or (last and not last.strip().isdigit()):
            raise ValueError("write grades as 1-6 or 13 / 年级写成 1-6 或 13")
        low, high = int(first), int(last or first)
        if low > high:
            raise ValueError("the first grade is above the last / 起始年级大于结束年级")
        return (low, high)
    return value


def _none_if_empty(value: Any) -> Any:
    return None if value == "" else value


Grades = Annotated[tuple[int, int], BeforeValidator(_grades)]
MaybeDate = Annotated[date | None, BeforeValidator(_none_if_empty)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Tiers(_Strict):
    """From how many times the model's base rate on a score alone makes a tier."""

    high: float = Field(20, gt=0)
    watch: float = Field(5, gt=0)


class Capacity(_Strict):
    """How many students a school can follow up in a week, where the school does not say."""

    least: int = Field(3, ge=0)
    share: float = Field(0.03, ge=0, le=1)

    def of(self, students: int, own: int | None = None) -> int:
        """Return what a school with `students` in its cohort can do: its own number, if it has one.

        Worked out in decimal: 7 % of 100 are 7 children, not 7.000000000000001 rounded up to 8.
        """
        if own is not None:
            return own
        share = (Decimal(str(self.share)) * students).to_integral_value(rounding=ROUND_CEILING)
        return max(self.least, int(share))


class Roles(_Strict):
    """Who is asking, where a command does not say."""

    default: Literal["bureau", "county", "township", "school", "homeroom", "researcher"] = "county"


class Config(_Strict):
    """`earlywarn.yaml`, format 1. Unknown keys are errors; every key has a default."""

    format: int = Field(FORMAT, ge=1, le=FORMAT)
    attendance: Literal["full", "exceptions"] = "full"
    horizon_days: int = Field(90, ge=1, le=3650)
    step_days: int = Field(7, ge=1, le=366)
    label_events: list[str] = Field(default_factory=lambda: ["dropped_out"], min_length=1)
    base_rate: float = Field(0.0003, gt=0, lt=1)
    tiers: Tiers = Tiers()
    capacity: Capacity = Capacity()
    prior_sd: float = Field(0.5, gt=0)
    as_of_dates: list[date] = Field(default_factory=list)
    sensitive_inputs: list[str] = Field(default_factory=list)
    ledger_url: str = ""
    memory_limit: str = Field("", pattern=r"^$|^\d+(\.\d+)?\s?[KMGT]i?B$")
    temp_folder: str = ""
    stages: dict[str, Grades] = Field(
        default_factory=lambda: {"primary": (1, 6), "junior": (7, 9)}, min_length=1
    )
    school_year_start: str = Field("09-01", pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")
    age_at_grade_1: int = Field(6, ge=3, le=12)
    pass_mark: float = Field(0.6, gt=0, le=1)
    core_subjects: list[str] = Field(default_factory=lambda: ["chinese", "maths", "english"])
    outcomes_complete_until: MaybeDate = None
    dropout_limit: dict[str, Annotated[float, Field(gt=0, lt=1)]] = Field(default_factory=dict)
    test_where: str = ""
    roles: Roles = Roles()
    lang: Lang = "zh"
    seed: int = Field(20260901, ge=0)
    generated: bool = False

    def school_year_begins(self, day: date) -> date:
        """Return the first day of the school year that `day` lies in."""
        begins = date.fromisoformat(f"{day.year}-{self.school_year_start}")
        return begins if begins <= day else begins.replace(year=day.year - 1)

    @field_validator("label_events")
    @classmethod
    def _known_events(cls, value: list[str]) -> list[str]:
        unknown = [event for event in value if event not in EVENTS]
        if unknown:
            raise ValueError(
                f"unknown event {unknown[0]}; known: {', '.join(EVENTS)} / "
                f"没有 {unknown[0]} 这种事件，可用：{'、'.join(EVENTS)}"
            )
        return value

    @field_validator("stages")
    @classmethod
    def _stages_apart(cls, value: dict[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
        seen: dict[int, str] = {}
        for stage, (low, high) in value.items():
            for grade in range(low, high + 1):
                if grade in seen:
                    raise ValueError(
                        f"grade {grade} is in two stages, {seen[grade]} and {stage} / "
                        f"{grade} 年级同时属于 {seen[grade]} 和 {stage}"
                    )
                seen[grade] = stage
        return value

    @field_validator("dropout_limit")
    @classmethod
    def _of_known_stages(cls, value: dict[str, float], info: ValidationInfo) -> dict[str, float]:
        stages = info.data.get("stages", {})
        for stage in value:
            if stages and stage not in stages:
                raise ValueError(
                    f"there is no stage {stage}; there are {', '.join(stages)} / "
                    f"没有 {stage} 这个学段，可用：{'、'.join(stages)}"
                )
        return value

    @field_validator("school_year_start")
    @classmethod
    def _a_day_of_every_year(cls, value: str) -> str:
        try:
            date.fromisoformat(f"2023-{value}")
        except ValueError:
            raise ValueError(
                "write a day that every year has, such as 09-01 / 请写每年都有的日子，如 09-01"
            ) from None
        return value


# What stands above each key of a new earlywarn.yaml: (zh, en).
CONFIG_COMMENTS: dict[str, tuple[str, str]] = {
    "format": ("工作区格式，请勿修改", "format of the workspace, leave it"),
    "attendance": (
        "考勤表：full 每天每人都有记录；exceptions 只记不是正常出勤的日子",
        "attendance table: full = a row for every day; exceptions = only days not plainly present",
    ),
    "horizon_days": ("预测未来多少天", "how many days ahead a score looks"),
    "step_days": ("每隔多少天评分一次", "days between scorings"),
    "label_events": ("哪些事件算作要预警的结果", "the events that count as the outcome"),
    "base_rate": ("全年预期辍学率（没有模型时用）", "dropouts expected in a year (experts only)"),
    "tiers": (
        "分数达到基准率多少倍为 高 / 关注",
        "times the model's base rate from which a score alone is high / watch",
    ),
    "capacity": (
        "学校每周能跟进的人数：至少 least 人，或在校生的 share（向上取整）",
        "children a school can follow up in a week: least, or this share of its cohort, rounded up",
    ),
    "prior_sd": (
        "规则分值的可信程度（对数几率的标准差）",
        "how far data may move a rule's points (standard deviation, log-odds)",
    ),
    "as_of_dates": (
        "训练用的截止日期；空 = 按 step_days 逐步",
        "as-of dates of training; empty = every step_days",
    ),
    "sensitive_inputs": (
        "允许分类器使用的敏感特征；默认不用",
        "sensitive features the classifier may use; none by default",
    ),
    "ledger_url": (
        "跟进台账数据库，如 postgresql://USER:PASSWORD@HOST/DATABASE；空 = ledger.db",
        "ledger database, such as postgresql://USER:PASSWORD@HOST/DATABASE; empty = ledger.db",
    ),
    "memory_limit": ("内存上限，如 4GB；空 = 自动", "memory limit such as 4GB; empty = automatic"),
    "temp_folder": (
        "临时文件夹；空 = 工作区内，用后删除",
        "folder for temporary files; empty = in the workspace, removed afterwards",
    ),
    "stages": ("学段与年级", "stages and their grades"),
    "school_year_start": ("学年开始（月-日）", "first day of the school year (month-day)"),
    "age_at_grade_1": ("一年级入学年龄", "age at entry into grade 1"),
    "pass_mark": ("及格线（占满分的比例）", "pass mark as a share of the full mark"),
    "core_subjects": ("主科", "core subjects"),
    "outcomes_complete_until": (
        "结果已收齐到哪一天；空 = 最新一条结果",
        "outcomes are known up to this day; empty = the newest row of outcomes",
    ),
    "dropout_limit": (
        "各学段学年辍学率控制线（比例），如 {junior: 0.018} 即 1.8%",
        "limit of a school year's dropout rate by stage, a share: {junior: 0.018} is 1.8 %",
    ),
    "test_where": (
        "测试集条件；空 = 按时间",
        "condition of the test set; empty = the latest dates",
    ),
    "roles": ("默认角色", "role where a command names none"),
    "lang": ("默认语言 zh / en", "default language, zh / en"),
    "seed": ("随机种子", "random seed"),
    "generated": ("本工作区是否为生成的数据", "whether this workspace's data are generated"),
}


def _yaml_value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return '""'
    if isinstance(value, BaseModel):
        return _yaml_value(value.model_dump())
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_yaml_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, tuple):
        return f"{value[0]}-{value[1]}" if value[0] != value[1] else str(value[0])
    if isinstance(value, list):
        return "[" + ", ".join(_yaml_value(item) for item in value) + "]"
    if isinstance(value, str) and (value == "" or not value.isidentifier()):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() else f"{value:.12g}"
    return str(value)


def config_text(config: Config) -> str:
    """Return `config` as YAML with every key written out and commented in both languages."""
    lines = []
    for key in Config.model_fields:
        zh, en = CONFIG_COMMENTS[key]
        lines += [f"# {zh}", f"# {en}", f"{key}: {_yaml_value(getattr(config, key))}", ""]
    return "\n".join(lines)


def read_config(path: Path) -> Config:
    """Read and validate `earlywarn.yaml`; an error names file, line, key, value and the cure."""
    document = safeyaml.load(path)
    data = document.data
    if not isinstance(data, dict):
        raise EarlywarnError(
            zh=f"{path.name} 应为“键: 值”的列表。",
            en=f"{path.name} must be a list of `key: value`.",
        )
    _check_format(path.name, data)
    try:
        return Config.model_validate(data)
    except ValidationError as error:
        raise _config_error(document, error) from None


def _check_format(name: str, data: dict[str, Any]) -> None:
    written = str(data.get("format", FORMAT))
    if written.isdigit() and int(written) > FORMAT:
        raise EarlywarnError(
            zh=f"{name} 的 format 是 {written}，比本程序新（支持 {FORMAT}）。请升级 earlywarn。",
            en=f"{name} has format {written}, newer than this program's {FORMAT}: update it.",
        )


def _config_error(document: safeyaml.Document, error: ValidationError) -> EarlywarnError:
    first = error.errors()[0]
    where = tuple(part for part in first["loc"])
    line = document.line(where)
    key = ".".join(str(part) for part in where)
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(where[-1]), list(Config.model_fields), n=1)
        zh_hint = f"是否想写 {near[0]}？" if near else "请删去。"
        en_hint = f"did you mean {near[0]}?" if near else "remove it."
        return EarlywarnError(
            zh=f"{document.name} 第 {line} 行：没有 {key} 这个设置，{zh_hint}",
            en=f"{document.name}, line {line}: there is no setting {key}; {en_hint}",
        )
    value = first.get("input")
    why = _why(first)
    return EarlywarnError(
        zh=f"{document.name} 第 {line} 行：{key} 的值 {value!r} 不合要求：{why.zh}。",
        en=f"{document.name}, line {line}: {key} has the value {value!r}: {why.en}.",
    )


# What pydantic found, in Chinese; {} is filled from the error's context.
_WHY_ZH = {
    "literal_error": "只能是 {expected}",
    "greater_than": "必须大于 {gt}",
    "greater_than_equal": "不能小于 {ge}",
    "less_than": "必须小于 {lt}",
    "less_than_equal": "不能大于 {le}",
    "int_parsing": "请写整数",
    "int_from_float": "请写整数",
    "int_type": "请写整数",
    "float_parsing": "请写数字",
    "float_type": "请写数字",
    "finite_number": "请写有限的数字",
    "bool_parsing": "请写 yes 或 no",
    "string_type": "请写文字",
    "string_pattern_mismatch": "写法应符合 {pattern}",
    "list_type": "请写成列表，如 [a, b]",
    "dict_type": "请写成“键: 值”",
    "model_type": "请写成“键: 值”",
    "too_short": "至少要有 {min_length} 项",
    "missing": "缺少这一项",
    **dict.fromkeys(
        (
            "date_type",
            "date_parsing",
            "date_from_datetime_parsing",
            "date_from_datetime_inexact",
        ),
        "请写成 2026-11-20 这样的日期",
    ),
}


def _why(error: Any) -> Text:
    """Say in both languages what pydantic found wrong with one value."""
    said = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "value_error":
        en, _, zh = said.partition(" / ")
        return Text(zh=zh or en, en=en)
    context = {k: str(v).replace(" or ", " 或 ") for k, v in error.get("ctx", {}).items()}
    zh = _WHY_ZH.get(error["type"], said).format(**context)
    en = said[0].lower() + said[1:]
    if "date" in error["type"]:
        en = "write a date like 2026-11-20"
    return Text(zh=zh, en=en)


def shipped(kind: str) -> Path:
    """Return the folder of what ships with the program: `rules`, `models` (wheel or checkout)."""
    inside = Path(str(package_files("earlywarn"))) / "shipped" / kind
    if inside.is_dir():
        return inside
    return Path(__file__).resolve().parents[2] / kind


@dataclass(frozen=True)
class Workspace:
    """One workspace. `root` is absolute; the folders below it are made when first written to."""

    root: Path

    @classmethod
    def open(cls, root: Path) -> Workspace:
        """Open the workspace at `root`, reading its config.

        Raises
        ------
        EarlywarnError
            If `root` is no workspace, or its config is not valid.
        """
        root = root.expanduser().resolve()
        if not (root / CONFIG_FILE).is_file():
            raise EarlywarnError(
                zh=f"{root} 不是工作区（缺少 {CONFIG_FILE}）。请先运行 earlywarn init，"
                "或用 -w 指定工作区。",
                en=f"{root} is not a workspace (no {CONFIG_FILE}). Run `earlywarn init` first, "
                "or name one with -w.",
            )
        workspace = cls(root)
        _ = workspace.config
        return workspace

    @classmethod
    def init(cls, root: Path, config: Config | None = None) -> Workspace:
        """Make a workspace at `root` with the shipped rules; refuse if one is there already."""
        root = root.expanduser().resolve()
        if (root / CONFIG_FILE).exists():
            raise EarlywarnError(
                zh=f"{root} 已经是工作区，未作改动。",
                en=f"{root} is a workspace already; nothing was changed.",
            )
        if root.exists() and not root.is_dir():
            raise EarlywarnError(zh=f"{root} 不是文件夹。", en=f"{root} is not a folder.")
        for folder in ("data", "rules", "mappings", "models", "runs"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        for source in sorted(shipped("rules").glob("*.yaml")):
            if not (root / "rules" / source.name).exists():
                write_whole(root / "rules" / source.name, source.read_bytes())
        if not (root / "escalation.yaml").exists():
            steps = package_files("earlywarn.followup") / "escalation.yaml"
            write_whole(root / "escalation.yaml", steps.read_text("utf-8"))
        write_whole(root / CONFIG_FILE, config_text(config or Config()))
        return cls.open(root)

    @cached_property
    def config(self) -> Config:
        """The validated config."""
        return read_config(self.root / CONFIG_FILE)

    def set_config(self, **changes: Any) -> Workspace:
        """Write `changes` into earlywarn.yaml and return the workspace as it is then."""
        merged = self.config.model_dump() | changes
        write_whole(self.root / CONFIG_FILE, config_text(Config.model_validate(merged)))
        return Workspace.open(self.root)

    @property
    def data(self) -> Path:
        """The accepted tables."""
        return self.root / "data"

    @property
    def rules(self) -> Path:
        """The rule packs, groups.yaml and actions.yaml."""
        return self.root / "rules"

    @property
    def mappings(self) -> Path:
        """The users' own mappings."""
        return self.root / "mappings"

    @property
    def models(self) -> Path:
        """The model registry."""
        return self.root / "models"

    @property
    def runs(self) -> Path:
        """The scoring runs, AS_OF/N."""
        return self.root / "runs"

    @contextmanager
    def lock(self, doing: str) -> Iterator[None]:
        """Hold the workspace for writing; a second writer is refused and told who holds it.

        The lock is the system's own (it ends with the process, however it ends); a note beside it
        says who holds it.
        """
        lock = FileLock(self.root / ".lock", timeout=0)
        note = self.root / ".lock-holder.json"
        try:
            lock.acquire()
        except Timeout:
            raise _held(note) from None
        except OSError as error:
            raise EarlywarnError(
                zh=f"无法写入工作区 {self.root}：{error.strerror}",
                en=f"Cannot write to the workspace {self.root}: {error.strerror}",
            ) from None
        try:
            holder = {
                "user": system_user(),
                "host": socket.gethostname(),
                "pid": os.getpid(),
                "doing": doing,
                "since": datetime.now(UTC).isoformat(timespec="seconds"),
            }
            write_whole(note, json.dumps(holder, ensure_ascii=False))
            yield
        finally:
            with suppress(OSError):
                note.unlink(missing_ok=True)
            lock.release()


def system_user() -> str:
    """Return what the system calls the user; in a container some have no name but a number."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return f"uid-{os.getuid()}" if hasattr(os, "getuid") else "?"


def _held(note: Path) -> EarlywarnError:
    who = Text("另一个程序", "another program")
    with suppress(OSError, ValueError, KeyError, TypeError):
        holder = json.loads(note.read_text("utf-8"))
        said = f"{holder['user']}@{holder['host']} (pid {holder['pid']}, {holder['doing']}, "
        said += f"{holder['since']})"
        who = Text(said, said)
    return EarlywarnError(
        zh=f"工作区正在被使用：{who.zh}。请等它结束后再试。",
        en=f"The workspace is in use by {who.en}. Try again when that has ended.",
    )
