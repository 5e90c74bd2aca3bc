"""What was found in the legs, and what to do about it, as rows in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

from kneerisk.answer.answer_schema import (
    SHOWN,
    Advice,
    Answer,
    Imbalance,
    NextTest,
    PatternRow,
    SideDifference,
)
from kneerisk.answer.report.number_format import amount, in_100, number, sentence, typical
from kneerisk.evidence import imbalances
from kneerisk.schema import Side
from kneerisk.schema.measure import Equipment
from kneerisk.words import listed

#: Where lines are few: patterns with values, and values of one pattern (assumption: it fits).
MOST_TOLD, MOST_VALUES = 3, 4
_SIGNS = {"for": "+", "against": "\N{MINUS SIGN}", "neither": "\N{MIDDLE DOT}"}
_SPEAKS = {"for": "speaks for it", "against": "speaks against it", "neither": "within error"}
_EQUIPMENT: dict[Equipment, str] = {
    "none": "no equipment",
    "tape_or_phone": "tape or phone",
    "dynamometer": "dynamometer",
    "isokinetic": "isokinetic device",
    "emg": "surface EMG",
    "gait_lab": "gait laboratory",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One value that speaks for a pattern, against it, or neither."""

    sign: str
    speaks: Literal["for", "against", "neither"]
    says: str
    label: str
    value: str
    usual: str
    z: float
    error: float
    """Of a single reading, 95 %, in SDs."""
    away: str
    """How far from what is typical, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """An imbalance that a leg's values point to."""

    name: str
    title: str
    status: Literal["clear", "possible"]
    count: str
    low: str
    high: str
    grade: str
    wording: str
    rows: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """The verdict on one leg: patterns that it points to, and what can't be told."""

    side: Side
    message: str
    patterns: tuple[Pattern, ...]
    open: str
    open_count: int
    excluded: str


