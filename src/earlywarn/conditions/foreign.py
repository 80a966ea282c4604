"""What people write out of habit from SQL, Python or a Chinese keyboard, and what to write here."""

from __future__ import annotations

from earlywarn.errors import Text

# What people write from other languages, longest first, and what to write instead.
FOREIGN: tuple[tuple[str, Text], ...] = (
    (
        "--",
        Text(
            "不允许注释，请删去；减去负数请写成 a - (-b)",
            "comments are not allowed; remove it, and to subtract a negative write a - (-b)",
        ),
    ),
    ("/*", Text("不允许注释，请删去", "comments are not allowed; remove it")),
    ("*/", Text("不允许注释，请删去", "comments are not allowed; remove it")),
    ("#", Text("不允许注释，请删去", "comments are not allowed; remove it")),
    ("!=", Text("“不等于”请写 <>", "write <> for 'not equal'")),
    ("==", Text("“等于”请写一个 =", "write a single = for 'equal'")),
    ("=>", Text("“大于等于”请写 >=", "write >= for 'greater or equal'")),
    ("=<", Text("“小于等于”请写 <=", "write <= for 'less or equal'")),
    ("&&", Text("请写 and", "write and")),
    ("||", Text("请写 or（不能拼接文字）", "write or (texts cannot be joined)")),
    ("::", Text("不允许类型转换，请删去", "casts are not allowed; remove it")),
    ("->", Text("不允许 ->，请删去", "-> is not allowed; remove it")),
    ("**", Text("没有乘方，请写成乘法", "there is no power; write a product")),
    ("//", Text("请用 / 相除", "divide with /")),
    (
        ";",
        Text(
            "一个条件里不能有分号，请删去它和后面的内容",
            "a condition holds no semicolon; remove it and what follows",
        ),
    ),
    ('"', Text("名称直接写，文字用单引号 '...'", "write names bare and texts in '...'")),
    ("`", Text("名称直接写，不加引号", "write names bare, without quotes")),
    ("!", Text("“非”请写 not", "write not")),
    ("&", Text("请写 and", "write and")),
    ("|", Text("请写 or", "write or")),
    ("%", Text("百分数请写成小数，如 5% 写 0.05", "write a share as a number: 5% is 0.05")),
    (".", Text("名称里不能有点；小数写成 0.5", "names have no dots; write numbers like 0.5")),
    (":", Text("不允许冒号，请直接写值", "a colon is not allowed; write the value itself")),
    ("?", Text("不允许参数，请直接写值", "parameters are not allowed; write the value itself")),
    ("$", Text("不允许参数，请直接写值", "parameters are not allowed; write the value itself")),
    ("@", Text("不允许 @，请删去", "@ is not allowed; remove it")),
    ("[", Text("列表请用圆括号 in (1, 2)", "write lists in round brackets: in (1, 2)")),
    ("]", Text("列表请用圆括号 in (1, 2)", "write lists in round brackets: in (1, 2)")),
    ("{", Text("请用圆括号", "use round brackets")),
    ("}", Text("请用圆括号", "use round brackets")),
)

# After these the rest of the text still makes sense, so its faults are told too.
SLIPS = frozenset(
    ["!=", "==", "=>", "=<", "&&", "||", "**", "//", "!", "&", "|", "%", "[", "]", "{", "}"]
)

# Signs of a Chinese keyboard and of print, and what they stand for.
WIDE = {
    **{chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)},
    "\u3000": "a space",
    "\u00a0": "a space",
    "、": ",",
    "\u2264": "<=",
    "\u2265": ">=",
    "\u2260": "<>",
    "\u2212": "-",
    "\u2013": "-",
    "\u2014": "-",
    "×": "*",
    "\u00f7": "/",
    "\u2018": "'",
    "\u2019": "'",
    "“": "'",
    "”": "'",
}

_NO_QUERY = Text(
    "不允许子查询，请直接写特征名称", "subqueries are not allowed; write the name of a feature"
)
_NO_CAST = Text("不允许类型转换，请直接写名称", "casts are not allowed; write the name by itself")
_NO_AGGREGATE = Text(
    "不允许聚合函数；特征已按学生算好，请直接写名称，如 unexcused_run >= 3",
    "aggregates are not allowed; features are reckoned per student already, write the name, such "
    "as unexcused_run >= 3",
)

# Words of SQL and of other languages that are no names here.
WORD_CURES: dict[str, Text] = {
    "select": _NO_QUERY,
    "from": _NO_QUERY,
    "exists": _NO_QUERY,
    "case": Text("不允许 case，请用 and / or", "case is not allowed; use and / or"),
    "if": Text("不允许 if，请用 and / or", "if is not allowed; use and / or"),
    "cast": _NO_CAST,
    "try_cast": _NO_CAST,
    "like": Text("不允许 like，请用 = 或 in", "like is not allowed; use = or in"),
    "ilike": Text("不允许 ilike，请用 = 或 in", "ilike is not allowed; use = or in"),
    "over": Text(
        "不允许窗口函数，请直接写特征名称",
        "window functions are not allowed; write the name of a feature",
    ),
    "count": _NO_AGGREGATE,
    "sum": _NO_AGGREGATE,
    "avg": _NO_AGGREGATE,
    "min": Text("不允许聚合函数；请用 least", "aggregates are not allowed; use least"),
    "max": Text("不允许聚合函数；请用 greatest", "aggregates are not allowed; use greatest"),
    "ifnull": Text("请用 coalesce", "use coalesce"),
    "nvl": Text("请用 coalesce", "use coalesce"),
    "distinct": Text("不允许 distinct，请用 = 或 <>", "distinct is not allowed; use = or <>"),
    "none": Text("空值请写 null，文字请写 'none'", "write null, or the text 'none'"),
    "nan": Text("没有 nan，请写 null", "there is no nan; write null"),
    "yes": Text("请写 true", "write true"),
    "no": Text("请写 false", "write false"),
}
