"""A champion that also reads a club's own measures, which move nothing until weights are fitted.

Their place in the population is learnt from the club, apart from the champion's measures: what
these say of each other stays as it was. So the widened champion predicts as the champion did.
"""

from __future__ import annotations

import numpy as np

from kneerisk.cohort.files import Cohort
from kneerisk.evidence.population import Population
from kneerisk.model.feature_columns import Column, ColumnKind, own_answer_columns
from kneerisk.model.features import FeatureMatrix
from kneerisk.model.margin import Margin, Scaler, between_values, fit_scaler, within_values
from kneerisk.model.risk_model import RiskModel
from kneerisk.schema import Category, Columns, FloatArray
from kneerisk.schema.own_measures import OwnMeasures, own_measures_in_force
from kneerisk.training.fitting.fit_columns import LEAST_SHARE
from kneerisk.training.fitting.population_shrinkage import population_of


def widened(model: RiskModel, cohort: Cohort) -> RiskModel:
    """A champion with the own measures that are in force, at weights of 0.

    Parameters
    ----------
    model
        The champion.
    cohort
        The club's athletes.

    Returns
    -------
    A model that predicts the same; the champion itself where it knows all measures.
    """
    own = model.own.beside(own_measures_in_force())
    new = tuple(name for name in own.names if name not in model.own.names)
    if not new:
        return model
    with own.in_force():
        population = _population(model.population, population_of(cohort))
        fields = {name: getattr(model, name) for name in RiskModel.__dataclass_fields__}
        wide = RiskModel(**(fields | {"population": population, "own": own}))
        data = cohort.columns()
        columns = _columns(own, _given(new, own, data))
        margin = _with_columns(model.margin, columns, wide.features(data))
        return RiskModel(**(fields | {"population": population, "own": own, "margin": margin}))


def _population(champion: Population, club: Population) -> Population:
    """The champion's measures as they were, and apart from them those of the club."""
    state = _state(club.athlete, club.leg, club.imbalances)
    before = _state(champion.athlete, champion.leg, champion.imbalances)
    known = [state.index(place) for place in before]
    covariance, shifts = club.covariance.copy(), club.shifts.copy()
    covariance[known, :], covariance[:, known] = 0.0, 0.0
    covariance[np.ix_(known, known)], shifts[known] = champion.covariance, champion.shifts
    return Population(
        athlete=club.athlete,
        leg=club.leg,
        imbalances=club.imbalances,
        covariance=covariance,
        shifts=shifts,
    )


def _state(
    athlete: tuple[str, ...], leg: tuple[str, ...], imbalances: tuple[str, ...]
) -> list[tuple[str, str]]:
    """What each place of a population's state holds: whose it is, and its name."""
    parts = {"athlete": athlete, "own": leg, "other": leg}
    parts |= {"own_imbalance": imbalances, "other_imbalance": imbalances}
    return [(part, name) for part, names in parts.items() for name in names]


def _given(names: tuple[str, ...], own: OwnMeasures, data: Columns) -> list[str]:
    """The measures that enough of the screenings have."""

    def share(name: str) -> float:
        columns = [name] if name in own.athlete else [f"left_{name}", f"right_{name}"]
        return float(np.mean([~np.isnan(data[column]) for column in columns]))

    inputs = (name for name in names if own.measures[name].model_input)
    return [name for name in inputs if share(name) >= LEAST_SHARE]


def _columns(own: OwnMeasures, names: list[str]) -> dict[Column, bool]:
    """The columns of the feature matrix of some measures, and whether the legs differ in each."""
    columns: dict[Column, bool] = {}
    for name in names:
        measure, by_leg = own.measures[name], name in own.leg
        read: tuple[Column, ...] = (Column(ColumnKind.EXPECTED, name),)
        if isinstance(measure, Category):
            kind = ColumnKind.OWN if by_leg else ColumnKind.ATHLETE
            read = own_answer_columns(name, measure, kind)
        columns |= dict.fromkeys(read, by_leg)
    return columns


def _with_columns(margin: Margin, columns: dict[Column, bool], legs: FeatureMatrix) -> Margin:
    """A linear part with some more columns, at weights of 0."""
    every, sided = tuple(columns), tuple(column for column, by_leg in columns.items() if by_leg)
    between = fit_scaler(every, between_values(legs, every), centred=True)
    within = fit_scaler(sided, within_values(legs, sided), centred=False)
    return Margin(
        within=_joined(margin.within, within),
        between=_joined(margin.between, between),
        within_weights=_padded(margin.within_weights, within),
        between_weights=_padded(margin.between_weights, between),
        scale=margin.scale,
        intercept=margin.intercept,
    )


def _joined(first: Scaler, second: Scaler) -> Scaler:
    return Scaler(
        columns=(*first.columns, *second.columns),
        centre=np.concatenate([first.centre, second.centre]),
        spread=np.concatenate([first.spread, second.spread]),
    )


def _padded(weights: FloatArray, more: Scaler) -> FloatArray:
    return np.concatenate([weights, np.zeros(len(more.columns))])
