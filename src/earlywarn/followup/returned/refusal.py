"""A workbook that is not taken at all."""

from __future__ import annotations

from earlywarn.errors import EarlywarnError
from earlywarn.followup.answers import Unread


class RefusedError(EarlywarnError):
    """A file that is none of this workspace's lists, or that cannot be read as one.

    `unread` holds what was typed in it, as far as the file could be opened and has the columns of
    a list: nothing of it is in `Returned`, and nothing of it needs to be lost.
    """

    unread: tuple[Unread, ...] = ()


def refused(name: str, zh: str, en: str) -> RefusedError:
    """Return the error for the file of this name."""
    return RefusedError(
        zh=f"{name}：{zh}文件原样未动，其中的内容一格也没有读入。",
        en=f"{name}: {en} The file was left as it is and nothing in it was imported.",
    )
