"""Choosing the classifier: what is tried, on which rows it is judged, and who is taken."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from earlywarn.features.catalogue import CATALOGUE
from earlywarn.models.fitting.candidates import boost, candidates_for, fit_candidate, spline
from earlywarn.models.fitting.choose import (
    MIN_EVENTS,
    ORIGINS,
    _within_one_error,
    choose,
    folds_of,
    inner_folds,
    thinned,
)
from earlywarn.models.measures.metrics import plain, recall_at_capacity
from models_rules import panel_rows, rounded

INPUTS = tuple(f for f in CATALOGUE if f.type == "number" and f.direction == 0)[:2]
FREE = len(INPUTS)


def with_x(rows, x):
    return replace(rows, x=rounded(np.asarray(x, dtype=np.float64)))


def term(seed, chance, *, students=1500, days=6, step=14, **columns):
    """Rows of students on several days, two inputs each; `chance(x)` is that of the label."""
    rng = np.random.default_rng(seed)
    n = students * days
    x = rng.random((n, FREE))
    student = np.repeat(np.arange(students), days)
    given = {
        "student": student,
        "school": student % 6,
        "as_of": np.tile(20_000 + step * np.arange(days), students),
        "capacity": np.full(n, 12),
    }
    return with_x(panel_rows(rng.random(n) < chance(x), **(given | columns)), x)


def picked(rows, candidates, *, horizon=13, seed=3):
    folds = inner_folds(rows, horizon, seed, by_school=False)
    return choose(rows, folds, candidates, INPUTS, row_weight=1.0, seed=seed, jobs=2), folds


# ---------------------------------------------------------------------------- what is tried


def test_the_fewer_outcomes_the_fewer_and_the_stiffer():
    tried = {events: candidates_for(events) for events in (10, 49, 50, 499, 500, 10**6)}
    assert tried[10] == tried[49] != tried[50]
    assert tried[50] == tried[499] != tried[500]
    assert tried[500] == tried[10**6]
    for found in tried.values():
        assert {c.family for c in found} == {"spline", "boost"}
        assert len({c.name for c in found}) == len(found)
    softest = [
        min(c.settings.penalty for c in found if c.family == "spline") for found in tried.values()
    ]
    assert softest == sorted(softest, reverse=True)
    trees = [max(c.settings.max_iter for c in found if c.family == "boost") for found in
             tried.values()]  # fmt: skip
    assert trees == sorted(trees)


# ---------------------------------------------------------------------------- who is taken


def test_where_risk_jumps_up_and_down_the_booster_is_taken():
    """Eight narrow bands of risk: six ramps cannot follow them, trees can."""
    rows = term(1, lambda x: np.where((x[:, 0] * 8) % 1 < 0.3, 0.4, 0.01))
    candidates = (spline(30.0), boost(0.1, 80, 4, 40, 5.0))
    choice, folds = picked(rows, candidates)
    assert choice.candidate.family in ("boost", "blend")
    figures = {c["family"]: c for c in choice.record["candidates"]}
    assert figures["boost"]["ap"] > 1.3 * figures["spline"]["ap"]
    assert choice.record["held_out"] == "later dates"
    assert choice.record["origins"] == [fold.origin for fold in folds] != []


def test_what_cannot_move_is_not_taken():
    """A penalty beyond all measure leaves the spline flat: it ranks nobody."""
    rows = term(2, lambda x: 0.02 + 0.3 * x[:, 0] ** 2)
    choice, _ = picked(rows, (spline(1e12), spline(3.0)))
    assert choice.candidate == spline(3.0)
    choice, _ = picked(rows, (spline(3.0), spline(1e12)))
    assert choice.candidate == spline(3.0)


@pytest.mark.parametrize("seed", [4, 5])
def test_the_record_is_what_the_held_rows_say_and_the_choice_follows_from_it(seed):
    """Each candidate fitted again here, on each fold's own rows, and measured again."""
    rows = term(seed, lambda x: 0.01 + 0.1 * x[:, 0] + 0.1 * (x[:, 1] > 0.7), students=700)
    candidates = (spline(30.0), spline(3.0), boost(0.05, 60, 3, 40, 20.0))
    choice, folds = picked(rows, candidates, seed=seed)
    held = np.any([fold.test for fold in folds], axis=0)
    odds = {}
    for candidate in candidates:
        column = np.full(len(rows), np.nan)
        for fold in folds:
            train = rows.take(fold.train)
            model = fit_candidate(candidate, train.x, train.y, train.weight, INPUTS, seed)
            column[fold.test] = model.decision(rows.x[fold.test])
        odds[candidate.name] = column[held]
    record = {c["name"]: c for c in choice.record["candidates"]}
    judged = rows.take(held)
    for name, values in odds.items():
        recall, precision = recall_at_capacity(judged, np.round(values, 12))
        assert record[name]["recall_at_capacity"] == plain(recall)
        assert record[name]["ap"] == plain(precision)
    (blended,) = (c for c in record.values() if c["family"] == "blend")
    of_both = np.mean([odds[name] for name in blended["settings"]], axis=0)
    assert blended["ap"] == plain(recall_at_capacity(judged, np.round(of_both, 12))[1])
    best = max(record.values(), key=lambda c: (c["recall_at_capacity"], c["ap"]))
    chosen = record[choice.candidate.name]
    # Nobody with a higher recall than the chosen one ranks better on the whole.
    for other in record.values():
        if other["recall_at_capacity"] >= chosen["recall_at_capacity"]:
            assert other["ap"] <= chosen["ap"]
    assert chosen["ap"] >= best["ap"]
    again, _ = picked(rows, candidates, seed=seed)
    assert again == choice


