"""How far risks and imbalances changed between two visits, and how far error alone changes them.

What the literature disagrees on is the same at both visits, so that only measurement error counts.
It is propagated through the whole model by finite differences: each reading is shifted up and down
by the SD of its error, one at a time, and the squared effects on the log-odds are added (JCGM
100:2008, Guide to the expression of uncertainty in measurement, section 5.1).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from kneerisk.answer.answer_schema import SHOWN, Answer, Knee
from kneerisk.answer.follow_up.follow_up_request import FEWEST_VISITS, Visit
from kneerisk.answer.follow_up.follow_up_schema import ImbalanceChange, RiskChange, RiskVerdict
from kneerisk.answer.pattern_schema import Imbalance
from kneerisk.evidence.pair_dependence import either
from kneerisk.model import RiskModel
from kneerisk.schema import SIDES, Columns, FloatArray, Quantity, Side, columns, quantity
from kneerisk.schema.columns import location_of
from kneerisk.schema.detectable_change import READING_PER_SEM, error_sd
from kneerisk.schema.rules import OPPOSITES, SQUEEZED_TOGETHER

#: A change of less than one in a hundred is not reported as one, whatever the error (assumption).
LEAST_POINTS = 1.0
#: The first outputs of a model, in the order of the arrays here.
_RISKS = (*SIDES, "either")
#: A reading that stands in the columns of both legs: the second one, and its sign.
_SECOND = {f"left_{name}": (f"right_{name}", -1.0) for name in OPPOSITES} | {
    f"left_{name}": (f"right_{name}", 1.0) for name in SQUEEZED_TOGETHER
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskComparison:
    """Log-odds at two visits, and how far error alone moves them apart, 95 %.

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
        spread = expit(middle + self.limit / 2.0) - expit(middle - self.limit / 2.0)
        return np.asarray(100.0 * spread)

    def error_band(self, place: int) -> tuple[float, float]:
        """The probabilities within the limit of the first one, for one output."""
        first, limit = self.first[place], self.limit[place]
        return float(expit(first - limit)), float(expit(first + limit))

    def place(self, side: Side, imbalance: str) -> int:
        """Index of an imbalance of a leg in the arrays."""
        start = len(_RISKS) + SIDES.index(side) * len(self.imbalances)
        return start + self.imbalances.index(imbalance)

    def verdict(self, place: int) -> RiskVerdict:
        """Whether an output changed by more than error alone changes it, and enough to report."""
        change = self.last[place] - self.first[place]
        points = 100.0 * abs(expit(self.last[place]) - expit(self.first[place]))
        if abs(change) > self.limit[place] and points >= LEAST_POINTS:
            return "rose" if change > 0.0 else "fell"
        return "within_error"


#: Compares two visits, given by their places.
CompareVisits = Callable[[int, int], RiskComparison]


def risk_changes(
    visits: Sequence[Visit], visit_answers: Sequence[Answer], compare: CompareVisits
) -> list[RiskChange]:
    """How each knee's risk changed from the first to the last visit that has one.

    Parameters
    ----------
    visits
        The visits, the earliest first.
    visit_answers
        The answer to each.
    compare
        Compares two visits, given by their places.

    Returns
    -------
    One row for each knee with a risk at two visits or more.
    """
    changes = []
    knees: tuple[Knee, ...] = (*SHOWN, "either")
    for knee in knees:
        with_risk = [
            i for i, answer in enumerate(visit_answers) if getattr(answer.risk, knee) is not None
        ]
        if len(with_risk) < FEWEST_VISITS:
            continue
        first, last = with_risk[0], with_risk[-1]
        comparison, place = compare(first, last), _RISKS.index(knee)
        ends = [float(expit(odds[place])) for odds in (comparison.first, comparison.last)]
        changes.append(
            RiskChange(
                knee=knee,
                first_date=visits[first].date,
                last_date=visits[last].date,
                first=ends[0],
                last=ends[1],
                points=100.0 * (ends[1] - ends[0]),
                error_points=float(comparison.error_points[place]),
                error_band=comparison.error_band(place),
                verdict=comparison.verdict(place),
                same_tests=comparison.same_tests,
            )
        )
    return changes


