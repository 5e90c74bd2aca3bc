"""What stands on a run's page in MLflow: the verdict, links, then the card."""

from __future__ import annotations

from collections.abc import Mapping

from kneerisk.evaluation.verdict import verdict
from kneerisk.training.tracking import CARD, Run
from kneerisk.training.tracking.page_addresses import of_cohort, runs_page


def run_note(run: Run, metrics: Mapping[str, float], card: str, sha256: str) -> str:
    """The verdict in a line, where everything else is, and the card below."""
    page = f"/#/experiments/{run.experiment}/runs/{run.run_id}"
    cohort_page = runs_page(run.experiment, of_cohort(sha256))
    links = [
        f"[plots]({page}/artifacts)",
        f"[card]({page}/artifacts/{CARD})",
        f"[all runs on this cohort, best calibrated first]({cohort_page})",
    ]
    if run.version is not None:
        address = f"/#/models/{run.version.model}/versions/{run.version.number}"
        links.insert(0, f"[{run.version}]({address})")
    return f"**{verdict(metrics)}**\n\n{' · '.join(links)}\n\n{card}"
