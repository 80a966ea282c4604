"""What is wrong with a pack: file, line, rule, message and cure, all of it in one go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from earlywarn.errors import EarlywarnError, Text


@dataclass(frozen=True)
class Problem:
    """One thing wrong in the rules folder; `line` 0 means the file as a whole."""

    file: str
    line: int
    rule: str
    message: Text

    @property
    def text(self) -> Text:
        """The message with its place before it."""
        zh, en = self.file, self.file
        if self.line:
            zh, en = f"{zh} 第 {self.line} 行", f"{en}, line {self.line}"
        if self.rule:
            zh, en = f"{zh} 规则 {self.rule}", f"{en}, rule {self.rule}"
        return Text(zh=f"{zh}:{self.message.zh}", en=f"{en}: {self.message.en}")


class RulesError(EarlywarnError):
    """The rules cannot be used; `problems` has every one of them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(
            zh="\n".join(problem.text.zh for problem in self.problems),
            en="\n".join(problem.text.en for problem in self.problems),
        )
