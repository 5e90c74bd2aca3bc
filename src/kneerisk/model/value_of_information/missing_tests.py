"""Which tests and questions are open, what each would fill, and how a question may be answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from math import isnan

import numpy as np

from kneerisk.evidence import assumption, measures_of_test, screening_tests
from kneerisk.model.feature_columns import Column, ColumnKind, own_answer_columns, sport_columns
from kneerisk.model.risk_model import RiskModel
from kneerisk.schema import SIDES, Category, Columns, FloatArray, category, columns, leg_measures
from kneerisk.schema.columns import location_of
from kneerisk.schema.own_measures import own_measures_in_force, per_schema, per_schema_at_most
from kneerisk.schema.rules import RATIOS, SHARED_READINGS

#: Canonical columns by the test that would fill them.
MissingColumns = Mapping[str, tuple[str, ...]]
#: Coded answers by column, each of shape (k,), and their probabilities, shape (k,).
Answers = tuple[dict[str, FloatArray], FloatArray]
#: Of so many patterns of tests done the missing ones are kept, some 10 kB each (assumption).
_PATTERNS_KEPT = 512
#: Keeps a sum of shares from being 0.
_SMALLEST = 1e-9


def missing_columns(data: Columns, known: frozenset[str]) -> MissingColumns:
    """The columns that each test or question would fill.

    Parameters
    ----------
    data
        Coded columns of one screening, each of shape ``(1,)``; missing is NaN.
    known
        Columns that the model has seen in training.

    Returns
    -------
    By test, without tests that would fill none.
    """
    given = frozenset(name for name in known if not isnan(data[name][0]))
    return _missing(given, frozenset(_computed_ratios(data) | _shared_readings(data)), known)


@per_schema_at_most(_PATTERNS_KEPT)
def _missing(
    given: frozenset[str], implied: frozenset[str], known: frozenset[str]
) -> MissingColumns:
    missing = {
        test: tuple(
            name
            for name in columns_of_test(test)
            if name in known and name not in given and name not in implied
        )
        for test in screening_tests()
    }
    return {test: names for test, names in missing.items() if names}


@per_schema
def columns_of_test(test: str) -> tuple[str, ...]:
    """The columns that a test fills; a ratio of two of its own measures is not one more."""
    measures = measures_of_test(test)
    ratios = {r.ratio for r in RATIOS if r.over in measures and r.under in measures}
    sided = leg_measures()
    names: list[str] = []
    for name in measures:
        if name not in ratios:
            names += [f"{side}_{name}" for side in SIDES] if name in sided else [name]
    return tuple(names)


def _computed_ratios(data: Columns) -> set[str]:
    """Ratios whose two torques were measured in one test, so that they are known."""
    ratios: set[str] = set()
    for rule in RATIOS:
        codes = [category(rule.protocol).choices.index(mode) for mode in rule.modes]
        for side in SIDES:
            torques = [data[f"{side}_{name}"][0] for name in (rule.over, rule.under)]
            if data[rule.protocol][0] in codes and not np.isnan(torques).any():
                ratios.add(f"{side}_{rule.ratio}")
    return ratios


def _shared_readings(data: Columns) -> set[str]:
    """Of a reading that is of both legs, the column that would add nothing."""
    return {
        f"left_{measure}" if isnan(data[f"left_{measure}"][0]) and not isnan(
            data[f"right_{measure}"][0]
        ) else f"right_{measure}"
        for measure in SHARED_READINGS
    }  # fmt: skip


def possible_answers(
    model: RiskModel, data: Columns, missing: tuple[str, ...]
) -> Iterator[Answers]:
    """How a question may be answered, one item for each part that is independent.

    Parameters
    ----------
    model
        The model, whose training cohort says how common an answer is.
    data
        Coded columns of one screening, each of shape ``(1,)``; missing is NaN.
    missing
        The columns that the question would fill.

    Yields
    ------
    The k answers of a part and their probabilities.
    """
    for side in SIDES:
        yield from _knee_history(side, data, missing)
    own = own_measures_in_force()
    for name in missing:
        if isinstance(answer := own.measures.get(location_of(name)[-1]), Category):
            yield _own_answers(model, name, answer)
        elif name == "level":
            yield {name: np.arange(3.0)}, _levels()
        elif name == "sport":
            shares = np.array([_training_mean(model, column) for column in sport_columns()])
            answers = {name: np.arange(float(len(shares)))}
            yield answers, shares / max(shares.sum(), _SMALLEST)
        elif name.endswith("_pain_on_squat_jump"):
            share = assumption("pain_in_movement_share")
            yield {name: np.array([0.0, 1.0])}, np.array([1.0 - share, share])
        elif isinstance(columns()[name], Category) and not name.startswith(SIDES):
            mean = _training_mean(model, Column(ColumnKind.ATHLETE, name))
            share = float(np.clip(mean, 0.0, 1.0))
            yield {name: np.array([0.0, 1.0])}, np.array([1.0 - share, share])


def _own_answers(model: RiskModel, name: str, answer: Category) -> Answers:
    """How a club's own question may be answered: as the training cohort did.

    Of choices in an order its mean alone is known, so that they are taken to be binomial.
    """
    from scipy.stats import binom  # takes half a second to load

    *sides, measure = location_of(name)
    kind = ColumnKind.ATHLETE if sides == ["athlete"] else ColumnKind.OWN
    steps, columns = len(answer.choices) - 1, own_answer_columns(measure, answer, kind)
    means = np.clip([_training_mean(model, column) for column in columns], 0.0, None)
    codes = np.arange(steps + 1.0)
    if len(columns) > 1:
        return {name: codes}, means / max(means.sum(), _SMALLEST)
    return {name: codes}, np.asarray(binom.pmf(codes, steps, min(means[0] / steps, 1.0)))


def _training_mean(model: RiskModel, column: Column) -> float:
    """The training cohort's mean of a column: of a yes or no, the share of yes."""
    if column in model.boosted.columns:
        return float(model.boosted.fill[model.boosted.columns.index(column)])
    between = model.margin.between
    if column in between.columns:
        return float(between.centre[between.columns.index(column)])
    return 0.0


