"""What each column of the feature matrix holds: its kind, and the measure that it is about.

Code reads a column's meaning from here, never from its name. A bundle writes a column as its name;
`Column.parse` is the one place that reads such a name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cache, cached_property
from typing import NamedTuple

from kneerisk.evidence import Effect, effects
from kneerisk.evidence.population import Population
from kneerisk.evidence.risk_factors import risk_factors
from kneerisk.schema import Category, Measure, athlete_measures, category, quantity
from kneerisk.schema.own_measures import own_measures_in_force, per_schema
from kneerisk.schema.rules import SQUEEZED_TOGETHER


class ColumnKind(StrEnum):
    """What a column holds; the value is the first word of its name."""

    ATHLETE = "athlete"
    """A measure or an answer of the athlete, as it was given; missing stays missing."""
    ONE_HOT = "one_hot"
    """1 where the athlete gave this choice of an unordered answer (sex, sport), else 0."""
    OWN = "own"
    """The history of the knee that the row is about, and whether movement hurts it."""
    OTHER = "other"
    """The same of the other knee."""
    EXPECTED = "expected"
    """Expected true z-score of a measure, given everything that was measured."""
    VARIANCE = "spread"
    """Variance of that true z-score."""
    DIFFERENCE = "difference"
    """Expected z-score of the own leg minus that of the other leg."""
    IMBALANCE = "imbalance"
    """Expected value of an imbalance's latent variable, in SD."""
    IMBALANCE_VARIANCE = "imbalance_spread"
    """Its variance."""
    FACTOR = "factor"
    """The contrast of a published risk factor at the expected values."""


class Column(NamedTuple):
    """One column of the feature matrix.

    A named tuple, since a prediction looks some thousand columns up by their hash: that of a
    dataclass takes six times as long.
    """

    kind: ColumnKind
    subject: str
    """The measure that it is about; of an imbalance or a risk factor, its name."""
    choice: str | None = None
    """The choice that it marks: 1 where it was given, else 0."""

    @property
    def name(self) -> str:
        """The name that bundles, boosters and plots give it."""
        if self.choice is None:
            return f"{self.kind}_{self.subject}"
        if self.subject not in {"sex", "sport"}:
            return f"{self.kind}_{self.subject}={self.choice}"
        return "athlete_female" if self.subject == "sex" else f"athlete_sport_{self.choice}"

    @property
    def effect(self) -> Effect | None:
        """The effect whose contrast it holds; None if it is no risk factor."""
        return effects()[self.subject] if self.kind is ColumnKind.FACTOR else None

    @property
    def measures(self) -> frozenset[str]:
        """The measures without which it is missing, or says no more than what is usual."""
        if self.kind in {ColumnKind.IMBALANCE, ColumnKind.IMBALANCE_VARIANCE}:
            return frozenset()
        if self.effect is not None:
            # The body mass index is computed from two measures, so that its row names none.
            rests_on = {self.effect.measure} - {""} or {"height_cm", "mass_kg"}
            by_sport = set(self.effect.population.split()) & set(category("sport").choices)
            return frozenset(rests_on | ({"sport"} if by_sport else set()))
        # Where the sex is not stated, the column holds one half.
        return frozenset() if self == FEMALE else frozenset({self.subject})

    @classmethod
    def parse(cls, name: str) -> Column:
        """The column of a name.

        Parameters
        ----------
        name
            The column's `name`.

        Returns
        -------
        The column.

        Raises
        ------
        ValueError
            Where no column has such a name.
        """
        for column in (FEMALE, *sport_columns()):
            if name == column.name:
                return column
        # The longest first: one kind's name begins with another's.
        for kind in sorted(ColumnKind, key=len, reverse=True):
            if name.startswith(f"{kind}_"):
                subject, _, choice = name.removeprefix(f"{kind}_").partition("=")
                return cls(kind, subject, choice or None)
        raise ValueError(f"{name!r} is not a column of the feature matrix")


class ColumnSet(tuple[Column, ...]):  # noqa: SLOT001 - it keeps its hash
    """Some columns in order, whose hash is worked out once: their places are looked up by it."""

    @cached_property
    def _hash(self) -> int:
        return tuple.__hash__(self)

    def __hash__(self) -> int:
        """The hash of the same columns as a tuple, which they equal."""
        return self._hash

    def __reduce__(self) -> tuple[type[ColumnSet], tuple[tuple[Column, ...]]]:
        """Another process hashes texts otherwise: only the columns go there."""
        return ColumnSet, (tuple(self),)


