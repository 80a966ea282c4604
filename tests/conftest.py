"""What several tests share: a workspace, the shared data folder, and what CI must not skip."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from earlywarn.workspace import Workspace

if TYPE_CHECKING:
    from scoring_city import City

ROOT = Path(__file__).parent.parent
SHARED = Path(os.environ.get("EARLYWARN_SHARED", ROOT.parent / "shared"))

# No test fails because a machine is slow.
settings.register_profile("earlywarn", deadline=None)
settings.load_profile("earlywarn")


# The files that take longest, longest first: begun first, so that no worker is left alone with one
# in the end (make test gives each file to one worker, in this order).
_LONG = (
    *("test_spark_features", "test_features", "test_notebooks", "test_spark_score"),
    *("test_report_cards", "test_models_refusals", "test_impact", "test_models_honesty"),
    *("test_conditions_spark", "test_followup_daily", "test_report_period"),
    *("test_tables_mending", "test_watchlist_privacy", "test_cli_reconcile", "test_tables_wide"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long files first; the order of tests within a file stays."""
    place = {name: number for number, name in enumerate(_LONG)}
    items.sort(key=lambda item: place.get(item.path.stem, len(place)))


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A new workspace, in a folder whose name has Chinese characters and a space."""
    return Workspace.init(tmp_path / "某县 2026")


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    """A generated city of 800 with a promoted model, scored; to be read only."""
    from scoring_city import make_city

    return make_city(tmp_path_factory.mktemp("city") / "某市 1")


@pytest.fixture
def shared() -> Path:
    """The folder with the open data sets; tests that need it are skipped where it is missing."""
    if not (SHARED / "data").is_dir():
        pytest.skip(f"no open data sets in {SHARED} (set EARLYWARN_SHARED to their folder)")
    return SHARED


def need(program: str, package: str) -> None:
    """Skip a test whose program is missing; in CI that is an error."""
    import shutil

    if shutil.which(program):
        return
    message = f"{program} is missing: apt-get install {package}"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)
