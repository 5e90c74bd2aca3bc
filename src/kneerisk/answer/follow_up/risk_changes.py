"""How far the risks and imbalances moved between two visits, and how far error alone moves them.

What the literature disagrees on is the same at both visits, so that only the error of the tests
counts: each reading is moved up and down by the SD of its error, one at a time, through the whole
model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from kneerisk.answer.answer_schema import SHOWN, Answer, Imbalance, Knee
from kneerisk.answer.follow_up.follow_up_request import FEWEST_VISITS, Visit
from kneerisk.answer.follow_up.follow_up_schema import ImbalanceChange, Move, RiskChange
from kneerisk.evidence.pair_dependence import either
from kneerisk.model import RiskModel
from kneerisk.schema import SIDES, Columns, FloatArray, Quantity, Side, columns, quantity
from kneerisk.schema.columns import location_of
from kneerisk.schema.detectable_change import READING_PER_SEM, error_sd

#: A move of less than one in a hundred is not told as one, whatever the error (assumption).
LEAST_POINTS = 1.0
#: The first outputs of a model, in the order of the arrays here.
_RISKS = (*SIDES, "either")
_TILT = ("left_lateral_pelvic_tilt_deg", "right_lateral_pelvic_tilt_deg")


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """Log-odds at two visits and the limit of what error alone moves them by, 95 %.

    Arrays of shape (3 + 2 * n_imbalances,): left, right, either, then the imbalances of the left
    and of the right leg. NaN where the model has none.
    """

    first: FloatArray
    last: FloatArray
    limit: FloatArray
    same_tests: bool
    imbalances: tuple[str, ...]

    @property
    def error_points(self) -> FloatArray:
        """The limit in points of 100: as far apart as it lets these two probabilities be."""
        middle = (self.first + self.last) / 2.0
        apart = expit(middle + self.limit / 2.0) - expit(middle - self.limit / 2.0)
        return np.asarray(100.0 * apart)

    def place(self, side: Side, imbalance: str) -> int:
        """Where an imbalance of a leg stands."""
        of_leg = len(_RISKS) + SIDES.index(side) * len(self.imbalances)
        return of_leg + self.imbalances.index(imbalance)

    def verdict(self, at: int) -> Move:
        """Whether an output moved by more than error alone moves it, and enough to tell."""
        moved = self.last[at] - self.first[at]
        points = 100.0 * abs(expit(self.last[at]) - expit(self.first[at]))
        if abs(moved) > self.limit[at] and points >= LEAST_POINTS:
            return "rose" if moved > 0.0 else "fell"
        return "within_error"


#: Compares two visits, given by their places.
Between = Callable[[int, int], Moves]


def risk_changes(
    visits: Sequence[Visit], told: Sequence[Answer], between: Between
) -> list[RiskChange]:
    """How each knee's risk moved from the first to the last visit that may tell one."""
    found = []
    knees: tuple[Knee, ...] = (*SHOWN, "either")
    for knee in knees:
        with_risk = [i for i, answer in enumerate(told) if getattr(answer.risk, knee) is not None]
        if len(with_risk) < FEWEST_VISITS:
            continue
        first, last = with_risk[0], with_risk[-1]
        moved, at = between(first, last), _RISKS.index(knee)
        ends = [float(expit(log_odds[at])) for log_odds in (moved.first, moved.last)]
        found.append(
            RiskChange(
                knee=knee,
                first_date=visits[first].date,
                last_date=visits[last].date,
                first=ends[0],
                last=ends[1],
                points=100.0 * (ends[1] - ends[0]),
                error_points=float(moved.error_points[at]),
                verdict=moved.verdict(at),
                same_tests=moved.same_tests,
            )
        )
    return found


