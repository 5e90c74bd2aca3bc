"""What stands on a run's page in MLflow: the verdict, links, then the card."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from kneerisk.training.tracking import CARD, Run
from kneerisk.training.verdict import verdict

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


def run_note(run: Run, metrics: Mapping[str, float], card: str, sha256: str) -> str:
    """The verdict in a line, where everything else is, and the card below."""
    page = f"/#/experiments/{run.experiment}/runs/{run.run_id}"
    cohort_page = runs_page(run.experiment, of_cohort(sha256))
    links = [
        f"[plots]({page}/artifacts/plots)",
        f"[card]({page}/artifacts/{CARD})",
        f"[all runs on this cohort, best calibrated first]({cohort_page})",
    ]
    if run.version is not None:
        address = f"/#/models/{run.version.model}/versions/{run.version.number}"
        links.insert(0, f"[{run.version}]({address})")
    return f"**{verdict(metrics)}**\n\n{' · '.join(links)}\n\n{card}"