#: 1 for women, 0 for men, one half where the sex is not stated.
FEMALE = Column(ColumnKind.ONE_HOT, "sex", "female")


@cache
def sport_columns() -> tuple[Column, ...]:
    """One column for each sport."""
    choices = category("sport").choices
    return ColumnSet(Column(ColumnKind.ONE_HOT, "sport", name) for name in choices)


@per_schema
def athlete_columns() -> tuple[Column, ...]:
    """Columns of the athlete's own answers: sex, age, sport, and every other choice."""
    own = own_measures_in_force().athlete
    answers = (
        Column(ColumnKind.ATHLETE, name)
        for name, measure in athlete_measures().items()
        if isinstance(measure, Category) and name not in {"sex", "sport", *own}
    )
    age = Column(ColumnKind.ATHLETE, "age_years")
    by_choice = _own_answers(own, ColumnKind.ATHLETE)
    return ColumnSet((FEMALE, age, *sport_columns(), *answers, *by_choice))


@per_schema
def history_columns() -> tuple[Column, ...]:
    """Earlier trouble of the own and of the other knee, pain in movement, a club's own answers."""
    kinds, own = (ColumnKind.OWN, ColumnKind.OTHER), own_measures_in_force().leg
    answers = ("prior_knee_injury", "same_side_episodes", "pain_on_squat_jump")
    asked = (Column(kind, name) for name in answers for kind in kinds)
    return ColumnSet((*asked, *(column for kind in kinds for column in _own_answers(own, kind))))


def _own_answers(own: Mapping[str, Measure], kind: ColumnKind) -> Iterator[Column]:
    """A column for each of a club's own answers, or for each choice where these have no order."""
    for name, measure in own.items():
        if isinstance(measure, Category) and measure.model_input:
            yield from own_answer_columns(name, measure, kind)


def own_answer_columns(name: str, answer: Category, kind: ColumnKind) -> tuple[Column, ...]:
    """The columns of one of a club's own answers.

    Parameters
    ----------
    name
        Its name, without a side.
    answer
        The category.
    kind
        Whose it is: `ColumnKind.ATHLETE`, `OWN` or `OTHER`.

    Returns
    -------
    One column that holds the choice's position, or one of 0 and 1 for each choice without an order.
    """
    if answer.ordinal or len(answer.choices) == 2:
        return (Column(kind, name),)
    by_choice = ColumnKind.ONE_HOT if kind is ColumnKind.ATHLETE else kind
    return tuple(Column(by_choice, name, choice) for choice in answer.choices)


@cache
def factor_columns() -> tuple[Column, ...]:
    """One column for each published risk factor."""
    return ColumnSet(Column(ColumnKind.FACTOR, effect.factor) for effect in risk_factors())


def compared_between_legs(leg: tuple[str, ...]) -> tuple[str, ...]:
    """The leg measures that can differ between the legs, in order."""
    return tuple(name for name in leg if name not in SQUEEZED_TOGETHER)


def feature_columns(people: Population) -> tuple[Column, ...]:
    """Every column of the feature matrix of a population, in order."""
    return _feature_columns(people.athlete, people.leg, people.imbalances)


@per_schema
def _feature_columns(
    athlete: tuple[str, ...], leg: tuple[str, ...], imbalances: tuple[str, ...]
) -> tuple[Column, ...]:
    measures = (*athlete, *leg)
    return ColumnSet(
        (
            *athlete_columns(),
            *history_columns(),
            *(Column(ColumnKind.EXPECTED, name) for name in measures),
            *(Column(ColumnKind.IMBALANCE, name) for name in imbalances),
            *(Column(ColumnKind.VARIANCE, name) for name in measures),
            *(Column(ColumnKind.IMBALANCE_VARIANCE, name) for name in imbalances),
            *(Column(ColumnKind.DIFFERENCE, name) for name in compared_between_legs(leg)),
            *factor_columns(),
        )
    )


def monotone_directions(people: Population) -> dict[Column, int]:
    """Columns whose effect on risk has a supported direction: +1 raises it, -1 lowers it.

    A published factor counts towards its published sign; a measure towards its schema direction.
    """
    signs = {
        Column(ColumnKind.FACTOR, effect.factor): effect.sign
        for effect in risk_factors()
        if effect.sign
    }
    for name in (*people.athlete, *people.leg):
        direction = quantity(name).direction
        if direction is None:
            continue
        sign = 1 if direction == "raises" else -1
        signs[Column(ColumnKind.EXPECTED, name)] = sign
        if name in compared_between_legs(people.leg):
            signs[Column(ColumnKind.DIFFERENCE, name)] = sign
    return signs
