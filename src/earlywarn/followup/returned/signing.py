"""The signature of a workbook's hidden sheet.

It tells a slip (one school's hidden sheet in another's file, a list put together from two) from a
list as it was sent out. It is no defence against forgers, who can write any answer anyway.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence

from earlywarn.workspace import Config

# The entries of the hidden sheet that are signed, besides which child each number stands for.
SIGNED = (
    "format",
    "school_id",
    "as_of",
    "run",
    "model",
    "rules_hash",
    "version",
    "lang",
    "columns",
)


def sign(entries: Mapping[str, str], students: Sequence[tuple[int, str]], key: bytes) -> str:
    """Return the HMAC-SHA256, in hexadecimal, of a hidden sheet's entries and students.

    Parameters
    ----------
    entries
        The text of every name in `SIGNED` (KeyError if one is missing); others are not signed.
    students
        (rank, student_id) of each child on the list, in any order.
    key
        The workspace's key.
    """
    signed = [[name, entries[name]] for name in SIGNED]
    content = json.dumps([signed, sorted(students)], ensure_ascii=True, separators=(",", ":"))
    return hmac.new(key, content.encode(), hashlib.sha256).hexdigest()


def verify(entries: Mapping[str, str], students: Sequence[tuple[int, str]], key: bytes) -> bool:
    """Return whether `entries["signature"]` is what `sign` gives for the rest."""
    signature = sign(entries, students, key)
    return hmac.compare_digest(signature.encode(), entries["signature"].encode())


def workbook_key(config: Config) -> bytes:
    """Return the key that the workbooks of a workspace are signed with.

    It is worked out from the config's seed, so lists made from the same data are the same, byte for
    byte, wherever they are made (docs/decisions/0015).
    """
    return hashlib.sha256(f"earlywarn workbook {config.seed}".encode()).digest()
