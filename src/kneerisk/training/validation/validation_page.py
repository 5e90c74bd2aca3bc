"""The page of a validation report: what it says in sentences, its tables and its charts."""

from __future__ import annotations

from dataclasses import dataclass

from kneerisk.evaluation.external.validation_report import SlicePart, ValidationReport
from kneerisk.evaluation.metric_table import metric_named
from kneerisk.evaluation.run_verdict import BEYOND_CHANCE
from kneerisk.training.validation.page_charts import calibration_chart, decision_chart
from kneerisk.training.validation.page_rendering import decimal, render
from kneerisk.words import listed, text, variant

#: In the order of the table, with the value that is right where there is one.
SHOWN = {"auc": None, "which_limb_auc": None, "either_auc": None, "observed_to_expected": "1",
         "calibration_intercept": "0", "calibration_slope": "1",
         "integrated_calibration_index": "0", "log_loss": None, "brier": None}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Slices:
    """The parts of a cohort by one thing."""

    by: str
    parts: tuple[SlicePart, ...]


def validation_html(report: ValidationReport) -> str:
    """A report as one HTML page that can be printed and sent: no script, no request."""
    cuts = dict.fromkeys(part.by for part in report.slices)
    return render(
        "validation.html.j2",
        report=report,
        outcome=outcome_in_words(report),
        findings=findings(report),
        shown={name: right for name, right in SHOWN.items() if name in report.metrics},
        label_of=label_of,
        slices=[Slices(by, tuple(p for p in report.slices if p.by == by)) for by in cuts],
        calibration=calibration_chart(report),
        decision=decision_chart(report),
        hidden=listed([variant("validation.by", by) for by in report.not_shown]),
        about=about_file(report),
    )


def outcome_in_words(report: ValidationReport) -> str:
    """The outcome and its horizon: `new pain within 12 months`."""
    outcome, months = report.file.outcome_kind.replace("_", " "), report.file.horizon_months
    return text("shared.within_months", outcome=outcome, months=months) if months else outcome


def about_file(report: ValidationReport) -> str:
    """What the file is: its kind, how many rows and outcomes, ages, years."""
    file, metrics = report.file, report.metrics
    sentences = [
        text("validation.note.kind", kind=variant("validation.kind", file.cohort_kind)),
        variant(
            "validation.file.rows", file.unit,
            rows=f"{metrics['rows']:,.0f}", athletes=f"{file.athletes:,}",
            screenings=f"{file.screenings:,}", events=f"{metrics['events']:,.0f}",
            share=decimal(100 * metrics["observed_share"], 1),
            expected=decimal(100 * metrics["expected_share"], 1),
        ),
    ]  # fmt: skip
    if file.mean_age_years is not None and file.sd_age_years is not None:
        mean, sd = decimal(file.mean_age_years, 0), decimal(file.sd_age_years, 0)
        sentences.append(text("validation.file.age", mean=mean, sd=sd))
    if file.first_year is not None and file.last_year is not None:
        sentences.append(text("validation.file.years", first=file.first_year, last=file.last_year))
    return " ".join(sentences)


def label_of(metric: str) -> str:
    """A metric's name for people."""
    if metric == "net_benefit":
        return text("validation.needs.net_benefit")
    if metric == "observed_to_expected":
        return text("validation.metric.observed_to_expected")
    label = metric_named(metric).label
    return label[0].upper() + label[1:]


def findings(report: ValidationReport) -> list[str]:
    """What the numbers say, a sentence each: ranking, level, spread, use, recalibration, size."""
    sentences = [
        _against_one(report, "auc", 0.5), _against_one(report, "observed_to_expected", 1.0),
        _against_one(report, "calibration_slope", 1.0), _use(report), _baseline(report),
        _recalibration(report), _size(report),
    ]  # fmt: skip
    return [sentence for sentence in sentences if sentence]


def _against_one(report: ValidationReport, name: str, right: float) -> str | None:
    """Whether a metric is above, below or not clearly off the value that is of interest."""
    metrics = report.metrics
    if f"{name}_low" not in metrics:
        return None
    low, high = metrics[f"{name}_low"], metrics[f"{name}_high"]
    side = "above" if low > right else "below" if high < right else "unclear"
    values = {end: decimal(metrics[f"{name}{end}"], 2) for end in ("", "_low", "_high")}
    found = {"value": values[""], "low": values["_low"], "high": values["_high"]}
    if name == "auc":
        return variant("validation.finding.auc", side, **found)
    if name == "calibration_slope":
        return variant("validation.finding.slope", side, **found)
    return variant("validation.finding.level", side, **found)


def _use(report: ValidationReport) -> str | None:
    worth = [p.threshold for p in report.decision if p.model > max(p.everyone, 0.0)]
    if not report.decision:
        return None
    if not worth:
        return text("validation.finding.no_use")
    low, high = (f"{100 * end:.3g}" for end in (worth[0], worth[-1]))
    return text("validation.finding.use", low=low, high=high)


def _baseline(report: ValidationReport) -> str | None:
    more = report.metrics.get("log_loss_over_refitted_control")
    error = report.metrics.get("log_loss_over_refitted_control_error")
    if more is None or error is None:
        return None
    clear = abs(more) > BEYOND_CHANCE * error
    side = "unclear" if not clear else "better" if more < 0.0 else "worse"
    difference, spread = decimal(abs(more), 4), decimal(error, 4)
    return variant("validation.finding.control", side, difference=difference, error=spread)


def _recalibration(report: ValidationReport) -> str | None:
    gains = {
        each.step: -each.metrics["log_loss_over_before"]
        for each in report.recalibrations
        if -each.metrics["log_loss_over_before"]
        > BEYOND_CHANCE * each.metrics["log_loss_over_before_error"]
    }
    if not report.recalibrations:
        return text("validation.finding.no_recalibration")
    if not gains:
        return text("validation.finding.leave")
    step = max(gains, key=lambda name: gains[name])
    return variant("validation.finding.recalibrate", step, gain=decimal(gains[step], 4))


def _size(report: ValidationReport) -> str | None:
    needed = [need for need in report.needs if need.metric == "calibration_slope"]
    if not needed:
        return None
    events, takes = report.metrics["events"], needed[0].events
    size = "few" if events < takes else "enough"
    return variant("validation.finding.size", size, events=f"{events:,.0f}", needed=f"{takes:,}")
