"""What the workbooks and the command say, in both languages."""

from __future__ import annotations

from earlywarn.errors import Lang, Text
from earlywarn.reconcile.comparing import Found
from earlywarn.reconcile.registry import WINDOW
from earlywarn.words import day_in_words

WORDS: dict[str, Text] = {
    "title": Text("四核查三比对", "Four checks and three comparisons"),
    "generated": Text(
        "本表由程序生成的虚构数据得出，没有真实的孩子。",
        "Made from generated data: no real child stands here.",
    ),
    "as_of": Text("截止日期", "As of"),
    "summary": Text("汇总", "Summary"),
    "list": Text("名单", "List"),
    "count": Text("人数", "Number"),
    "meaning": Text("含义", "What it says"),
    "todo": Text("怎么办", "What to do"),
    "why": Text("原因", "Why"),
    "files": Text("读入的名单", "Lists read"),
    "households": Text("户籍人口名单", "household list"),
    "poverty": Text("困难家庭名单", "poverty list"),
    "county": Text("县区", "County"),
    "place": Text("住址", "Where it lives"),
    "school": Text("学校", "School"),
    "class_id": Text("班级", "Class"),
    "grade": Text("年级", "Grade"),
    "name": Text("姓名", "Name"),
    "sex": Text("性别", "Sex"),
    "birth_date": Text("出生日期", "Birth date"),
    "age": Text("开学时年龄", "Age at start of year"),
    "id_number": Text("身份证号", "Identity number"),
    "student_id": Text("学籍号", "Registry number"),
    "home": Text("监护人和电话", "Guardian, phone"),
    "responsible": Text("负责核实的学校", "School that looks into it"),
    "file": Text("文件", "File"),
    "row": Text("行", "Row"),
    "from": Text("文件和行", "File and row"),
    "column": Text("列", "Column"),
    "total": Text("合计", "Total"),
    "none": Text("没有。", "None."),
    "no_county": Text("（未写县区）", "(no county given)"),
    "not_given": Text("本次没有困难家庭名单。", "No poverty list was given this time."),
}

# Sheets: the title, what the list says, by sheet name.
LIST_TITLES: dict[str, Text] = {
    "no_roll": Text("无学籍", "On no roll"),
    "no_household": Text("有学籍不在户籍名单", "On no household list"),
    "not_in_class": Text("有学籍不在课堂", "Not in class"),
    "poor_out": Text("困难家庭失学", "Poor and out of school"),
    "poor_unmarked": Text("困难家庭未标注", "Poor, not recorded"),
    "age_unknown": Text("年龄不明", "Age unknown"),
    "unread": Text("未能读入的行", "Rows not read"),
}
LIST_MEANINGS: dict[str, Text] = {
    "no_roll": Text(
        "户籍名单上的适龄儿童，学籍中找不到，或已离开。",
        "Of school age on the household list, on no school's roll, or no longer on one.",
    ),
    "no_household": Text(
        "有学籍，但不在任何户籍名单上。", "On a school's roll, but on no household list."
    ),
    "not_in_class": Text(
        f"有学籍，但最近{WINDOW}个已上报的上课日一次也不在课堂；休学和送教的另行注明。",
        f"On a roll, but not there once in the last {WINDOW} reported school days; children on "
        "long leave and taught at home are told apart.",
    ),
    "poor_out": Text(
        "困难家庭名单上的孩子，已辍学或没有学籍。",
        "On the poverty list, and dropped out or on no roll.",
    ),
    "poor_unmarked": Text(
        "困难家庭名单上的在校生，学籍里未标注困难或没有资助。",
        "On the poverty list and at school, but not recorded as poor, or without aid.",
    ),
    "age_unknown": Text(
        "没有出生日期，身份证号也看不出，无法判断是否适龄。",
        "No birth date, and none in the identity number: nobody can say if of school age.",
    ),
    "unread": Text(
        "名单中读不出的行和单元格（单元格读不出的行仍已读入）；改正后重新比对。",
        "Rows and cells of the lists that could not be read; a row with such a cell was read.",
    ),
}

