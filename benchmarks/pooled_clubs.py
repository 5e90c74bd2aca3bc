"""Do pooled validations recover what is true? 20 simulated clubs, pooled again and again.

The model knows the simulated world and none of the clubs: its risks are the true ones there. Each
club differs by a shift and a slope of its log-odds, so that the true calibration slope, ratio of
observed to expected and AUC of the model in every club can be computed from true risks.

    python -m benchmarks.pooled_clubs
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from benchmarks.simulated_clubs import AthletePool, ClubEffects, ClubVariation
from kneerisk.evaluation.calibration.calibration_metrics import calibration_slope
from kneerisk.evaluation.external.pooled_validation import POOLED
from kneerisk.evaluation.external.validation_metrics import precise_metrics
from kneerisk.evaluation.metrics import auc
from kneerisk.evaluation.pooling import TO_SCALE, Pooled, pool
from kneerisk.evaluation.task_rows import TaskRows, task_rows
from kneerisk.schema import FloatArray

CLUBS, ATHLETES, POOL, ROUNDS, SEED = 20, 700, 6_000, 100, 5
VARIATION = ClubVariation("pooled", 0.4, 0.9, 0.3, 0.0)
RESULT = Path(__file__).parent / "results" / "pooled-clubs.md"


@dataclass(frozen=True, slots=True)
class Round:
    """20 clubs: what was pooled, and the true values of the clubs on the pooled scale."""

    pooled: dict[str, Pooled]
    true: dict[str, FloatArray]


def rows_of(risk: FloatArray, outcome: FloatArray, of: NDArray[np.intp]) -> TaskRows:
    """Legs of some athletes as a validation sees them.

    Parameters
    ----------
    risk
        Predicted risks of everyone's legs, shape (n, 2).
    outcome
        Outcomes, or true risks, of the legs of those athletes, shape (m, 2).
    of
        Their places among everyone, shape (m,).

    Returns
    -------
    The rows.
    """
    athlete = np.tile(np.arange(len(of)), 2)
    return task_rows(risk[of].T.ravel(), outcome.T.ravel(), athlete, sided=True)


def one_round(everyone: AthletePool, rng: np.random.Generator) -> Round:
    """Draw clubs, validate in each, and pool."""
    risk = expit(everyone.log_odds)
    measured: list[dict[str, float]] = []
    true: list[tuple[float, float, float]] = []
    for _ in range(CLUBS):
        club = ClubEffects.draw(VARIATION, everyone.factors.shape[2], rng)
        risks = everyone.true_risks(club)
        whole = rows_of(risk, risks, np.arange(POOL))
        true.append((
            auc(whole) or np.nan,
            float(whole.outcome.mean() / whole.probability.mean()),
            calibration_slope(whole) or np.nan,
        ))  # fmt: skip
        members = np.sort(rng.choice(POOL, ATHLETES, replace=False))
        outcome, _ = everyone.with_outcomes(members, risks[members], rng)
        measured.append(precise_metrics(rows_of(risk, outcome, members)))
    pooled, on_scale = {}, {}
    for place, (name, (scale, error)) in enumerate(POOLED.items()):
        to_scale = TO_SCALE[scale]
        pooled[name] = pool(
            np.array([to_scale(metrics[name]) for metrics in measured]),
            np.array([metrics[error] for metrics in measured]),
        )
        on_scale[name] = np.array([to_scale(values[place]) for values in true])
    return Round(pooled, on_scale)


def as_markdown(rounds: list[Round]) -> str:
    """How often each interval holds what it should, as a table."""
    header = (
        "metric (scale)", "true mean", "mean of means", "mean in its interval", "true SD",
        "median SD", "SD in its interval", "next club in its interval",
    )  # fmt: skip
    about = (
        f"{len(rounds)} times {CLUBS} clubs of {ATHLETES} athletes each, whose log-odds differ "
        f"from the model's by a shift (SD {VARIATION.shift_sd}) and a slope (mean "
        f"{VARIATION.slope_mean}, SD {VARIATION.slope_sd}). The mean and SD over all clubs drawn "
        "are the truth; a prediction interval is asked for the true value of a club that was not "
        "pooled. Made by `python -m benchmarks.pooled_clubs`."
    )
    title, rule = "# Pooled validations of simulated clubs", "---|" * len(header)
    lines = [title, "", about, "", f"| {' | '.join(header)} |", f"|{rule}"]
    for name, (scale, _) in POOLED.items():
        every = np.concatenate([each.true[name] for each in rounds])
        mean, spread = float(every.mean()), float(every.std(ddof=1))
        results = [each.pooled[name] for each in rounds]
        held = [r.low < mean < r.high for r in results]
        spread_held = [r.tau2_low < spread**2 < r.tau2_high for r in results]
        # The first club of the next round was drawn like those of this one.
        ahead = [
            (r.prediction_low or 0.0) < rounds[(place + 1) % len(rounds)].true[name][0]
            < (r.prediction_high or 0.0)
            for place, r in enumerate(results)
        ]  # fmt: skip
        lines.append(
            f"| {name} ({scale}) | {mean:.3f} | {np.mean([r.mean for r in results]):.3f} | "
            f"{np.mean(held):.0%} | {spread:.3f} | "
            f"{np.median([r.tau2 for r in results]) ** 0.5:.3f} | {np.mean(spread_held):.0%} | "
            f"{np.mean(ahead):.0%} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the benchmark and write its table."""
    rng = np.random.default_rng(SEED)
    everyone = AthletePool.draw(POOL, 91)
    RESULT.write_text(as_markdown([one_round(everyone, rng) for _ in range(ROUNDS)]), "utf-8")


if __name__ == "__main__":
    main()
