"""`kneerisk validate`: model + a club's cohort -> a report that can be sent, as HTML and JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from kneerisk.progress import Progress, event
from kneerisk.words import text
from pipelines import console
from pipelines.options import MODELS, TRAIN_PANEL, Dask, Json, Measures, Models, examples
from pipelines.validate_clubs import CLUBS_FOLDER, clubs_validated, validate_clubs

app = typer.Typer()
#: The report of one club.
PAGE = Path("validation.html")


@app.command(
    help=text("help.validate.command"),
    rich_help_panel=TRAIN_PANEL,
    epilog=examples(
        "validate --data club.csv --out report.html",
        'validate --model kneerisk-new_pain-12m-v3 --data club.csv --label "Club A" '
        "--out report.html",
        "validate --data clubs/ --out reports/ --dask tcp://10.0.0.5:8786",
    ),
)
def validate(
    data: Annotated[Path, typer.Option(exists=True, help=text("help.validate.data"))],
    out: Annotated[
        Path | None,
        typer.Option(help=text("help.validate.out"), show_default="validation.html"),
    ] = None,
    model: Annotated[str | None, typer.Option(help=text("help.evaluate.model"))] = None,
    label: Annotated[str | None, typer.Option(help=text("help.validate.label"))] = None,
    measures: Measures = None,
    models: Models = MODELS,
    dask: Dask = None,
    as_json: Json = False,
) -> None:
    """Validate a version on a file, or on each of a folder, and write the reports."""
    with console.own_measures(measures), console.progress() as progress:
        if data.is_dir():
            if label is not None:
                raise typer.BadParameter(text("command_line.validate.one_club"))
            result = validate_clubs(model, data, out or CLUBS_FOLDER, models, progress, dask)
            lines = [clubs_validated(result)]
        elif dask is not None:
            raise typer.BadParameter(text("command_line.validate.dask_of_a_folder"))
        else:
            result = validate_version(model, data, out or PAGE, label, models, progress)
            done = text("command_line.validate.done", **result)
            lines = [*result["findings"], done]
    console.result(result, as_json, *lines)


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
    from kneerisk.evaluation.external.validation_report import checked_label, numbers_beside
    from kneerisk.training.leakage.leakage_checks import refuse_other_outcome
    from kneerisk.training.provenance import Source, load
    from kneerisk.training.registry.versions import load_version
    from kneerisk.training.tracking import Tracking, require_store
    from kneerisk.training.validation import validation_record as record
    from kneerisk.training.validation.validated_club import validate_on
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
        report, cohort = validate_on(bundle, whole, name, Path.cwd(), progress)
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
