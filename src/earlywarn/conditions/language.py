"""The rule language: a small, closed part of SQL, compiled with guards. See docs/rules.md.

Names, numbers, texts, dates, TRUE/FALSE/NULL, `= <> < <= > >=`, and/or/not, in, between,
is [not] null, `+ - * /`, abs, least, greatest, coalesce. Three-valued: NULL is "unknown".
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from sqlglot import exp

from earlywarn.conditions.compile import check_repeats, compile_node
from earlywarn.conditions.nodes import Kind, Node, canonical, names_in
from earlywarn.conditions.parse import parse


@dataclass(frozen=True)
class Condition:
    """A checked condition; its SQL is made when it is asked for.

    Attributes
    ----------
    text
        As it was written.
    dialect
        The dialect of `sql`.
    names
        The names in it, in order of first appearance.
    root
        The condition itself as a typed tree.
    hash
        SHA-256 of the normalised condition: white space, the case of keywords, spare brackets and
        the spelling of numbers do not change it.
    """

    text: str
    dialect: str
    names: tuple[str, ...]
    root: Node = field(repr=False)
    hash: str

    @cached_property
    def tree(self) -> exp.Expression:
        """The guarded expression as sqlglot's tree: `.tree.sql(dialect="spark")` elsewhere."""
        return compile_node(self.root)

    @cached_property
    def sql(self) -> str:
        """The guarded boolean expression in `dialect`: TRUE hit, FALSE miss, NULL unknown.

        Columns stand bare and quoted.
        """
        return self.tree.sql(dialect=self.dialect)

    @cached_property
    def finite_tree(self) -> exp.Expression:
        """Like `tree`, for a source whose numbers are finite DOUBLEs or NULL: fewer guards."""
        return compile_node(self.root, finite_names=True)


def compile_condition(
    text: str, kinds: Mapping[str, Kind], *, dialect: str = "duckdb"
) -> Condition:
    """Check `text` against the names in `kinds` and compile it.

    Raises
    ------
    ConditionError
        For everything that is not of the language; it says where and what to write instead.
    """
    root = parse(text, kinds)
    check_repeats(root, text)
    return Condition(
        text=text,
        dialect=dialect,
        names=names_in(root),
        root=root,
        hash=hashlib.sha256(canonical(root).encode()).hexdigest(),
    )
