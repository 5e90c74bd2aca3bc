"""From true athletes to what a screening records: measurement error, rounding, gaps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from kneerisk.cohort.simulation.athletes import ELSEWHERE, Athletes
from kneerisk.evidence import Battery, assumption, read_table
from kneerisk.evidence.population import state_measures
from kneerisk.schema import SIDES, FloatArray, Quantity, category, columns, quantity
from kneerisk.schema.rules import OPPOSITES, RATIOS, SQUEEZED_TOGETHER
from kneerisk.schema.z_scores import CONDITION_OF, drop_unneeded_protocols, error_variance, from_z

IntArray = NDArray[np.int64]
#: Draws so many errors, in SDs of the test's error.
Errors = Callable[[int], FloatArray]


def batteries() -> tuple[Battery, ...]:
    """The batteries of real screenings, from tape measure and phone to the full laboratory."""
    return read_table("batteries", Battery)


def observe(
    athletes: Athletes, rng: Generator, errors: Errors | None = None
) -> tuple[dict[str, FloatArray], IntArray]:
    """What a screening records of each athlete.

    Parameters
    ----------
    athletes
        The athletes with their true values.
    rng
        Source of randomness: batteries, protocols, errors, and what is left out.
    errors
        Draws the errors instead, so that the same ``rng`` makes a repeat of the same screenings.

    Returns
    -------
    Coded columns in the schema's units, each of shape ``(n,)``, missing is NaN; and the place of
    each athlete's battery among `batteries`, shape ``(n,)``.
    """
    shares = [row.share for row in batteries()]
    battery = rng.choice(len(shares), size=len(athletes), p=shares)
    data = _readings(athletes, battery, rng, errors or rng.standard_normal)
    _leave_out_tests(data, battery, rng)
    _leave_out_history(data, rng)
    _compute_ratios(data)
    drop_unneeded_protocols(data)
    return data, battery


def observe_every_test(athletes: Athletes, rng: Generator) -> dict[str, FloatArray]:
    """Simulate a reading of every test, by the protocols of the first battery.

    Parameters
    ----------
    athletes
        The athletes with their true values.
    rng
        Source of randomness: protocols and errors.

    Returns
    -------
    Coded columns in the schema's units, each of shape ``(n,)``, none missing for a test.
    """
    tape_and_phone = np.zeros(len(athletes), dtype=np.int64)
    data = _readings(athletes, tape_and_phone, rng, rng.standard_normal)
    _compute_ratios(data)
    return data


def _state_protocols(data: dict[str, FloatArray], battery: IntArray, rng: Generator) -> None:
    """How the tests that can vary were done (assumption): a full laboratory is often isokinetic."""
    n = len(battery)
    full = np.array([row.battery == "full_lab" for row in batteries()])[battery]
    bent = np.where(rng.random(n) < 0.25, 2.0, 0.0)
    data["torque_mode"] = np.where(full & (rng.random(n) < 0.7), 1.0, bent)
    data["hip_torque_mode"] = np.where(rng.random(n) < 0.3, 1.0, 0.0)
    data["valgus_task"] = rng.choice(3, size=n, p=[0.6, 0.2, 0.2]).astype(float)
    data["hip_drop_task"] = rng.choice(2, size=n, p=[0.7, 0.3]).astype(float)


def _readings(
    athletes: Athletes, battery: IntArray, rng: Generator, errors: Errors
) -> dict[str, FloatArray]:
    """True z-scores plus the test's error, in the measure's unit and inside its limits."""
    data = {name: values.copy() for name, values in athletes.data.items()}
    _state_protocols(data, battery, rng)
    athlete, leg = state_measures()
    for name, measure in athlete.items():
        data[name] = _reading(name, measure, athletes.z("left", name), data, errors)
    for name, measure in leg.items():
        for side in SIDES:
            data[f"{side}_{name}"] = _reading(name, measure, athletes.z(side, name), data, errors)
    _one_shorter_leg(data)
    for name in OPPOSITES:
        data[f"right_{name}"] = -data[f"left_{name}"]
    for name in SQUEEZED_TOGETHER:
        data[f"right_{name}"] = data[f"left_{name}"].copy()
    return data


def _reading(
    name: str, measure: Quantity, true_z: FloatArray, data: dict[str, FloatArray], errors: Errors
) -> FloatArray:
    protocol = data.get(CONDITION_OF.get(name, ""))
    codes = np.zeros(len(true_z), int) if protocol is None else protocol.astype(int) + 1
    error = np.sqrt([error_variance(name, code) for code in range(codes.max() + 1)])
    z = true_z + error[codes] * errors(len(true_z))
    value = from_z(name, z, data)
    # A rounded -0.4 would be -0.0, which shows that it was not clipped.
    return np.clip(np.round(value, decimals(measure)), measure.low, measure.high) + 0.0


def decimals(measure: Quantity) -> int:
    """What a coach writes down: steps of about a five-hundredth of the range, or finer."""
    if measure.whole:
        return 0
    return int(np.ceil(-np.log10((measure.high - measure.low) / 500.0)))


def _one_shorter_leg(data: dict[str, FloatArray]) -> None:
    """Only one leg can be the shorter one: blocks go under the leg that needs more of them."""
    left, right = (data[f"{side}_leg_length_deficit_cm"] for side in SIDES)
    data["left_leg_length_deficit_cm"] = np.where(left > right, left, 0.0)
    data["right_leg_length_deficit_cm"] = np.where(right > left, right, 0.0)


def _leave_out_tests(data: dict[str, FloatArray], battery: IntArray, rng: Generator) -> None:
    """Whole tests that the battery lacks, and a few that were skipped on the day."""
    tests = sorted({m.test for m in columns().values() if m.test != "interview"})
    included = np.array([[test in row.tests for test in tests] for row in batteries()])
    skipped = rng.random((len(battery), len(tests))) < assumption("test_left_out_share")
    done = included[battery] & ~skipped
    for name, measure in columns().items():
        if measure.test in tests:
            data[name] = np.where(done[:, tests.index(measure.test)], data[name], np.nan)


def _leave_out_history(data: dict[str, FloatArray], rng: Generator) -> None:
    n = len(data["age_years"])
    silent = rng.random(n) < assumption("history_not_asked_share")
    for side in SIDES:
        for name in ("prior_knee_injury", "same_side_episodes"):
            data[f"{side}_{name}"] = np.where(silent, np.nan, data[f"{side}_{name}"])
    unasked = rng.random(n) < assumption("elsewhere_not_asked_share")
    for name in (*ELSEWHERE, "osteoarthritis"):
        data[name] = np.where(unasked, np.nan, data[name])


def _compute_ratios(data: dict[str, FloatArray]) -> None:
    """A ratio of two torques of one test is computed from them, as a device does."""
    for side in SIDES:
        for rule in RATIOS:
            over, under = data[f"{side}_{rule.over}"], data[f"{side}_{rule.under}"]
            codes = [category(rule.protocol).choices.index(mode) for mode in rule.modes]
            same_test = np.isin(data[rule.protocol], codes) & ~np.isnan(over) & ~np.isnan(under)
            ratio = quantity(rule.ratio)
            computed = over / under
            inside = (computed >= ratio.low) & (computed <= ratio.high)
            given = data[f"{side}_{rule.ratio}"]
            rounded = np.where(inside, np.round(computed, 3), np.nan)
            data[f"{side}_{rule.ratio}"] = np.where(same_test & ~np.isnan(given), rounded, given)