def imbalance_changes(told: Sequence[Answer], between: Between) -> list[ImbalanceChange]:
    """How each imbalance moved from the first to the last visit that tells of them."""
    named = [i for i, answer in enumerate(told) if answer.imbalances]
    if len(named) < FEWEST_VISITS:
        return []
    moved = between(named[0], named[-1])
    before, after = (_by_leg(told[i]) for i in (named[0], named[-1]))
    found = []
    for (side, name), first in before.items():
        at = moved.place(first.side, name)
        found.append(
            ImbalanceChange(
                side=first.side,
                name=first.name,
                label=first.label,
                first=float(expit(moved.first[at])),
                last=float(expit(moved.last[at])),
                verdict=moved.verdict(at),
                moved_from=first.status,
                moved_to=after[side, name].status,
            )
        )
    return found


def _by_leg(answer: Answer) -> dict[tuple[str, str], Imbalance]:
    return {(one.side, one.name): one for one in answer.imbalances or []}


def moves(model: RiskModel, first: Columns, last: Columns) -> Moves:
    """Compare two visits by what was measured at both; columns of shape (1,)."""
    first, last, same_tests = _of_both(first, last)
    log_odds, variances = zip(*(_with_error(model, visit) for visit in (first, last)), strict=True)
    return Moves(
        first=log_odds[0],
        last=log_odds[1],
        limit=READING_PER_SEM * np.sqrt(variances[0] + variances[1]),
        same_tests=same_tests,
        imbalances=model.imbalance.names if model.imbalance else (),
    )


def _of_both(first: Columns, last: Columns) -> tuple[Columns, Columns, bool]:
    """Both visits without what only one of them measured. Pain is no test; it stays as it is."""
    tests = [name for name in columns() if location_of(name)[0] != "pain"]
    absent = {name: np.isnan(first[name]) | np.isnan(last[name]) for name in tests}
    differ = any(np.isnan(first[name]) != np.isnan(last[name]) for name in tests)

    def kept(visit: Columns) -> Columns:
        return {
            name: np.where(absent[name], np.nan, values) if name in absent else values
            for name, values in visit.items()
        }

    return kept(first), kept(last), not differ


def _with_error(model: RiskModel, visit: Columns) -> tuple[FloatArray, FloatArray]:
    """Log-odds of every output, and the variance that the errors of the readings give them."""
    moved = _moved(model, visit)
    found = _log_odds(model, moved)
    up, down = found[1::2], found[2::2]
    return found[0], (((up - down) / 2.0) ** 2).sum(axis=0)


def _moved(model: RiskModel, visit: Columns) -> Columns:
    """The visit, then twice a row for each reading: more and less by the SD of its error."""
    people = model.population
    known = {*people.athlete, *people.leg}
    errors = {
        column: float(error_sd(location_of(column)[-1], visit)[0])
        for column, measure in columns().items()
        if isinstance(measure, Quantity)
        and location_of(column)[-1] in known
        and not np.isnan(visit[column][0])
    }
    given = [column for column, error in errors.items() if not np.isnan(error)]
    both_tilts = all(tilt in given for tilt in _TILT)
    if both_tilts:
        given.remove(_TILT[1])
    moved = {name: np.repeat(values, 1 + 2 * len(given)) for name, values in visit.items()}
    for i, column in enumerate(given):
        for row, sign in ((1 + 2 * i, 1.0), (2 + 2 * i, -1.0)):
            step = sign * errors[column]
            log = quantity(location_of(column)[-1]).log_scale
            moved[column][row] = visit[column][0] * np.exp(step) if log else visit[column][0] + step
            if both_tilts and column == _TILT[0]:
                moved[_TILT[1]][row] = -moved[column][row]
    return moved


def _log_odds(model: RiskModel, data: Columns) -> FloatArray:
    """Log-odds of every output in n screenings, shape (n, 3 + 2 * n_imbalances)."""
    legs = model.features(data)
    sides = model.log_odds(legs)
    if model.odds_ratio is None:
        missing = np.full((len(sides), 2), np.nan)
        parts = [missing, sides[:, :1]]
    else:
        left, right = expit(sides[:, 0]), expit(sides[:, 1])
        parts = [sides, logit(either(left, right, model.odds_ratio))[:, None]]
    if model.imbalance is not None:
        parts.append(logit(model.imbalance.probabilities(legs)).reshape(len(sides), -1))
    return np.concatenate(parts, axis=1)
