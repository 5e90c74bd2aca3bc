"""Everything that a report says, in the order it says it; the templates only lay it out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kneerisk.answer.answer_schema import (
    KNEES,
    SHOWN,
    Advice,
    Answer,
    Flag,
    Knee,
    NextTest,
    SideDifference,
)
from kneerisk.answer.report import chart_geometry, driver_table, leg_drawing, leg_findings, wording
from kneerisk.answer.report.number_format import in_100
from kneerisk.schema import Screening, Side


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
ONE_PAGE = Limits(lines=12, drivers=5, differences=3, tests=2, advice=6)
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
    bar: chart_geometry.Bar


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A report in words and numbers, ready to be laid out."""

    title: str
    who: str
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
    risk_text: str
    usual: str | None
    same: str | None
    table: driver_table.Table | None
    moved: tuple[str, ...]
    change: str
    legs: tuple[leg_findings.Leg, ...]
    open: tuple[str, ...]
    drawn: tuple[leg_drawing.DrawnLeg, ...]
    numbers: dict[tuple[Side, str], int]
    difference_summary: str
    differences: tuple[SideDifference, ...]
    tests: tuple[NextTest, ...]
    advice: tuple[Advice, ...]
    more_advice: int
    stop_rules: tuple[str, ...]
    overview: str
    lineage: str


def page(
    answer: Answer, screening: Screening, title: str | None, date: str | None, limits: Limits
) -> Page:
    """The report of an answer; ``title`` and ``date`` are shown as they are given."""
    legs = tuple(leg_findings.legs(answer, limits.lines))
    sides = [side for side in SHOWN if getattr(answer.risk, side) is not None]
    told: tuple[Knee, ...] = (*sides, "either") if answer.risk.either else tuple(sides)
    advice = _spread(answer.advice, limits.advice)
    return Page(
        title=title or "",
        who=wording.who(screening),
        date=date,
        answer=answer,
        refer=answer.risk.status == "refer",
        headline=wording.headline(answer, screening),
        summary=tuple(_summary(answer, screening)),
        flags_line=wording.flags_sentence(answer),
        flags=tuple(answer.red_flags),
        pains=_pains(screening),
        risk_heading=wording.risk_heading(answer),
        knees=tuple(_knee(answer, screening, side) for side in sides),
        either=_knee(answer, screening, "either") if answer.risk.either else None,
        risk_text=wording.risk_paragraph(answer, told, screening) if told else "",
        usual=wording.usual_sentence(answer, screening),
        same=wording.same_sentence(answer),
        table=driver_table.table(answer, screening, limits.drivers),
        moved=tuple(_moved(answer, screening)),
        change=driver_table.change_sentence(answer),
        legs=legs,
        open=tuple(leg_findings.open_sentences(legs)),
        drawn=tuple(leg_drawing.drawn(answer)),
        numbers=leg_drawing.numbers(answer),
        difference_summary=leg_findings.difference_summary(answer),
        differences=tuple(leg_findings.differences(answer, limits.differences)),
        tests=tuple(answer.next_tests[: limits.tests]),
        advice=advice,
        more_advice=len(answer.advice) - len(advice),
        stop_rules=tuple(leg_findings.stop_rules(answer)),
        overview=wording.overview(answer),
        lineage=wording.lineage(answer),
    )


def _spread(advice: Sequence[Advice], most: int | None) -> tuple[Advice, ...]:
    """At most so many, in their order: the first of load and of each pattern, then the second."""
    turn: dict[str, int] = {}
    turns = [turn.setdefault(one.about, 0) for one in advice]
    for at, one in enumerate(advice):
        turns[at] = turn[one.about]
        turn[one.about] += 1
    chosen = sorted(range(len(advice)), key=lambda at: (turns[at], at))[:most]
    return tuple(advice[at] for at in sorted(chosen))


def _pains(screening: Screening) -> tuple[str, ...]:
    sides = [side for side in SHOWN if side in screening.pain.sides]
    return tuple(wording.pain_sentence(screening, side) for side in sides)


def _summary(answer: Answer, screening: Screening) -> list[str]:
    """Two or three sentences after the headline."""
    if answer.risk.status == "refer":
        return [answer.red_flags[0].act]
    told = list(wording.reason_sentences(answer, screening))
    verdicts = " ".join(leg_findings.verdicts(leg_findings.legs(answer)))
    change = driver_table.change_sentence(answer)
    return [text for text in (*told, verdicts, change) if text]


def _moved(answer: Answer, screening: Screening) -> list[str]:
    knees: tuple[Knee, ...] = KNEES
    if answer.risk.right or answer.risk.left:
        knees = SHOWN
    told = (driver_table.strongest_sentence(answer, screening, knee) for knee in knees)
    return [one for one in told if one]


def _knee(answer: Answer, screening: Screening, knee: Knee) -> KneeRisk:
    risk = getattr(answer.risk, knee)
    rates = answer.risk.base_rate
    base = rates.either if knee == "either" else rates.leg
    low, high = risk.interval
    return KneeRisk(
        knee=knee,
        name=f"{knee.capitalize()} knee",
        count=in_100(risk.probability),
        low=in_100(low),
        high=in_100(high),
        phrase=wording.band_phrase(risk, screening.athlete.sport),
        sentence=wording.risk_sentence(answer, knee, screening),
        bar=chart_geometry.bar(risk, base),
    )
