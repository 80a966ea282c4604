"""What the words in headings mean, and of which words each column's heading consists.

A heading is not looked up whole: it is cut into words, each word is a concept, and a column is a
set of concepts (`guardian phone`). So 家长手机号 and "Parent's mobile" need no entry of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product

# concept -> its Chinese spellings | its English words
_SPELLINGS = """
child: 学生 孩子 考生 本人 生 | student pupil child learner
name: 姓名 名称 全称 名 | name
number: 号 号码 编号 编码 代码 代号 码 标识码 识别码 标识 | no number id code num
registry: 学籍 | registry
roll: 学号 |
identity: 身份证 身份证件 证件 | identity idcard passport
school: 学校 校 院校 机构 | school
class: 班级 班号 |
grade: 年级 | grade
sex: 性别 | sex
birth: 出生 | birth born birthday birthdate
day: 日期 时间 日 年月 | date day
enter: 入学 入校 | enrolled enrolment enrollment admission admitted entry
leave: 离校 | left leaving leaver
guardian: 家长 监护人 父母 父亲 母亲 爸爸 妈妈 抚养人 成员1 | guardian parent parents mother father
phone: 电话 手机 联系方式 手机号 电话号码 手机号码 联系电话 | phone tel telephone mobile cellphone
board: 寄宿 住校 住宿 走读 住读 就读方式 | boarding boarder boards dormitory
aid: 资助 补助 助学金 | aid subsidy grant
board_aid: 一补 |
distance: 距离 路程 | distance
travel: 上学方式 上下学方式 交通方式 交通工具 | travel transport
bus: 校车 | bus
left_behind: 留守 | leftbehind behind
away: 外出 务工 外出务工 | away
migrant: 随迁 务工人员子女 | migrant
disabled: 残疾 残障 | disability disabled
placement: 安置 | placement
poor: 贫困 困难 建档立卡 低保 脱贫 | poverty poor
prison: 服刑 | prison imprisoned
orphan: 孤儿 | orphan
homeroom: 班主任 | homeroom adviser
form_teacher: | form teacher
roster: 名册 统计 采集 快照 | snapshot
county: 县 区县 县区 | county district
township: 乡镇 镇乡 街道 | township town
kind: 类型 类别 种类 | type kind category
run: 办学 |
rural: 农村 乡村 | rural
remote: 偏远 边远 | remote
capacity: 跟进 可跟进 | capacity
attendance: 考勤 出勤 | attendance
absent: 缺勤 缺课 | absence absent absences
truant: 旷课 | unexcused truant
late: 迟到 | late
days: 天数 | days
times: 次数 | times
due: 应到 应出勤 上课 |
status: 状态 | status
session: 节次 时段 上午 下午 | session
begin: 起始 开始 | from start begin
end: 截止 结束 | to until end
exam: 考试 测验 | exam test
subject: 科目 学科 | subject course
score: 成绩 分数 得分 | score mark marks points
full: 满分 | full maximum max
paper: 试卷 卷面 |
total: 总分 总成绩 | total sum
change: 变动 异动 | change
event: 事件 | event
dropout: 辍学 | dropout
cause: 原因 | cause reason
report: 上报 | reported report
teaching: 是否上课 上课日 教学日 |
address: 地址 住址 住所 | address
ethnic: 民族 | ethnicity nationality
note: 备注 说明 | note notes remark remarks comment comments
serial: 序号 |
work: 工作 单位 职务 | employer occupation
health: 健康 | health
politics: 政治面貌 |
rank: 排名 名次 名次 位次 | rank ranking position
average: 平均 均分 | average mean
head: 校长 | principal headmaster headteacher
weekday: 星期 周几 | weekday
clerk: 登记人 填表人 记录人 | recorded recorder by
contact: 联系人 紧急联系人 | contact
relation: 关系 | relation relationship
former: 原 上学期 上期 毕业 曾 转入前 转出 | former previous old
photo: 照片 特长 血型 籍贯 邮编 邮箱 户口 | photo email postcode
"""

# Words that change nothing.
SOFT = frozenset(("child", "kind", "status"))
_FILLERS = """
是否 否 有无 有没有 需要 要不要 不要 要 享受 接受 情况 信息 所在 就读 现读 目前 所属 现在
全国 主要 合计 第一 填写 必填 栏 的 户 儿童 子女 人员 农村户 字 上学 方式 当天 每周 学生数
人数 能 场次 联系 本学期 家庭 类 家 离
this the of s in on at is a km and or current home yn level last first full
"""

# table -> column -> sets of concepts, each of which is enough
_RULES = {
    "students": {
        "student_id": "registry, registry number, roll, child number",
        "snapshot_date": "roster day",
        "name": "name, child name",
        "sex": "sex",
        "birth_date": "birth, birth day",
        "school_id": "school number",
        "grade": "grade",
        "class_id": "class, class number",
        "enrolled_on": "enter day, enter",
        "left_on": "leave day",
        "boarding": "board",
        "boarding_aid": "board aid, board_aid",
        "distance_km": "distance, distance school",
        "travel": "travel",
        "needs_bus": "bus",
        "parents_away": "left_behind, guardian away",
        "migrant_child": "migrant",
        "disability": "disabled",
        "placement": "placement, disabled placement",
        "poverty": "poor",
        "receives_aid": "aid",
        "parent_in_prison": "prison, guardian prison",
        "orphan_status": "orphan",
        "guardian": "guardian, guardian name",
        "guardian_phone": "guardian phone, phone",
        "homeroom_teacher": "homeroom, homeroom name, form_teacher",
    },
    "schools": {
        "school_id": "school number",
        "name": "school name, school",
        "county": "county",
        "township": "township",
        "kind": "school kind, run kind",
        "rural": "rural, rural school",
        "remote": "remote, remote school",
        "capacity": "capacity",
    },
    "attendance": {
        "student_id": "registry, registry number, roll, child number",
        "date": "day, absent day, attendance day",
        "status": "attendance, attendance status, absent kind, status",
        "session": "session",
    },
    "reported_days": {
        "school_id": "school number",
        "class_id": "class, class number",
        "date": "day, report day",
    },
    "calendar": {
        "date": "day",
        "school_id": "school number",
        "class_id": "class, class number",
        "is_school_day": "teaching, due day",
    },
    "attendance_totals": {
        "student_id": "registry, registry number, roll, child number",
        "from": "begin, begin day, begin roster day",
        "to": "end, end day, end roster day",
        "days_absent": "absent days",
        "school_days": "due days, school days",
        "days_unexcused": "truant days",
        "days_late": "late times, late days",
    },
    "exams": {
        "student_id": "registry, registry number, roll, child number",
        "date": "exam day, day",
        "exam": "exam, exam name",
        "subject": "subject, exam subject, subject name",
        "score": "score, exam score, paper score",
        "full_mark": "full, full score, paper total",
    },
    "outcomes": {
        "student_id": "registry, registry number, roll, child number",
        "date": "day, change day, dropout day, event day",
        "event": "event, change, change kind, event kind",
        "cause": "cause, dropout cause, change cause",
    },
}

# What a heading may say besides, that is no column of its own.
_ELSEWHERE = (
    "address, ethnic, note, serial, work, guardian work, health, politics, rank, grade rank, "
    "class rank, average, head, weekday, clerk, relation, guardian relation, photo, identity, "
    "identity number, total, contact, contact phone, school address, school phone, class head, "
    "homeroom phone, attendance days, guardian identity, guardian identity number, child phone, "
    "former school, former school number, former class, former grade, former registry number"
)


def _concepts() -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    found = {}
    for line in _SPELLINGS.strip().splitlines():
        concept, _, spellings = line.partition(":")
        chinese, _, english = spellings.partition("|")
        found[concept] = (tuple(chinese.split()), tuple(english.split()))
    return found


def _sets(text: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(rule.split()) for rule in text.split(","))


CONCEPTS = _concepts()
FILLERS = frozenset(_FILLERS.split())
RULES: dict[str, dict[str, tuple[tuple[str, ...], ...]]] = {
    table: {column: _sets(text) for column, text in columns.items()}
    for table, columns in _RULES.items()
}
ELSEWHERE = _sets(_ELSEWHERE)

_CHINESE = {word: concept for concept, (words, _) in CONCEPTS.items() for word in words}
_ENGLISH = {word: concept for concept, (_, words) in CONCEPTS.items() for word in words}
_LETTERS = re.compile(r"[a-z]+")
UNKNOWN = "?"
_LONGEST = max(map(len, (*_CHINESE, *FILLERS)))


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """Cut a folded text into (piece, concept), longest words first.

    The concept is "" for a filler, `UNKNOWN` for what is neither a word nor a filler.
    """
    at = 0
    while at < len(text):
        english = _LETTERS.match(text, at)
        if english is not None:
            piece = english.group()
            concept = _ENGLISH.get(piece)
        else:
            for length in range(min(_LONGEST, len(text) - at), 0, -1):
                piece = text[at : at + length]
                concept = _CHINESE.get(piece)
                if concept or piece in FILLERS:
                    break
        yield piece, concept or ("" if piece in FILLERS else UNKNOWN)
        at += len(piece)


def concepts_in(text: str) -> tuple[frozenset[str], float]:
    """Return the concepts of a heading and the share of it (0-1) that is none.

    `text` is folded, with spaces between the words where it is English.
    """
    pieces = list(_pieces(text))
    found = frozenset(concept for _, concept in pieces) - {"", UNKNOWN}
    letters = sum(char.isalnum() for char in text)
    left = sum(char.isalnum() for piece, concept in pieces if concept == UNKNOWN for char in piece)
    return found, left / letters if letters else 1.0


def core_of(text: str) -> str:
    """Return a folded Chinese text without its fillers; as it is if less than two signs remain."""
    core = "".join(piece for piece, concept in _pieces(text) if concept)
    return core if len(core) >= 2 else text


def phrases(rule: tuple[str, ...]) -> list[str]:
    """Return how a set of concepts is said in Chinese: every spelling with every other."""
    spellings = [CONCEPTS[concept][0] for concept in rule]
    if not all(spellings):
        return []
    return ["".join(words) for words in product(*spellings)]


def words() -> frozenset[str]:
    """Return every spelling above, folded."""
    return frozenset((*_CHINESE, *_ENGLISH))
