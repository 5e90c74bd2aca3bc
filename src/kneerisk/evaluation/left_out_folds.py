"""Cross-validation: fold by fold, screenings are left out and predicted by a model of the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kneerisk.cohort import Cohort
from kneerisk.cohort.splits import without_athletes
from kneerisk.evaluation.task_rows import Risks
from kneerisk.workers.this_process import Workers, in_this_process

Rows = NDArray[np.bool_]
#: Fits to some screenings and predicts others, both given by masks: risks by the model's name, None
#: where one can't be fitted.
FitAndPredict = Callable[[Rows, Rows], Mapping[str, Risks | None]]


@dataclass(frozen=True, slots=True)
class Deal:
    """Which screenings are left out together, shape (n,), and what predicts them from the rest."""

    fold: NDArray[np.intp]
    fit_and_predict: FitAndPredict


def predict_left_out(
    cohort: Cohort,
    fold: NDArray[np.intp],
    fit_and_predict: FitAndPredict,
    workers: Workers = in_this_process,
    begins: Callable[[], None] = lambda: None,
) -> dict[str, Risks]:
    """Risks of each screening by a model that saw neither its fold nor its athlete.

    Parameters
    ----------
    cohort
        Of n screenings.
    fold
        Which screenings are left out together, shape (n,).
    fit_and_predict
        Fits and predicts one fold.
    workers
        What fits the folds.
    begins
        Called as each fold begins.

    Returns
    -------
    By the model's name, without those that could not be fitted for each fold.
    """
    return predict_deals(cohort, [Deal(fold, fit_and_predict)], workers, begins)[0]


def predict_deals(
    cohort: Cohort,
    deals: Sequence[Deal],
    workers: Workers = in_this_process,
    begins: Callable[[], None] = lambda: None,
) -> list[dict[str, Risks]]:
    """The same for several deals of folds, all of which can be worked on at once.

    Parameters
    ----------
    cohort
        Of n screenings.
    deals
        Of its screenings.
    workers
        What fits the folds.
    begins
        Called as each fold begins.

    Returns
    -------
    As of `predict_left_out`, for each deal.
    """
    left_out = [
        (place, deal.fold == number)
        for place, deal in enumerate(deals)
        for number in np.unique(deal.fold)
    ]

    def pieces() -> Iterator[tuple[int, Rows, Rows]]:
        for place, test in left_out:
            begins()
            yield place, without_athletes(cohort, test), test

    predicted: list[list[tuple[Rows, Mapping[str, Risks | None]]]] = [[] for _ in deals]
    by_deal = tuple(deal.fit_and_predict for deal in deals)
    found = workers(_predict_fold, by_deal, pieces())
    for (place, test), risks in zip(left_out, found, strict=True):
        predicted[place].append((test, risks))
    return [_in_order(deal.fold, parts) for deal, parts in zip(deals, predicted, strict=True)]


def _predict_fold(
    by_deal: tuple[FitAndPredict, ...], piece: tuple[int, Rows, Rows]
) -> Mapping[str, Risks | None]:
    place, train, test = piece
    return by_deal[place](train, test)


def _in_order(
    fold: NDArray[np.intp], parts: Sequence[tuple[Rows, Mapping[str, Risks | None]]]
) -> dict[str, Risks]:
    """The risks of all folds, in the order of the screenings."""
    joined: dict[str, dict[str, NDArray[np.float64]]] = {}
    failed = set[str]()
    for test, predicted in parts:
        for name, risks in predicted.items():
            if risks is None:
                failed.add(name)
                continue
            for task in ("left", "right", "either"):
                values = getattr(risks, task)
                if values is not None:
                    column = joined.setdefault(name, {}).setdefault(
                        task, np.full(len(fold), np.nan)
                    )
                    column[test] = values
    return {
        name: Risks(tasks.get("left"), tasks.get("right"), tasks.get("either"), fold)
        for name, tasks in joined.items()
        if name not in failed
    }
