"""The words of the watchlists in both languages, their dates, and the codes of the strip."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache

from earlywarn.errors import Lang, Text
from earlywarn.followup import answers
from earlywarn.followup.returned.headings import HEADINGS
from earlywarn.words import STATUS_LABELS, WEEKDAYS, day_in_words

# The sentence that ends every row, whatever the child's reasons: it must never vary.
ASK_HOME = Text(
    "联系时请顺便问一问家里近况，看有没有需要学校帮忙的地方。",
    "When you get in touch, also ask how things are at home and whether the school can help.",
)
CONVERSATION = Text(
    "分数只是一次谈话的开始，它不作任何决定。",
    "A score starts a conversation; it decides nothing.",
)
GENERATED = Text("生成的数据", "Generated data")
GENERATED_NOTE = Text(
    "名单中的学校、孩子和数字都由程序生成，不对应任何真实的人。",
    "Schools, children and numbers on this list were made up by a program; none is real.",
)
NOTHING_SINGLE = Text(
    "若干较小迹象合在一起，没有哪一项特别突出", "Several small signs, none of them alone"
)
BELOW_MOST = Text(
    "最近一次考试成绩低于同年级多数同学",
    "The last exam went worse than for most of the grade",
)

WORDS: dict[str, Text] = {
    **HEADINGS,  # of the workbook, as they are looked for when it comes back
    "title": Text("控辍保学关注名单", "Watchlist"),
    "index_title": Text("各校关注名单", "Watchlists by school"),
    "as_of": Text("截止日期", "As of"),
    "on_list": Text("本期名单", "On this list"),
    "people": Text("人", ""),
    "capacity": Text("每周可跟进", "Can follow up a week"),
    "cut": Text("未列入", "Left out"),
    "cut_none": Text("没有人因名额不够而未列入", "Nobody was left out for lack of capacity"),
    "compared": Text("与上期相比", "Since"),
    "no_comparison": Text("没有可比的上期名单", "No comparison: no list of 5 to 9 days before"),
    "limits": Text("这份名单不知道什么", "What this list cannot know"),
    "change": Text("变化", "Change"),
    "teacher": Text("班主任", "Homeroom teacher"),
    "school": Text("学校", "School"),
    "county": Text("县（区）", "County"),
    "township": Text("乡镇", "Township"),
    "cohort": Text("在校生", "Enrolled"),
    "gap": Text("近20日无考勤记录", "No record, 20 days"),
    "last_day": Text("最新考勤", "Last record"),
    "files": Text("名单", "Lists"),
    "page": Text("网页", "page"),
    "workbook": Text("工作簿", "workbook"),
    "total": Text("合计", "Total"),
    "schools": Text("学校数", "Schools"),
    "legend": Text("图例", "Key"),
    "empty": Text("本期没有需要列入名单的孩子。", "No child needs to be on the list this time."),
    "on_leave": Text("休学中", "on long leave"),
    "no_days": Text("没有考勤日", "no school days yet"),
    "model": Text("评分模型", "Model"),
    "fill_hint": Text(
        "办理情况请填在同名工作簿里；打印后也可以写在每行下方。",
        "Fill in what was done in the workbook of the same name, or by hand below each row.",
    ),
    "name_missing": Text("（未登记姓名）", "(no name on record)"),
    "guide": Text("说明", "Guide"),
    "list": Text("名单", "List"),
    "tier_words": Text("等级怎么看", "What the tiers mean"),
    "new": Text("新增", "New"),
    "resolved": Text("已解决", "Resolved"),
    "overdue": Text("逾期步骤", "Steps overdue"),
    "compared_head": Text("和上期比", "Since the last list"),
    "leader": Text("包保领导", "Responsible leader"),
    "assigned_teacher": Text("包保教师", "Responsible teacher"),
    "state": Text("跟进", "Follow-up"),
    "contacted": Text("联系", "contacted"),
    "visited": Text("家访", "visited"),
    "sheet": Text("一人一页", "One page a child"),
    "sheet_link": Text("个案单", "sheet"),
    "steps": Text("要做的事", "What to do"),
    "what": Text("做什么", "What"),
    "done": Text("完成", "Done"),
    "done_on": Text("完成日期和签名", "Done on, signature"),
    "late": Text("逾期", "overdue"),
    "people_sign": Text("负责人签名", "Responsible, with signature"),
    "signature": Text("签名", "Signature"),
    "date": Text("日期", "Date"),
    "notes": Text("记录", "Notes"),
    "back_to_list": Text("回到名单", "Back to the list"),
    "places": Text("县与乡镇", "Counties and townships"),
    "index": Text("全部学校", "All schools"),
    "children_of": Text("名单上的孩子", "Children on the lists"),
    "no_place": Text("（未登记）", "(not on record)"),
    "none_in_tier": Text("没有。", "None."),
    "silent": Text("未上报的周", "Weeks not reported"),
    "responsible": Text("负责人", "Responsible"),
}

TIER_MEANING: dict[str, Text] = {
    "urgent": Text(
        "一条规定要求马上行动（如连续旷课满三天）",
        "a rule demands action at once (such as three days running without leave)",
    ),
    "high": Text("迹象明显，本周内联系", "clear signs: get in touch this week"),
    "watch": Text("有一些迹象，留心并谈一次话", "some signs: keep an eye and have a talk"),
}

CHANGE_WORDS: dict[str, Text] = {
    "new": Text("新增", "new"),
    "up": Text("上升", "up"),
    "down": Text("下降", "down"),
    "same": Text("不变", "same"),
    "none": Text("无可比", "no comparison"),
}
# What a `Cause` begins with.
CAUSE_WORDS: dict[str, Text] = {
    "new": Text("新出现", "new"),
    "worse": Text("加重", "worse"),
    "gone": Text("不再符合", "no longer"),
    "better": Text("好转", "better"),
}
CHANGE_SIGNS = {"new": "＋", "up": "↑", "down": "↓", "same": "＝", "none": "–"}

# One letter a mark in `ListedChild.strip`.
STRIP_CODES: dict[str, str] = {
    "present": "p",
    "late": "l",
    "left_early": "e",
    "sick": "s",
    "leave": "v",
    "unexcused": "x",
    "home_teaching": "h",
    "unrecorded": "n",
    "unreported": "u",
}
STRIP_LABELS: dict[str, Text] = {
    STRIP_CODES[name]: text for name, text in STATUS_LABELS.items()
} | {
    "n": Text("无记录", "no record"),
    "u": Text("学校未上报", "school did not report"),
}
# The marks as text, one cell wide each: full-width for Chinese, letters for English.
STRIP_TEXT: dict[Lang, dict[str, str]] = {
    "zh": {
        "p": "・",
        "l": "迟",
        "e": "退",
        "s": "病",
        "v": "假",
        "x": "旷",
        "h": "送",
        "n": "？",
        "u": "－",
    },
    "en": {
        "p": "·",
        "l": "L",
        "e": "E",
        "s": "S",
        "v": "V",
        "x": "X",
        "h": "H",
        "n": "?",
        "u": "-",
    },
}

WHERE: dict[str, Text] = answers.WHERE
OUTCOMES: dict[str, Text] = answers.OUTCOMES


_HAN = r"[\u4e00-\u9fff]"
# What a keyboard left on the Latin layout puts between Chinese characters.
_MARK = re.compile(rf"\s*(?:(?<={_HAN})|(?<=[）”]))\s*[,:;?!]\s*|[,:;?!]\s*(?={_HAN})")
_PARENTHESIS = re.compile(rf"\s*\(([^()]*{_HAN}[^()]*)\)\s*|(?<={_HAN})\s*\(([^()]*)\)\s*")
_AROUND = re.compile(r"\s*([、。！（），：；？])\s*")


@lru_cache(maxsize=4096)
def typeset(text: str) -> str:
    """Return a Chinese sentence with Chinese punctuation, whatever its author's keyboard gave."""
    text = _PARENTHESIS.sub(lambda m: f"（{m[1] if m[1] is not None else m[2]}）", text)
    text = _MARK.sub(lambda m: chr(ord(m[0].strip()) + 0xFEE0), text)
    return _AROUND.sub(r"\1", text)