def test_of_those_within_one_standard_error_the_best_average_precision():
    """By hand: the draws of the differences have standard deviations 0.1 (b), 0.01 (c), 0 (d)."""
    a, b, c, d = spline(1.0), spline(2.0), spline(3.0), spline(4.0)
    best = np.asarray([0.4, 0.6, 0.4, 0.6])
    wide, narrow = np.asarray([0.1, 0.1, -0.1, -0.1]), np.asarray([0.01, 0.01, -0.01, -0.01])
    figures = {
        a: (0.50, 0.20, best),
        b: (0.45, 0.30, best - 0.05 + wide),  # 0.05 below, error 0.1: close, and better in ap
        c: (0.45, 0.90, best - 0.05 + narrow),  # 0.05 below, error 0.01: worse
        d: (0.49, 0.80, best - 0.01),  # always 0.01 below: the difference is certain
    }
    assert _within_one_error(figures) == b
    assert _within_one_error({k: figures[k] for k in (c, a, d)}) == a
    assert _within_one_error(figures | {b: (0.45, 0.19, figures[b][2])}) == a
    assert _within_one_error({a: figures[a], b: (0.5, 0.1, best)}) == a
    nothing = np.full(4, np.nan)
    assert _within_one_error({a: (0.5, 0.2, nothing), b: (0.4, 0.9, nothing)}) == a


# ---------------------------------------------------------------------------- on which rows


def random_panel(draw_days, seed):
    rng = np.random.default_rng(seed)
    days = np.asarray(sorted(draw_days))
    students = 80
    student = np.repeat(np.arange(students), len(days))
    as_of = np.tile(days, students)
    kept = rng.random(len(student)) < 0.8
    rows = panel_rows(
        rng.random(len(student)) < rng.choice([0.02, 0.1, 0.3]),
        student=student,
        school=student % 7,
        as_of=as_of,
        weight=rng.choice([1.0, 2.0], students)[student],
    )
    return rows.take(kept)


@settings(max_examples=150)
@given(
    st.sets(st.integers(20_000, 20_400), min_size=2, max_size=25),
    st.integers(1, 120),
    st.integers(0, 10**6),
)
def test_what_predicts_an_origin_was_known_before_it(days, horizon, seed):
    rows = random_panel(days, seed)
    folds = inner_folds(rows, horizon, seed, by_school=False)
    judged = np.zeros(len(rows), dtype=int)
    for fold in folds:
        assert not (fold.train & fold.test).any()
        judged += fold.test
        assert rows.y[fold.train].any()
        assert rows.y[fold.test].any()
        assert not rows.y[fold.train].all()
        assert not rows.y[fold.test].all()
        if fold.origin:
            first = rows.as_of[fold.test].min()
            assert np.datetime64(fold.origin) == np.datetime64(int(first), "D")
            assert (rows.as_of[fold.train] + horizon < first).all()
            # ... and nothing that was known is kept from it.
            assert fold.train.sum() == (rows.as_of + horizon < first).sum()
            assert len(np.unique(rows.student[fold.train & rows.y])) >= MIN_EVENTS
        else:
            # Where all who have the label are of one school, students are held out instead.
            one = len(np.unique(rows.school[rows.y])) < 2
            codes = rows.student if one else rows.school
            assert not set(codes[fold.test]) & set(codes[fold.train])
    assert (judged <= 1).all()
    assert len({bool(fold.origin) for fold in folds}) <= 1
    assert [f.origin for f in folds] == sorted(f.origin for f in folds)
    assert len(folds) <= len(ORIGINS)


