"""What the codes and words in a column mean, and where they might mean something else."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from earlywarn.errors import Text
from earlywarn.tables.contract import Column
from earlywarn.tables.mapping import BOOLEANS, Mapping, look_up, normal_heading, normal_value
from earlywarn.tables.suggesting.values import Values

_SHOWN = 24  # different codes; a column with more is no code column
_LONGEST = 16
_NEAR = 75.0
_NEGATIVE = re.compile(r"非|未(?!成年)|不|无(?!.*有)|没|走读(?!.*(住|寄宿))|\bnot?\b|day")
_ASKS = re.compile(r"有没有|要不要|有无|需不需要|不详")
# A person's name has no place in a mapping file.
_PERSON = re.compile(
    r"^(?:[王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程苏魏吕丁任沈姚"
    r"卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤]"
    r"[\u4e00-\u9fff]{1,2}|.*[·•．].*|[a-z]+ [a-z ]+)$"
)


@dataclass(frozen=True)
class Code:
    """A code of a column: its canonical `value` ("" = an empty cell), None where not known.

    `sure` codes are written out; the others stand there with a question mark.
    """

    code: str
    value: str | None
    sure: bool
    why: Text


@dataclass(frozen=True)
class Codes:
    """The codes of one column, `hidden` more that may be personal, and what makes them doubtful."""

    codes: tuple[Code, ...]
    hidden: int = 0
    doubts: tuple[Text, ...] = ()


NO_CODES = Codes(())
_KNOWN = Text("与学籍系统一致", "as in the registry")
_UNKNOWN = Text("不认识", "not known")


def is_person(text: str) -> bool:
    """Whether a text may be a person's name."""
    return bool(_PERSON.match(normal_value(text)))


def read_codes(column: Column, heading: str, values: Values, mapping: Mapping) -> Codes:
    """Match the different values of a code column; none for a column of free text or numbers."""
    known = mapping.values.get(column.name, {})
    coded = column.type in ("boolean", "choice")
    if not (coded or column.name in ("grade", "session", "subject")):
        return NO_CODES
    texts = list(dict.fromkeys(map(normal_value, values.counts)))
    if column.name == "grade":
        texts = [text for text in texts if not text.isdigit()]
    if len(texts) > _SHOWN or (coded and values.share(lambda t: _reads(known, t)) < 0.5):
        return Codes((), len(texts), (Text("取值看不懂", "the values are not understood"),))
    meant = _meant(column, heading, frozenset(texts))
    codes, hidden = [], 0
    for text in texts:
        value, conflict = look_up(known, text)
        if text in meant:
            codes.append(Code(text, meant[text], True, Text("按表头理解", "as the heading says")))
        elif value is not None and not conflict:
            codes.append(Code(text, value, True, _KNOWN))
        elif column.name in ("session", "subject"):
            continue  # stands as it is written
        elif len(text) > _LONGEST or re.search(r"\d{5}", text) or is_person(text):
            hidden += 1
        else:
            codes.append(_nearest(known, text))
    return Codes(tuple(codes), hidden, tuple(_doubts(column, heading, texts, known)))


def _reads(known: dict[str, str], text: str) -> bool:
    value, conflict = look_up(known, text)
    return value is not None and not conflict


def _nearest(known: dict[str, str], text: str) -> Code:
    names = [name for name in known if not name.isdigit()]
    found = process.extractOne(text, names, scorer=fuzz.ratio, score_cutoff=_NEAR)
    if found is None:
        return Code(text, None, False, _UNKNOWN)
    return Code(text, known[found[0]], False, Text(f"像“{found[0]}”", f"looks like “{found[0]}”"))


def _meant(column: Column, heading: str, texts: frozenset[str]) -> dict[str, str]:
    """Return codes that mean another thing here than in the registry's sheet."""
    if column.name == "boarding" and texts == {"0", "1"} and not _is_way(heading):
        return {"0": "false", "1": "true"}
    return {}


def _is_way(heading: str) -> bool:
    """Whether boarding is asked as the registry does: 就读方式, 1 day pupil and 2 boarder."""
    return bool(re.search(r"就读方式|jdfs|jiudufangshi", normal_heading(heading)))


def _doubts(column: Column, heading: str, texts: list[str], known: dict[str, str]) -> list[Text]:
    """Say where a code may well mean another thing than it is read as."""
    digits = {text for text in texts if text.isdigit()}
    words = [text for text in texts if not text.isdigit()]
    yes_no = set(texts) <= set(BOOLEANS)
    doubts = []
    if column.type == "boolean" and yes_no and _NEGATIVE.search(_ASKS.sub("", heading)):
        doubts.append(
            Text("表头可能是反问，“是”也许是相反的意思", "the heading may ask the opposite")
        )
    unclear = {code for code in digits if not _reads(known, code)}
    if column.name == "boarding" and not words:
        clear = {"1", "2"} if _is_way(heading) else {"0", "1"}
        unclear = set() if digits == clear else digits
    elif column.name == "parents_away" and digits == {"0", "1"} and not words:
        unclear = digits  # yes and no, or one parent?
    if column.type in ("boolean", "choice") and unclear:
        listed = "、".join(sorted(unclear))
        doubts.append(
            Text(
                f"代码 {listed} 的含义不确定",
                f"what the codes {', '.join(sorted(unclear))} mean is not certain",
            )
        )
    if column.name == "poverty" and "是" in texts and not re.search("建档|立卡|脱贫", heading):
        doubts.append(
            Text(
                "“是”指建档立卡还是低保，表头没有说",
                "“是” may mean registered or low_income; the heading does not say",
            )
        )
    return doubts
