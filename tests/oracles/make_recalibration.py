"""Write the oracle files of recalibration and of the standard error of an AUC."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.api as sm
from sklearn.metrics import roc_auc_score

HERE = Path(__file__).parent


def main() -> None:
    generator = np.random.default_rng(7)
    margin = generator.normal(-1.8, 0.9, 600)
    true = 1 / (1 + np.exp(-(0.3 + 0.7 * margin)))
    data = pd.DataFrame(
        {
            "probability": 1 / (1 + np.exp(-margin)),
            "outcome": (generator.random(600) < true).astype(float),
            "true": true,
        }
    )
    data.to_csv(HERE / "recalibration.csv", index=False)
    found = {name: recalibrated(margin, data[name]) for name in ("outcome", "true")}
    (HERE / "recalibration.json").write_text(json.dumps(found, indent=2) + "\n")
    delong = standard_error(data["probability"].to_numpy(), data["outcome"].to_numpy())
    (HERE / "delong.json").write_text(json.dumps(delong, indent=2) + "\n")


def recalibrated(margin: np.ndarray, outcome: pd.Series) -> dict[str, float]:
    family = sm.families.Binomial()
    free = sm.GLM(outcome, sm.add_constant(margin), family=family).fit(tol=1e-12)
    large = sm.GLM(outcome, np.ones(len(margin)), family=family, offset=margin).fit(tol=1e-12)
    return {
        "calibration_slope": float(free.params.iloc[1]),
        "calibration_intercept": float(large.params.iloc[0]),
    }


def standard_error(score: np.ndarray, outcome: np.ndarray) -> dict[str, float]:
    pain, none = score[outcome == 1], score[outcome == 0]
    wins = (pain[:, None] > none[None, :]) + 0.5 * (pain[:, None] == none[None, :])
    variance = wins.mean(axis=1).var(ddof=1) / len(pain) + wins.mean(axis=0).var(ddof=1) / len(none)
    return {"auc": float(roc_auc_score(outcome, score)), "standard_error": float(variance**0.5)}


if __name__ == "__main__":
    main()
