"""What was found in the legs, and what to do about it, as rows in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

from kneerisk.answer.answer_schema import SHOWN, Advice, Answer, NextTest
from kneerisk.answer.number_format import again, amount, number, sentence, typical
from kneerisk.answer.pattern_schema import Imbalance, PatternRow, SideDifference, named
from kneerisk.evidence import imbalances
from kneerisk.schema import Side
from kneerisk.words import listed, plural, text, variant

#: Where lines are few: patterns with values, and values of one pattern (assumption: it fits).
MOST_PATTERNS, MOST_VALUES = 3, 4
_SIGNS = {"for": "+", "against": "\N{MINUS SIGN}", "neither": "\N{MIDDLE DOT}"}
_ORDER = {"for": 0, "against": 1, "neither": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRow:
    """One value that speaks for a pattern, against it, or neither."""

    sign: str
    speaks: Literal["for", "against", "neither"]
    evidence: str
    """The same in words."""
    label: str
    value: str
    typical: str
    z: float
    error: float
    """Of a single reading, 95 %, in SDs."""
    distance: str
    """How far from what is typical, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """An imbalance that a leg's values point to."""

    name: str
    title: str
    status: Literal["clear", "possible"]
    again: str
    """How often a repeat of the same tests would point to it again, in words."""
    grade: str
    wording: str
    rows: tuple[EvidenceRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LegFindings:
    """The verdict on one leg: patterns that it points to, and those that can't be told."""

    side: Side
    message: str
    patterns: tuple[Pattern, ...]
    undecided: str
    undecided_count: int
    not_supported: str


def leg_findings(answer: Answer, lines: int | None = None) -> list[LegFindings]:
    """Both legs, right first, with at most so many lines of patterns and their values.

    Every pattern has a line; the values go to the likeliest of each leg first.
    """
    if answer.imbalances is None:
        return []
    by_side = {side: named_patterns(answer, side) for side in SHOWN}
    count = sum(map(len, by_side.values()))
    ranked = [imb for pair in zip_longest(*by_side.values()) for imb in pair if imb]
    with_values, values_each = ranked, None
    if lines is not None:
        with_values = ranked[:MOST_PATTERNS]
        values_each = min(max(lines - count, 0) // max(len(with_values), 1), MOST_VALUES)
    values = {(imbalance.side, imbalance.name): values_each for imbalance in with_values}
    return [_leg(answer, side, by_side[side], values) for side in SHOWN]


def named_patterns(answer: Answer, side: Side) -> list[Imbalance]:
    """The patterns that a leg points to: the clear ones first, the likeliest first."""
    return sorted(
        named(_of_leg(answer, side)),
        key=lambda imbalance: (imbalance.status != "clear", -imbalance.probability),
    )


def _of_leg(answer: Answer, side: Side) -> list[Imbalance]:
    return [imbalance for imbalance in answer.imbalances or () if imbalance.side == side]


def _leg(
    answer: Answer,
    side: Side,
    patterns: Sequence[Imbalance],
    values: Mapping[tuple[Side, str], int | None],
) -> LegFindings:
    leg_imbalances = _of_leg(answer, side)
    verdict = [likely.message for likely in answer.likely or () if likely.side == side]
    return LegFindings(
        side=side,
        message=sentence(verdict[0]) if verdict else _message(side, patterns),
        patterns=tuple(_pattern(imb, values.get((side, imb.name), 0)) for imb in patterns),
        undecided=_phrases(leg_imbalances, "cannot_tell"),
        undecided_count=sum(imb.status == "cannot_tell" for imb in leg_imbalances),
        not_supported=_phrases(leg_imbalances, "not_supported"),
    )


def _message(side: Side, patterns: Sequence[Imbalance]) -> str:
    """The verdict in words, where the answer has none of its own."""
    if not patterns:
        return text("report.patterns.none_on_leg", side=side)
    phrases = listed([phrase(imbalance.name) for imbalance in patterns])
    return text("report.patterns.consistent", side=side, phrases=phrases)


def verdicts(legs: Sequence[LegFindings]) -> list[str]:
    """The verdict on each leg; once, where it is the same of both."""
    either_leg = text("report.patterns.either_leg")
    shared = {leg.message.replace(variant("shared.leg", leg.side), either_leg) for leg in legs}
    return list(shared) if len(legs) > 1 and len(shared) == 1 else [leg.message for leg in legs]


def undecided_sentences(legs: Sequence[LegFindings]) -> list[str]:
    """What is not named and what can't be told, leg by leg; once, where it is the same of both."""
    by_side = {leg.side: words for leg in legs if (words := _undecided(leg))}
    if len(by_side) > 1 and len(set(by_side.values())) == 1:
        return [text("report.patterns.open.both_legs", text=next(iter(by_side.values())))]
    return [
        text("report.patterns.open.leg", leg=variant("shared.leg_title", side), text=words)
        for side, words in by_side.items()
    ]


def _undecided(leg: LegFindings) -> str:
    if leg.undecided_count == len(imbalances()):
        return text("report.patterns.open.all_undecided")
    items = [] if leg.patterns else [text("report.patterns.open.none")]
    if leg.undecided:
        items.append(text("report.patterns.open.undecided", patterns=leg.undecided))
    return ", ".join(items)


def phrase(name: str) -> str:
    """An imbalance inside a sentence: `tight calves`."""
    return imbalances()[name].phrase


def _phrases(leg_imbalances: Sequence[Imbalance], status: str) -> str:
    """Phrases of one status; some have an "and" of their own, so that semicolons part them."""
    return "; ".join(phrase(imb.name) for imb in leg_imbalances if imb.status == status)


def _pattern(imbalance: Imbalance, rows: int | None) -> Pattern:
    ranked = sorted(imbalance.pattern, key=lambda row: (_ORDER[row.speaks], -abs(row.z)))
    return Pattern(
        name=imbalance.name,
        title=imbalance.label.partition(":")[0],
        status="clear" if imbalance.status == "clear" else "possible",
        again=again(imbalance.named_again or 0.0),
        grade=imbalance.evidence_grade,
        wording=imbalance.wording,
        rows=tuple(_evidence_row(row) for row in ranked[:rows]),
    )


def _evidence_row(row: PatternRow) -> EvidenceRow:
    return EvidenceRow(
        sign=_SIGNS[row.speaks],
        speaks=row.speaks,
        evidence=variant("report.patterns.speaks", row.speaks),
        label=row.label,
        value=amount(row.value, row.unit),
        typical=typical(row.typical.mean, row.typical.sd, row.unit),
        z=row.z,
        error=row.error / row.typical.sd if row.typical.sd else 0.0,
        distance=_distance(row.z),
    )


def _distance(z: float) -> str:
    """`1.8 SD above`, `0.9 SD below`, `typical`."""
    direction = "above" if z > 0 else "below"
    if round(abs(z), 1) == 0:
        direction = "typical"
    return variant("report.patterns.distance", direction, sd=f"{abs(z):.1f}")


def largest_differences(answer: Answer, count: int | None = None) -> list[SideDifference]:
    """Measures in which the legs differ beyond error: those beyond chance first, the largest."""
    beyond = [row for row in answer.side_differences if row.beyond_error]
    beyond.sort(key=lambda row: (not row.beyond_chance, -_in_detectable(row)))
    return beyond[:count]


def _in_detectable(row: SideDifference) -> float:
    """The size of a difference in minimal detectable ones."""
    return abs(row.difference) / row.detectable if row.detectable else 0.0


def difference_sentence(row: SideDifference) -> str:
    """Both values and their difference: `right 8.6, left 5.0°; 3.6° apart, ...`."""
    values = {
        "right": number(row.right, row.unit),
        "left": amount(row.left, row.unit),
        "difference": amount(abs(row.difference), row.unit),
        "needed": amount(row.detectable, row.unit),
    }
    if row.beyond_chance:
        return text("report.differences.detail", **values)
    return text("report.differences.detail_by_chance", **values)


def difference_summary(answer: Answer) -> str:
    """How many measures of both legs were compared, and how many differ."""
    count = len(answer.side_differences)
    if not count:
        return text("report.differences.none")
    beyond = sum(row.beyond_error for row in answer.side_differences)
    if not beyond:
        return plural("report.differences.agree", count)
    return text("report.differences.beyond", beyond=beyond, count=count)


def test_sentence(test: NextTest) -> str:
    """What a test needs, and what it would add: `25 min, a gait laboratory; ...`."""
    share = round(100 * test.uncertainty_removed)
    gain = text("report.tests.gain", share=share) if share else text("report.tests.little_gain")
    equipment = variant("report.tests.equipment", test.equipment)
    return text("report.tests.needs", minutes=f"{test.minutes:g}", equipment=equipment, gain=gain)


def width_sentence(test: NextTest, answer: Answer) -> str:
    """How wide the interval of either knee is expected to be after a test, and is now."""
    either = answer.risk.either
    if test.expected_interval_width is None or either is None:
        return ""
    now = round(100 * (either.interval[1] - either.interval[0]))
    return text("report.tests.width", now=now, width=round(100 * test.expected_interval_width))


def settled_patterns(test: NextTest) -> str:
    """The patterns that a test bears on, by name."""
    return listed([phrase(name) for name in test.settles])


def leg_of(advice: Advice) -> str:
    """`Right leg` or `Left leg`; nothing where advice is about both or neither."""
    return variant("shared.leg_title", advice.sides[0]) if len(advice.sides) == 1 else ""


def by_reason(advice: Sequence[Advice]) -> list[list[Advice]]:
    """Advice with the same reason together, in the order given."""
    groups: dict[str, list[Advice]] = {}
    for piece in advice:
        groups.setdefault(piece.reason, []).append(piece)
    return list(groups.values())


def stop_rules(answer: Answer) -> list[str]:
    """When to stop, each rule once."""
    return list(dict.fromkeys(sentence(piece.stop_rule) for piece in answer.advice))
