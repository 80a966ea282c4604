"""The packs' own tests notice when a rule's condition is changed in one place."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from earlywarn.conditions import compile_condition
from earlywarn.features.catalogue import CATALOGUE, condition_kinds
from earlywarn.rules.pack import Rule, load_rulebook
from earlywarn.rules.testing import run_tests
from earlywarn.workspace import shipped
from rules_mutants import CODE, COMPARISON, CONNECTOR, CONSTANT, NEGATION, mutants, survivors

BAR = 0.95


@pytest.fixture(scope="module")
def rules() -> tuple[Rule, ...]:
    return load_rulebook(shipped("rules")).rules


def test_the_packs_notice_their_mutants(rules):
    """Constants moved by a step, operators turned, clauses dropped: 95 % at least."""
    assert run_tests(rules).failures == ()  # else a mutant could be noticed for no reason
    found = mutants(rules)
    missed = survivors(found)
    assert {mutant.of.id for mutant in found} == {
        rule.id for rule in rules if rule.when not in rule.condition.names
    }
    kinds, left = Counter(m.kind for m in found), Counter(m.kind for m in missed)
    assert {CONSTANT, COMPARISON, CONNECTOR, NEGATION, CODE} <= set(kinds)
    listed = "\n".join(mutant.name for mutant in missed)
    for kind, count in kinds.items():
        assert 1 - left[kind] / count >= BAR, f"{kind}: {left[kind]} of {count} missed\n{listed}"
    assert missed == [], f"{len(missed)} of {len(found)} missed:\n{listed}"


def changed(rules, text) -> list[str]:
    rule = replace(rules[0], condition=compile_condition(text, condition_kinds()))
    return [mutant.rule.when for mutant in mutants([rule])]


def test_every_place_of_a_condition_is_changed(rules):
    assert changed(rules, "unexcused_run >= 3") == [
        "(unexcused_run > 3.0)",
        "(unexcused_run <= 3.0)",
        "(unexcused_run < 3.0)",
        "(unexcused_run >= 4.0)",
        "(unexcused_run >= 2.0)",
    ]
    assert changed(rules, "not boarding and stage = 'junior'") == [
        "((not boarding) or (stage = 'junior'))",
        "(stage = 'junior')",
        "(not boarding)",
        "(boarding and (stage = 'junior'))",
        "((not boarding) and (stage <> 'junior'))",
        "((not boarding) and (stage = 'primary'))",
    ]
    assert changed(rules, "exam_z - exam_z_prev between -1 and 0.5")[:2] == [
        "(not ((exam_z - exam_z_prev) between (- 1.0) and 0.5))",
        "((exam_z + exam_z_prev) between (- 1.0) and 0.5)",
    ]
    assert changed(rules, "travel in ('walk', 'bicycle') or aid_gap is null")[-9:-6] == [
        "((travel in ('family', 'bicycle')) or (aid_gap is null))",
        "((travel in ('public', 'bicycle')) or (aid_gap is null))",
        "((travel in ('school_bus', 'bicycle')) or (aid_gap is null))",
    ]
    assert changed(rules, "stage in ('primary', 'junior') or aid_gap is null")[3:] == [
        "((not (stage in ('primary', 'junior'))) or (aid_gap is null))",
        "((stage in ('junior')) or (aid_gap is null))",
        "((stage in ('primary')) or (aid_gap is null))",
        "((stage in ('primary', 'junior')) or (not (aid_gap is null)))",
    ]


def test_a_constant_moves_by_the_step_of_its_feature(rules):
    """In decimal, and by the finest step where several features meet."""
    assert changed(rules, "absence_rate_20d < 0.3")[-2:] == [
        "(absence_rate_20d < 0.31)",
        "(absence_rate_20d < 0.29)",
    ]
    assert changed(rules, "distance_km > 4")[-2:] == ["(distance_km > 4.1)", "(distance_km > 3.9)"]
    assert changed(rules, "school_dropouts_3y_rate = 0.005")[-1:] == [
        "(school_dropouts_3y_rate = 0.004)"
    ]
    assert changed(rules, "coalesce(failed_core, 1) * exam_z > 2")[-2:] == [
        "((coalesce(failed_core, 1.0) * exam_z) > 2.01)",
        "((coalesce(failed_core, 1.0) * exam_z) > 1.99)",
    ]


def test_survivors_are_found(rules):
    """A rule whose tests stay away from the limit does not notice that the limit moves."""
    rule = next(rule for rule in rules if rule.id == "unexcused-7d")
    days = {"7": "9", "6": "3"}
    far = [
        t.model_copy(update={"given": {n: days[v] for n, v in t.given.items()}}) for t in rule.tests
    ]
    found = mutants([replace(rule, tests=tuple(far))])
    assert [mutant.rule.when for mutant in survivors(found)] == [
        "(unexcused_run > 7.0)",
        "(unexcused_run >= 8.0)",
        "(unexcused_run >= 6.0)",
    ]
    untested = mutants([replace(rule, tests=())])
    assert survivors(untested) == untested


def test_what_is_a_number_has_a_step():
    for feature in CATALOGUE:
        assert (feature.step is not None) == (feature.type in ("integer", "number"))
        assert feature.step is None or 0 < feature.step <= 1
        assert feature.type != "integer" or feature.step == 1
