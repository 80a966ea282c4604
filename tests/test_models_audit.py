"""Figures of parts of the cohort: by hand, beside fairlearn's, and what does not change them."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_score, recall_score, roc_auc_score
from threadpoolctl import threadpool_limits

from earlywarn.models.measures.audit import AUDITED, Names, audit, without_followed
from earlywarn.models.measures.metrics import by_capacity, measure
from models_rules import panel_rows, random_rows

NAMES = Names(("primary", "junior"), ("primary", "junior", "nine_year"), ("migrant", "disabled"))
NULL = [None, None, None]


def by_name(found):
    return {(part["by"], part["name"]): part for part in found}


def listed_or_not(seed=0):
    """Rows of which each is wholly on a list or not: no ties within a school and date."""
    rows, _ = random_rows(seed, students=300)
    p = np.random.default_rng(seed).permutation(len(rows)) / len(rows)
    p = 0.01 + 0.5 * p + rows.y / 3.7
    # a list of 10 is 10 rows, or 4 that weigh 2.5
    weight = np.where(rows.school % 2, 2.5, 1.0)
    rows = replace(rows, weight=weight, capacity=np.full(len(rows), 10, np.int32))
    return rows, p


def test_figures_by_hand():
    # 40 children of one school, 20 on its list; a = 24 of primary, the others of junior
    n = 40
    listed = np.arange(n) < 20
    stage = np.arange(n) % 5 >= 3
    y = np.zeros(n, bool)
    y[[0, 1, 2, 5, 6, 7, 10, 11, 20, 21, 22, 25]] = True  # primary: 8 listed, 4 not
    y[[3, 4, 8, 9, 13, 14, 23, 24, 28, 29]] = True  # junior: 6 listed, 4 not
    rows = panel_rows(y, stage=stage, capacity=np.full(n, 20))
    p = np.where(listed, 0.8, 0.25)
    found = by_name(audit(rows, NAMES, p, seed=1, draws=50))
    assert list(found) == [("stage", "primary"), ("stage", "junior")]
    primary, junior = found.values()
    assert (primary["rows"], primary["students"], primary["events"]) == (24, 24, 12)
    assert primary["enough"]
    assert primary["recall"][0] == pytest.approx(8 / 12, rel=1e-5)
    assert primary["false_omission"][0] == pytest.approx(4 / 12, rel=1e-5)
    assert primary["false_discovery"][0] == pytest.approx(4 / 12, rel=1e-5)
    # of 12 x 12 pairs, 8 x 8 the right way round, 8 x 4 and 4 x 8 tied, 4 x 4 the wrong way
    assert primary["auc"][0] == pytest.approx((64 + 32) / 144, rel=1e-5)
    assert primary["observed_expected"][0] == pytest.approx(12 / (12 * 0.8 + 12 * 0.25), rel=1e-5)
    slope = (logit(8 / 12) - logit(4 / 12)) / (logit(0.8) - logit(0.25))
    assert primary["calibration_slope"][0] == pytest.approx(slope, rel=1e-5)
    # junior: 16 children, 10 with the event and 6 without: too few
    assert (junior["rows"], junior["events"], junior["enough"]) == (16, 10, False)
    assert all(junior[m] == junior["difference"][m] == NULL for m in AUDITED)
    assert all(primary["difference"][m] == NULL for m in AUDITED)


def test_it_agrees_with_fairlearn():
    frames = pytest.importorskip("fairlearn.metrics")
    rows, p = listed_or_not()
    listed = by_capacity(rows, p)
    assert set(np.unique(listed)) == {0.0, 1.0}
    found = by_name(audit(rows, NAMES, p, seed=1, draws=20))
    splits = {
        "stage": (rows.stage, NAMES.stages),
        "school_kind": (rows.kind, NAMES.kinds),
    } | {name: (rows.groups[:, j], ("", name)) for j, name in enumerate(NAMES.groups)}
    compared = 0
    for by, (code, names) in splits.items():
        known = code >= 0
        weights = {"sample_weight": rows.weight[known]}
        frame = frames.MetricFrame(
            metrics={
                "recall": recall_score,
                "omitted": lambda y, d, sample_weight: (
                    1 - precision_score(y, d, pos_label=0, sample_weight=sample_weight)
                ),
                "in_vain": lambda y, d, sample_weight: (
                    1 - precision_score(y, d, sample_weight=sample_weight)
                ),
            },
            y_true=rows.y[known],
            y_pred=listed[known].astype(int),
            sensitive_features=code[known],
            sample_params=dict.fromkeys(("recall", "omitted", "in_vain"), weights),
        )
        ranked = frames.MetricFrame(
            metrics=roc_auc_score,
            y_true=rows.y[known],
            y_pred=p[known],
            sensitive_features=code[known],
            sample_params=weights,
        )
        for place, name in enumerate(names):
            part = found.get((by if by in ("stage", "school_kind") else "group", name))
            if part is None:
                continue
            row = frame.by_group.loc[place]
            assert part["recall"][0] == pytest.approx(row["recall"], rel=1e-5)
            assert part["false_omission"][0] == pytest.approx(row["omitted"], rel=1e-5)
            assert part["false_discovery"][0] == pytest.approx(row["in_vain"], rel=1e-5)
            assert part["auc"][0] == pytest.approx(ranked.by_group.loc[place], rel=1e-5)
            if len(frame.by_group) == 2:
                gap = frame.by_group.loc[place] - frame.by_group.loc[1 - place]
                assert part["difference"]["recall"][0] == pytest.approx(gap["recall"], abs=1e-5)
            compared += 1
    assert compared == 7


def test_weights_ties_and_unknown_membership():
    rows, p = random_rows(6, students=300)
    p = np.round(p, 1) / 1.2 + 0.05
    found = by_name(audit(rows, NAMES, p, seed=1, draws=20))
    listed = by_capacity(rows, p)
    for j, name in enumerate(NAMES.groups):
        part = found["group", name]
        sides = []
        for code in (1, 0):
            m = rows.groups[:, j] == code
            w, y, on = rows.weight[m], rows.y[m], listed[m]
            sides.append(
                {
                    "recall": np.sum(w * y * on) / np.sum(w * y),
                    "false_omission": np.sum(w * y * (1 - on)) / np.sum(w * (1 - on)),
                    "false_discovery": np.sum(w * ~y * on) / np.sum(w * on),
                    "auc": roc_auc_score(y, p[m], sample_weight=w),
                    "observed_expected": np.sum(w * y) / np.sum(w * p[m]),
                    "calibration_slope": LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000)
                    .fit(logit(p[m])[:, None], y, sample_weight=w)
                    .coef_[0, 0],
                }
            )
        assert part["rows"] == np.sum(rows.groups[:, j] == 1)
        for m in AUDITED:
            assert part[m][0] == pytest.approx(sides[0][m], rel=1e-4)
            assert part["difference"][m][0] == pytest.approx(sides[0][m] - sides[1][m], abs=1e-4)
            low, high = part[m][1:]
            assert low <= part[m][0] <= high


def test_intervals_are_the_percentiles_of_students_drawn():
    rows, p = random_rows(8, students=200)
    found = by_name(audit(rows, NAMES, p, seed=3, draws=40))["school_kind", "nine_year"]
    listed = by_capacity(rows, p)
    rng = np.random.default_rng(3)
    draws = {"recall": [], "auc": []}
    inside, outside = rows.kind == 2, (rows.kind >= 0) & (rows.kind != 2)
    for _ in range(40):
        w = rows.weight * np.bincount(rng.integers(0, 200, 200), minlength=200)[rows.student]
        recall = [
            np.sum((w * rows.y * listed)[m]) / np.sum((w * rows.y)[m]) for m in (inside, outside)
        ]
        auc = [roc_auc_score(rows.y[m], p[m], sample_weight=w[m]) for m in (inside, outside)]
        draws["recall"].append((recall[0], recall[0] - recall[1]))
        draws["auc"].append((auc[0], auc[0] - auc[1]))
    for name, values in draws.items():
        own, gap = np.percentile(values, [2.5, 97.5], axis=0).T
        assert found[name][1:] == pytest.approx(own, rel=1e-4)
        assert found["difference"][name][1:] == pytest.approx(gap, abs=1e-4)


def test_a_score_that_serves_a_group_worse_is_seen_to():
    rng = np.random.default_rng(0)
    n = 6000
    worse = rng.random(n) < 0.3
    risk = rng.normal(size=n)
    rows = panel_rows(
        rng.random(n) < expit(risk - 2),
        groups=np.column_stack([worse, rng.random(n) < 0.5]),
        capacity=np.full(n, 600),
    )
    # of the group nothing is known, and it is thought to be at less risk
    p = expit(np.where(worse, 0.3 * rng.normal(size=n) - 1, risk) - 2)
    migrant, disabled = audit(rows, NAMES, p, seed=1, draws=200)[-2:]
    assert migrant["difference"]["recall"][2] < 0
    assert migrant["difference"]["auc"][2] < 0
    assert migrant["difference"]["observed_expected"][1] > 0
    assert migrant["calibration_slope"][2] < 0.8
    for name in ("recall", "auc"):
        assert abs(disabled["difference"][name][0]) < abs(migrant["difference"][name][0]) / 4


def test_none_of_a_group_reached_is_no_certainty():
    n = 200
    member = np.arange(n) >= 150
    y = np.arange(n) % 5 == 0
    rows = panel_rows(y, groups=np.column_stack([member, np.zeros(n)]), capacity=np.full(n, 60))
    p = np.linspace(0.5, 0.01, n)
    found = by_name(audit(rows, NAMES, p, seed=1, draws=100))["group", "migrant"]
    assert found["recall"][:2] == [0, 0]
    assert found["recall"][2] == pytest.approx(
        1.96**2 / (10 + 1.96**2), abs=1e-4
    )  # Wilson, 0 of 10
    value, low, high = found["difference"]["recall"]
    assert low < value < high
    assert found["false_discovery"] == NULL  # nobody of them is on the list


def test_parts_without_rows_are_left_out_and_few_events_give_counts_only():
    rows, p = random_rows(1, students=60)
    rows = replace(rows, groups=np.column_stack([rows.groups[:, 0], np.zeros(len(rows), np.int8)]))
    rare = replace(rows, y=rows.y & (rows.student < 9))
    found = by_name(audit(rare, NAMES, p, seed=1, draws=10))
    assert ("group", "disabled") not in found
    assert len(found) == 2 + 3 + 1
    for part in found.values():
        assert not part["enough"]
        assert part["rows"] > 0
        assert all(part[m] == part["difference"][m] == NULL for m in AUDITED)
    # rows are many, children few
    one = panel_rows(np.arange(100) < 50, student=np.arange(100) // 10, stage=np.zeros(100))
    (part,) = audit(one, NAMES, np.linspace(0.1, 0.9, 100), seed=1, draws=10)
    assert (part["students"], part["events"], part["enough"]) == (10, 5, False)


def test_constant_probabilities_and_separated_labels_have_no_slope():
    y = np.arange(60) < 30
    for p in (np.full(60, 0.2), np.where(y, 0.9, 0.1), np.linspace(0.9, 0.1, 60)):
        (part,) = audit(panel_rows(y), NAMES, p, seed=1, draws=10)
        assert part["enough"]
        assert part["calibration_slope"] == NULL
        assert part["auc"][0] is not None


def test_no_rows():
    none = panel_rows([], groups=np.zeros((0, 2)))
    assert audit(none, NAMES, np.zeros(0), seed=1, draws=5) == []


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), shuffle=st.randoms(use_true_random=False))
def test_neither_the_order_of_rows_nor_threads_matter(seed, shuffle):
    rows, p = random_rows(seed, students=60)
    order = list(range(len(rows)))
    shuffle.shuffle(order)
    order = np.asarray(order)
    with threadpool_limits(1):
        found = audit(rows, NAMES, p, seed=2, draws=10)
        followed = without_followed(rows, {"combined": p}, seed=2, draws=10)
    assert json.dumps(audit(rows.take(order), NAMES, p[order], seed=2, draws=10)) == json.dumps(
        found
    )
    moved = without_followed(rows.take(order), {"combined": p[order]}, seed=2, draws=10)
    assert json.dumps(moved) == json.dumps(followed)


def test_without_the_followed():
    rows, p = random_rows(2)
    found = without_followed(rows, {"combined": p, "rules_only": p / 2}, seed=4, draws=20)
    assert found["rows"] == rows.followed.sum()
    assert found["students"] == len(set(rows.student[rows.followed].tolist()))
    assert found["share"] == pytest.approx(np.average(rows.followed, weights=rows.weight), rel=1e-5)
    rest = ~rows.followed
    expected = measure(rows.take(rest), p[rest], seed=4, draws=20).as_json()
    assert found["without"]["combined"] == expected
    assert list(found["without"]) == ["combined", "rules_only"]
    everybody = replace(rows, followed=np.ones(len(rows), bool))
    assert without_followed(everybody, {"combined": p}, seed=4, draws=5)["without"] is None
    nobody = replace(rows, followed=np.zeros(len(rows), bool))
    assert without_followed(nobody, {"combined": p}, seed=4, draws=5) == {
        "rows": 0,
        "students": 0,
        "share": 0.0,
        "without": None,
    }
    none = without_followed(panel_rows([]), {"combined": np.zeros(0)}, seed=4, draws=5)
    assert none == {"rows": 0, "students": 0, "share": None, "without": None}
