"""Champion + a club's cohort -> adapted model, judged beside the champion -> challenger."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kneerisk.cohort import Cohort
from kneerisk.cohort.splits import divided
from kneerisk.errors import CohortRefused
from kneerisk.evaluation.baselines import fit_baselines
from kneerisk.evaluation.driver_ranking import drivers
from kneerisk.evaluation.evaluation import Evaluation, evaluate, interval_metrics, risks_of
from kneerisk.evaluation.verdict import log_loss_over, on_seen
from kneerisk.model import Bundle, bundle
from kneerisk.schema.data_dictionary import json_schema
from kneerisk.training.card import card
from kneerisk.training.leakage.leakage_checks import refuse_other_outcome, refuse_unsound
from kneerisk.training.plots.evaluation_plots import plots
from kneerisk.training.recording import lineage
from kneerisk.training.recording.lineage import Source
from kneerisk.training.recording.run_note import run_note
from kneerisk.training.tracking import HELD_OUT, Run, Tracking, registered_name
from kneerisk.training.updating.model_updating import Adapted, adapt
from kneerisk.training.updating.update_comparison import compared
from kneerisk.training.updating.updated_metadata import updated_metadata
from pipelines.console import Progress, Table
from pipelines.judged import judged
from pipelines.released import released
from pipelines.train import EVALUATION, SEED, params, tags, title

#: Which athletes share a fold is chance: the mean over a few ways to deal them is told.
FOLD_SEEDS = range(3)
_TOLD = {"": "adapted", "as_is_": "as is", "scratch_": "from scratch"}


def adapt_on(data: Path, version: str | None, models: Path, progress: Progress) -> dict[str, Any]:
    """Adapt a version (the champion, if none is named) to a club's file.

    Gives `version` and `run_id` (both None where the champion is kept as it is), `base`, `step`,
    `needs` and `metrics`.

    Raises
    ------
    CohortRefused
        Where the club's outcomes are of another kind, or the cohort can't be learnt from.
    BundleRefused
        Where there is no champion, or its bundle is not sound.
    """
    base = released(models, version)
    progress("Reading the club's cohort")
    source = Source(path=data.resolve())
    club, _ = lineage.load(source)
    train, test = divided(club)
    refuse(base, club, train, test)
    progress(f"Adapting {base.metadata.version}")
    adapted = adapt(base.model, train, SEED)
    progress("Judging beside the champion as it is and training from scratch")
    metrics = compared(base.model, club, FOLD_SEEDS, progress)
    found = {"base": base.metadata.version, "step": adapted.step, "needs": adapted.needs}
    if adapted.step == "as_is":
        return {"version": None, "run_id": None, **found, "metrics": metrics}
    progress("Logging the run")
    with Tracking(Path.cwd()).run(title(_named(base, club)), _tags(base, club), "adapt") as run:
        evaluation = judge(base, adapted, train, test).with_metrics(metrics)
        made = log(run, source, base, club, adapted, evaluation)
    return {"version": made, "run_id": run.run_id, **found, "metrics": evaluation.metrics}


def refuse(base: Bundle, club: Cohort, train: Cohort, test: Cohort) -> None:
    """Refuse a club that this model can't honestly be adapted to."""
    if club.kind != "observed":
        raise CohortRefused(
            f"the cohort is {club.kind}: a model is adapted to athletes who were measured"
        )
    refuse_other_outcome(base.metadata, club)
    if base.metadata.data_sha256 == lineage.digest(club):
        raise CohortRefused(
            f"{base.metadata.version} was made from this very cohort: adapting it again would "
            "count every outcome twice. Name the version that it was adapted from (--model)"
        )
    refuse_unsound(club, train, test, from_scratch=False)


def judge(base: Bundle, adapted: Adapted, train: Cohort, test: Cohort) -> Evaluation:
    """The adapted model beside the champion as it is and the baselines, on held-out athletes."""
    data = test.columns()
    prediction = adapted.model.predict(data)
    others = {name: model.predict(data) for name, model in fit_baselines(train, SEED).items()}
    others["as_is"] = risks_of(base.model.predict(data))
    found = evaluate(test, risks_of(prediction), others)
    found = replace(found, drivers=drivers(adapted.model, data, found.task_rows))
    return found.with_metrics({
        **interval_metrics(prediction, None),
        **log_loss_over(test, risks_of(prediction), others["logistic"], "logistic"),
        **on_seen(train, risks_of(adapted.model.predict(train.columns()))),
    })  # fmt: skip


def log(
    run: Run, source: Source, base: Bundle, club: Cohort, adapted: Adapted, evaluation: Evaluation
) -> str:
    """Everything about an adapted version in one run; gives its name."""
    named = _named(base, club)
    train, test = divided(club)
    sha256 = lineage.digest(club)
    version = run.register(registered_name(club.outcome_kind, club.horizon_months), title(named))
    metadata = updated_metadata(
        base, train, adapted, version=str(version), run_id=run.run_id,
        git_sha=lineage.git_sha(), data_sha256=sha256,
    )  # fmt: skip
    drawn = plots(evaluation, f"{title(named)}, held-out athletes")
    described = card(metadata, named, evaluation, drawn)
    of_base = {"base_version": base.metadata.version, "base_run_id": base.metadata.run_id,
               "base_sha256": base.sha256, "adapted_step": adapted.step}  # fmt: skip
    run.dataset(train, "training", lineage.digest(train), source.params())
    run.dataset(test, HELD_OUT, lineage.digest(test), source.params())
    run.numbers(
        {**params(named, metadata.data_sha256), **source.params(), **of_base, **adapted.choices},
        evaluation.metrics,
    )
    run.figures(drawn)
    run.text(json.dumps(evaluation.as_dict()), EVALUATION)
    run.card(described)
    run.note(run_note(run, evaluation.metrics, described, sha256))
    run.text(json_schema(), "screening.schema.json")
    with TemporaryDirectory() as folder:
        run.bundle(Path(folder), bundle.save(adapted.model, metadata, Path(folder)))
    return str(version)


def _named(base: Bundle, club: Cohort) -> Cohort:
    """The club's cohort under the name that the adapted model gives it."""
    source = f"{base.metadata.source}, adapted to {club.source}"
    return replace(club, kind="adapted", source=source)


def _tags(base: Bundle, club: Cohort) -> dict[str, str]:
    return {
        **tags(_named(base, club)),
        "base_version": base.metadata.version,
        "mlflow.source.name": "kneerisk adapt",
    }


def told(found: dict[str, Any]) -> list[str | Table]:
    """The result for a person."""
    if found["version"] is None:
        first = f"{found['base']} is kept as it is; nothing was registered."
    else:
        corrected = {"intercept": "its intercept", "slope": "its intercept and slope",
                     "ridge": "its intercept, slope and weights",
                     "boosting": "its intercept and slope, with more trees"}  # fmt: skip
        first = (
            f"{found['version']} is challenger (run {found['run_id']}): {found['base']} with "
            f"{corrected[found['step']]} corrected."
        )
    metrics = found["metrics"]
    rows = {f"cv_{start}": label for start, label in _TOLD.items()}
    parts: list[str | Table] = [first, found["needs"]]
    parts.append(judged(metrics, rows, "Cross-validated by athlete"))
    if "cv_scratch_log_loss" not in metrics:
        parts.append("From scratch: too few outcomes.")
    if "cv_log_loss_over_as_is" in metrics:
        more, error = (metrics[f"cv_log_loss_over_as_is{end}"] for end in ("", "_error"))
        parts.append(f"Log loss adapted less as is: {more:+.4f} (standard error {error:.4f})")
    return parts