def test_a_single_date_is_judged_by_schools_held_out():
    rows = term(7, lambda x: np.full(len(x), 0.1), students=300, days=1)
    folds = inner_folds(rows, 30, 5, by_school=False)
    assert [fold.origin for fold in folds] == [""] * 3
    for fold in folds:
        assert not set(rows.school[fold.train]) & set(rows.school[fold.test])
        assert (fold.train | fold.test).all()
    assert (np.sum([fold.test for fold in folds], axis=0) == 1).all()
    choice = choose(rows, folds, (spline(10.0),), INPUTS, row_weight=1.0, seed=5, jobs=1)
    assert (choice.record["held_out"], choice.record["origins"]) == ("schools", [])


def test_an_only_school_is_judged_by_students_held_out():
    rows = term(8, lambda x: np.full(len(x), 0.1), students=200, days=2)
    rows = replace(rows, school=np.zeros(len(rows), dtype=np.int32))
    folds = inner_folds(rows, 30, 5, by_school=True)
    assert len(folds) == 3
    for fold in folds:
        assert not set(rows.student[fold.train]) & set(rows.student[fold.test])


def test_by_school_holds_out_schools_even_where_dates_would_do():
    rows = term(9, lambda x: np.full(len(x), 0.1), students=300)
    assert {bool(f.origin) for f in inner_folds(rows, 13, 5, by_school=False)} == {True}
    assert {bool(f.origin) for f in inner_folds(rows, 13, 5, by_school=True)} == {False}


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.integers(1, 7), st.integers(1, 40))
def test_a_fold_has_all_rows_of_a_code_and_its_part_of_the_events(seed, folds, count):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, count, 120)
    y = rng.random(120) < 0.1
    fold = folds_of(codes, y, folds, seed)
    for code in np.unique(codes):
        assert len(np.unique(fold[codes == code])) == 1
    for events in (True, False):
        having = [c for c in np.unique(codes) if y[codes == c].any() == events]
        sizes = [len({c for c in having if fold[codes == c][0] == k}) for k in range(folds)]
        assert max(sizes) - min(sizes) <= 1
    assert (folds_of(codes, y, folds, seed) == fold).all()


# ---------------------------------------------------------------------------- thinning


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.integers(100, 1500))
def test_thinning_keeps_every_event_and_the_weight_of_the_others(seed, limit):
    rng = np.random.default_rng(seed)
    students, days = 400, 5
    student = np.repeat(np.arange(students), days)
    ill = np.repeat(rng.random(students) < 0.05, days)
    rows = panel_rows(
        ill & (rng.random(len(ill)) < 0.5),
        student=student,
        as_of=np.tile(20_000 + np.arange(days), students),
        weight=np.full(len(student), 2.0),
    )
    before = rows.weight.copy()
    kept = thinned(rows, limit, seed)
    assert (rows.weight == before).all()  # the rows given stay as they are
    having = np.unique(rows.student[rows.y])
    event = np.isin(rows.student, having)
    kept_event = np.isin(kept.student, having)
    assert kept_event.sum() == event.sum()
    assert (kept.weight[kept_event] == 2).all()
    # A student is kept with all days or with none, and all of the others weigh the same.
    assert (np.bincount(kept.student)[np.unique(kept.student)] == days).all()
    assert len(np.unique(kept.weight[~kept_event])) <= 1
    assert kept.weight.sum() == pytest.approx(rows.weight.sum(), rel=1e-12)
    assert len(kept) <= max(limit, event.sum() + limit // 2) + days
    again = thinned(rows, limit, seed)
    assert (again.student == kept.student).all()
    assert (again.weight == kept.weight).all()


def test_thinning_depends_on_the_seed_and_leaves_few_rows_alone():
    rows = term(11, lambda x: np.full(len(x), 0.01), students=300)
    assert thinned(rows, len(rows), 1) is rows
    drawn = [set(thinned(rows, 600, seed).student.tolist()) for seed in (1, 2)]
    assert drawn[0] != drawn[1]
    assert len(thinned(rows, 600, 1)) < len(rows)