def legs(answer: Answer, lines: int | None = None) -> list[Leg]:
    """Both legs, right first, with at most so many lines of patterns and their values.

    Every pattern has a line; the values go to the likeliest of each leg first.
    """
    if answer.imbalances is None:
        return []
    named = {side: named_of(answer, side) for side in SHOWN}
    count = sum(map(len, named.values()))
    ranked = [one for pair in zip_longest(*named.values()) for one in pair if one]
    told, each = ranked, None
    if lines is not None:
        told = ranked[:MOST_TOLD]
        each = min(max(lines - count, 0) // max(len(told), 1), MOST_VALUES)
    values = {(one.side, one.name): each for one in told}
    return [_leg(answer, side, named[side], values) for side in SHOWN]


def named_of(answer: Answer, side: Side) -> list[Imbalance]:
    """The patterns that a leg points to: the clear ones first, the likeliest first."""
    own = [one for one in answer.imbalances or () if one.side == side]
    named = [one for one in own if one.status in {"clear", "possible"}]
    return sorted(named, key=lambda one: (one.status != "clear", -one.probability))


def _leg(
    answer: Answer,
    side: Side,
    named: Sequence[Imbalance],
    values: Mapping[tuple[Side, str], int | None],
) -> Leg:
    own = [one for one in answer.imbalances or () if one.side == side]
    verdict = [one.message for one in answer.likely or () if one.side == side]
    return Leg(
        side=side,
        message=sentence(verdict[0]) if verdict else _message(side, named),
        patterns=tuple(_pattern(one, values.get((side, one.name), 0)) for one in named),
        open=_names(own, "cannot_tell"),
        open_count=sum(one.status == "cannot_tell" for one in own),
        excluded=_names(own, "not_supported"),
    )


def _message(side: Side, named: Sequence[Imbalance]) -> str:
    """The verdict in words, where the answer has none of its own."""
    if named:
        phrases = listed([phrase(one.name) for one in named])
        return f"The pattern of the {side} leg is consistent with {phrases}."
    return f"No pattern of the {side} leg is named."


def verdicts(found: Sequence[Leg]) -> list[str]:
    """What is said of each leg; once, where it is the same of both."""
    said = [leg.message for leg in found]
    both = [
        one.replace(f"the {leg.side} leg", "either leg")
        for one, leg in zip(said, found, strict=True)
    ]
    return both[:1] if len(both) > 1 and len(set(both)) == 1 else said


def open_sentences(found: Sequence[Leg]) -> list[str]:
    """What is not named and what can't be told, leg by leg; once, where it is the same of both."""
    said = {leg.side: _open_sentence(leg) for leg in found}
    told = {side: text for side, text in said.items() if text}
    if len(told) > 1 and len(set(told.values())) == 1:
        return [f"Both legs: {next(iter(told.values()))}."]
    return [f"{side.capitalize()} leg: {text}." for side, text in told.items()]


def _open_sentence(leg: Leg) -> str:
    if leg.open_count == len(imbalances()):
        return "none of the five patterns can be told yet"
    parts = [] if leg.patterns else ["no pattern is named"]
    parts += [f"can't tell about: {leg.open}"] if leg.open else []
    return ", ".join(parts)


def phrase(name: str) -> str:
    """An imbalance inside a sentence: `tight calves`."""
    return imbalances()[name].phrase


def _names(own: Sequence[Imbalance], status: str) -> str:
    """Phrases with an "and" of their own are told apart by semicolons."""
    return "; ".join(phrase(one.name) for one in own if one.status == status)


def _pattern(one: Imbalance, rows: int | None) -> Pattern:
    low, high = one.interval
    order = {"for": 0, "against": 1, "neither": 2}
    ranked = sorted(one.pattern, key=lambda row: (order[row.speaks], -abs(row.z)))
    return Pattern(
        name=one.name,
        title=one.label.partition(":")[0],
        status="clear" if one.status == "clear" else "possible",
        count=in_100(one.probability),
        low=in_100(low),
        high=in_100(high),
        grade=one.evidence_grade,
        wording=one.wording,
        rows=tuple(_evidence(row) for row in ranked[:rows]),
    )


def _evidence(row: PatternRow) -> Evidence:
    usual = typical(row.typical.mean, row.typical.sd, row.unit)
    return Evidence(
        sign=_SIGNS[row.speaks],
        speaks=row.speaks,
        says=_SPEAKS[row.speaks],
        label=row.label,
        value=amount(row.value, row.unit),
        usual=usual,
        z=row.z,
        error=row.error / row.typical.sd if row.typical.sd else 0.0,
        away=_away(row.z),
    )


def _away(z: float) -> str:
    """`1.8 SD above`, `0.9 SD below`, `typical`."""
    if round(abs(z), 1) == 0:
        return "typical"
    return f"{abs(z):.1f} SD {'above' if z > 0 else 'below'}"


def differences(answer: Answer, count: int | None = None) -> list[SideDifference]:
    """Measures in which the legs differ beyond error: those beyond chance first, the largest."""
    beyond = [one for one in answer.side_differences if one.beyond_error]
    beyond.sort(key=lambda one: (not one.beyond_chance, -_times(one)))
    return beyond[:count]


def _times(one: SideDifference) -> float:
    return abs(one.difference) / one.detectable if one.detectable else 0.0


def difference_sentence(one: SideDifference) -> str:
    """`Hip drop: right 8.6°, left 5.0°; they differ by 3.6°, and 3.6° is needed`."""
    apart = amount(abs(one.difference), one.unit)
    needed = amount(one.detectable, one.unit)
    chance = "" if one.beyond_chance else "; one of so many may still be chance"
    return (
        f"right {number(one.right, one.unit)}, left {amount(one.left, one.unit)}; "
        f"{apart} apart, error reaches {needed}{chance}."
    )


def difference_summary(answer: Answer) -> str:
    """How many measures of both legs were compared, and how many differ."""
    both = len(answer.side_differences)
    if not both:
        return "No measure was taken on both legs, so the sides can't be compared."
    beyond = sum(one.beyond_error for one in answer.side_differences)
    if not beyond:
        what = f"all {both} measures" if both > 1 else "the one measure"
        return f"Right and left agree within error in {what} taken on both."
    return f"{beyond} of {both} measures taken on both legs differ beyond error."


def test_sentence(test: NextTest) -> str:
    """What a test needs, and what it would add: `25 min, a gait laboratory; ...`."""
    share = round(100 * test.uncertainty_removed)
    gain = f"about {share} % of what tests can settle" if share else "adds little to the risk"
    return f"{test.minutes:g} min, {_EQUIPMENT[test.equipment]}; {gain}."


def width_sentence(test: NextTest, answer: Answer) -> str:
    """How wide the interval of either knee is expected to be after a test, and is now."""
    either = answer.risk.either
    if test.expected_interval_width is None or either is None:
        return ""
    width, now = (
        round(100 * one)
        for one in (test.expected_interval_width, either.interval[1] - either.interval[0])
    )
    return f"The 90 % interval of either knee, {now} points wide now, would be about {width} wide."


def settled(test: NextTest) -> str:
    """The patterns that a test bears on, by name."""
    return listed([phrase(name) for name in test.settles])


def sides_of(advice: Advice) -> str:
    """`Right leg` or `Left leg`; nothing where it is about both or neither."""
    return f"{advice.sides[0].capitalize()} leg" if len(advice.sides) == 1 else ""


def by_reason(advice: Sequence[Advice]) -> list[list[Advice]]:
    """Advice with the same reason together, in the order given."""
    found: dict[str, list[Advice]] = {}
    for one in advice:
        found.setdefault(one.reason, []).append(one)
    return list(found.values())


def stop_rules(answer: Answer) -> list[str]:
    """When to stop, each rule once."""
    return list(dict.fromkeys(sentence(one.stop_rule) for one in answer.advice))
