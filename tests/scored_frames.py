"""Screenings as a frame, and what an answer says of each by the columns of a score."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from kneerisk.answer.answer_schema import KNEES
from kneerisk.evidence import imbalances
from kneerisk.model.golden_cases import BODIES
from kneerisk.schema import SIDES, Screening, to_row
from pipelines.examples import cases

#: Of the examples also one with a red flag, one that hurts and one with three tests.
SCREENINGS = [
    *(Screening.model_validate(body) for body in BODIES),
    *(Screening.model_validate(case.body) for case in cases() if "setting" not in case.body),
]


def frame_of(screenings: list[Screening]) -> pd.DataFrame:
    rows = [to_row(screening) for screening in screenings]
    flags = [None if one.red_flags is None else ";".join(one.red_flags) or "none"
             for one in screenings]  # fmt: skip
    return pd.DataFrame(rows).assign(red_flags=flags)


def told(answer: dict[str, Any]) -> dict[str, Any]:
    """The numbers and codes of an answer, by the columns of a frame."""
    risk = answer["risk"]
    row: dict[str, Any] = {"status": risk["status"], "version": answer["model"]["version"]}
    for knee in KNEES:
        one = risk.get(knee)
        low, high = one["interval"] if one else (np.nan, np.nan)
        row[f"risk_{knee}"] = one["probability"] if one else np.nan
        row |= {f"risk_{knee}_low": low, f"risk_{knee}_high": high}
        row[f"band_{knee}"] = one["band"] if one else None
    found = {f"{one['side']}_{one['name']}": one["probability"]
             for one in answer.get("imbalances") or []}  # fmt: skip
    for side in SIDES:
        row |= {f"{side}_{name}": found.get(f"{side}_{name}", np.nan) for name in imbalances()}
    return row
