"""A fitted model as plain data and boosters: JSON and UBJ, nothing that runs when it is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from kneerisk.evidence.population import Population
from kneerisk.model.base_rates import BaseRates, Count
from kneerisk.model.feature_columns import Column, ColumnSet
from kneerisk.model.imbalance_model import ImbalanceModel
from kneerisk.model.intervals import BootstrapInterval, QuantileInterval
from kneerisk.model.logistic_calibration import Calibration
from kneerisk.model.margin import Margin, Scaler
from kneerisk.model.risk_model import RiskModel
from kneerisk.model.trees import BoostedTrees, read_booster
from kneerisk.schema.own_measures import NO_OWN_MEASURES, OwnMeasures

if TYPE_CHECKING:
    import xgboost as xgb

Json = dict[str, Any]


@dataclass(slots=True)
class Written:
    """A model as data, and the boosters it names, by file name."""

    data: Json
    boosters: dict[str, xgb.Booster] = field(default_factory=dict)


def to_data(model: RiskModel) -> Written:
    """A model as JSON data with its boosters apart."""
    out = Written({})
    out.data = {
        "population": _population_data(model.population),
        "margin": _margin_data(model.margin),
        "boosted": _boosted_data(model.boosted, "trees.ubj", out),
        "calibration": _calibration_data(model.calibration),
        "interval": _interval_data(model.interval, out),
        "either_widening": model.either_conformal_correction,
        "odds_ratio": model.odds_ratio,
        "imbalance": _imbalance_data(model.imbalance, out) if model.imbalance else None,
        "base_rates": _base_rates_data(model.base_rates) if model.base_rates else None,
    }
    return out


def from_data(
    data: Json, files: Mapping[str, bytes], own: OwnMeasures = NO_OWN_MEASURES
) -> RiskModel:
    """The model that `to_data` wrote.

    Parameters
    ----------
    data
        What `to_data` gave.
    files
        The boosters' files, by name.
    own
        The own measures among those that the model reads.

    Returns
    -------
    RiskModel
        The model.
    """
    imbalance = data["imbalance"]
    return RiskModel(
        population=_population(data["population"]),
        margin=_margin(data["margin"]),
        boosted=_boosted(data["boosted"], files),
        calibration=Calibration(**data["calibration"]),
        interval=_interval(data["interval"], files),
        either_conformal_correction=data["either_widening"],
        odds_ratio=data["odds_ratio"],
        imbalance=_imbalance(imbalance, files) if imbalance else None,
        base_rates=_base_rates(data["base_rates"]) if data["base_rates"] else None,
        own=own,
    )


def _base_rates_data(rates: BaseRates) -> Json:
    return {
        "central": rates.central.tolist(),
        "spread": rates.spread.tolist(),
        "between": rates.between,
        "count": list(rates.count) if rates.count else None,
    }


def _base_rates(data: Json) -> BaseRates:
    return BaseRates(
        central=np.array(data["central"]),
        spread=np.array(data["spread"]),
        between=data["between"],
        count=Count(*data["count"]) if data["count"] else None,
    )


def _population_data(people: Population) -> Json:
    return {
        "athlete": people.athlete,
        "leg": people.leg,
        "imbalances": people.imbalances,
        "covariance": people.covariance.tolist(),
        "shifts": people.shifts.tolist(),
    }


def _population(data: Json) -> Population:
    return Population(
        athlete=tuple(data["athlete"]),
        leg=tuple(data["leg"]),
        imbalances=tuple(data["imbalances"]),
        covariance=np.array(data["covariance"]),
        shifts=np.array(data["shifts"]),
    )


def _margin_data(margin: Margin) -> Json:
    return {
        "within": _scaler_data(margin.within),
        "between": _scaler_data(margin.between),
        "within_weights": margin.within_weights.tolist(),
        "between_weights": margin.between_weights.tolist(),
        "scale": margin.scale,
        "intercept": margin.intercept,
    }


def _margin(data: Json) -> Margin:
    return Margin(
        within=_scaler(data["within"]),
        between=_scaler(data["between"]),
        within_weights=np.array(data["within_weights"]),
        between_weights=np.array(data["between_weights"]),
        scale=data["scale"],
        intercept=data["intercept"],
    )


def _scaler_data(scaler: Scaler) -> Json:
    return {
        "names": [column.name for column in scaler.columns],
        "centre": scaler.centre.tolist(),
        "spread": scaler.spread.tolist(),
    }


def _scaler(data: Json) -> Scaler:
    return Scaler(
        columns=ColumnSet(Column.parse(name) for name in data["names"]),
        centre=np.array(data["centre"]),
        spread=np.array(data["spread"]),
    )


def _boosted_data(boosted: BoostedTrees, file: str, out: Written) -> Json:
    if boosted.booster is not None:
        out.boosters[file] = boosted.booster
    return {
        "columns": [column.name for column in boosted.columns],
        "fill": boosted.fill.tolist(),
        "file": file if boosted.booster is not None else None,
        "shared": boosted.shared,
    }


def _boosted(data: Json, files: Mapping[str, bytes]) -> BoostedTrees:
    columns = ColumnSet(Column.parse(name) for name in data["columns"])
    booster = read_booster(files[data["file"]], len(columns)) if data["file"] else None
    return BoostedTrees(
        columns=columns,
        fill=np.array(data["fill"]),
        booster=booster,
        shared=data["shared"],
    )


def _calibration_data(calibration: Calibration) -> Json:
    return {"intercept": calibration.intercept, "slope": calibration.slope}


def _interval_data(interval: QuantileInterval | BootstrapInterval, out: Written) -> Json:
    if isinstance(interval, QuantileInterval):
        return {
            "kind": "quantile",
            "quantiles": _boosted_data(interval.quantiles, "quantiles.ubj", out),
            "widening": interval.conformal_correction,
            "base_scale": interval.base_scale,
        }
    return {
        "kind": "bootstrap",
        "refits": [_margin_data(refit) for refit in interval.refits],
        "slope": interval.slope,
    }


def _interval(data: Json, files: Mapping[str, bytes]) -> QuantileInterval | BootstrapInterval:
    if data["kind"] == "quantile":
        return QuantileInterval(
            quantiles=_boosted(data["quantiles"], files),
            conformal_correction=data["widening"],
            base_scale=data["base_scale"],
        )
    refits = tuple(_margin(refit) for refit in data["refits"])
    return BootstrapInterval(refits=refits, slope=data["slope"])


def _imbalance_data(model: ImbalanceModel, out: Written) -> Json:
    return {
        "names": model.names,
        "thresholds": model.thresholds.tolist(),
        "spread": model.spread,
        "trees": {
            name: _boosted_data(trees, f"imbalance-{name}.ubj", out)
            for name, trees in model.trees.items()
        },
    }


def _imbalance(data: Json, files: Mapping[str, bytes]) -> ImbalanceModel:
    return ImbalanceModel(
        names=tuple(data["names"]),
        thresholds=np.array(data["thresholds"]),
        spread=data["spread"],
        trees={name: _boosted(trees, files) for name, trees in data["trees"].items()},
    )