def chinese(text: Text) -> Text:
    """Return `text` with its Chinese typeset."""
    return Text(typeset(text.zh), text.en)


def word(key: str, lang: Lang) -> str:
    """Return the word of `WORDS` in `lang`."""
    return WORDS[key](lang)


def span(first: date, last: date, lang: Lang, today: date) -> str:
    """Return the days from `first` to `last` in words: `3月23日至27日`, `23 to 27 Mar`."""
    if first == last:
        return day_in_words(first, lang, today)
    if (first.year, first.month) == (last.year, last.month):
        if lang == "zh":
            return f"{day_in_words(first, lang, today)}至{last.day}日"
        return f"{first.day} to {day_in_words(last, lang, today)}"
    joined = "至" if lang == "zh" else " to "
    return f"{day_in_words(first, lang, today)}{joined}{day_in_words(last, lang, today)}"


def due_day(when: date, lang: Lang, today: date, about: bool) -> str:
    """Return a due date with its weekday: `11月25日（周三）`, `Wed 25 Nov`; about = not sure."""
    weekday = WEEKDAYS[when.weekday()](lang)
    if lang == "zh":
        return f"{'约' if about else ''}{day_in_words(when, lang, today)}（{weekday}）"
    return f"{'about ' if about else ''}{weekday} {day_in_words(when, lang, today)}"


def both(key: str) -> Text:
    """Return the word of `WORDS` in both languages."""
    return WORDS[key]


def percent(share: float) -> str:
    """Return a share as `12%`, under 10 % with one decimal."""
    value = share * 100
    return f"{value:.0f}%" if value >= 10 or value == 0 else f"{value:.1f}%"


def count(number: int, lang: Lang, one: str, many: str) -> str:
    """Return `3 人` in Chinese, `1 child` or `3 children` in English."""
    if lang == "zh":
        return f"{number} 人"
    return f"{number} {one if number == 1 else many}"


def short_id(student_id: str, lang: Lang) -> str:
    """Return what of an identifier goes on paper: the last four signs of a long one.

    A registry number holds the identity number and birth date, which belong on no printed list.
    """
    if len(student_id) < 15:
        return student_id
    tail = student_id[-4:]
    return f"学籍号尾号 {tail}" if lang == "zh" else f"no. …{tail}"
