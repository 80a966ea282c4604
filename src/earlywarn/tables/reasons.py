"""Why a row was not accepted, in words: one text for each reason code, with the cure.

The placeholders are {column} (the heading in the user's file), {value} and {detail}.
"""

from __future__ import annotations

from earlywarn.errors import Text

REASONS: dict[str, Text] = {
    # found by a reader
    "ragged": Text(
        "单元格数与表头列数不符（{detail}）。请检查多余或缺少的逗号",
        "the row's cells do not match the headings ({detail}); look for a comma too many or few",
    ),
    "nul": Text(
        "含有空字符（NUL）。请重新导出或删去该字符",
        "the row holds a NUL character; export it again or take the character out",
    ),
    "too_long": Text(
        "有单元格过长（{detail} 个字符）。请检查该行",
        "a cell is far too long ({detail} characters); look at this row",
    ),
    "open_quote": Text(
        "引号没有成对，或位置不对。请改正引号",
        "a quote is not closed or stands in the wrong place; correct the quotes",
    ),
    "formula_uncached": Text(
        "公式没有计算结果。请用 Excel 或 WPS 打开并保存一次，或直接填写数值",
        "this formula was never calculated; open the file in Excel or WPS and save it once, or "
        "type the value",
    ),
    "error_cell": Text(
        "单元格是错误值（如 #N/A）。请改正公式，或直接填写数值",
        "this cell is an error such as #N/A; correct its formula, or type the value",
    ),
    # a cell by itself
    "missing": Text("必填，却是空的。请补填", "must be filled in, but is empty; fill it in"),
    "bad_date": Text(
        "不是日期。请写成 2026-11-20、20261120、2026/11/20 或 2026年11月20日",
        "is not a date; write it like 2026-11-20, 20261120, 2026/11/20 or 2026年11月20日",
    ),
    "date_order": Text(
        "可能是日/月/年，也可能是月/日/年。请写成 2026-11-20，或在映射文件里写 date_order: dmy "
        "或 mdy",
        "may be day/month/year or month/day/year; write it like 2026-11-20, or say date_order: dmy "
        "or mdy in a mapping file",
    ),
    "date_range": Text(
        "日期不在 1900-2199 年之间。请核对年份", "is not between 1900 and 2199; check the year"
    ),
    "bad_integer": Text("不是整数。请改为整数", "is not a whole number; write one"),
    "bad_number": Text("不是数字。请改为数字", "is not a number; write one such as 87.5"),
    "number_range": Text(
        "数字太大，超出范围。请核对", "the number is too large to be kept; check it"
    ),
    "negative": Text("不能为负数。请核对", "must not be negative; check it"),
    "bad_boolean": Text(
        "不是“是/否”。请写 是、否、true、false、1 或 0",
        "is neither yes nor no; write true, false, yes, no, 1 or 0",
    ),
    "unknown_code": Text(
        "是未知的代码。可用：{detail}；或在映射文件的 values 中补充",
        "is an unknown code; known: {detail}; or add it under `values` in your mapping file",
    ),
    "unknown_sign": Text(
        "不认识这个记号：表里的图例和映射都没有。请改为图例里的记号，如 出、病、事、旷、迟、退",
        "is a sign that neither the sheet's legend nor the mapping explains; write one that they "
        "do, such as present, sick, leave, unexcused, late or left_early",
    ),
    "code_conflict": Text(
        "代码与名称不一致（{detail}）。请核对",
        "code and name do not agree ({detail}); check it",
    ),
    "id_scientific": Text(
        "编号被 Excel 变成了数字，后几位已丢失。请把该列格式设为“文本”后重新填写或导出",
        "Excel turned this identifier into a number and lost its last digits; "
        "format the column as text and enter or export it again",
    ),
    "id_decimal": Text(
        "编号被存成了小数。请把该列格式设为“文本”后重新导出",
        "this identifier was stored as a decimal number; format the column as text, export again",
    ),
    # a row by itself
    "grade_no_stage": Text(
        "不属于任何学段（配置 stages：{detail}）。请核对年级或修改 earlywarn.yaml 的 stages",
        "is in no stage (config `stages`: {detail}); "
        "check the grade, or `stages` in earlywarn.yaml",
    ),
    "score_above": Text(
        "分数高于满分 {detail}。请核对分数或满分",
        "the score is above the full mark {detail}; check the score or the full mark",
    ),
    "full_mark_zero": Text("满分必须大于 0", "the full mark must be above 0"),
    "say_full_mark": Text(
        "没有说明满分，而本文件该科有高于 100 的分数。请用 --full-mark 或 full_mark 列说明满分",
        "say the full mark: none was said and a score of this subject is above 100; "
        "use --full-mark or a column full_mark",
    ),
    "from_after_to": Text(
        "开始日期晚于结束日期 {detail}。请核对",
        "the period begins after its end {detail}; check both dates",
    ),
    "more_than_days": Text("大于 {detail}。请核对", "is more than {detail}; check both numbers"),
    # who a row of a class sheet is about
    "no_name": Text(
        "这一行没有姓名，也没有学籍号。请补填", "this row names nobody; fill in the name or number"
    ),
    "no_class": Text(
        "不知道是哪个班：表头、标题和文件名里都没有。请用 --class 说明",
        "of which class is it? Neither headings nor title nor file name say so; use --class",
    ),
    "no_school": Text(
        "不知道是哪所学校：请用 --school 说明学校代码",
        "of which school is it? Give the school's number with --school",
    ),
    "no_child": Text(
        "学校名册里没有这个姓名。请核对姓名，或先导入学籍（ingest students）",
        "nobody of this name is on the school's registry; check the name, or load the registry "
        "first (ingest students)",
    ),
    "child_of_other_class": Text(
        "本班没有这个姓名，本校其他班有：{detail}。请核对班级，或填上学籍号",
        "nobody of this name is in this class; in other classes of the school: {detail}. Check the "
        "class, or fill in the registry number",
    ),
    "two_children": Text(
        "本班有不止一个同名学生：{detail}。请填上学籍号",
        "more than one child of this class has this name: {detail}. Fill in the registry number",
    ),
    "child_twice": Text(
        "第 {detail} 行是同一个孩子。请只保留一行；若是同名的另一个孩子，请填上学籍号",
        "row {detail} is about the same child; keep one row, or fill in the registry number if it "
        "is another child of that name",
    ),
    "id_number_length": Text(
        "身份证号应为 15 或 18 位，这里是 {detail} 位。请核对",
        "an identity number has 15 or 18 digits, this one {detail}; check it",
    ),
    "id_number_check": Text(
        "身份证号的校验位不对，有一位写错了。请核对",
        "the identity number's check digit is wrong: one digit is mistaken; check it",
    ),
    "no_child_of_number": Text(
        "名册里没有这个身份证号的学生。请核对，或先导入学籍",
        "nobody on the registry has this identity number; check it, or load the registry first",
    ),
    # a sign of a monthly sheet
    "sign_conflict": Text(
        "表中图例与映射对这个记号的解释不同。请在映射的 values.status 中写明",
        "the sheet's legend and the mapping explain this sign differently; say which is meant "
        "under values.status in the mapping",
    ),
    "no_such_day": Text("这个月没有这一天。请核对日期", "this month has no such day; check it"),
    # beside other rows of the file
    "same_key": Text(
        "与第 {detail} 行的键相同而内容不同。请只保留正确的一行",
        "has the same key as row {detail} but differs from it; keep only the right one",
    ),
    "same_key_loaded": Text(
        "与本文件中已导入的另一行的键相同而内容不同。请核对是哪一个；若已导入的一行是错的，请改正原文件后重新导入",
        "has the same key as another row of this file, which was loaded, but differs from it; "
        "check which is meant; if the loaded one is wrong, correct the original file and load it",
    ),
}


def of_sign(code: str) -> str:
    """Return the code for a cell of a monthly sheet, where an unknown code is a teacher's sign."""
    return "unknown_sign" if code == "unknown_code" else code


def reason(code: str, detail: str = "") -> Text:
    """Return the reason `code` in both languages."""
    zh, en = REASONS[code]
    return Text(zh.replace("{detail}", detail), en.replace("{detail}", detail))