WHY: dict[str, Text] = {
    "not_found": Text("学籍中没有这个孩子", "no such child on any roll"),
    "dropped_out": Text("{since}辍学", "dropped out on {since}"),
    "transferred": Text("{since}转出", "transferred away on {since}"),
    "graduated": Text("{since}毕业，之后没有学籍", "graduated on {since}, on no roll since"),
    "abroad": Text("{since}出境", "went abroad on {since}"),
    "left": Text("{since}离校", "left school on {since}"),
    "taken_off": Text(
        "{since}起不在学校报送的名册里", "not on the school's own roll from {since} on"
    ),
    "not_yet": Text("{since}才入学", "to be enrolled on {since} only"),
    "elsewhere": Text("户籍名单上没有", "on no household list"),
    "ghost": Text(
        "户籍名单上没有，课堂上也没有：疑似“有籍无人”",
        "on no household list and not in class either: ghost?",
    ),
    "on_leave": Text("休学", "on long leave"),
    "unmarked": Text("学籍未标注困难", "not recorded as poor"),
    "no_aid": Text("没有资助记录", "no aid recorded"),
    "both": Text("学籍未标注困难，也没有资助记录", "not recorded as poor, and no aid recorded"),
    "households": Text("户籍人口名单", "household list"),
    "poverty": Text("困难家庭名单", "poverty list"),
}
_FIND = Text(
    "由负责学校会同乡镇上门核实孩子在哪里，动员入学。",
    "The school named and the township visit, find out where the child is and see it enrolled.",
)
_BACK = Text("按辍学台账继续劝返。", "Go on persuading, as the dropout ledger says.")
_CONFIRM = Text(
    "向转入地核实是否已入学；没有入学的，动员入学。",
    "Ask where it went whether it is enrolled there; if not, see it enrolled.",
)
_VISIT = Text(
    "学校当天联系监护人并家访；找不到人的报乡镇和县。",
    "The school calls the guardian and visits today; if the child is not found, it reports to "
    "township and county.",
)
_LIVES = Text(
    "核对户籍所在地；随父母迁来的，建随迁子女档案。",
    "Ask where it is registered; who came with its parents gets a migrant child's file.",
)
TODO: dict[str, dict[str, Text]] = {
    "no_roll": {"not_found": _FIND, "dropped_out": _BACK, "": _CONFIRM},
    "poor_out": {"not_found": _FIND, "dropped_out": _BACK, "": _CONFIRM},
    "no_household": {
        "elsewhere": _LIVES,
        "ghost": Text(
            "到班核实有没有这个孩子；没有的，查明去向，再办学籍手续。",
            "See in class whether there is such a child; if not, find out where it is, then put "
            "the roll right.",
        ),
    },
    "not_in_class": {
        "not_in_class": _VISIT,
        "no_home_teaching": Text(
            "核实送教是否在进行，并补报送教记录。",
            "See whether home teaching takes place, and have it recorded.",
        ),
        "on_leave": Text(
            "核对休学期限，期满前联系复学。", "Check until when; before then, arrange the return."
        ),
    },
    "poor_unmarked": {
        "": Text(
            "在学籍中标注困难情况，落实资助；不公开。",
            "Record it on the roll and see that aid is paid; never in public.",
        )
    },
    "age_unknown": {
        "": Text(
            "向名单来源补齐出生日期，再比对一次。",
            "Ask where the list comes from for the birth date, then compare again.",
        )
    },
}

# The columns of the three comparisons: key of the counts, heading.
COMPARISONS: dict[str, tuple[Text, tuple[tuple[str, Text], ...]]] = {
    "household": (
        Text("户籍名单与学籍", "Household list against registry"),
        (
            ("on_roll", Text("名单上有学籍", "on the list, on a roll")),
            ("no_roll", Text("适龄无学籍", "of school age, on no roll")),
            ("out", Text("适龄已离校", "of school age, has left")),
            ("undecided", Text("待人工判断", "to be judged")),
            ("age_unknown", Text("年龄不明", "age unknown")),
            ("outside", Text("不在学龄", "not of school age")),
            ("settled", Text("已毕业或死亡", "finished or deceased")),
            ("repeated", Text("重复的行", "repeated lines")),
            ("cohort", Text("在册学生", "enrolled")),
            ("on_list", Text("在户籍名单上", "on the household list")),
            ("maybe_on_list", Text("可能在名单上", "perhaps on the list")),
            ("no_household", Text("不在户籍名单上", "on no household list")),
            ("ghost", Text("其中疑似有籍无人", "of these, ghost?")),
        ),
    ),
    "classes": (
        Text("学籍与课堂", "Registry against class"),
        (
            ("cohort", Text("在册学生", "enrolled")),
            ("in_class", Text("在课堂", "in class")),
            ("not_in_class", Text("不在课堂", "not in class")),
            ("home_teaching", Text("送教上门", "taught at home")),
            ("no_home_teaching", Text("应送教而无记录", "home teaching not recorded")),
            ("on_leave", Text("休学", "on long leave")),
            ("not_reported", Text("考勤未上报", "attendance not reported")),
        ),
    ),
    "poverty": (
        Text("辍学学生与困难家庭名单", "Dropouts against poverty list"),
        (
            ("dropouts", Text("现辍学", "dropped out now")),
            ("dropouts_listed", Text("其中在困难名单上", "of these, on the poverty list")),
            ("dropouts_marked", Text("其中学籍标注困难", "of these, recorded as poor")),
            ("on_roll", Text("名单上在校", "on the list, at school")),
            ("poor_out", Text("名单上失学", "on the list, out of school")),
            ("poor_unmarked", Text("未标注或无资助", "not recorded or no aid")),
            ("undecided", Text("待人工判断", "to be judged")),
            ("age_unknown", Text("年龄不明", "age unknown")),
            ("outside", Text("不在学龄", "not of school age")),
            ("repeated", Text("重复的行", "repeated lines")),
        ),
    ),
}


def why(one: Found, lang: Lang) -> str:
    """Return why somebody stands on a list."""
    if one.kind in ("not_in_class", "no_home_teaching"):
        return _absence(one)(lang)
    since = one.child["since"] if one.child else None
    told = WHY[one.kind](lang)
    return told.format(since=day_in_words(since, lang) if since else "").strip()


def _absence(one: Found) -> Text:
    child = one.child or {}
    days = child["days_since_present"]
    gone = Text(
        f"连续{days}个已上报的上课日不在校",
        f"not there on the last {days} reported school day{'' if days == 1 else 's'}",
    )
    if one.kind == "no_home_teaching":
        return Text(f"{gone.zh}，也没有送教记录", f"{gone.en}, and no home teaching recorded")
    if child["unexcused_run"]:
        count = child["unexcused_run"]
        return Text(f"{gone.zh}，旷课{count}天", f"{gone.en}, {count} without leave")
    if child["absent_run"]:
        return Text(f"{gone.zh}，有请假记录", f"{gone.en}, with leave recorded")
    return Text(f"{gone.zh}，没有任何考勤记录", f"{gone.en}, with no mark at all")


def todo(which: str, one: Found, lang: Lang) -> str:
    """Return what is to be done about one row of a list."""
    found = TODO[which]
    return (found.get(one.kind) or found[""])(lang)
