"""Small helpers that turn numpy arrays into the contract's Arrow columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from earlywarn.simulate.plan import Array

SCALE = 1_000_000  # the contract's DECIMAL(12,6)


def pick(choices: Sequence[str] | pa.Array, codes: Array) -> pa.Array:
    """Return the text that each code stands for; a negative code is NULL."""
    texts = choices if isinstance(choices, pa.Array) else pa.array(choices, pa.string())
    codes = np.asarray(codes)
    missing = codes < 0
    mask = missing if missing.any() else None
    return texts.take(pa.array(codes.astype(np.int64), mask=mask))


def dates(days: Array, missing: Array | None = None) -> pa.Array:
    """Return days since 1970-01-01 as dates, NULL where `missing`."""
    return pa.array(days.astype(np.int32), pa.int32(), mask=missing).cast(pa.date32())


def booleans(values: Array, missing: Array | None = None) -> pa.Array:
    """Return booleans, NULL where `missing`."""
    return pa.array(values.astype(bool), pa.bool_(), mask=missing)


def decimals(millionths: Array, missing: Array | None = None) -> pa.Array:
    """Return DECIMAL(12,6) from whole millionths (not negative), NULL where `missing`."""
    words = np.zeros((len(millionths), 2), dtype=np.int64)
    words[:, 0] = millionths
    validity = None
    if missing is not None and missing.any():
        bits = np.packbits(~missing, bitorder="little")
        validity = pa.py_buffer(bits.tobytes())
    return pa.Array.from_buffers(
        pa.decimal128(12, 6), len(millionths), [validity, pa.py_buffer(words.tobytes())]
    )
