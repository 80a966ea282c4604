"""Files as LibreOffice saves them: the real program, without a window."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from conftest import need


def saved_by_libreoffice(paths: Sequence[Path], kind: str, folder: Path) -> list[Path]:
    """Return `paths` as LibreOffice saves them as `kind` (xlsx, xls, ods) into `folder`.

    One run does them all, since it is slow to start; no two of them may share a stem. A test that
    asks for this is skipped without LibreOffice, and in CI fails.
    """
    need("soffice", "libreoffice-calc")
    profile = f"-env:UserInstallation={(folder / 'office').as_uri()}"
    command = ["soffice", profile, "--headless", "--convert-to", kind, "--outdir", str(folder)]
    subprocess.run([*command, *map(str, paths)], capture_output=True, timeout=180, check=True)
    return [folder / f"{path.stem}.{kind}" for path in paths]
