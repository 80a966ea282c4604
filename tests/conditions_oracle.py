"""An independent reading of the rule language, in plain Python: for tests only.

Conditions are nested tuples here: ("name", n), ("num", x), ("text", s), ("date", d), ("bool", b),
("null",), ("neg", a), ("+", a, b) ..., ("abs", a), ("least", a, b ...), ("coalesce", a, b ...),
("=", a, b) ..., ("in", a, [b ...]), ("between", a, lo, hi), ("isnull", a), ("notnull", a),
("not", a), ("and", a, b), ("or", a, b). `show` writes one with as few brackets as SQL allows.
"""

from __future__ import annotations

import math
from datetime import date

LEVELS = {"or": 1, "and": 2, "not": 3}
COMPARISONS = ("=", "<>", "<", "<=", ">", ">=")
LOOSE = (*COMPARISONS, "in", "notin", "between", "isnull", "notnull")


def level(tree):
    kind = tree[0]
    if kind in LEVELS:
        return LEVELS[kind]
    if kind in LOOSE:
        return 4
    return {"+": 5, "-": 5, "*": 6, "/": 6, "neg": 7}.get(kind, 9)


def show(tree, least=0):
    text = _show(tree)
    return f"({text})" if level(tree) < least else text


def _show(tree):
    kind = tree[0]
    if kind == "name":
        return tree[1]
    if kind == "num":
        return repr(tree[1])
    if kind == "text":
        return "'" + tree[1].replace("'", "''") + "'"
    if kind == "date":
        return f"date '{tree[1].isoformat()}'"
    if kind == "bool":
        return "true" if tree[1] else "false"
    if kind == "null":
        return "null"
    if kind == "neg":
        return "- " + show(tree[1], 8)
    if kind in ("+", "-", "*", "/"):
        return f"{show(tree[1], level(tree))} {kind} {show(tree[2], level(tree) + 1)}"
    if kind in ("abs", "least", "greatest", "coalesce"):
        return f"{kind}({', '.join(show(t) for t in tree[1:])})"
    if kind in COMPARISONS:
        return f"{show(tree[1], 5)} {kind} {show(tree[2], 5)}"
    if kind in ("in", "notin"):
        word = "in" if kind == "in" else "not in"
        return f"{show(tree[1], 5)} {word} ({', '.join(show(t, 5) for t in tree[2])})"
    if kind == "between":
        return f"{show(tree[1], 5)} between {show(tree[2], 5)} and {show(tree[3], 5)}"
    if kind in ("isnull", "notnull"):
        return f"{show(tree[1], 5)} is {'not ' if kind == 'notnull' else ''}null"
    if kind == "not":
        return "not " + show(tree[1], 3)
    return f"{show(tree[1], level(tree))} {kind} {show(tree[2], level(tree) + 1)}"


def verdict(tree, row):
    """TRUE, FALSE or None; numbers None where unknown."""
    kind = tree[0]
    if kind == "name":
        value = row[tree[1]]
        unknown = isinstance(value, float) and not math.isfinite(value)
        return None if unknown else float(value) if type(value) is int else value
    if kind in ("num", "text", "date", "bool"):
        return tree[1]
    if kind == "null":
        return None
    if kind == "and":
        a, b = verdict(tree[1], row), verdict(tree[2], row)
        return False if a is False or b is False else None if None in (a, b) else True
    if kind == "or":
        a, b = verdict(tree[1], row), verdict(tree[2], row)
        return True if a is True or b is True else None if None in (a, b) else False
    if kind == "not":
        a = verdict(tree[1], row)
        return None if a is None else not a
    if kind == "isnull":
        return verdict(tree[1], row) is None
    if kind == "notnull":
        return verdict(tree[1], row) is not None
    if kind == "coalesce":
        values = (verdict(t, row) for t in tree[1:])
        return next((value for value in values if value is not None), None)
    if kind in ("in", "notin"):
        a = verdict(tree[1], row)
        items = [verdict(t, row) for t in tree[2]]
        found = None if a is None else True if a in items else None if None in items else False
        return found if kind == "in" or found is None else not found
    if kind == "between":
        low = verdict((">=", tree[1], tree[2]), row)
        high = verdict(("<=", tree[1], tree[3]), row)
        return False if False in (low, high) else None if None in (low, high) else True
    return _plain(kind, [verdict(t, row) for t in tree[1:]])


def _plain(kind, values):
    if None in values:
        return None
    a, b = values[0], values[-1]
    if kind in COMPARISONS:
        return {
            "=": lambda: a == b,
            "<>": lambda: a != b,
            "<": lambda: a < b,
            "<=": lambda: a <= b,
            ">": lambda: a > b,
            ">=": lambda: a >= b,
        }[kind]()
    if kind == "/" and b == 0:
        return None
    result = {
        "neg": lambda: -a,
        "+": lambda: a + b,
        "-": lambda: a - b,
        "*": lambda: a * b,
        "/": lambda: a / b,
        "abs": lambda: abs(a),
        "least": lambda: min(values),
        "greatest": lambda: max(values),
    }[kind]()
    return result if math.isfinite(result) else None


assert verdict(("=", ("date", date(2026, 1, 1)), ("name", "d")), {"d": date(2026, 1, 1)})