@cache
def _levels() -> FloatArray:
    novice, competitive = assumption("novice_share"), assumption("competitive_share")
    return np.array([novice, 1.0 - novice - competitive, competitive])


def _knee_history(side: str, data: Columns, missing: tuple[str, ...]) -> Iterator[Answers]:
    """Earlier trouble of one knee: when it last hurt, and how often it has."""
    names = tuple(f"{side}_{name}" for name in ("prior_knee_injury", "same_side_episodes"))
    wanted = [i for i, name in enumerate(names) if name in missing]
    if not wanted:
        return
    given = tuple(data[name][0] for name in names)
    states, shares = _knee_states()
    possible = np.ones(len(shares), bool)
    for i in (0, 1):
        if not np.isnan(given[i]):
            possible &= states[:, i] == np.minimum(given[i], states[:, i].max())
    if possible.any():
        answers = {names[i]: states[possible, i] for i in wanted}
        yield answers, shares[possible] / shares[possible].sum()


@cache
def _knee_states() -> tuple[FloatArray, FloatArray]:
    """Code of the last injury and number of episodes, shape (7, 2), and their shares, (7,)."""
    recent, older = assumption("prior_injury_recent_share"), assumption("prior_injury_older_share")
    second, third = assumption("second_episode_share"), assumption("third_episode_share")
    times = ((1.0, 1.0 - second - third), (2.0, second), (3.0, third))
    rows = [(0.0, 0.0, 1.0 - recent - older)]
    rows += [(c, n, share * p) for c, share in ((1.0, older), (2.0, recent)) for n, p in times]
    table = np.array(rows)
    return table[:, :2], table[:, 2]
