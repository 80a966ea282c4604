"""Files that do not show their text: does what is packed into them hold the child?

Archives within archives are unpacked, in memory and within limits; XLS and Parquet are read. What
stays shut (a PDF, a Word document of the nineties, a file with a password) is told as such.
"""

from __future__ import annotations

import bz2
import gzip
import html
import io
import lzma
import re
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from earlywarn.errors import EarlywarnError
from earlywarn.files import DAMAGED_ZIP
from earlywarn.forgetting import parquets
from earlywarn.forgetting.child import Child
from earlywarn.tables.grids import read_grids

LARGEST = 512 * 1024 * 1024  # bytes of all that a file unpacks to
DEEPEST = 5  # archives within archives
ZIP = b"PK"
_STREAMS: dict[bytes, Callable[[io.BytesIO], gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile]] = {
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\0": lzma.LZMAFile,
}
_OLE = b"\xd0\xcf\x11\xe0"  # Office of the nineties, or a file of today with a password
_SHUT = (b"%PDF", b"{\\rtf", b"Rar!", b"7z\xbc\xaf\x27\x1c")
_ENCRYPTED = 0x1
_DAMAGED = (*DAMAGED_ZIP, lzma.LZMAError, MemoryError)
# Word and its like break a name into runs; a paragraph, a cell or a row ends it.
_ENDS = re.compile(r"</(?:\w+:)?(?:p|h|c|si|tc|td|th|tr|row|comment|table-cell)>")
_TAG = re.compile(r"<[^>]*>")


def is_packed(start: bytes) -> bool:
    """Whether a file that begins with `start` (8 bytes) does not show its text."""
    return start.startswith((ZIP, _OLE, *_STREAMS, *_SHUT))


def holds(data: bytes, child: Child, *, largest: int = LARGEST) -> bool | None:
    """Return whether a file's bytes hold the child, None if they don't and some of them stay shut.

    Shut is what has a password or is damaged, of a kind that is not unpacked, too deep within
    archives, or where all that was unpacked is over `largest` bytes.
    """
    return _Look(child, largest).at(data, DEEPEST)


@dataclass
class _Look:
    """A look into one file; `room` is how many bytes may still be unpacked."""

    child: Child
    room: int

    def at(self, data: bytes, depth: int) -> bool | None:
        if self.child.is_in(data) or self._says(data):
            return True
        if data.startswith(_OLE):
            return self._workbook(data)
        if data.startswith(parquets.SIGN):
            return parquets.without(io.BytesIO(data), self.child) is not None
        if not is_packed(data[:8]):
            return False
        if data.startswith(_SHUT) or not depth:
            return None
        is_shut = False
        for part in self._parts(data):
            found = None if part is None else self.at(part, depth - 1)
            if found:
                return True
            is_shut |= found is None
        return None if is_shut else False

    def _says(self, data: bytes) -> bool:
        """Whether the text of a page or document does, with its tags out of the way."""
        if not data.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
            return False
        plain = _TAG.sub("", _ENDS.sub("\n", data.decode("utf-8", "replace")))
        return self.child.mentioned(html.unescape(plain))

    def _workbook(self, data: bytes) -> bool | None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "book.xls"
            path.write_bytes(data)
            try:
                sheets = read_grids(path).sheets
            except EarlywarnError:
                return None
        rows = (row for sheet in sheets for row in sheet.rows)
        return any(self.child.is_row(row) or any(map(self.child.mentioned, row)) for row in rows)

    def _parts(self, data: bytes) -> Iterator[bytes | None]:
        """Yield what is packed into an archive, None for what stays shut."""
        try:
            if data.startswith(ZIP):
                yield from self._members(data)
                return
            (unpack,) = (unpack for sign, unpack in _STREAMS.items() if data.startswith(sign))
            with unpack(io.BytesIO(data)) as stream:
                yield self._taken(stream.read(self.room + 1))
        except _DAMAGED:
            yield None

    def _members(self, data: bytes) -> Iterator[bytes | None]:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for info in archive.infolist():
                yield info.filename.encode()
                if info.flag_bits & _ENCRYPTED or info.file_size > self.room:
                    yield None
                    continue
                try:
                    yield self._taken(archive.read(info))
                except _DAMAGED:
                    yield None

    def _taken(self, part: bytes) -> bytes | None:
        if len(part) > self.room:
            return None
        self.room -= len(part)
        return part
