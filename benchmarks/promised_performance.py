"""Expected performance before outcomes against the truth, where athletes or their pain shift.

`python -m benchmarks.promised_performance` fits a model, lets the athletes of a hundred clubs
differ from those it was fitted to in what is measured of them, and compares the log loss, Brier
score and AUC that the told risks promise with those under the true risks. In the second half the
same measures mean another risk: no promise can know that.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit, logit

from kneerisk.cohort.simulation.simulated_cohort import simulate
from kneerisk.monitoring.expected_performance import expected_performance
from kneerisk.schema import SIDES, FloatArray
from kneerisk.training.fitting.fit import fit

RESULTS = Path(__file__).parent / "results" / "promised-performance.json"
SHIFTS, CLUB = 100, 1_000
FITTED, FITTED_SEED = 8_000, 9_004
POOL, POOL_SEED = 30_000, 9_005
#: How strongly the athletes of a club differ, in log weights per SD of three measures.
STRENGTH = 0.6
#: What may shift of the athletes.
SHIFTING = (
    "age_years",
    "weekly_run_km",
    "training_years",
    "left_wblt_dorsiflexion_deg",
    "height_cm",
)
#: The most that the promise may be off by where inputs alone shift, in nats.
MOST_BIAS = 0.01
#: Where the relation shifts: by how much the log-odds of pain do (doubled odds).
RELATION = float(np.log(2.0))


@dataclass(frozen=True, slots=True, eq=False)
class Knees:
    """Knees: told and true risks, each (n,), and how often clubs have them, (n_clubs, n)."""

    told: FloatArray
    true: FloatArray
    weights: FloatArray

    @classmethod
    def draw(cls, shifts: int, seed: int) -> Knees:
        """Fit a model, and predict athletes that it was not fitted to.

        Parameters
        ----------
        shifts
            How many clubs.
        seed
            Of their shifts.

        Returns
        -------
        Knees
            Of athletes whose knee does not hurt.
        """
        model = fit(*_simulated(FITTED, FITTED_SEED), interval=False).model
        cohort, truth = _simulated(POOL, POOL_SEED)
        data = cohort.columns()
        log_odds = model.log_odds(model.features(data))
        true = truth[[f"risk_{side}" for side in SIDES]].to_numpy(np.float64)
        rng = np.random.default_rng(seed)
        weights = np.exp(np.stack([_tilt(data, rng) for _ in range(shifts)]))  # (shifts, athletes)
        known = ~np.isnan(true)
        both = np.repeat(weights[:, :, None], 2, axis=2)[:, known]
        return cls(told=expit(log_odds[known]), true=true[known], weights=both)


def _simulated(athletes: int, seed: int) -> tuple[Any, Any]:
    simulated = simulate(athletes, seed)
    return simulated.cohort, simulated.truth


def _tilt(data: dict[str, FloatArray], rng: np.random.Generator) -> FloatArray:
    """Log weights of the athletes: how much more often the club has them."""
    tilt = np.zeros(len(data["sex"]))
    for name in rng.choice(SHIFTING, 3, replace=False):
        values = data[name]
        z = (values - np.nanmean(values)) / np.nanstd(values)
        tilt += STRENGTH * rng.normal() * np.clip(np.nan_to_num(z), -3.0, 3.0)
    sports = rng.normal(0.0, STRENGTH, int(np.nanmax(data["sport"])) + 1)
    return np.asarray(tilt + sports[np.nan_to_num(data["sport"]).astype(int)])


def true_performance(told: FloatArray, true: FloatArray) -> dict[str, float]:
    """Expected log loss, Brier score and AUC of told risks under the true ones.

    Parameters
    ----------
    told
        Told risks, shape (n,).
    true
        True risks, shape (n,).

    Returns
    -------
    dict
        By name.
    """
    order = np.argsort(told)
    pain, free = true[order], 1.0 - true[order]
    below = np.cumsum(free) - free
    return {
        "log_loss": float(-(true * np.log(told) + (1.0 - true) * np.log1p(-told)).mean()),
        "brier": float((true * (1.0 - told) ** 2 + (1.0 - true) * told**2).mean()),
        "auc": float(pain @ below / (pain.sum() * free.sum() - (pain * free).sum())),
    }


def compare(knees: Knees, shift: float, seed: int) -> dict[str, Any]:
    """The promise less the truth, over clubs.

    Parameters
    ----------
    knees
        Whom clubs are drawn from.
    shift
        Of the log-odds of pain.
    seed
        Of the draws.

    Returns
    -------
    dict
        Mean, SD and largest of the differences by metric.
    """
    rng = np.random.default_rng(seed)
    differences: dict[str, list[float]] = {"log_loss": [], "brier": [], "auc": []}
    losses = []
    for weights in knees.weights:
        members = rng.choice(len(weights), 2 * CLUB, p=weights / weights.sum())
        told, true = knees.told[members], expit(logit(knees.true[members]) + shift)
        promised = expected_performance(told)
        happened = true_performance(told, true)
        losses.append(happened["log_loss"])
        for name, values in differences.items():
            values.append(getattr(promised, name) - happened[name])
    return {
        "log_loss_lowest": min(losses), "log_loss_highest": max(losses),
        **{
            name: {"bias": float(np.mean(values)), "sd": float(np.std(values, ddof=1)),
                   "largest": float(np.abs(values).max())}
            for name, values in differences.items()
        },
    }  # fmt: skip


def main() -> int:
    """Run the shifts, print and write the differences; 1 if the target is missed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.promised_performance", description=__doc__
    )
    parser.add_argument("--shifts", type=int, default=SHIFTS)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    knees = Knees.draw(options.shifts, options.seed)
    result = {
        "shifts": options.shifts, "knees": 2 * CLUB,
        "inputs": compare(knees, 0.0, options.seed),
        "relation": compare(knees, RELATION, options.seed),
    }  # fmt: skip
    RESULTS.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    for name in ("inputs", "relation"):
        found: Any = result[name]
        sys.stdout.write(
            f"{name} shift: log loss promised less true {found['log_loss']['bias']:+.4f} "
            f"(SD {found['log_loss']['sd']:.4f}, largest {found['log_loss']['largest']:.4f}); "
            f"Brier {found['brier']['bias']:+.4f}; AUC {found['auc']['bias']:+.4f}\n"
        )
    inputs: Any = result["inputs"]
    return 0 if abs(inputs["log_loss"]["bias"]) < MOST_BIAS else 1


if __name__ == "__main__":
    sys.exit(main())
