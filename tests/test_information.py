"""How much was learnt: few realistic batteries learn little, and more tests learn more."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import logit
from scipy.stats import rankdata

from kneerisk.answer import answer
from kneerisk.answer.answer_schema import Answer
from kneerisk.answer.little_known import LITTLE_INFORMATION
from kneerisk.cohort.simulation.athletes import draw_athletes
from kneerisk.cohort.simulation.observation import observe_every_test
from kneerisk.evidence import effects, measures_of_test, screening_tests
from kneerisk.evidence.strongest_tests import STRONGEST, strongest_tests
from kneerisk.model import Bundle
from kneerisk.model.variance_sources import variance_sources
from kneerisk.schema import Columns, FloatArray, Screening, columns
from kneerisk.schema.columns import location_of

ATHLETES = 1_000
#: Batteries as clubs have them, with the two questions that anyone asks.
ASKED = ("knee_history", "level", "height", "mass")
BATTERIES = {
    "ankle, hip drop, hip strength": ("lunge_angle", "hip_drop", "hip_abduction"),
    "tape and phone": ("lunge_angle", "hip_drop", "fppa", "squat_look", "squat_jump"),
    "dynamometer": ("lunge_angle", "hip_drop", "fppa", "squat_look", "squat_jump",
                    "active_knee_extension", "knee_strength", "hip_abduction", "quad_lag"),
}  # fmt: skip
#: Of every test and question, so many were not done (the upper end of the simulator's range).
LEFT_OUT = 0.1
BASIC = ("age_years", "sex", "sport")


def done(full: Columns, tests: tuple[str, ...], seed: int) -> dict[str, FloatArray]:
    """What 1,000 athletes have measured of a battery; here and there a test was left out."""
    rng = np.random.default_rng(seed)
    found = {name: np.full(ATHLETES, np.nan) for name in columns()}
    found |= {name: full[name] for name in full if name in BASIC or "mode" in name}
    found |= {name: full[name] for name in full if name.endswith("_task")}
    for test in (*ASKED, *tests):
        is_done = rng.random(ATHLETES) >= LEFT_OUT
        for name in full:
            if location_of(name)[-1] in measures_of_test(test):
                found[name] = np.where(is_done, full[name], np.nan)
    return found


@pytest.fixture(scope="module")
def batteries(released: Bundle) -> dict[str, dict[str, Any]]:
    """Share of information, risk and width of the interval of the left knee, by battery."""
    model, rng = released.model, np.random.default_rng(5)
    full = observe_every_test(draw_athletes(model.population, ATHLETES, rng), rng)
    told = {}
    for name, tests in BATTERIES.items():
        data = done(full, tests, 7)
        expected = model.measurement_update.expected(data)
        legs = model.features(data, expected)
        found = model.predict_features(legs)
        sources = variance_sources(model, data, expected, legs)
        assert sources is not None
        low, high = found.intervals["left"]
        told[name] = {
            "data": data,
            "information": sources.information,
            "risk": found.left,
            "width": high - low,
        }
    return told


def is_little(data: Columns, information: FloatArray, i: int) -> bool:
    tests = strongest_tests(*(float(data[name][i]) for name in ("sport", "sex", "age_years")))
    known = {location_of(name)[-1] for name, values in data.items() if not np.isnan(values[i])}
    asked = any(known & measures_of_test(test).keys() for test in tests)
    recent = any(data[f"{side}_prior_knee_injury"][i] == 2 for side in ("left", "right"))
    return not recent and (information[i].mean() < LITTLE_INFORMATION or not asked)


def test_at_most_a_third_learn_little(batteries: dict[str, dict[str, Any]]) -> None:
    for name, told in batteries.items():
        little = [is_little(told["data"], told["information"], i) for i in range(ATHLETES)]
        assert np.mean(little) <= 1 / 3, name


def test_the_share_rises_with_each_battery(batteries: dict[str, dict[str, Any]]) -> None:
    means = [told["information"].mean() for told in batteries.values()]
    assert means == sorted(means)
    assert means[-1] > means[0] + 0.1


def test_the_higher_share_has_the_narrower_interval(batteries: dict[str, dict[str, Any]]) -> None:
    """Partial rank correlation of share and width, given the risk, within each battery."""
    for name, told in batteries.items():
        given = np.column_stack([np.ones(ATHLETES), rankdata(logit(told["risk"]))])

        def left(values: FloatArray, given: FloatArray = given) -> FloatArray:
            ranks = rankdata(values)
            return np.asarray(ranks - given @ np.linalg.lstsq(given, ranks, rcond=None)[0])

        share, width = left(told["information"][:, 0]), left(told["width"])
        assert np.corrcoef(share, width)[0, 1] < 0, name


def asked(bundle: Bundle, **leg: Any) -> Answer:
    body = {"athlete": {"age_years": 27, "sex": "female", "sport": "running"},
            "left": leg, "right": leg, "red_flags": []}  # fmt: skip
    return answer(bundle, Screening.model_validate(body))


class TestLowInformation:
    def test_nothing_holds_where_little_is_known(self, released: Bundle) -> None:
        for found in (asked(released), asked(released, wblt_dorsiflexion_deg=38)):
            assert found.risk.status == "low_information"
            for knee in (found.risk.left, found.risk.right, found.risk.either):
                assert knee is not None
                assert knee.band == "not_assessed"
            assert not any(char.isdigit() for char in found.summary[0])

    def test_a_known_recent_injury_is_information(self, released: Bundle) -> None:
        body = {"athlete": {"age_years": 27, "sex": "female", "sport": "running"},
                "left": {"prior_knee_injury": "within_12_months"}}  # fmt: skip
        assert answer(released, Screening.model_validate(body)).risk.status == "ok"

    def test_one_of_the_strongest_has_to_be_there(self, released: Bundle) -> None:
        # At 60, many tests of little weight for the risk, and none of the five.
        found = answer(released, Screening.model_validate({
            "athlete": {"age_years": 60, "sex": "female", "sport": "running"},
            "protocol": {"valgus_task": "single_leg_squat"},
            **{side: {"hip_drop_deg": 6, "fppa_deg": 8, "wblt_dorsiflexion_deg": 36,
                      "ake_deficit_deg": 14, "navicular_drop_mm": 7}
               for side in ("left", "right")},
        }))  # fmt: skip
        assert found.risk.status == "low_information"
        assert "neither asked nor measured" in found.risk.reasons[-1].message

    @pytest.mark.parametrize("age", [25.0, 60.0])
    def test_the_strongest_are_those_of_the_effects(self, age: float) -> None:
        for sport in range(6):
            strongest = strongest_tests(float(sport), 1.0, age)
            assert len(strongest) == STRONGEST
            assert set(strongest) <= set(screening_tests())
            assert strongest[0] == "knee_history"
        largest = max(effects().values(), key=lambda effect: abs(effect.central))
        assert largest.measure in measures_of_test("knee_history")
