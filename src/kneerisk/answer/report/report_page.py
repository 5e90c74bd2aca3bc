"""The content of a report, in its order; the templates only lay it out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kneerisk.answer.answer_schema import KNEES, SHOWN, Advice, Answer, Flag, Knee, NextTest
from kneerisk.answer.number_format import in_100
from kneerisk.answer.pattern_schema import SideDifference
from kneerisk.answer.report import wording
from kneerisk.answer.report.drawings import (
    DrawnLeg,
    RiskBar,
    WidthPart,
    drawn_legs,
    pattern_numbers,
    risk_bar,
    width_parts,
)
from kneerisk.answer.report.driver_table import (
    DriverTable,
    change_sentence,
    driver_table,
    strongest_sentence,
)
from kneerisk.answer.report.leg_findings import (
    LegFindings,
    difference_summary,
    largest_differences,
    leg_findings,
    stop_rules,
    undecided_sentences,
    verdicts,
)
from kneerisk.answer.summary import withheld
from kneerisk.schema import Screening, Side
from kneerisk.words import text, variant


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of each list a report holds; None is all of it."""

    lines: int | None = None
    """Of patterns, and of the values that speak for or against them."""
    drivers: int = 8
    differences: int | None = None
    tests: int | None = None
    advice: int | None = None


