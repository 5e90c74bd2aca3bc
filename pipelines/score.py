"""`kneerisk score`: file of screenings -> champion -> file of answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kneerisk.progress import Progress, event
from kneerisk.words import text
from pipelines import console
from pipelines.options import (
    MODELS,
    RELEASE_PANEL,
    Json,
    Measures,
    Models,
    Out,
    examples,
)

if TYPE_CHECKING:
    import pandas as pd

    from kneerisk.answer import Answer
    from kneerisk.cohort.sheets.sheet_screenings import SheetScreening
    from kneerisk.model import Bundle
    from kneerisk.schema import Screening

app = typer.Typer()
#: Screenings answered together: enough to be quick, few enough to show progress (assumption).
_BATCH = 500
#: Columns of the input that stand before each answer, so that the two can be joined.
_KEYS = ("athlete_id", "screening_date", "group")


@app.command(
    help=text("help.score.command"),
    rich_help_panel=RELEASE_PANEL,
    epilog=examples(
        "score cohort.csv --out answers.csv",
        "score club.xlsx --sheet --out scored.xlsx",
        "score club.csv --mapping club.toml --out scored.csv",
        "score people.csv force-frame.csv --sheet --out scored.xlsx",
    ),
)
def score(
    files: Annotated[
        list[Path], typer.Argument(exists=True, dir_okay=False, help=text("help.score.files"))
    ],
    out: Out,
    models: Models = MODELS,
    measures: Measures = None,
    sheet: Annotated[bool, typer.Option("--sheet", help=text("help.score.sheet"))] = False,
    mapping: Annotated[Path | None, typer.Option(help=text("help.score.mapping"))] = None,
    as_json: Json = False,
) -> None:
    """Answer a file of screenings, or a club's own sheet."""
    with console.own_measures(measures), console.progress() as progress:
        if sheet or mapping:
            result = score_sheet(files, mapping, out, models, progress)
        elif len(files) > 1:
            raise typer.BadParameter(text("command_line.score.one_file"))
        else:
            result = score_file(files[0], out, models, progress)
    screenings = f"{result['screenings']:,}"
    summary = text(
        "command_line.score.done", screenings=screenings, version=result["version"], file=out
    )
    left = result.get("not_scored")
    not_scored = text("command_line.score.not_scored", count=left) if left else None
    without = result.get("cells_left_out")
    cells = text("command_line.score.cells_left_out", count=without) if without else None
    lines = filter(None, (summary, not_scored, cells, result.get("validation")))
    console.result(result, as_json, "\n".join(lines))


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

    from kneerisk.cohort import read_screenings
    from kneerisk.training.registry.versions import load_version

    bundle = load_version(models)
    progress(event("reading_file", file=file))
    with bundle.model.own.also_in_force():
        frame, screenings = read_screenings(file)
        rows = [flat(answer) for answer in _answers(bundle, screenings, progress)]
    keys = frame[[name for name in _KEYS if name in frame]]
    console.write_table(pd.concat([keys, pd.DataFrame(rows)], axis=1), out)
    return _result(bundle, out, len(rows))


def score_sheet(
    files: Sequence[Path], mapping: Path | None, out: Path, models: Path, progress: Progress
) -> dict[str, Any]:
    """Answer every athlete of a club's own sheet; what was measured stands beside the answers.

    Parameters
    ----------
    files
        CSV, tab-separated, Excel or OpenDocument files of one squad, without outcomes.
    mapping
        The mapping file that says what its columns mean; None where it says so itself.
    out
        The file of answers, CSV, Excel file or Parquet; it comes back through the import.
    models
        The folder of released models.
    progress
        Called with what is being done.

    Returns
    -------
    As of `score_file`, how many rows were `not_scored`, and how many without some cells.
    """
    from kneerisk.cohort.sheets.sheet_screenings import screenings_in
    from kneerisk.training.registry.versions import load_version

    bundle = load_version(models)
    first, *others = files
    progress(event("reading_file", file=first))
    with bundle.model.own.also_in_force():
        return _score_visits(bundle, screenings_in(first, mapping, *others), out, progress)


def _score_visits(
    bundle: Bundle, visits: list[SheetScreening], out: Path, progress: Progress
) -> dict[str, Any]:
    """Answer every visit of a sheet, and write them with what was measured."""
    import pandas as pd

    from kneerisk.cohort.layout import ATHLETE_ID, SCREENING_DATE

    scored = [visit.screening for visit in visits if visit.screening is not None]
    answered = iter(_answers(bundle, scored, progress))
    rows = [
        {ATHLETE_ID: visit.athlete, SCREENING_DATE: visit.date}
        | ({} if visit.screening is None else flat(next(answered)) | _measured(visit.screening))
        | {
            "line": visit.line,
            "not_scored": "; ".join(visit.reasons) or None,
            "cells_left_out": "; ".join(visit.left_out) or None,
        }
        for visit in visits
    ]
    console.write_table(_in_order(pd.DataFrame(rows)), out)
    return _result(bundle, out, len(scored)) | {
        "not_scored": len(visits) - len(scored),
        "cells_left_out": sum(bool(visit.left_out) for visit in visits),
    }


def _measured(screening: Screening) -> dict[str, Any]:
    """What was measured, as a row of a cohort has it, with the red flags that were asked."""
    from kneerisk.cohort.layout import RED_FLAGS_COLUMN
    from kneerisk.schema import to_row

    flags = screening.red_flags
    asked = None if flags is None else ";".join(flags) or "none"
    return to_row(screening) | {RED_FLAGS_COLUMN: asked}


def _in_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Who and when, what was measured, then the answers."""
    from kneerisk.cohort.layout import row_columns

    first = [name for name in row_columns() if name in frame]
    return frame[[*first, *(name for name in frame if name not in first)]]


def _answers(bundle: Bundle, screenings: list[Screening], progress: Progress) -> Iterator[Answer]:
    from kneerisk.answer.compose_answer import scores

    for first in range(0, len(screenings), _BATCH):
        progress(event("answering", number=first + 1, total=len(screenings)))
        yield from scores(bundle, screenings[first : first + _BATCH])


def _result(bundle: Bundle, out: Path, count: int) -> dict[str, Any]:
    from kneerisk.answer.compose_answer import validated_on

    result = {"file": str(out), "screenings": count, "version": bundle.metadata.version}
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
