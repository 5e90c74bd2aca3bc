"""Lay the athlete's sheet out: one HTML page that needs nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from jinja2 import Environment
from markupsafe import Markup

from kneerisk.answer.answer_schema import Answer, PlanItem
from kneerisk.answer.hand_out.athlete_words import dose_in_words, introduction, when_to_see
from kneerisk.answer.poses import drawing
from kneerisk.answer.printed_page import directives, style_of, templates
from kneerisk.evidence import exercises
from kneerisk.schema import Screening
from kneerisk.words import LANGUAGE, text

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
#: The days of an exercise by how often a week: with a day between where there is room (assumption).
ON_DAYS: dict[int, tuple[str, ...]] = {
    1: ("wed",),
    2: ("mon", "thu"),
    3: ("mon", "wed", "fri"),
    7: DAYS,
}


@dataclass(frozen=True, slots=True)
class Card:
    """One thing to do: its name, how to do it, how much, on which days, and its drawing."""

    number: int
    name: str
    how: str
    dose: str | None
    days: tuple[str, ...]
    drawing: Markup
    is_leg_by_leg: bool


def hand_out_html(
    answer: Answer, screening: Screening, title: str | None = None, date: str | None = None
) -> str:
    """The athlete's sheet as a whole HTML document: one A4 page, no script, no request.

    Parameters
    ----------
    answer
        The answer to the screening.
    screening
        The screening.
    title
        What the sheet is called, with the athlete's name perhaps; shown as it is.
    date
        When the screening took place; shown as it is.

    Returns
    -------
    An HTML document.
    """
    template = _environment().get_template("hand_out.html.j2")
    plan = answer.plan
    return template.render(
        title=title or text("hand_out.title"),
        date=date,
        plan=plan,
        introduction=introduction(answer, screening) if plan else [when_to_see(answer)],
        cards=[card_of(nr, item) for nr, item in enumerate(plan.items, 1)] if plan else [],
        cohort="observed" if answer.model.cohort == "observed" else "simulated",
        style=style(),
        policy=directives(style()),
    )


def card_of(number: int, item: PlanItem) -> Card:
    """A thing of the plan, with its place in it, as the athlete's sheet shows it."""
    exercise = exercises()[item.exercise or ""]
    shapes = drawing(exercise.exercise, exercise.name)
    return Card(
        number=number,
        name=exercise.name,
        how=exercise.how,
        dose=dose_in_words(exercise, item.sides),
        days=ON_DAYS[exercise.days_per_week] if exercise.days_per_week else (),
        drawing=Markup(shapes),  # noqa: S704 - ours, from the package
        is_leg_by_leg=bool(exercise.sets) and not exercise.both_legs and len(item.sides) != 1,
    )


def style() -> Markup:
    """The sheet's style sheet."""
    return style_of(__package__, "hand_out.css")


@cache
def _environment() -> Environment:
    environment = templates("kneerisk.answer.hand_out")
    environment.globals |= {"days": DAYS, "language": LANGUAGE}
    return environment
