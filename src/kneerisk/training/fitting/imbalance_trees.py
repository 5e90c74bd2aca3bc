"""Fit the imbalances: trees where a grade marks one, since the rest is known in closed form."""

from __future__ import annotations

import numpy as np

from kneerisk.evidence import imbalances
from kneerisk.evidence.imbalance_markers import imbalance_thresholds, marks
from kneerisk.model.feature_columns import Column, ColumnKind
from kneerisk.model.imbalance_model import ImbalanceModel, latent_log_odds
from kneerisk.model.trees import BoostedTrees
from kneerisk.progress import Progress, event
from kneerisk.schema import quantity
from kneerisk.training.fitting.boosting import Rows, fit_boosted
from kneerisk.training.fitting.fit_inputs import Inputs
from kneerisk.training.fitting.settings import Settings

#: The measurement update already says nearly all there is.
MOST_ROUNDS = 40


def fit_imbalance(inputs: Inputs, fold: np.ndarray, progress: Progress) -> ImbalanceModel | None:
    """The five imbalances, where the cohort knows them: a simulated one only.

    Trees read the grades of the imbalance's own pattern and nothing else: what other readings say
    is exact already, and trees that read them only add noise (`docs/decisions/0022`).
    """
    if inputs.imbalances is None:
        return None
    progress(event("imbalances"))
    names = tuple(imbalances())
    thresholds, spread = imbalance_thresholds()
    base = latent_log_odds(inputs.legs, names, thresholds, spread)
    target = inputs.imbalances.reshape(base.shape)
    trees: dict[str, BoostedTrees] = {}
    for place, name in enumerate(names):
        grades = [measure for measure in marks()[name] if quantity(measure).whole]
        rows = Rows(
            legs=inputs.legs,
            base=base[:, place],
            target=target[:, place],
            fold=np.repeat(fold, 2),
            columns=tuple(
                Column(kind, grade)
                for grade in grades
                for kind in (ColumnKind.EXPECTED, ColumnKind.VARIANCE)
            ),
            signs={},
        )
        if grades:
            found, rounds = fit_boosted(rows, settings=Settings(most_rounds=MOST_ROUNDS))
            trees |= {name: found} if rounds else {}
    return ImbalanceModel(names=names, thresholds=thresholds, spread=spread, trees=trees)
