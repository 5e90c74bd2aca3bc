"""Which test to do next: the one that is expected to settle most of what is open.

The expected value of a test's information is how far it is expected to lower the log loss, for
answers drawn from what is known of the athlete (Raiffa & Schlaifer 1961; docs/decisions/0015).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kneerisk.answer.answer_schema import Knee, NextTest
from kneerisk.answer.imbalances import RARE_EQUIPMENT
from kneerisk.answer.pattern_schema import Imbalance
from kneerisk.answer.patterns import ONE_READING, marking_measures
from kneerisk.answer.predictions import Predictions
from kneerisk.answer.risk_and_red_flags import flags_of, must_refer, painful_sides
from kneerisk.evidence import (
    ScreeningTest,
    assumption,
    equipment_of_test,
    imbalances,
    screening_tests,
)
from kneerisk.evidence.imbalance_patterns import marks
from kneerisk.model.imputation import Expected
from kneerisk.model.moved_measures import Screenings
from kneerisk.model.value_of_information.expected_gain import (
    ValueOfInformation,
    value_of_information,
)
from kneerisk.schema import SIDES, FloatArray, Side, leg_measures
from kneerisk.schema.rules import SQUEEZED_TOGETHER

#: So many tests are named at most, and none that settles less than this share of what is open.
MOST_TESTS, LEAST_SHARE = 6, 0.01
#: So many screenings are worked out together: the answers to what was not asked, and with trees the
#: steps of each measure, are rows of their own (assumption: enough to be quick, little memory).
TOGETHER = 32
#: An imbalance is named on so many concordant measures; a test settles it that removes so much of
#: what is open of its latent.
ENOUGH_MEASURES, SETTLING_SHARE = 2, 1.0 / 3.0
#: A test is worth the time where it narrows the interval by this share, and a question where it
#: settles this share of what is open (assumption).
WORTH_SHARE = 0.1
#: A longer test is not worth the time for a pattern alone (assumption).
LONG_MINUTES = 15.0
#: How well studies have to support a pattern for it to be worth a test of its own.
WORTH_ACTING_ON = frozenset({"high", "moderate"})


def next_tests(
    predictions: Predictions, i: int, leg_imbalances: Sequence[Imbalance] = ()
) -> list[NextTest]:
    """`next_tests_of_each` for one screening.

    Parameters
    ----------
    predictions
        What the model says of the screenings.
    i
        Place of the screening.
    leg_imbalances
        Its imbalances: which of them would be worth acting on.

    Returns
    -------
    The tests; each says whether it is worth the time.
    """
    return next_tests_of_each(predictions, {i: leg_imbalances})[i]


def next_tests_of_each(
    predictions: Predictions, leg_imbalances: Mapping[int, Sequence[Imbalance]]
) -> dict[int, list[NextTest]]:
    """The tests not done that are worth most to each screening, best first.

    The value of information is the expected fall of the log loss of the knees that are free of
    pain. ``uncertainty_removed`` is that fall over the one that every test together would bring if
    none had an error: of what measuring can remove, not of what the literature leaves open.

    Parameters
    ----------
    predictions
        What the model says of the screenings.
    leg_imbalances
        By the place of each screening that is asked about, its imbalances: which of them would be
        worth acting on.

    Returns
    -------
    The tests of each of those screenings; each test says whether it is worth the time.
    """
    bundle, found = predictions.bundle, dict[int, list[NextTest]]()
    asked = {i: free for i in leg_imbalances if (free := _free_knees(predictions, i))}
    places = list(asked)
    screenings = Screenings(
        data=predictions.data, expected=predictions.expected, features=predictions.legs
    )
    for first in range(0, len(places), TOGETHER):
        some = places[first : first + TOGETHER]
        values = value_of_information(bundle.model, bundle.metadata.population, screenings, some)
        drafts = [
            _draft(predictions, i, value, asked[i]) for i, value in zip(some, values, strict=True)
        ]
        for draft, widths in zip(drafts, _widths(predictions, drafts), strict=True):
            i = draft.place
            found[i] = _judged(predictions, draft, widths, leg_imbalances[i])
    return {i: found.get(i, []) for i in leg_imbalances}


class _Draft(NamedTuple):
    """What a screening's tests are worth, before what is left of its interval is known."""

    place: int
    knee: Knee
    value: ValueOfInformation
    shares: FloatArray
    chosen: list[int]
    """The tests that are named, best first, as places in the value's own order."""


def _free_knees(predictions: Predictions, i: int) -> list[Side]:
    """The knees without pain; none of a screening that needs a clinician first."""
    screening = predictions.screenings[i]
    if must_refer(flags_of(screening)):
        return []
    painful = painful_sides(predictions, i)
    return [side for side in SIDES if side not in painful]


def _draft(predictions: Predictions, i: int, value: ValueOfInformation, free: list[Side]) -> _Draft:
    shares = shares_of(value, [side in free for side in SIDES])
    tests, equipment = tuple(value.missing), predictions.screenings[i].equipment
    ranked = [
        place
        for place in np.argsort(-shares, kind="stable").tolist()
        if shares[place] >= LEAST_SHARE and is_possible(tests[place], equipment)
    ]
    knee: Knee = "either" if len(free) == len(SIDES) else free[0]
    return _Draft(i, knee, value, shares, ranked[:MOST_TESTS])


