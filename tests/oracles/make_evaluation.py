"""Write what other programs and plain loops say of the cases of `recalibration.csv`."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.api as sm
from patsy import dmatrix
from sklearn.metrics import brier_score_loss, log_loss
from statsmodels.stats.proportion import proportion_confint

HERE = Path(__file__).parent
THRESHOLDS = (0.05, 0.10, 0.15, 0.20)


def main() -> None:
    data = pd.read_csv(HERE / "recalibration.csv")
    chance, outcome = data["probability"].to_numpy(), data["outcome"].to_numpy()
    found = {
        "log_loss": float(log_loss(outcome, chance)),
        "brier": float(brier_score_loss(outcome, chance)),
        **slope_limits(chance, outcome),
        "integrated_calibration_index": calibration_index(chance, outcome),
        **brier_parts(chance, outcome),
        **net_benefits(chance, outcome),
        **workload(chance, outcome),
    }
    shares = [[0, 40], [3, 40], [20, 41], [40, 40]]
    limits = [proportion_confint(k, n, method="wilson") for k, n in shares]
    found["wilson"] = {"shares": shares, "limits": [[float(x) for x in pair] for pair in limits]}
    (HERE / "evaluation.json").write_text(json.dumps(found, indent=2) + "\n")


def slope_limits(chance: np.ndarray, outcome: np.ndarray) -> dict[str, float]:
    """Two rows an athlete, and statsmodels' cluster-robust standard error without correction."""
    design = sm.add_constant(np.log(chance / (1 - chance)))
    fitted = sm.GLM(outcome, design, family=sm.families.Binomial()).fit(
        tol=1e-12, cov_type="cluster",
        cov_kwds={"groups": np.arange(len(outcome)) // 2, "use_correction": False},
    )  # fmt: skip
    low, high = fitted.conf_int()[1]
    return {"calibration_slope_low": float(low), "calibration_slope_high": float(high)}


def calibration_index(chance: np.ndarray, outcome: np.ndarray) -> float:
    """A natural cubic spline spans what a restricted one does: patsy's basis, statsmodels' fit.

    Beyond the outer knots patsy's is not straight; there the basis is continued by its slope.
    """
    margin = np.log(chance / (1 - chance))
    first, *inner, last = np.quantile(margin, (0.05, 0.35, 0.65, 0.95))

    def basis(x: np.ndarray) -> np.ndarray:
        names = {"x": x, "inner": inner, "first": first, "last": last}
        return np.asarray(
            dmatrix("0 + cr(x, knots=inner, lower_bound=first, upper_bound=last)", names)
        )

    inside = np.clip(margin, first, last)
    step = 1e-6
    ends = np.array([first, first + step, last - step, last])
    at = basis(ends)
    below, above = (at[1] - at[0]) / step, (at[3] - at[2]) / step
    design = (
        basis(inside)
        + np.minimum(margin - first, 0.0)[:, None] * below
        + np.maximum(margin - last, 0.0)[:, None] * above
    )
    fitted = sm.GLM(outcome, design, family=sm.families.Binomial()).fit(tol=1e-12)
    return float(np.abs(fitted.fittedvalues - chance).mean())


def brier_parts(chance: np.ndarray, outcome: np.ndarray) -> dict[str, float]:
    """Pool adjacent violators by hand, then the three scores."""
    blocks: list[list[float]] = []
    for row in np.argsort(chance):
        blocks.append([float(outcome[row]), 1.0])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] >= blocks[-1][0] / blocks[-1][1]:
            pain, rows = blocks.pop()
            blocks[-1][0] += pain
            blocks[-1][1] += rows
    recalibrated = sum(pain * (1 - pain / rows) for pain, rows in blocks) / len(outcome)
    share = float(outcome.mean())
    return {
        "brier_reliability": float(((chance - outcome) ** 2).mean()) - recalibrated,
        "brier_resolution": share * (1 - share) - recalibrated,
        "brier_uncertainty": share * (1 - share),
    }


def net_benefits(chance: np.ndarray, outcome: np.ndarray) -> dict[str, float]:
    found = {}
    n = len(outcome)
    for threshold in THRESHOLDS:
        right = sum(1 for p, y in zip(chance, outcome, strict=True) if p >= threshold and y == 1)
        wrong = sum(1 for p, y in zip(chance, outcome, strict=True) if p >= threshold and y == 0)
        odds = threshold / (1 - threshold)
        name = f"net_benefit_at_{round(100 * threshold)}_pct"
        found[name] = right / n - odds * wrong / n
        found[f"treat_all_{name}"] = float(outcome.mean()) - odds * (1 - float(outcome.mean()))
    return found


def workload(chance: np.ndarray, outcome: np.ndarray) -> dict[str, float]:
    found = {}
    ranked = [y for _, y in sorted(zip(chance, outcome, strict=True), reverse=True)]
    for share in (5, 10, 20):
        seen = ranked[: len(ranked) * share // 100]
        found[f"precision_top_{share}_pct"] = sum(seen) / len(seen)
        found[f"sensitivity_top_{share}_pct"] = sum(seen) / sum(ranked)
    return found


if __name__ == "__main__":
    main()
