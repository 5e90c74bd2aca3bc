"""The metadata of an updated model: the champion's, with base rates moved to the club's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import expit, logit

from kneerisk.cohort.files import Cohort
from kneerisk.model import Bundle, Metadata
from kneerisk.schema.columns import fingerprint
from kneerisk.training.updating.model_updating import UpdatedModel


def updated_metadata(
    base: Bundle,
    club: Cohort,
    updated: UpdatedModel,
    *,
    version: str,
    run_id: str,
    git_sha: str | None,
    data_sha256: str,
) -> Metadata:
    """The metadata of a champion updated by a club's outcomes.

    The population that the model knows is still the champion's: a club of other ages is outside of
    it, however the model was corrected. Base rates of all sports move with the club's, since a risk
    is compared with athletes of the same club.

    Parameters
    ----------
    base
        The version that was updated.
    club
        The athletes that it was updated by, none held out.
    updated
        The updated model.
    version
        What the updated version is called.
    run_id
        Of its run in MLflow.
    git_sha
        The commit of the program, if it is under version control.
    data_sha256
        The digest of the club's whole cohort.

    Returns
    -------
    The metadata of the updated version.
    """
    outcomes = club.outcomes()
    events = outcomes.either if not club.has_sides else np.r_[outcomes.left, outcomes.right]
    return replace(
        base.metadata,
        version=version,
        run_id=run_id,
        git_sha=git_sha,
        cohort="adapted",
        source=f"{base.metadata.source}, adapted to {club.source}",
        schema=fingerprint(),
        athletes=int(club.frame["athlete_id"].nunique()),
        screenings=len(club.frame),
        events=float(np.nansum(events)),
        data_sha256=data_sha256,
        base_rates=_base_rates(base, club, updated),
        choices={**base.metadata.choices, **updated.choices},
        base_version=base.metadata.version,
        base_sha256=base.sha256,
    )


def _base_rates(base: Bundle, club: Cohort, updated: UpdatedModel) -> dict[str, dict[str, float]]:
    """The champion's base rates, moved as the correction moves the mean risk of the club."""
    data = club.columns()
    before, after = (model.predict(data) for model in (base.model, updated.model))
    shift = {"either": _shift(before.either, after.either)}
    if before.left is not None and before.right is not None:
        legs = [np.r_[risks.left, risks.right] for risks in (before, after)]
        shift["leg"] = _shift(legs[0], legs[1])
    return {
        sport: {
            unit: float(expit(logit(rate) + shift[unit])) if unit in shift else rate
            for unit, rate in rates.items()
        }
        for sport, rates in base.metadata.base_rates.items()
    }


def _shift(before: np.ndarray, after: np.ndarray) -> float:
    """How far the mean risk moved, in log-odds."""
    return float(logit(after.mean()) - logit(before.mean()))