def _judged(
    predictions: Predictions,
    draft: _Draft,
    widths: Sequence[float | None],
    leg_imbalances: Sequence[Imbalance],
) -> list[NextTest]:
    i, knee, value = draft.place, draft.knee, draft.value
    tests, unsettled = tuple(value.missing), _unsettled(predictions, i)
    low, high = (float(bound[i]) for bound in predictions.risks.intervals[knee])
    judged = []
    for place, width in zip(draft.chosen, widths, strict=True):
        test, share = tests[place], float(draft.shares[place])
        settled = (unsettled & (value.imbalance_share[place] >= SETTLING_SHARE)).any(axis=0)
        patterns = zip(imbalances().values(), settled.tolist(), strict=True)
        settles = [pattern.name for pattern, is_settled in patterns if is_settled]
        facts, narrows = screening_tests()[test], _narrows(share, width, high - low)
        judged.append(
            NextTest(
                test=test,
                label=facts.label,
                measures=list(dict.fromkeys(map(_measure_name, value.missing[test]))),
                equipment=equipment_of_test(test),
                minutes=facts.minutes,
                uncertainty_removed=share,
                expected_interval_width=width if knee == "either" else None,
                settles=settles,
                worth_the_time=narrows or _is_worth_acting_on(facts, settles, leg_imbalances),
            )
        )
    return judged


def _narrows(share: float, width: float | None, width_now: float) -> bool:
    """Whether a test narrows the interval by a tenth.

    What is asked has no reading, so that its share of what is open counts.
    """
    return share >= WORTH_SHARE if width is None else width <= (1.0 - WORTH_SHARE) * width_now


def _is_worth_acting_on(
    test: ScreeningTest, settles: Collection[str], leg_imbalances: Sequence[Imbalance]
) -> bool:
    """Whether a test settles a pattern worth acting on; a long one is no test for a pattern."""
    possible = assumption("imbalance_possible_probability")
    return test.minutes <= LONG_MINUTES and any(
        imbalance.evidence_grade in WORTH_ACTING_ON or imbalance.probability >= possible
        for imbalance in leg_imbalances
        if imbalance.name in settles
    )


def shares_of(value: ValueOfInformation, free: Sequence[bool] | NDArray[np.bool_]) -> FloatArray:
    """Of what all tests could settle about the knees free of pain, what each would.

    Parameters
    ----------
    value
        What each test and all together are expected to bring.
    free
        Whether the left and the right knee are free of pain.

    Returns
    -------
    Shares between 0 and 1, shape (n_tests,).
    """
    counted = np.array(free, dtype=np.float64)
    most = float((value.largest_gain * counted).sum())
    return np.asarray(
        (value.gain * counted).sum(axis=1) / most if most > 0.0 else np.zeros(len(value.gain))
    )


def is_possible(test: str, equipment: Collection[str] | None) -> bool:
    """Whether what a test needs is at hand.

    Parameters
    ----------
    test
        Its name.
    equipment
        What is at hand; None where nothing is said, which stands for what most rooms have.

    Returns
    -------
    Whether it can be done.
    """
    needed = equipment_of_test(test)
    if equipment is None:
        return needed not in RARE_EQUIPMENT
    return needed == "none" or needed in equipment


def _measure_name(column: str) -> str:
    """A column's measure without its side."""
    side, _, measure = column.partition("_")
    return measure if side in SIDES and measure in leg_measures() else column


def _widths(predictions: Predictions, drafts: Sequence[_Draft]) -> Iterator[list[float | None]]:
    """Expected width of the knee's interval, in probability, after each test of each draft.

    The model's own interval is computed with the variances that a test leaves. None where a test
    gives an answer and no reading, which reduces no variance of a measure.
    """
    model, counts = predictions.bundle.model, [len(draft.chosen) for draft in drafts]
    places = np.repeat([draft.place for draft in drafts], counts)
    if not len(places):
        yield from ([] for _ in drafts)
        return
    variances = np.concatenate([d.value.remaining_variance[d.chosen] for d in drafts])
    mean = predictions.expected.mean[places]
    expected = Expected(
        mean=mean,
        variance=variances,
        prior=mean,
        innovation=np.zeros((len(places), 2, 0)),
        gains=(),
    )
    data = {name: values[places] for name, values in predictions.data.items()}
    intervals = model.risks(model.features(data, expected)).intervals
    reduced = (variances != predictions.expected.variance[places]).any(axis=(1, 2)).tolist()
    ends = np.cumsum(counts).tolist()
    for draft, count, end in zip(drafts, counts, ends, strict=True):
        low, high = intervals[draft.knee]
        widths, some = (high - low)[end - count : end].tolist(), reduced[end - count : end]
        yield [width if known else None for width, known in zip(widths, some, strict=True)]


def _unsettled(predictions: Predictions, i: int) -> NDArray[np.bool_]:
    """Imbalances of each leg that too little was measured of, shape (2, n_imbalances)."""
    unsettled = []
    for side in SIDES:
        given = _given(predictions.rows[i], side)
        readings = [
            {ONE_READING.get(measure, measure) for measure in marks()[name] if measure in given}
            for name in imbalances()
        ]
        unsettled.append([len(independent) < ENOUGH_MEASURES for independent in readings])
    return np.array(unsettled)


def _given(row: Mapping[str, Any], side: Side) -> set[str]:
    """The measures that mark some imbalance and were taken on a leg."""
    return {
        measure
        for measure in marking_measures()
        for own in (SIDES if measure in SQUEEZED_TOGETHER else (side,))
        if f"{own}_{measure}" in row
    }
