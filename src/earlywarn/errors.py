"""Texts in two languages, and the errors that a user may see.

Everything that a user reads exists in Chinese and in English, so an error carries both and the
command line prints one. A message says what happened, to which file and row, and what to do.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Lang = Literal["zh", "en"]


class Text(NamedTuple):
    """One sentence, label or title in both languages."""

    zh: str
    en: str

    def __call__(self, lang: Lang) -> str:
        """Return the text in `lang`."""
        return self.zh if lang == "zh" else self.en


class EarlywarnError(Exception):
    """Something in the user's data, rules, config or call that stops the work.

    Parameters
    ----------
    en, zh
        The message: what happened, where, and the cure. Never names, phones or other personal
        data beyond the identifier that the user needs to find the row.
    exit_code
        What the command exits with: 1 unusable, 2 usage.
    """

    exit_code = 1

    def __init__(self, *, zh: str, en: str, exit_code: int | None = None) -> None:
        super().__init__(en)
        self.text = Text(zh=zh, en=en)
        if exit_code is not None:
            self.exit_code = exit_code


class UsageError(EarlywarnError):
    """The command itself was called wrongly (exit code 2)."""

    exit_code = 2
