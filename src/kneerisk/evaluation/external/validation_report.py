"""What a validation report holds, as a file that a club can send and `kneerisk pool` reads.

It holds no row, no id, no path and no small cell; numbers have five digits.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from kneerisk.cohort.layout import CohortKind, OutcomeKind
from kneerisk.errors import KneeriskError
from kneerisk.evaluation.calibration.recalibration import Step
from kneerisk.words import text

#: It goes up when reports of an older program can't be read any more.
FORMAT: Literal["kneerisk validation 1"] = "kneerisk validation 1"
#: Of the name of a club in a report.
LONGEST_LABEL = 40
#: A report is a few kilobytes; what is far larger is something else (assumption).
_MOST_BYTES = 2_000_000


class ReportRefused(KneeriskError):
    """A report that can't be read, or reports that can't be pooled."""


def _five_digits(value: float) -> float:
    return float(f"{value:.5g}")


Number = Annotated[float, Field(allow_inf_nan=False), AfterValidator(_five_digits)]
Count = Annotated[int, Field(ge=0)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ValidatedModel(_Section):
    """Which model was validated."""

    version: str = Field(max_length=100)
    sha256: Sha256
    trained_on: str = Field(max_length=20)


class ValidatedFile(_Section):
    """On whom it was validated, as far as nobody can be made out."""

    label: str = Field(min_length=1, max_length=LONGEST_LABEL)
    cohort_kind: CohortKind
    outcome_kind: OutcomeKind
    horizon_months: int | None
    unit: Literal["leg", "athlete"]
    own_cohort: bool
    """Whether these are held-out athletes of the cohort that the model was trained on."""
    screenings: Count
    athletes: Count
    mean_age_years: Number | None
    sd_age_years: Number | None
    first_year: int | None
    last_year: int | None
    rows_sha256: Sha256
    """Of risks and outcomes alone, whatever their order: the same file has the same."""


class RiskGroup(_Section):
    """Rows from one risk to another: what was predicted, and what happened."""

    low: Number
    high: Number
    rows: Count
    events: Count
    predicted: Number
    observed: Number
    observed_low: Number
    observed_high: Number


class CurvePoint(_Section):
    """A point of the smooth calibration curve, with its 95 % band."""

    risk: Number
    observed: Number
    low: Number
    high: Number


class DecisionPoint(_Section):
    """Net benefit in true positives a row, with its 95 % interval; treating nobody has none."""

    threshold: Number
    model: Number
    low: Number
    high: Number
    everyone: Number
    recalibrated_threshold: Number | None
    """The risk after recalibration that parts the rows in the same way."""
    recalibrated: Number | None


class SlicePart(_Section):
    """A part of the cohort; without a name, small parts put together."""

    by: str
    name: str | None
    metrics: dict[str, Number]


class Recalibration(_Section):
    """What recalibrating would set, and how good the model would then be, out of fold."""

    step: Step
    intercept: Number
    slope: Number
    metrics: dict[str, Number]


class Need(_Section):
    """What a metric needs to be known to within a width, and how wide its interval is here."""

    metric: str
    width: Number
    width_here: Number | None
    rows: Count
    events: Count
    athletes: Count


class ValidationReport(_Section):
    """A model on a file that it was not fitted to."""

    format: Literal["kneerisk validation 1"]
    program: str
    made_on: date
    smallest_cell: Count
    model: ValidatedModel
    file: ValidatedFile
    metrics: dict[str, Number]
    groups: tuple[RiskGroup, ...]
    curve: tuple[CurvePoint, ...]
    decision: tuple[DecisionPoint, ...]
    slices: tuple[SlicePart, ...]
    not_shown: tuple[str, ...]
    """What the cohort can't be cut by without small cells."""
    recalibrations: tuple[Recalibration, ...]
    design_effect: Number
    needs: tuple[Need, ...]

    def as_json(self) -> str:
        """The file, one name a line."""
        return self.model_dump_json(indent=1) + "\n"


def checked_label(label: str | None) -> str | None:
    """A label as a report shows it; refused where it is too long or empty."""
    line = None if label is None else " ".join(label.split())
    if line is not None and not 0 < len(line) <= LONGEST_LABEL:
        raise ReportRefused(text("validation.refused.label", longest=LONGEST_LABEL))
    return line


def numbers_beside(page: Path, read: Sequence[Path] = ()) -> Path:
    """The JSON file beside a page.

    Parameters
    ----------
    page
        The HTML file.
    read
        Files that must not be written over.

    Returns
    -------
    Its path.

    Raises
    ------
    ReportRefused
        Where the page is not called .html, or one of the two would replace a file that is read.
    """
    if page.suffix.casefold() not in (".html", ".htm"):
        raise ReportRefused(text("validation.refused.not_html", file=page))
    numbers = page.with_suffix(".json")
    if {page.resolve(), numbers.resolve()} & {path.resolve() for path in read}:
        raise ReportRefused(text("validation.refused.same_file", file=numbers))
    return numbers


def read_reports(paths: Sequence[Path]) -> list[ValidationReport]:
    """Read the JSON files of validations.

    Parameters
    ----------
    paths
        The files.

    Returns
    -------
    The reports, in the order of the files.

    Raises
    ------
    ReportRefused
        With every file that is no report, and why.
    """
    reports: list[ValidationReport] = []
    faults: list[str] = []
    for path in paths:
        content = path.read_bytes() if path.stat().st_size <= _MOST_BYTES else b""
        try:
            reports.append(ValidationReport.model_validate_json(content))
        except ValidationError as error:
            faults.append(f"{path}: {_reason(path, error.errors()[0])}")
    if faults:
        raise ReportRefused("\n  ".join([text("validation.refused.not_reports"), *faults]))
    return reports


def _reason(path: Path, error: Any) -> str:
    """The first fault of a file, in words that repeat nothing of it."""
    if path.suffix.casefold() in (".html", ".htm"):
        return text("validation.refused.page")
    if error["type"] == "json_invalid" or not error["loc"]:
        return text("validation.refused.not_json")
    if error["loc"][0] == "format":
        return text("validation.refused.other_format", format=FORMAT)
    place = "/".join(str(part) for part in error["loc"])
    return text("validation.refused.damaged", place=place)
