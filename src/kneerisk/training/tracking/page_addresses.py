"""Addresses within MLflow's page, and the search for the runs of a cohort."""

from __future__ import annotations

from urllib.parse import quote

#: MLflow opens on its pages for language models; this leads to those for trained ones.
TRAINED = "workflowType=machine_learning"
#: The order of "best calibrated first", and what finds the runs of one cohort.
BEST_CALIBRATED = "metrics.integrated_calibration_index"
_DIGEST_CHARACTERS = 16


def of_cohort(sha256: str) -> str:
    """The filter, in MLflow's search language, of all runs on a cohort, by (part of) its digest."""
    return f"params.data_sha256 LIKE '{sha256[:_DIGEST_CHARACTERS]}%'"


def runs_page(experiment: str, where: str = "") -> str:
    """The address, within MLflow, of an experiment's runs, best calibrated first."""
    asked = f"&searchFilter={quote(where)}" if where else ""
    return (
        f"/#/experiments/{experiment}/runs?{TRAINED}{asked}"
        f"&orderByKey={quote(BEST_CALIBRATED)}&orderByAsc=true"
    )
