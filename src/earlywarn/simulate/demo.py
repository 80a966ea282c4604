"""The demonstration: a generated city, trained, scored and listed, end to end."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from earlywarn.errors import EarlywarnError, Lang, Text
from earlywarn.files import whole_folder
from earlywarn.models.store.registry import read_promoted
from earlywarn.models.train import train
from earlywarn.scoring.run import Run
from earlywarn.simulate.city import simulate
from earlywarn.simulate.plan import Plan
from earlywarn.tables.batches import read_batches
from earlywarn.watchlist.weekly import score_and_list
from earlywarn.workspace import CONFIG_FILE, Workspace

# A school year's panel every four weeks is enough to show training, and takes minutes less.
STEP_DAYS = 28
# The day that is scored: a Friday before grade 9 graduates and the data end.
LAST_DAYS_LEFT_OUT = 18


@dataclass(frozen=True)
class Demo:
    """What the demonstration made, and the seconds that each part took."""

    workspace: Workspace
    run: Run
    index: Path
    seconds: dict[str, float]


def run_demo(root: Path, plan: Plan, lang: Lang, say: Callable[[Text], None]) -> Demo:
    """Generate `plan` into `root`, train and promote a model, score the newest day.

    A demonstration that was interrupted goes on where it stood; one that is there is reused.

    Raises
    ------
    EarlywarnError
        If `root` holds anything else: a real workspace, or another plan's city.
    """
    seconds: dict[str, float] = {}
    clock = time.perf_counter()

    def lap(name: str) -> None:
        nonlocal clock
        now = time.perf_counter()
        seconds[name], clock = round(now - clock, 1), now

    root = root.expanduser().resolve()
    if (root / CONFIG_FILE).exists():
        workspace = _reuse(root, plan)
        say(Text(f"沿用 {root} 里的生成城市。", f"Using the generated city in {root}."))
    else:
        if root.exists() and (not root.is_dir() or any(root.iterdir())):
            raise EarlywarnError(
                zh=f"{root} 不是空文件夹，未作改动。请用 --out 另选一个。",
                en=f"{root} is not empty; nothing was changed. Choose another folder with --out.",
            )
        say(Text(f"生成 {plan.students} 名虚构学生 …", f"Generating {plan.students} children ..."))
        if root.exists():
            root.rmdir()
        with whole_folder(root) as beside:
            simulate(beside, plan).set_config(step_days=STEP_DAYS)
        workspace = Workspace.open(root)
    lap("simulate")
    if read_promoted(workspace) is None:
        say(
            Text(
                "用过去的数据训练，用之后的数据检验 …", "Training on the past, testing on later ..."
            )
        )
        train(workspace, promote=True)
    lap("train")
    say(Text("评分并写出各校名单 …", "Scoring, and writing every school's list ..."))
    end = workspace.config.outcomes_complete_until
    if end is None:
        raise AssertionError("simulate sets outcomes_complete_until")
    friday = end - timedelta(days=LAST_DAYS_LEFT_OUT)
    # the week before too, so that the lists say what has changed
    score_and_list(workspace, friday - timedelta(days=7), who="demo", lang=lang)
    run = score_and_list(workspace, friday, who="demo", lang=lang)
    lap("score")
    return Demo(workspace, run, run.folder.path / run.info["outputs"]["index"], seconds)


def _reuse(root: Path, plan: Plan) -> Workspace:
    workspace = Workspace.open(root)
    origins = [batch.origin for batch in read_batches(workspace).batches]
    wanted = f"students={plan.students} years={plan.years} profile={plan.profile} seed={plan.seed}"
    # With the space: seed=1 is not seed=12.
    same = all(f"{wanted} " in origin for origin in origins)
    if workspace.config.generated and origins and same:
        return workspace
    raise EarlywarnError(
        zh=f"{root} 已是另一个工作区，未作改动。请用 --out 另选一个文件夹。",
        en=f"{root} is another workspace already; nothing was changed. Choose another with --out.",
    )
