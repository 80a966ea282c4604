"""One student's account: it adds up, says what is unknown, and prints in both languages."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from earlywarn.cli.explain import register
from earlywarn.errors import EarlywarnError
from earlywarn.watchlist.explain import explanation
from watchlist_county import AS_OF, CALM, County, county, scores

WANG = "G110101201201010012"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> County:
    return county(tmp_path_factory.mktemp("county") / "某县 一")


def test_adds_up(made: County) -> None:
    for child in made.children:
        found = explanation(made.con, made.rulebook, child.student_id, AS_OF, calm=CALM)
        assert found.terms[0].term == "b0"
        total = 0.0
        for term in found.terms:
            total += term.value
            assert term.running == pytest.approx(total, abs=1e-12)
        assert abs(found.terms[-1].running - found.log_odds) < 1e-9
        assert all(term.value != 0 for term in found.terms)


def test_unknown_rules_say_what_is_missing(made: County) -> None:
    found = explanation(made.con, made.rulebook, "0042", AS_OF, calm=CALM)
    (rule,) = found.unknown
    assert (rule.rule, rule.missing) == ("far-away", ("distance_km",))
    assert rule.why("zh") == "缺少 上学距离 (distance_km)"


def test_terminal(made: County) -> None:
    found = explanation(made.con, made.rulebook, WANG, AS_OF, calm=CALM, generated=True)
    out = io.StringIO()
    Console(file=out, width=110).print(found.render("zh"))
    text = out.getvalue()
    for line in ("王小明", "起点", "规则“连续旷课满三天”", "-7.5000", "+2.0000", "生成的数据"):
        assert line in text
    out = io.StringIO()
    Console(file=out, width=110).print(found.render("en"))
    assert "starting point" in out.getvalue()


def test_nobody_of_that_number(made: County) -> None:
    with pytest.raises(EarlywarnError, match="no student 9999"):
        explanation(made.con, made.rulebook, "9999", AS_OF, calm=CALM)


@pytest.fixture(scope="module")
def app() -> typer.Typer:
    app = typer.Typer()
    register(app)

    @app.callback()
    def main() -> None:
        """Stand for the program."""

    return app


def run(app: typer.Typer, made: County, *arguments: str) -> tuple[int, str]:
    root = ["-w", str(made.workspace.root)]
    found = CliRunner().invoke(app, ["explain", *arguments, *root])
    return found.exit_code, found.output


def test_command(app: typer.Typer, made: County) -> None:
    code, text = run(app, made, WANG, "--as-of", "2026-11-19")
    assert code == 1
    assert "earlywarn score --as-of 2026-11-19" in text
    folder: Path = made.workspace.runs / "2026-11-20" / "1"
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(scores(made.children, made.rulebook.hash), folder / "scores.parquet")
    (folder / "run.json").write_text(json.dumps({"calm": CALM}), encoding="utf-8")
    code, text = run(app, made, WANG, "--as-of", "2026-11-20", "--json", "--lang", "en")
    assert code == 0
    found = json.loads(text)
    total = sum(term["value"] for term in found["contributions"])
    assert abs(total - found["log_odds"]) < 1e-9
    assert found["rules_changed_since"] is False
    code, text = run(app, made, WANG, "--as-of", "2026-11-20", "--lang", "zh")
    assert code == 0
    assert "紧急" in text
    code, text = run(app, made, WANG, "--as-of", "tomorrow")
    assert code == 2


def test_a_school_may_not_ask(app: typer.Typer, tmp_path: Path) -> None:
    school = county(tmp_path / "school", roles={"default": "school"})
    code, text = run(app, school, WANG, "--as-of", "2026-11-20")
    assert code == 1
    assert "school" in text
