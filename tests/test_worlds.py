"""What the default model promises holds in its own world, and is known in others.

Short forms of `benchmarks.twelve_worlds` and `benchmarks.repeat_verdicts`: few athletes, wide
limits.
"""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.changed_worlds import ONE_TRUTH, WORLDS, World, draw
from benchmarks.repeat_verdicts import Repeated, kappa, legs_with, repeated, share
from benchmarks.twelve_worlds import over_truths
from benchmarks.world_scores import coverage, coverage_when_counted, risks_in
from kneerisk.answer.what_if_changes import direction_of
from kneerisk.model import Bundle
from kneerisk.schema import Columns, FloatArray, Quantity, Screening, category, coded, columns
from kneerisk.schema.columns import location_of
from kneerisk.schema.detectable_change import error_sd
from serving.request_examples import EXAMPLE

pytestmark = pytest.mark.slow

SEED = 9
OWN, MORE, FEWER = WORLDS[:3]


def covered(bundle: Bundle, world: World, athletes: int = 1_500) -> tuple[float, float]:
    """Coverage of legs and of either knee."""
    simulated, _ = draw(world, athletes, SEED)
    model = bundle.model
    predicted = model.risks(model.features(simulated.cohort.columns()))
    return coverage(predicted, risks_in(simulated))


class TestCoverage:
    def test_in_its_own_world(self, default_bundle: Bundle) -> None:
        legs, either = covered(default_bundle, OWN)
        assert 0.87 <= legs <= 0.93
        assert 0.87 <= either <= 0.93

    @pytest.mark.parametrize("world", [MORE, FEWER], ids=["more", "fewer"])
    def test_where_pain_is_defined_otherwise(self, default_bundle: Bundle, world: World) -> None:
        assert min(covered(default_bundle, world)) >= 0.70

    @pytest.mark.parametrize("odds", [2.5, 0.4])
    def test_where_definitions_are_mixed_as_well(self, default_bundle: Bundle, odds: float) -> None:
        assert min(covered(default_bundle, World(name="mixed", base_odds=odds))) >= 0.66

    @pytest.mark.parametrize("world", [MORE, FEWER], ids=["more", "fewer"])
    @pytest.mark.parametrize("of", [60, 300])
    def test_once_a_club_has_counted(self, default_bundle: Bundle, world: World, of: int) -> None:
        simulated, _ = draw(world, 400, SEED)
        model, data = default_bundle.model, simulated.cohort.columns()
        shares = coverage_when_counted(
            model, model.features(data), risks_in(simulated), data["sport"], of, 5,
            np.random.default_rng(SEED),
        )  # fmt: skip
        assert min(shares) >= 0.84

    def test_in_ten_worlds_of_one_truth_each(self, default_bundle: Bundle) -> None:
        truths = over_truths(default_bundle.model, ONE_TRUTH, 10, 600)
        assert truths.legs.min() >= 0.80
        assert truths.legs.std() > 0.0


@pytest.fixture(scope="module")
def own(default_bundle: Bundle) -> Repeated:
    """The same athletes measured twice."""
    return repeated(default_bundle, 250, SEED)


class TestVerdicts:
    def test_a_named_pattern_is_pointed_to_again(self, own: Repeated) -> None:
        assert share(own.second.pointed, own.first.named) >= 0.6
        assert share(own.second.pointed, own.first.clear) >= 0.75

    def test_as_often_as_the_answer_says(self, own: Repeated) -> None:
        said = own.first.again[own.first.pointed].mean()
        assert share(own.second.pointed, own.first.pointed) == pytest.approx(said, abs=0.12)

    def test_verdicts_agree_beyond_chance(self, own: Repeated) -> None:
        assert kappa(own.first.named, own.second.named) >= 0.4

    def test_few_legs_are_named_where_no_pattern_exists(self, default_bundle: Bundle) -> None:
        without = repeated(default_bundle, 250, SEED, patterns=False)
        assert legs_with(without.first.named) <= 0.11
        assert legs_with(without.first.clear) <= 0.04


#: Whom the grid is about: sex and age, each in every sport.
PEOPLE = ((0.0, 55.0), (1.0, 30.0))
#: Of the error of a test, from one point of the grid to the next.
STEP = 0.1
MOST_JUMP = 0.10
#: A measure also says something of others, which by itself can lower the risk by so much of itself.
MOST_FALL = 0.01


def of_interest(name: str) -> bool:
    """Whether a column is a number that a model reads, of the left leg where legs have it."""
    measure = columns()[name]
    return isinstance(measure, Quantity) and measure.model_input and not name.startswith("right_")


def screenings(bare: bool, size: int) -> dict[str, FloatArray]:
    """Coded columns of the README's athlete, or of one of whom hardly anything is known."""
    example = coded([Screening.model_validate(EXAMPLE)])
    known = {"age_years", "sex", "sport", "left_pain_nrs", "right_pain_nrs"}
    return {
        name: np.full(size, values[0] if name in known or not bare else np.nan)
        for name, values in example.items()
    }


def left_risks(bundle: Bundle, name: str, values: FloatArray, person: Columns) -> FloatArray:
    """Risks of the left knee where one measure has each of some values."""
    data = {c: np.full(len(values), v[0]) for c, v in person.items()} | {name: values}
    left = bundle.model.risks(bundle.model.features(data)).left
    assert left is not None
    return left


class TestShape:
    @pytest.mark.parametrize("bare", [True, False], ids=["alone", "with others"])
    @pytest.mark.parametrize("sport", category("sport").choices)
    def test_risk_is_monotone_and_has_no_jump(
        self, default_bundle: Bundle, sport: str, bare: bool
    ) -> None:
        faults = []
        for sex, age in PEOPLE:
            person = screenings(bare, 1)
            person["sex"][:], person["age_years"][:] = sex, age
            person["sport"][:] = category("sport").choices.index(sport)
            for name in filter(of_interest, columns()):
                faults += shape_faults(default_bundle, name, person)
        assert faults == []


def shape_faults(bundle: Bundle, name: str, person: Columns) -> list[str]:
    """What is wrong with the risk as a function of one measure, over the values seen."""
    seen, measure = bundle.metadata.population.get(name), columns()[name]
    if seen is None or not isinstance(measure, Quantity):
        return []
    error = float(np.nan_to_num(error_sd(location_of(name)[-1], person)[0]))
    to_scale, to_unit = (np.log, np.exp) if measure.log_scale else (np.array, np.array)
    low, high = (float(to_scale(seen[end])) for end in ("low", "high"))
    fine = error > 0.0 and not measure.whole
    step = STEP * error if fine else 1.0 if measure.whole else (high - low) / 40.0
    risk = left_risks(bundle, name, to_unit(np.arange(low, high + step, step)), person)
    direction, faults = direction_of(name, person), []
    if direction:
        rising = risk if direction > 0 else risk[::-1]
        if (rising < (1.0 - MOST_FALL) * np.maximum.accumulate(rising)).any():
            faults.append(f"{name}: moves against its direction")
        if (direction * (risk[-1] - risk[0])) < 0.0:
            faults.append(f"{name}: its direction is the other one")
    if fine and (np.abs(np.diff(risk)) > MOST_JUMP * np.minimum(risk[1:], risk[:-1])).any():
        faults.append(f"{name}: jumps")
    return faults
