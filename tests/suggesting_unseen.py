"""Twenty heading sets by somebody who has seen neither the matcher nor its word lists.

What each column is was decided by the table contract before the matcher was run on any of them.
They are a sample of ordinary files: rolls, bureau lists, exports of registries, attendance systems
and exam software, class sheets. A column that the table doesn't have is "".

The first and only measure: 234 of 239 columns right (97.9 %), none wrong without a question mark;
of the columns whose headings stand in no word list 120 of 125 (96.0 %), 81 of 86 (94.2 %) without
those that belong to no column. Nothing was changed to suit it since.
"""

from __future__ import annotations

from suggesting_headings import (
    ADDRESSES,
    ADULTS,
    BIRTHS,
    BIRTHS_PLAIN,
    BIRTHS_ZH,
    CLASS_SHORT,
    CLASS_ZH,
    DAYS,
    FEW_NO,
    ID_NUMBERS,
    NAMES,
    OWN_NUMBERS,
    PHONES,
    REGISTRY,
    REGISTRY_MIXED,
    ROWS,
    SCHOOL_CODES,
    SCHOOL_NAMES,
    SCORES,
    TEACHERS,
    HeadingSet,
)

_SERIAL = [str(i + 1) for i in range(ROWS)]
_PEOPLES = ["汉族", "彝族", "汉族", "藏族", "汉族", "回族"]
_SEX = ["女", "男", "男", "男", "女", "男"]
_EMPTY = ["", "", "", "", "转入", "", ""]
_LATIN_NAMES = ["Wang Xiaofang", "Li Qiang", "Zhang Wei", "Liu Yang", "Jike Aniu", "Zhou Ting"]
_LATIN_ADULTS = ["Wang Jianguo", "Li Xiuying", "Zhang Guilan", "Jike Lazhe", "Zhou Dehai"]
_RANKS = ["12", "31", "3", "40", "45", "22", "1", "44"]
_TOTALS = ["512", "438.5", "566", "371", "288", "467.5", "590", "301"]
_MARKS = ["87", "65.5", "92", "58", "71", "缺考", "99", "43", "80.5"]
_HIGH_MARKS = ["98", "105.5", "112", "58", "71", "缺考", "109", "43", "80.5"]
_SIGNS = ["√", "√", "√", "○", "√", "√", "△", "√", "×", "√", "√"]
_WORKDAY_OF_OCTOBER = {d for d in range(8, 32) if (d + 3) % 7 not in (6, 0)}


def _month_days(last: int, suffix: str, idle: set[int]) -> tuple[tuple[str, str, list[str]], ...]:
    """The day columns 1 to `last`; nothing is written on the days in `idle`."""
    return tuple(
        (f"{d}{suffix}", "day", [""] if d in idle else _SIGNS[d % 11 :] + _SIGNS[: d % 11])
        for d in range(1, last + 1)
    )


def _twice(values: list[str]) -> list[str]:
    return [value for value in values for _ in range(2)]