def imbalance_changes(
    visit_answers: Sequence[Answer], compare: CompareVisits
) -> list[ImbalanceChange]:
    """How each imbalance changed from the first to the last visit that has them."""
    places = [i for i, answer in enumerate(visit_answers) if answer.imbalances]
    if len(places) < FEWEST_VISITS:
        return []
    comparison = compare(places[0], places[-1])
    before, after = (_by_leg(visit_answers[i]) for i in (places[0], places[-1]))
    changes = []
    for (side, name), first in before.items():
        place = comparison.place(first.side, name)
        changes.append(
            ImbalanceChange(
                side=first.side,
                name=first.name,
                label=first.label,
                first=float(expit(comparison.first[place])),
                last=float(expit(comparison.last[place])),
                verdict=comparison.verdict(place),
                moved_from=first.status,
                moved_to=after[side, name].status,
            )
        )
    return changes


def _by_leg(answer: Answer) -> dict[tuple[str, str], Imbalance]:
    return {(imbalance.side, imbalance.name): imbalance for imbalance in answer.imbalances or []}


def compare_risks(model: RiskModel, first: Columns, last: Columns) -> RiskComparison:
    """Compare two visits by what was measured at both.

    Parameters
    ----------
    model
        The fitted model.
    first
        Coded columns of the first screening, each of shape (1,).
    last
        Coded columns of the last one.

    Returns
    -------
    The log-odds of every output at both visits, with the limit of what error explains.
    """
    first, last, same_tests = _shared_tests(first, last)
    log_odds, variances = zip(*(_with_error(model, visit) for visit in (first, last)), strict=True)
    return RiskComparison(
        first=log_odds[0],
        last=log_odds[1],
        limit=READING_PER_SEM * np.sqrt(variances[0] + variances[1]),
        same_tests=same_tests,
        imbalances=model.imbalance.names if model.imbalance else (),
    )


def _shared_tests(first: Columns, last: Columns) -> tuple[Columns, Columns, bool]:
    """Both visits without what only one of them measured. Pain is no test; it stays as it is."""
    tests = [name for name in columns() if location_of(name)[0] != "pain"]
    absent = {name: np.isnan(first[name]) | np.isnan(last[name]) for name in tests}
    differ = any(np.isnan(first[name]) != np.isnan(last[name]) for name in tests)

    def shared(visit: Columns) -> Columns:
        return {
            name: np.where(absent[name], np.nan, values) if name in absent else values
            for name, values in visit.items()
        }

    return shared(first), shared(last), not differ


def _with_error(model: RiskModel, visit: Columns) -> tuple[FloatArray, FloatArray]:
    """Log-odds of every output, and the variance that the errors of the readings give them."""
    log_odds = _log_odds(model, _shifted(model, visit))
    up, down = log_odds[1::2], log_odds[2::2]
    return log_odds[0], (((up - down) / 2.0) ** 2).sum(axis=0)


def _shifted(model: RiskModel, visit: Columns) -> Columns:
    """The visit, then twice a row for each reading: more and less by the SD of its error."""
    known = {*model.population.athlete, *model.population.leg}
    errors = {
        column: float(error_sd(location_of(column)[-1], visit)[0])
        for column, measure in columns().items()
        if isinstance(measure, Quantity)
        and location_of(column)[-1] in known
        and not np.isnan(visit[column][0])
    }
    measured = [column for column, error in errors.items() if not np.isnan(error)]
    second = {c: other for c, other in _SECOND.items() if {c, other[0]} <= set(measured)}
    repeated = {name for name, _ in second.values()}
    measured = [column for column in measured if column not in repeated]
    shifted = {name: np.repeat(values, 1 + 2 * len(measured)) for name, values in visit.items()}
    for i, column in enumerate(measured):
        log = quantity(location_of(column)[-1]).log_scale
        places = [(column, 1.0), *([second[column]] if column in second else [])]
        for row, sign in ((1 + 2 * i, 1.0), (2 + 2 * i, -1.0)):
            for name, direction in places:
                step, value = direction * sign * errors[column], visit[name][0]
                shifted[name][row] = value * np.exp(step) if log else value + step
    return shifted


def _log_odds(model: RiskModel, data: Columns) -> FloatArray:
    """Log-odds of every output in n screenings, shape (n, 3 + 2 * n_imbalances)."""
    legs = model.features(data)
    sides = model.log_odds(legs)
    if model.odds_ratio is None:
        missing = np.full((len(sides), 2), np.nan)
        outputs = [missing, sides[:, :1]]
    else:
        left, right = expit(sides[:, 0]), expit(sides[:, 1])
        outputs = [sides, logit(either(left, right, model.odds_ratio))[:, None]]
    if model.imbalance is not None:
        outputs.append(logit(model.imbalance.probabilities(legs)).reshape(len(sides), -1))
    return np.concatenate(outputs, axis=1)
