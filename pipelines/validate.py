"""`kneerisk validate`: model + a club's cohort -> a report that can be sent, as HTML and JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kneerisk.progress import Progress, event
from kneerisk.words import text
from pipelines import console
from pipelines.options import MODELS, TRAIN_PANEL, Json, Measures, Models, examples

if TYPE_CHECKING:
    from kneerisk.cohort import Cohort
    from kneerisk.evaluation.validation_report import ValidationReport
    from kneerisk.model import Bundle

app = typer.Typer()


@app.command(
    help=text("help.validate.command"),
    rich_help_panel=TRAIN_PANEL,
    epilog=examples(
        "validate --data club.csv --out report.html",
        'validate --model kneerisk-new_pain-12m-v3 --data club.csv --label "Club A" '
        "--out report.html",
    ),
)
def validate(
    data: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help=text("help.evaluate.data"))
    ],
    out: Annotated[Path, typer.Option(help=text("help.validate.out"))] = Path("validation.html"),
    model: Annotated[str | None, typer.Option(help=text("help.evaluate.model"))] = None,
    label: Annotated[str | None, typer.Option(help=text("help.validate.label"))] = None,
    measures: Measures = None,
    models: Models = MODELS,
    as_json: Json = False,
) -> None:
    """Validate a version on a file and write the report."""
    with console.own_measures(measures), console.progress() as progress:
        result = validate_version(model, data, out, label, models, progress)
    done = text("command_line.validate.done", page=out, numbers=result["numbers"])
    console.result(result, as_json, *result["findings"], done)


def validate_version(
    version: str | None,
    data: Path,
    out: Path,
    label: str | None,
    models: Path,
    progress: Progress,
) -> dict[str, Any]:
    """Validate a released or registered version on a cohort file.

    Parameters
    ----------
    version
        Such as ``kneerisk-new_pain-12m-v3``; None is the champion.
    data
        A canonical cohort file.
    out
        The page to write; the numbers go to a .json file beside it.
    label
        What the cohort is called in the report; None names it by a digest.
    models
        The folder of released models.
    progress
        Called with what is being done.

    Returns
    -------
    The report, with `run_id`, `findings`, and where `page` and `numbers` are.
    """
    from kneerisk.evaluation.validation_report import checked_label, numbers_beside
    from kneerisk.training.leakage.leakage_checks import refuse_other_outcome
    from kneerisk.training.provenance import Source, load
    from kneerisk.training.registry.versions import load_version
    from kneerisk.training.tracking import Tracking, require_store
    from kneerisk.training.validation import validation_record as record
    from kneerisk.training.validation.validation_page import findings, validation_html

    numbers, name = numbers_beside(out), checked_label(label)
    require_store(Path.cwd())
    progress(event("loading_model"))
    bundle = load_version(models, version)
    progress(event("reading_file", file=data))
    source = Source(path=data.resolve())
    with bundle.model.own.also_in_force():
        whole, _ = load(source)
        refuse_other_outcome(bundle.metadata, whole)
        report, cohort = validate_on(bundle, whole, name, progress)
    page, sentences = validation_html(report), findings(report)
    progress(event("logging_run"))
    tracking = Tracking(Path.cwd())
    tags = record.run_tags("validate", report.model, report.file.outcome_kind)
    with tracking.start_run(record.validation_run_name(report), tags, "validate") as run:
        record.log_validation(run, tracking, report, page, source, cohort, sentences)
        console.write_text(page, out)
        console.write_text(report.as_json(), numbers)
    return {
        "run_id": run.run_id, "page": str(out), "numbers": str(numbers), "findings": sentences,
        **report.model_dump(mode="json"),
    }  # fmt: skip


def validate_on(
    bundle: Bundle, whole: Cohort, label: str | None, progress: Progress
) -> tuple[ValidationReport, Cohort]:
    """Validate a model on the athletes of a cohort that it was not trained on.

    Parameters
    ----------
    bundle
        The model.
    whole
        The cohort.
    label
        What it is called in the report.
    progress
        Called with what is being done.

    Returns
    -------
    The report, and those athletes.
    """
    from kneerisk.evaluation.external_validation import validation_report
    from kneerisk.evaluation.task_rows import risks_of
    from kneerisk.evaluation.validation_metrics import baselines
    from kneerisk.training.provenance import digest
    from kneerisk.training.registry.versions import without_training_athletes

    progress(event("finding_training_athletes"))
    cohort, _, _ = without_training_athletes(bundle.metadata, whole, None, Path.cwd())
    progress(event("predicting"))
    predicted = risks_of(bundle.model.predict(cohort.columns()))
    progress(event("fitting_baselines"))
    others = baselines(bundle, cohort)
    progress(event("evaluating"))
    own_cohort = digest(whole) == bundle.metadata.data_sha256
    report = validation_report(bundle, cohort, predicted, others, label, own_cohort=own_cohort)
    return report, cohort