UNSEEN = (
    HeadingSet(
        "central school roll",
        "students",
        (
            ("序号", "", _SERIAL),
            ("学生姓名", "name", NAMES),
            ("性别", "sex", _SEX),
            ("出生年月日", "birth_date", BIRTHS_ZH),
            ("民族", "", _PEOPLES),
            ("学籍号码", "student_id", REGISTRY),
            ("学校代码", "school_id", SCHOOL_CODES),
            ("所在年级", "grade", ["三年级", "四年级", "五年级", "六年级"]),
            ("班别", "class_id", ["1班", "2班", "1班", "3班"]),
            ("家庭详细住址", "", ADDRESSES),
            ("家长姓名", "guardian", ADULTS),
            ("家长联糸电话", "guardian_phone", PHONES),
            ("班主任老师", "homeroom_teacher", TEACHERS),
            ("备注", "", _EMPTY),
        ),
        title=("石桥镇中心小学2026年秋季学期学生花名册",),
    ),
    HeadingSet(
        "registry export",
        "students",
        (
            ("全国学籍号", "student_id", REGISTRY_MIXED),
            ("学生姓名", "name", NAMES),
            ("性别码", "sex", ["2", "1", "1", "1", "2", "1"]),
            ("出生曰期", "birth_date", BIRTHS_PLAIN),
            ("证件类型", "", ["居民身份证"]),
            ("身份证号码", "", ID_NUMBERS),
            ("学校标识码", "school_id", SCHOOL_CODES),
            ("学校名称", "", SCHOOL_NAMES),
            ("就读年级", "grade", ["7", "7", "8", "9"]),
            ("行政班", "class_id", CLASS_SHORT),
            ("入学时间", "enrolled_on", ["20240901", "20240901", "20230901", "20220901"]),
            ("是否寄宿", "boarding", ["是", "否", "是", "是"]),
            ("户口类别", "", ["农业户口", "农业户口", "非农业户口"]),
            (
                "留守情况",
                "parents_away",
                ["非留守儿童", "单亲留守儿童", "非留守儿童", "双亲留守儿童"],
            ),
            ("是否务工人员随迁子女", "migrant_child", FEW_NO),
            ("残疾类别", "disability", ["无残疾", "无残疾", "听力残疾", "无残疾", "智力残疾"]),
            ("是否为孤儿", "orphan_status", FEW_NO),
            ("离校距离（公里）", "distance_km", ["0.5", "3", "12.5", "7", "1.2"]),
            ("上学交通方式", "travel", ["步行", "公共交通", "家长接送", "校车", "骑自行车"]),
            ("需乘校车", "needs_bus", ["否", "否", "是", "否"]),
            ("通讯地址", "", ADDRESSES),
        ),
    ),
    HeadingSet(
        "monitored children of a county",
        "students",
        (
            ("序号", "", _SERIAL),
            ("学生学籍号", "student_id", REGISTRY),
            ("姓名", "name", NAMES),
            ("所在学校代码", "school_id", SCHOOL_CODES),
            ("所在学校", "", SCHOOL_NAMES),
            ("现读年级", "grade", ["七年级", "七年级", "八年级", "九年级"]),
            ("所在班级", "class_id", CLASS_ZH),
            ("是否住校生", "boarding", ["是", "是", "否"]),
            ("享受寄宿生生活补助", "boarding_aid", ["是", "否", "否"]),
            ("家庭经济类型", "poverty", ["一般户", "建档立卡户", "低保户", "一般户", "一般户"]),
            ("是否受资助", "receives_aid", ["否", "是", "是", "否"]),
            ("父母外出务工情况", "parents_away", ["均在家", "一方外出", "双方外出", "均在家"]),
            ("父母是否服刑", "parent_in_prison", ["否", "否", "否", "否", "否", "是"]),
            ("孤儿或事实无人抚养", "orphan_status", ["否", "否", "孤儿", "事实无人抚养", "否"]),
            ("安置方式", "placement", ["普通学校就读", "普通学校就读", "送教上门", "特教学校就读"]),
            ("实际监护人", "guardian", ADULTS),
            ("与学生关系", "", ["父亲", "母亲", "祖父", "祖母"]),
            ("监护人手机号", "guardian_phone", PHONES),
            ("包保干部", "", TEACHERS),
        ),
        title=("昭远县控辍保学重点关注学生信息表", "填报单位：昭远县教育体育局"),
    ),
    HeadingSet(
        "database export in initials",
        "students",
        (
            ("XJH", "student_id", REGISTRY),
            ("XM", "name", NAMES),
            ("XBM", "sex", ["2", "1", "1", "1", "2", "1"]),
            ("CSRQ", "birth_date", BIRTHS_PLAIN),
            ("SFZJH", "", ID_NUMBERS),
            ("MZM", "", ["01", "07", "01", "04"]),
            ("XXBSM", "school_id", SCHOOL_CODES),
            ("NJ", "grade", ["7", "7", "8", "9"]),
            ("BJ", "class_id", CLASS_SHORT),
            ("RXRQ", "enrolled_on", ["20240901", "20240901", "20230901", "20220901"]),
            ("SFLSET", "parents_away", ["0", "1", "0", "2", "0"]),
            ("JTZZ", "", ADDRESSES),
            ("JHRXM", "guardian", ADULTS),
            ("JHRDH", "guardian_phone", PHONES),
            ("BZRXM", "homeroom_teacher", TEACHERS),
        ),
    ),
    HeadingSet(
        "English roll of an aid project",
        "students",
        (
            ("Student No.", "student_id", OWN_NUMBERS),
            ("Student Name", "name", _LATIN_NAMES),
            ("Gender", "sex", ["Female", "Male", "Male", "Male", "Male", "Female"]),
            ("Date of Birth", "birth_date", BIRTHS),
            ("School Code", "school_id", SCHOOL_CODES),
            ("School", "", ["Hekou Primary", "Shiqiao Junior", "Daping Nine-Year", "Shaba Point"]),
            ("Grade Level", "grade", ["7", "7", "8", "9"]),
            ("Class", "class_id", CLASS_SHORT),
            ("Enrolment Dtae", "enrolled_on", ["2024-09-01", "2024-09-01", "2023-09-01"]),
            ("Boarder (Y/N)", "boarding", ["Y", "N", "Y", "Y"]),
            ("Distance to School (km)", "distance_km", ["0.5", "3", "12.5", "7", "1.2"]),
            ("Mode of Transport", "travel", ["Walk", "Bus", "Bicycle", "School bus", "Walk"]),
            ("Parents Working Away", "parents_away", ["None", "One", "Both", "None"]),
            ("Caregiver", "guardian", _LATIN_ADULTS),
            ("Caregiver Phone", "guardian_phone", PHONES),
            ("Class Teacher", "homeroom_teacher", ["Feng Li", "Feng Li", "Deng Zhigang"]),
            ("Remarks", "", ["", "", "", "new", ""]),
        ),
    ),
    HeadingSet(
        "schools of a county",
        "schools",
        (
            ("序号", "", _SERIAL),
            ("学校标识代码", "school_id", [f"21510012{i + 30}" for i in range(ROWS)]),
            ("学校全称", "name", [f"昭远县{name}{i}" for i in range(4) for name in SCHOOL_NAMES]),
            ("所属县（市、区）", "county", ["昭远县"]),
            ("所在乡镇（街道）", "township", ["河口镇", "石桥镇", "大坪乡", "沙坝乡"]),
            ("办学类型", "kind", ["小学", "初级中学", "九年一贯制学校", "教学点"]),
            ("城乡分类", "rural", ["镇区", "乡村", "乡村", "城区"]),
            ("是否偏远学校", "remote", FEW_NO),
            ("每周可跟进学生数", "capacity", ["5", "8", "6", "2"]),
            ("校长姓名", "", ADULTS),
            ("办公电话", "", [f"0834-62{i + 10}{i + 31}" for i in range(ROWS)]),
            ("在校学生数", "", ["612", "438", "905", "27"]),
            ("专任教师数", "", ["41", "36", "67", "3"]),
        ),
        title=("昭远县义务教育阶段学校基本情况一览表（2026年9月）",),
    ),
    HeadingSet(
        "English list of schools",
        "schools",
        (
            ("School ID", "school_id", [f"21510012{i + 30}" for i in range(ROWS)]),
            (
                "School Name",
                "name",
                [
                    f"{place} {kind}"
                    for place in ("Hekou", "Shiqiao", "Daping", "Shaba")
                    for kind in ("Primary", "Junior", "Nine-Year", "Teaching Point")
                ],
            ),
            ("County / District", "county", ["Zhaoyuan"]),
            ("Town", "township", ["Hekou", "Shiqiao", "Daping", "Shaba"]),
            ("School Type", "kind", ["Primary", "Junior", "Nine-year", "Teaching point"]),
            ("Rural?", "rural", ["Y", "Y", "N", "Y"]),
            ("Remote Area", "remote", ["N", "N", "N", "Y"]),
            ("Principal", "", _LATIN_ADULTS),
            ("Total Enrolment", "", ["612", "438", "905", "27"]),
        ),
    ),
    HeadingSet(
        "card reader export",
        "attendance",
        (
            ("学生学号", "student_id", OWN_NUMBERS),
            ("姓名", "", NAMES),
            ("班级名称", "", CLASS_ZH),
            ("考勤日期", "date", DAYS),
            ("考勤时段", "session", ["上午", "下午"]),
            (
                "考勤结果",
                "status",
                ["正常", "正常", "迟到", "正常", "旷课", "早退", "病假", "事假"],
            ),
            ("打卡时间", "", ["07:42", "13:55", "08:12", "07:39", "", "13:50", "", ""]),
            ("打卡设备", "", ["东门1号机", "东门2号机"]),
            ("备注", "", ["", "", "", "", "家长未请假", "", ""]),
        ),
    ),
    HeadingSet(
        "register by lesson",
        "attendance",
        (
            ("学籍编号", "student_id", REGISTRY),
            ("学生", "", NAMES),
            ("年级班级", "", CLASS_ZH),
            ("上课日期", "date", [day.replace("-", "/") for day in DAYS]),
            ("第几节", "session", ["1", "2", "3", "4", "5", "6"]),
            ("出勤情况", "status", ["出勤", "出勤", "缺勤", "出勤", "迟到", "请假", "出勤"]),
            ("任课教师", "", TEACHERS),
            ("缺勤原因", "", ["", "", "未说明", "", "", "感冒", ""]),
            ("登记人", "", TEACHERS),
        ),
        title=("学生课堂考勤登记",),
    ),
    HeadingSet(
        "month sheet of a class",
        "attendance",
        (
            ("序号", "", _SERIAL),
            ("学号", "who:student_id", OWN_NUMBERS),
            ("学生姓名", "who:name", NAMES),
            *_month_days(30, "", {1, 7, 8, 14, 15, 21, 22, 28, 29}),
            ("出勤天数", "", ["21", "20", "19", "21"]),
            ("病假", "", ["0", "1", "0", "0"]),
            ("事假", "", ["0", "0", "1", "0"]),
            ("旷课", "", ["0", "0", "1", "0"]),
        ),
        title=(
            "七（1）班学生考勤表（2026年11月）",
            "班主任：冯丽    说明：√出勤 ○病假 △事假 ×旷课",
        ),
        layout="month",
    ),
    HeadingSet(
        "month sheet by half days",
        "attendance",
        (
            ("学籍号", "who:student_id", _twice(REGISTRY)),
            ("姓 名", "who:name", _twice(NAMES)),
            ("班 级", "who:class_id", ["八（1）班"]),
            ("午别", "who:half", ["上午", "下午"]),
            *_month_days(31, "日", set(range(1, 32)) - _WORKDAY_OF_OCTOBER),
            ("缺勤合计", "", ["0", "1", "2", "0"]),
            ("备注", "", [""]),
        ),
        title=("石桥初级中学2026年10月份学生考勤登记表",),
        layout="month",
    ),
    HeadingSet(
        "exam software, a row a subject",
        "exams",
        (
            ("考试名称", "exam", ["2026年秋季期中考试"]),
            ("考试时间", "date", ["2026-11-12"]),
            ("学校", "", ["石桥初级中学"]),
            ("班级", "", CLASS_ZH),
            ("准考证号", "", [f"26110{i + 201}" for i in range(ROWS)]),
            ("学生学籍号", "student_id", REGISTRY),
            ("考生姓名", "", NAMES),
            ("考试科目", "subject", ["语文", "数学", "英语", "物理"]),
            ("卷面成绩", "score", _MARKS),
            ("试卷满分", "full_mark", ["120", "120", "120", "100"]),
            ("班级名次", "", _RANKS),
            ("年级名次", "", ["112", "231", "13", "340"]),
        ),
    ),
    HeadingSet(
        "English test results",
        "exams",
        (
            ("Student ID", "student_id", OWN_NUMBERS),
            ("Student Name", "", _LATIN_NAMES),
            ("Class", "", CLASS_SHORT),
            ("Test Name", "exam", ["Midterm autumn 2026"]),
            ("Test Date", "date", ["2026-11-12"]),
            ("Subject", "subject", ["Chinese", "Maths", "English"]),
            ("Marks Obtained", "score", [mark for mark in SCORES if mark != "缺考"]),
            ("Out of", "full_mark", ["100"]),
            ("Percentage", "", ["87%", "65.5%", "92%", "58%", "73%", "100%", "41%"]),
            ("Class Rank", "", _RANKS),
        ),
    ),
    HeadingSet(
        "mark sheet of a class",
        "exams",
        (
            ("班次", "who:class_id", ["801"]),
            ("座号", "", _SERIAL),
            ("姓名", "who:name", NAMES),
            ("语", "subject:chinese", _MARKS),
            ("数", "subject:maths", _MARKS[2:]),
            ("英", "subject:english", _MARKS[1:]),
            ("物", "subject:physics", _MARKS[3:]),
            ("政", "subject:politics", _MARKS[2:]),
            ("史", "subject:history", _MARKS[1:]),
            ("地", "subject:geography", _MARKS),
            ("生", "subject:biology", _MARKS[3:]),
            ("总分", "", _TOTALS),
            ("平均", "", ["73.1", "62.6", "80.9", "53"]),
            ("名次", "", _RANKS),
        ),
        title=("石桥初级中学八年级2026年秋季期中考试成绩统计表",),
        layout="marks",
    ),
    HeadingSet(
        "exam software, a row a child",
        "exams",
        (
            ("考号", "", [f"26110{i + 201}" for i in range(ROWS)]),
            ("学籍号", "who:student_id", REGISTRY),
            ("考生姓名", "who:name", NAMES),
            ("学校名称", "who:school", ["石桥初级中学"]),
            ("班级名称", "who:class_id", ["九（1）班", "九（2）班", "九（3）班"]),
            ("语文（120分）", "subject:chinese", _HIGH_MARKS),
            ("数学（120分）", "subject:maths", _HIGH_MARKS[2:]),
            ("英语（120分）", "subject:english", _HIGH_MARKS[1:]),
            ("物理", "subject:physics", _MARKS[3:]),
            ("化学", "subject:chemistry", _MARKS[1:]),
            ("道德与法治", "subject:politics", _MARKS[2:]),
            ("历史", "subject:history", _MARKS),
            ("体育", "subject:体育", ["48", "50", "45.5", "39", "44"]),
            ("总成绩", "", _TOTALS),
            ("班级排名", "", _RANKS),
            ("年级排名", "", ["112", "231", "13", "340"]),
            ("进退步", "", ["3", "-12", "0", "5"]),
        ),
        title=("2026年秋季九年级期中质量监测成绩",),
        layout="marks",
    ),
    HeadingSet(
        "ledger of suspected dropouts",
        "outcomes",
        (
            ("序号", "", _SERIAL),
            ("学校", "", SCHOOL_NAMES),
            ("学生姓名", "", NAMES),
            ("学籍号", "student_id", REGISTRY),
            ("就读年级", "", ["七年级", "七年级", "八年级", "九年级"]),
            ("发现日期", "date", DAYS),
            ("学生现状", "event", ["疑似辍学", "疑似辍学", "已辍学", "已返校"]),
            ("辍学原因", "cause", ["厌学", "家庭贫困", "外出务工", "因病", "路途遥远"]),
            ("监护人电话", "", PHONES),
            ("劝返责任人", "", TEACHERS),
            ("劝返次数", "", ["1", "0", "3", "2"]),
            ("最近一次劝返日期", "", ["2026-11-20", "", "2026-11-23", "2026-11-24"]),
            ("备注", "", _EMPTY),
        ),
        title=("昭远县疑似辍学学生台账", "2026年秋季学期"),
    ),
    HeadingSet(
        "changes in the registry",
        "outcomes",
        (
            ("学生学籍号", "student_id", REGISTRY_MIXED),
            ("学生姓名", "", NAMES),
            ("学校标识码", "", SCHOOL_CODES),
            ("异动类型", "event", ["转出", "休学", "复学", "转出", "毕业", "出国", "死亡"]),
            ("异动时间", "date", DAYS),
            ("异动原因", "cause", ["家庭原因", "因病", "", "外出务工"]),
            ("转入学校", "", ["城关镇第二初级中学", "", "", "成都市青羊区某中学"]),
            ("经办人", "", TEACHERS),
        ),
    ),
    HeadingSet(
        "counts of a term",
        "attendance_totals",
        (
            ("学籍号", "student_id", REGISTRY),
            ("姓名", "", NAMES),
            ("班级", "", CLASS_ZH),
            ("统计开始日期", "from", ["2026-02-23"]),
            ("统计截止日期", "to", ["2026-07-03"]),
            ("应到天数", "school_days", ["92"]),
            ("实到天数", "", ["92", "90", "85", "92", "71"]),
            ("缺课天数", "days_absent", ["0", "2", "7", "0", "21"]),
            ("其中旷课天数", "days_unexcused", ["0", "0", "3", "0", "15"]),
            ("迟到天数", "days_late", ["1", "0", "4", "0", "9"]),
            ("病假天数", "", ["0", "2", "1", "0", "4"]),
        ),
        title=("2025—2026学年第二学期学生出勤情况统计表",),
    ),
    HeadingSet(
        "calendar of a school year",
        "calendar",
        (
            ("教学周", "", ["10"] * 7 + ["11"] * 7 + ["12"] * 2),
            ("公历日期", "date", DAYS),
            ("星期", "", list("一二三四五六日")),
            ("是否上课日", "is_school_day", ["是", "是", "是", "是", "是", "否", "否"]),
            ("适用学校代码", "school_id", ["", "", "", "2151001234", "", "", ""]),
            ("适用班级", "class_id", ["", "", "", "901", "", "", ""]),
            ("事项说明", "", ["", "", "", "期中考试", "", "", ""]),
        ),
        title=("昭远县2026—2027学年校历",),
    ),
    HeadingSet(
        "what the schools handed in",
        "reported_days",
        (
            ("学校编码", "school_id", SCHOOL_CODES),
            ("学校名称", "", SCHOOL_NAMES),
            ("班级名称", "class_id", CLASS_ZH),
            ("考勤日期", "date", DAYS),
            ("上报时间", "", [f"{day} 16:3{i % 6}" for i, day in enumerate(DAYS)]),
            ("上报人", "", TEACHERS),
        ),
    ),
)
