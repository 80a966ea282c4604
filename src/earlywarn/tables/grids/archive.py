"""A ZIP package, looked through before any library unpacks it.

The sizes that the package's own directory states are not believed: every XML part is inflated here
once, in blocks, against the limits, and refused if it declares a document type.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from earlywarn.errors import EarlywarnError
from earlywarn.tables.grids import limits

_BLOCK = 1 << 20
_HELD = 1 << 24  # bytes: a file of this size at most is read from the disk once
_LOCAL = struct.Struct("<4s22xHH")
_DECLARES = (b"<!DOCTYPE", b"<!ENTITY")
_UTF16 = (b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")


class Archive:
    """The XML parts of the package at `path`, no more than `most` bytes of them unpacked."""

    def __init__(self, path: Path, kind: str, most: int = limits.MAX_UNPACKED) -> None:
        self.path, self.kind, self.most = path, kind, most
        try:
            self._held = path.read_bytes() if path.stat().st_size <= _HELD else None
            with self.open() as file, zipfile.ZipFile(file) as book:
                entries = book.infolist()
        except OSError:
            raise
        except Exception:  # zipfile, too, raises more than its own errors
            raise self.damaged() from None
        self.parts = {info.filename: info for info in entries}
        if len(self.parts) != len(entries):
            raise self.damaged()  # another reader may take the other of two equal names
        if len(self.parts) > limits.MAX_PARTS:
            raise limits.too_much(
                path, f"部件超过 {limits.MAX_PARTS} 个", f"it has over {limits.MAX_PARTS} parts"
            )
        if any(info.flag_bits & 1 for info in self.parts.values()):
            raise limits.locked(path)
        self._unpacked: dict[str, int] = {}

    def open(self) -> BinaryIO:
        """Return the package as an open file."""
        return self.path.open("rb") if self._held is None else BytesIO(self._held)

    def damaged(self) -> EarlywarnError:
        """Return the error for a package that is broken."""
        return limits.damaged(self.path, self.kind)

    def check(self, *, but: frozenset[str] = frozenset()) -> None:
        """Inflate every XML part except those named (which somebody else goes through)."""
        for name in self.parts:
            if name not in but and name.lower().endswith((".xml", ".rels")):
                for _ in self.blocks(name):
                    pass

    def read(self, name: str) -> bytes:
        """Return a whole part."""
        return b"".join(self.blocks(name))

    def blocks(self, name: str) -> Iterator[bytes]:
        """Yield a part in pieces that end before a "<"."""
        rest = b""
        for block in self._inflated(name):
            if not rest and block.startswith(_UTF16) and b"\0" in block[:64]:
                raise limits.entities(self.path)  # hidden from the search below
            piece = rest + block
            cut = piece.rfind(b"<")
            if cut < 0 and len(piece) > 4 * _BLOCK:
                raise self.damaged()
            rest = piece[max(cut, 0) :]
            piece = piece[: max(cut, 0)]
            self._refuse_declared(piece)
            yield piece
        self._refuse_declared(rest)
        yield rest

    def _refuse_declared(self, piece: bytes) -> None:
        if any(declared in piece for declared in _DECLARES):
            raise limits.entities(self.path)

    def _inflated(self, name: str) -> Iterator[bytes]:
        info = self.parts.get(name)
        if info is None or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise self.damaged()
        self._unpacked[name] = 0
        with self.open() as file:
            file.seek(info.header_offset)
            head = file.read(_LOCAL.size)
            if len(head) < _LOCAL.size or not head.startswith(b"PK\x03\x04"):
                raise self.damaged()
            _, name_length, extra = _LOCAL.unpack(head)
            file.seek(name_length + extra, 1)
            left = info.compress_size
            inflating = zlib.decompressobj(-15) if info.compress_type else None
            while left > 0:
                packed = file.read(min(left, 1 << 16))
                if not packed:
                    raise self.damaged()
                left -= len(packed)
                if inflating is None:
                    yield self._counted(name, packed)
                    continue
                yield from self._pieces(name, inflating, packed)
            if inflating is not None and not inflating.eof:
                raise self.damaged()

    def _pieces(self, name: str, inflating: zlib._Decompress, packed: bytes) -> Iterator[bytes]:
        try:
            while packed and not inflating.eof:
                yield self._counted(name, inflating.decompress(packed, _BLOCK))
                packed = inflating.unconsumed_tail
        except zlib.error:
            raise self.damaged() from None

    def _counted(self, name: str, block: bytes) -> bytes:
        size = self._unpacked[name] = self._unpacked[name] + len(block)
        packed = self.parts[name].compress_size
        if sum(self._unpacked.values()) > self.most:
            raise limits.too_much(
                self.path,
                f"解压后超过 {self.most >> 20} MB",
                f"it unpacks to over {self.most >> 20} MB",
            )
        if size > limits.RATIO_FROM and size > packed * limits.MAX_RATIO:
            raise limits.too_much(
                self.path,
                f"解压后是压缩时的 {limits.MAX_RATIO} 倍以上",
                f"it unpacks to more than {limits.MAX_RATIO} times its size",
            )
        return block
