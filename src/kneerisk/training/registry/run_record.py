"""What a run in MLflow records of a model: parameters, data sets, metrics, plots, card, bundle.

The same for a model that was trained, tuned or updated, so that runs compare in MLflow's page.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from kneerisk.cohort import Cohort
from kneerisk.cohort.splits import train_test_split
from kneerisk.evaluation.comparison import shown_metrics
from kneerisk.evaluation.evaluation import Evaluation
from kneerisk.evaluation.run_verdict import verdict
from kneerisk.model import Metadata, bundle
from kneerisk.model.risk_model import RiskModel
from kneerisk.schema.columns import fingerprint
from kneerisk.schema.data_dictionary import json_schema
from kneerisk.training.card.model_card import model_card
from kneerisk.training.fitting.settings import SEED
from kneerisk.training.plots.evaluation_plots import plots
from kneerisk.training.plots.plot_style import images
from kneerisk.training.provenance import Source, digest, environment, git_sha, own_measure_params
from kneerisk.training.registry.verdict import GROUPS_PARAMETER, gates_of, verdict_of
from kneerisk.training.tracking import CARD, EVALUATION, HELD_OUT, PLOTS, Run, registered_name
from kneerisk.training.tracking.naming import cohort_filter, runs_page
from kneerisk.words import text

#: The artifact with the gates and the reasons of a refusal.
VERDICT = "verdict.json"


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """A model, how good it is, and what it was made from."""

    source: Source
    data: Cohort
    """The whole cohort as it was read."""
    cohort: Cohort
    """The same under the kind and source that the model states: an updated one says ``adapted``."""
    model: RiskModel
    evaluation: Evaluation
    parameters: Mapping[str, Any]
    """Settings, choices of the fit, and what it was updated from."""
    title: str | None = None
    """What a person calls the run; None: as the cohort is called."""

    @cached_property
    def data_sha256(self) -> str:
        """The digest of the whole cohort."""
        return digest(self.data)


class DescribeVersion(Protocol):
    """Writes the metadata of a version, once it is known what the version is called."""

    def __call__(
        self, *, version: str, run_id: str, git_sha: str | None, data_sha256: str
    ) -> Metadata:
        """The metadata of the version."""


def log_version(run: Run, record: RunRecord, describe: DescribeVersion) -> str:
    """Register a model as the next version of its outcome kind, and log all about it.

    Parameters
    ----------
    run
        The run of the version, which is still being written.
    record
        What is logged.
    describe
        Gives the metadata of the version.

    Returns
    -------
    The name of the version, such as ``kneerisk-new_pain-12m-v3``.
    """
    cohort = record.cohort
    version = run.register(
        registered_name(cohort.outcome_kind, cohort.horizon_months),
        record.title or cohort_title(cohort),
    )
    metadata = describe(
        version=str(version),
        run_id=run.run_id,
        git_sha=git_sha(),
        data_sha256=record.data_sha256,
    )
    verdict = verdict_on(record)
    groups = [group.name for group in record.evaluation.groups]
    validation = None if cohort.kind == "simulated" else {"left_out_groups": groups}
    metadata = replace(metadata, validation=validation, verdict=verdict)
    drawn = log_evaluation(run, record)
    run.log_text(json.dumps(verdict), VERDICT)
    markdown = model_card(metadata, cohort, record.evaluation, drawn)
    run.log_card(markdown)
    run.set_note(run_note(run, record.evaluation.metrics, markdown, record.data_sha256))
    run.log_text(json_schema(), "screening.schema.json")
    documents = {CARD: markdown.encode()}
    documents |= {f"{PLOTS}/{name}.png": image for name, image in drawn.items()}
    with TemporaryDirectory() as folder:
        sha256 = bundle.save(
            record.model, metadata, Path(folder), documents, record.evaluation.baseline
        )
        run.log_bundle(Path(folder), sha256)
    return str(version)


def verdict_on(record: RunRecord) -> dict[str, Any]:
    """What `promote` will say of the version, before it is compared with a champion."""
    evaluation = record.evaluation.as_dict()
    gates = gates_of(_parameters(record), record.evaluation.metrics, lambda: evaluation)
    return verdict_of(gates)


def _parameters(record: RunRecord) -> dict[str, Any]:
    """Everything that the version was made with, and how many groups were left out."""
    return {
        **run_parameters(record.cohort, record.data_sha256),
        GROUPS_PARAMETER: len(record.evaluation.groups),
        **record.source.params(),
        **record.parameters,
    }


def log_evaluation(run: Run, record: RunRecord) -> dict[str, bytes]:
    """Log a model and how good it is, whether it becomes a version or not.

    Parameters
    ----------
    run
        The run, which is still being written.
    record
        What is logged.

    Returns
    -------
    The plots as PNG images, by name.
    """
    data, source = record.data, record.source.params()
    for part, context in zip(train_test_split(data), ("training", HELD_OUT), strict=True):
        run.log_dataset(part, context, digest(part), source)
    run.log_values(_parameters(record), shown_metrics(record.evaluation.metrics))
    title = text("training.run.plots", cohort=cohort_title(record.cohort))
    drawn = images(plots(record.evaluation, title))
    run.log_images(drawn)
    run.log_text(json.dumps(record.evaluation.as_dict()), EVALUATION)
    return drawn


def run_parameters(cohort: Cohort, data_sha256: str) -> dict[str, Any]:
    """What identifies a run: the data, the schema, the seed, and what it was fitted with."""
    return {
        "cohort_kind": cohort.kind,
        "outcome_kind": cohort.outcome_kind,
        "horizon_months": cohort.horizon_months or "none",
        "source": cohort.source,
        "athletes": cohort.frame["athlete_id"].nunique(),
        "screenings": len(cohort.frame),
        "data_sha256": data_sha256,
        "schema": fingerprint(),
        "seed": SEED,
        **own_measure_params(),
        **environment(),
    }


def run_tags(cohort: Cohort, command: str) -> dict[str, str]:
    """The tags by which runs are found: of the cohort, the command and the commit."""
    return tags_of(cohort.kind, cohort.outcome_kind, command)


def tags_of(cohort_kind: str, outcome_kind: str, command: str) -> dict[str, str]:
    """The same, where there is no cohort but its kind.

    Parameters
    ----------
    cohort_kind
        Such as ``adapted``.
    outcome_kind
        Such as ``new_pain``.
    command
        The command's name.

    Returns
    -------
    The tags.
    """
    return {
        "cohort_kind": cohort_kind,
        "outcome_kind": outcome_kind,
        "mlflow.source.name": f"kneerisk {command}",
        "mlflow.source.git.commit": git_sha() or "",
    }


def cohort_title(cohort: Cohort) -> str:
    """A name for people: `new pain within 12 months, simulated, 50,000 athletes`."""
    outcome, months = cohort.outcome_kind.replace("_", " "), cohort.horizon_months
    if months:
        outcome = text("shared.within_months", outcome=outcome, months=months)
    return text(
        "training.run.cohort",
        outcome=outcome,
        kind=cohort.kind,
        athletes=f"{cohort.frame['athlete_id'].nunique():,}",
    )


def run_note(run: Run, metrics: Mapping[str, float], card: str, data_sha256: str) -> str:
    """The text on a run's page: the verdict, links to everything else, and the card.

    Parameters
    ----------
    run
        The run, its version registered.
    metrics
        Of the model, by flat name.
    card
        The model card, Markdown.
    data_sha256
        The digest of the whole cohort.

    Returns
    -------
    The text, Markdown.
    """
    run_page = f"/#/experiments/{run.experiment}/runs/{run.run_id}"
    same_cohort = runs_page(run.experiment, cohort_filter(data_sha256))
    links = [
        f"[{text('training.run.link.plots')}]({run_page}/artifacts)",
        f"[{text('training.run.link.card')}]({run_page}/artifacts/{CARD})",
        f"[{text('training.run.link.same_cohort')}]({same_cohort})",
    ]
    if run.version is not None:
        address = f"/#/models/{run.version.model}/versions/{run.version.number}"
        links.insert(0, f"[{run.version}]({address})")
    return f"**{verdict(metrics)}**\n\n{' · '.join(links)}\n\n{card}"
