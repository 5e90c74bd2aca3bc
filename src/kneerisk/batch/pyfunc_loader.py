"""A released model as MLflow loads it: a frame of screenings in, risks with intervals out.

MLflow imports this module by the name that runs have kept, `kneerisk.batch.pyfunc_loader`, and
calls `_load_pyfunc`: the code is that of the installed package, and the bundle is read as a service
reads it, hashes first. Nothing here needs MLflow.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from kneerisk.answer.score_columns import score_columns
from kneerisk.cohort.file_screenings import frame_rows
from kneerisk.cohort.file_validation import coded_cells
from kneerisk.cohort.layout import ATHLETE_ID, RED_FLAGS_COLUMN
from kneerisk.model import Bundle, load

#: In the configuration of the logged model: the hash that its bundle must have.
SHA256 = "sha256"


class FrameModel:
    """What MLflow calls a model: it predicts for a frame."""

    def __init__(self, released: Bundle) -> None:
        self.bundle = released

    def predict(
        self, model_input: pd.DataFrame, params: Mapping[str, Any] | None = None
    ) -> pd.DataFrame:
        """Score screenings with the numbers that the service answers.

        Parameters
        ----------
        model_input
            One row a screening, columns as in the data dictionary; outcomes are left aside, and
            what is missing was not measured.
        params
            There are none.

        Returns
        -------
        With the index of the input: status, reasons, red flags, then probability, interval and band
        of each knee and of either, and the probability of each imbalance of each leg. Missing where
        there is no number, such as for a knee that hurts.

        Raises
        ------
        BadCells
            With every cell that breaks the schema.
        CohortRefused
            Where the frame has columns that a screening does not have.
        """
        del params
        with self.bundle.model.own.also_in_force():
            frame = frame_rows(_numbered(model_input))
            flags = RED_FLAGS_COLUMN in frame
            asked = frame[RED_FLAGS_COLUMN].to_numpy(dtype=object) if flags else None
            scored = score_columns(self.bundle, coded_cells(frame), asked)
        return pd.DataFrame(scored, index=model_input.index)


def _numbered(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of a cohort say whose they are; here their places do."""
    if ATHLETE_ID in frame:
        return frame
    return frame.assign(**{ATHLETE_ID: [str(place) for place in range(len(frame))]})


def _load_pyfunc(path: str, model_config: Mapping[str, Any]) -> FrameModel:
    """What MLflow calls: the model of the bundle in a folder, checked as a service checks it."""
    return FrameModel(load(Path(path), model_config[SHA256]))
