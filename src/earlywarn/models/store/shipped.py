"""The model that ships with the program: trained on generated data, to show what one looks like.

`score` never uses it by itself: promoting it copies it into the workspace first.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from earlywarn.errors import Text
from earlywarn.files import whole_folder
from earlywarn.models.store.folder import MANIFEST_FILE, check_folder, read_manifest
from earlywarn.workspace import shipped

DEMONSTRATION = "demonstration"  # the name that is kept for it
NOTE = Text("随程序提供，基于生成的数据", "shipped, trained on generated data")


def root() -> Path:
    """Return the folder of the models that ship (it may be empty)."""
    return shipped("models")


def copy_into(source: Path, target: Path) -> None:
    """Copy a shipped model's folder to `target`, whole. The caller holds the workspace's lock.

    What is copied is what the manifest names, checked before and after.
    """
    check_folder(source)
    with whole_folder(target) as folder:
        for name in (MANIFEST_FILE, *sorted(read_manifest(source).files)):
            shutil.copyfile(source / name, folder / name)
        check_folder(folder)