#: What one A4 page holds; the rest is in the answer itself.
ONE_PAGE = Limits(lines=10, drivers=5, differences=3, tests=1, advice=3)
WHOLE = Limits(tests=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class KneeRisk:
    """The risk of one knee, or of either: the bar and its words."""

    knee: Knee
    name: str
    count: str
    low: str
    high: str
    phrase: str
    sentence: str
    bar: RiskBar
    width: tuple[WidthPart, ...]
    """Where the width of the interval comes from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A report in words and numbers, ready to be laid out."""

    title: str
    athlete: str
    date: str | None
    answer: Answer
    refer: bool
    headline: str
    summary: tuple[str, ...]
    flags_line: str
    flags: tuple[Flag, ...]
    pains: tuple[str, ...]
    risk_heading: str
    knees: tuple[KneeRisk, ...]
    either: KneeRisk | None
    usual_rates: str | None
    counted: str | None
    """What the usual risk counts."""
    coverage: str | None
    overlap: str | None
    learnt: int | None
    """Of what tests could settle about the knees, the share that is settled, in per cent."""
    driver_table: DriverTable | None
    strongest_drivers: tuple[str, ...]
    legs: tuple[LegFindings, ...]
    undecided: tuple[str, ...]
    drawn_legs: tuple[DrawnLeg, ...]
    numbers: dict[tuple[Side, str], int]
    difference_summary: str
    differences: tuple[SideDifference, ...]
    tests: tuple[NextTest, ...]
    advice: tuple[Advice, ...]
    more_advice: int
    also: tuple[str, ...]
    """Advice besides the plan in few words, where one page has room for no more."""
    stop_rules: tuple[str, ...]
    inputs: str
    lineage: str


def report_page(
    answer: Answer, screening: Screening, title: str | None, date: str | None, limits: Limits
) -> Page:
    """The report of an answer.

    Parameters
    ----------
    answer
        The answer to the screening.
    screening
        The screening.
    title
        Whom or what the report is about; shown as it is given.
    date
        When the screening took place; shown as it is given.
    limits
        How much of each list the report holds.

    Returns
    -------
    Every text of the report.
    """
    legs = tuple(leg_findings(answer, limits.lines))
    is_whole = limits.lines is None
    also = () if is_whole else tuple(_also(answer))
    # On one page the plan stands for the advice that it carries out.
    has_room = is_whole or answer.plan is None
    advice = _spread(answer.advice, limits.advice) if has_room else ()
    return Page(
        title=text("report.title.named", title=title) if title else text("report.title.plain"),
        athlete=wording.athlete_line(screening),
        date=date,
        answer=answer,
        refer=answer.risk.status == "refer",
        headline=wording.headline(answer, screening),
        summary=tuple(_summary(answer, screening, is_whole=is_whole)),
        flags_line=wording.flags_sentence(answer),
        flags=tuple(answer.red_flags),
        pains=_pains(screening),
        risk_heading=wording.risk_heading(answer),
        learnt=_learnt(answer),
        **_numbers(answer, screening, limits),
        legs=legs,
        undecided=tuple(undecided_sentences(legs)),
        drawn_legs=tuple(drawn_legs(answer)),
        numbers=pattern_numbers(answer),
        difference_summary=difference_summary(answer),
        differences=tuple(largest_differences(answer, limits.differences)),
        tests=tuple(t for t in answer.next_tests if t.worth_the_time)[: limits.tests],
        advice=advice,
        more_advice=len(answer.advice) - len(advice),
        also=also,
        stop_rules=tuple(stop_rules(answer)),
        inputs=wording.inputs_sentence(answer),
        lineage=wording.lineage(answer),
    )


def _numbers(answer: Answer, screening: Screening, limits: Limits) -> dict[str, Any]:
    """What is said of the risks in numbers; a number that does not hold is not printed."""
    holds = withheld(answer) is None
    sides = [side for side in SHOWN if holds and getattr(answer.risk, side) is not None]
    has_either = holds and answer.risk.either is not None
    return {
        "knees": tuple(_knee(answer, screening, side) for side in sides),
        "either": _knee(answer, screening, "either") if has_either else None,
        "usual_rates": wording.usual_rates(answer, screening) if holds else None,
        "counted": wording.counted_sentence(answer) if holds else None,
        "coverage": wording.coverage_sentence(answer) if holds else None,
        "overlap": wording.overlap_sentence(answer) if holds else None,
        "driver_table": driver_table(answer, limits.drivers) if holds else None,
        "strongest_drivers": tuple(_strongest_drivers(answer)) if holds else (),
    }


def _learnt(answer: Answer) -> int | None:
    """The share settled, over the knees that do not hurt; None where the model can't tell."""
    risks = [answer.risk.either] if answer.risk.either else [answer.risk.right, answer.risk.left]
    shares = [risk.information for risk in risks if risk and risk.information is not None]
    return round(100 * sum(shares) / len(shares)) if shares else None


def _also(answer: Answer) -> list[str]:
    """The advice that the plan leaves out, in few words, with its leg and its grade."""
    if answer.plan is None:
        return []
    planned = {item.code for item in answer.plan.items}
    return [
        text(
            "report.advice.in_short",
            action=variant("answer.summary.action", piece.code),
            side=text("report.advice.on_leg", side=piece.sides[0]) if len(piece.sides) == 1 else "",
            grade=piece.grade.replace("_", " "),
        )
        for piece in answer.advice
        if piece.code not in planned
    ]


def _spread(advice: Sequence[Advice], most: int | None) -> tuple[Advice, ...]:
    """At most so many, in their order: the first of load and of each pattern, then the second."""
    rank_in_topic, counts = [], Counter[str]()
    for piece in advice:
        rank_in_topic.append(counts[piece.about])
        counts[piece.about] += 1
    chosen = sorted(range(len(advice)), key=lambda i: (rank_in_topic[i], i))[:most]
    return tuple(advice[i] for i in sorted(chosen))


def _pains(screening: Screening) -> tuple[str, ...]:
    sides = [side for side in SHOWN if side in screening.pain.sides]
    return tuple(wording.pain_sentence(screening, side) for side in sides)


def _summary(answer: Answer, screening: Screening, *, is_whole: bool) -> list[str]:
    """What follows the headline; one page has no room for what its table of drivers shows."""
    if answer.risk.status == "refer":
        return [answer.red_flags[0].act]
    reasons = wording.reason_sentences(answer, screening)
    leg_verdicts = " ".join(verdicts(leg_findings(answer)))
    sentences = (*reasons, *([leg_verdicts, _change(answer)] if is_whole else []))
    return [words for words in sentences if words]


def _change(answer: Answer) -> str:
    return "" if withheld(answer) else change_sentence(answer)


def _strongest_drivers(answer: Answer) -> list[str]:
    knees: tuple[Knee, ...] = KNEES
    if answer.risk.right or answer.risk.left:
        knees = SHOWN
    sentences = (strongest_sentence(answer, knee) for knee in knees)
    return [words for words in sentences if words]


def _knee(answer: Answer, screening: Screening, knee: Knee) -> KneeRisk:
    risk = getattr(answer.risk, knee)
    rates = answer.risk.base_rate
    base_rate = rates.either if knee == "either" else rates.leg
    low, high = risk.interval
    return KneeRisk(
        knee=knee,
        name=variant("shared.knee_title", knee),
        count=in_100(risk.probability),
        low=in_100(low),
        high=in_100(high),
        phrase=wording.band_phrase(risk, screening.athlete.sport),
        sentence=wording.risk_sentence(answer, knee, screening),
        bar=risk_bar(risk, base_rate),
        width=width_parts(risk),
    )
