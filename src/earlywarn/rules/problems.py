"""What is wrong with a pack: file, line, rule, message and cure, all of it in one go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from earlywarn.errors import EarlywarnError, Text


class Fault(StrEnum):
    """The kinds of fault that machines may want to tell apart."""

    REFUSED = "refused"  # not well formed: the rules cannot be used
    ALONE = "alone"  # a group or background alone would hit
    NEVER = "never"  # the condition can never hold
    ALWAYS = "always"  # the condition always holds
    SAME = "same"  # another rule has the same meaning
    CONTAINED = "contained"  # another rule hits whoever this one hits, and this one changes nothing
    IDLE = "idle"  # the rule does nothing at all
    SENSITIVE = "sensitive"  # a text that schools see names a sensitive group
    UNTESTED = "untested"  # no test for a hit or for a miss
    EXPIRED = "expired"  # the effective dates are over
    UNDECIDED = "undecided"  # a question of these could not be answered


@dataclass(frozen=True)
class Problem:
    """One thing wrong in the rules folder; `line` 0 means the file as a whole."""

    file: str
    line: int
    rule: str
    message: Text
    fault: Fault = Fault.REFUSED

    @property
    def text(self) -> Text:
        """The message with its place before it."""
        zh, en = self.file, self.file
        if self.line:
            zh, en = f"{zh} 第 {self.line} 行", f"{en}, line {self.line}"
        if self.rule:
            zh, en = f"{zh} 规则 {self.rule}", f"{en}, rule {self.rule}"
        return Text(zh=f"{zh}：{self.message.zh}", en=f"{en}: {self.message.en}")


def one_line(value: object, longest: int = 60) -> str:
    """Return `value` as a message may repeat it: short, on one line, all of it visible."""
    text = str(value)
    shown = "".join(c if c.isprintable() else " " for c in text[:longest])
    return shown + ("..." if len(text) > longest else "")


class RulesError(EarlywarnError):
    """The rules cannot be used; `problems` has every one of them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(
            zh="\n".join(problem.text.zh for problem in self.problems),
            en="\n".join(problem.text.en for problem in self.problems),
        )
