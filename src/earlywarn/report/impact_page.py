"""The page that says what other rules would change: self-contained HTML for the bureau.

It needs no script and fetches nothing; it reads on paper, on a phone, in light and dark, and moves
and tiers tell apart without colour. It names children and groups: no page for schools.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from earlywarn.errors import Lang
from earlywarn.impact.rows import ChildChange, Impact, SchoolImpact
from earlywarn.pages import template
from earlywarn.report import impact_words as words
from earlywarn.watchlist import wording
from earlywarn.words import TIER_LABELS, Tier, day_in_words

_LISTED = (Tier.URGENT, Tier.HIGH, Tier.WATCH)
_SIGNS = {"enter": "＋", "leave": "－", "up": "↑", "down": "↓"}


def impact_page(impact: Impact, lang: Lang) -> str:
    """Return impact.html."""
    changed = [school for school in impact.schools if school.moves.any]
    changed.sort(key=lambda s: (s.county, -_size(s), s.school_id))
    return template("impact.html.j2", "earlywarn.report", "earlywarn.watchlist").render(
        lang=lang,
        impact=impact,
        t=lambda key: words.word(key, lang),
        say=lambda text: text(lang),
        number=words.number,
        percent=lambda part, whole: wording.percent(part / whole) if whole else "–",
        headline=words.headline(impact, lang),
        base_note=words.base_note(impact, lang),
        model=words.model(impact, lang),
        as_of=day_in_words(impact.as_of, lang),
        conversation=wording.CONVERSATION(lang),
        generated=f"{wording.GENERATED.zh} / {wording.GENERATED.en}",
        generated_note=wording.GENERATED_NOTE(lang),
        tiers=list(Tier),
        listed_tiers=_LISTED,
        tier_label={tier: label(lang) for tier, label in TIER_LABELS.items()},
        moves=("enter", "leave", "up", "down"),
        sign=_SIGNS,
        state=lambda rule: words.STATES[rule.state](lang),
        rule_lines=lambda rule: words.rule_lines(rule, impact, lang),
        acting=[rule for rule in impact.rules if not rule.changes_nobody],
        idle=[rule for rule in impact.rules if rule.changes_nobody],
        term=lambda name: words.term(name, impact, lang),
        definition_lines=lambda change: words.definition_lines(change, lang),
        counties=_counties(impact),
        schools=changed,
        unchanged=len(impact.schools) - len(changed),
        over={
            "before": sum(1 for s in impact.schools if s.before.over),
            "after": sum(1 for s in impact.schools if s.after.over),
        },
        reasons=lambda child: _reasons(child, impact, lang),
        student_id=lambda child: wording.short_id(child.student_id, lang),
    )


def _size(school: SchoolImpact) -> int:
    moves = school.moves
    return 1000 * (moves.enter + moves.leave) + moves.up + moves.down


def _counties(impact: Impact) -> list[dict[str, Any]]:
    """Return the sums of each county, in order of its name."""
    by_county: dict[str, list[SchoolImpact]] = defaultdict(list)
    for school in impact.schools:
        by_county[school.county].append(school)
    return [
        {
            "name": name or "–",
            "schools": len(schools),
            "changed": sum(1 for s in schools if s.moves.any),
            "cohort": sum(s.cohort for s in schools),
            "capacity": sum(s.capacity for s in schools),
            "before": sum(s.before.listed for s in schools),
            "after": sum(s.after.listed for s in schools),
            "cut_before": sum(s.before.cut for s in schools),
            "cut_after": sum(s.after.cut for s in schools),
            "moves": {
                move: sum(getattr(s.moves, move) for s in schools)
                for move in ("enter", "leave", "up", "down")
            },
        }
        for name, schools in sorted(by_county.items())
    ]


def _reasons(child: ChildChange, impact: Impact, lang: Lang) -> list[str]:
    shown, more = words.shown_causes(child)
    lines = [words.why(cause, child, impact, lang) for cause in shown]
    if more:
        lines.append(f"另有 {more} 项较小的变化" if lang == "zh" else f"and {more} smaller ones")
    return lines
