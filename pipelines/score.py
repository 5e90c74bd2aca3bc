"""`kneerisk score`: file of screenings -> champion -> file of answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from kneerisk.progress import Progress, event
from kneerisk.words import text
from pipelines import console
from pipelines.options import MODELS, RELEASE_PANEL, Json, Models, Out, Screenings, examples

if TYPE_CHECKING:
    from kneerisk.answer import Answer

app = typer.Typer()
#: Screenings answered together: enough to be quick, few enough to show progress (assumption).
_BATCH = 500
#: Columns of the input that stand before each answer, so that the two can be joined.
_KEYS = ("athlete_id", "screening_date", "group")


@app.command(
    help=text("help.score.command"),
    rich_help_panel=RELEASE_PANEL,
    epilog=examples("score club.csv --out answers.csv"),
)
def score(
    file: Screenings,
    out: Out,
    models: Models = MODELS,
    as_json: Json = False,
) -> None:
    """Answer a file of screenings."""
    with console.progress() as progress:
        result = score_file(file, out, models, progress)
    screenings = f"{result['screenings']:,}"
    summary = text(
        "command_line.score.done", screenings=screenings, version=result["version"], file=out
    )
    console.result(result, as_json, "\n".join(filter(None, (summary, result.get("validation")))))


def score_file(file: Path, out: Path, models: Path, progress: Progress) -> dict[str, Any]:
    """Answer every screening of a file.

    Parameters
    ----------
    file
        A canonical file of screenings.
    out
        The file of answers, CSV or Parquet.
    models
        The folder of released models.
    progress
        Called with what is being done.

    Returns
    -------
    The file, how many `screenings`, the `version` that answered, and of a model of people its
    `validation`.
    """
    import pandas as pd

    from kneerisk.answer import answers
    from kneerisk.answer.compose_answer import validated_on
    from kneerisk.cohort import read_screenings
    from kneerisk.training.registry.versions import load_version
    from pipelines.console import write_table

    bundle = load_version(models)
    progress(event("reading_file", file=file))
    frame, screenings = read_screenings(file)
    rows = []
    for first in range(0, len(screenings), _BATCH):
        progress(event("answering", number=first + 1, total=len(screenings)))
        rows += [flat(answer) for answer in answers(bundle, screenings[first : first + _BATCH])]
    keys = frame[[name for name in _KEYS if name in frame]]
    write_table(pd.concat([keys, pd.DataFrame(rows)], axis=1), out)
    result = {"file": str(out), "screenings": len(rows), "version": bundle.metadata.version}
    if bundle.metadata.cohort == "simulated":
        return result
    return {**result, "validation": validated_on(bundle.metadata)}


def flat(answer: Answer) -> dict[str, Any]:
    """An answer as one row; what it does not give is missing."""
    from kneerisk.answer.answer_schema import KNEES, SHOWN
    from kneerisk.evidence import imbalances

    row: dict[str, Any] = {"status": answer.risk.status}
    row["reasons"] = ";".join(reason.code for reason in answer.risk.reasons)
    row["red_flags"] = ";".join(flag.code for flag in answer.red_flags)
    for side in KNEES:
        risk = getattr(answer.risk, side)
        low, high = risk.interval if risk else (None, None)
        row[f"risk_{side}"] = risk.probability if risk else None
        row[f"risk_{side}_low"], row[f"risk_{side}_high"] = low, high
        row[f"band_{side}"] = risk.band if risk else None
    probabilities = {f"{each.side}_{each.name}": each.probability
                     for each in answer.imbalances or ()}  # fmt: skip
    columns = (f"{side}_{name}" for side in SHOWN for name in imbalances())
    row |= {column: probabilities.get(column) for column in columns}
    return row | {"version": answer.model.version, "run_id": answer.model.run_id}
