"""How good a version is on athletes that it has not seen, and for whom it works less well.

Tables and pictures of all athletes, then performance by sex, age and other slices of the cohort
(fairness), with the slice where it is worst.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kneerisk.evaluation.metric_table import listed, metric_named
from kneerisk.evaluation.slices import FEWEST_EVENTS, Slice
from kneerisk.evidence import imbalances
from kneerisk.training.card.card_context import CardContext

#: Measures that a card lists by how far they move risks.
MOST_DRIVERS = 8
_MODELS = {
    "": "model",
    "as_is_": "champion as it was",
    "logistic_": "logistic",
    "control_": "confounders only",
    "prior_": "base rate",
    "oracle_": "best possible (oracle)",
}
_CROSS_VALIDATED = {
    "cv_": "model", "cv_as_is_": "champion as it was", "cv_scratch_": "from scratch",
    "cv_logistic_": "logistic", "cv_prior_": "base rate",
}  # fmt: skip
_LEFT_OUT = {
    "iecv_": "model", "iecv_as_is_": "champion as it was", "iecv_scratch_": "from scratch",
    "iecv_logistic_": "logistic", "iecv_prior_": "base rate",
}  # fmt: skip
_RAISES = {"higher": "higher values raise it", "lower": "lower values raise it",
       "mixed": "by category, or no single direction"}  # fmt: skip


def performance(context: CardContext) -> str:
    """Every task, each with its table, and the pictures."""
    metrics = context.metrics
    counts = (
        f"{metrics.get('rows', 0):,.0f} {context.unit} of {metrics.get('athletes', 0):,.0f} "
        f"held-out athletes, {metrics.get('events', 0):,.0f} with pain. In brackets: 95 % interval "
        "over athletes."
    )
    parts = [
        *_left_out_groups(context),
        counts,
        _table(metrics, "", _MODELS),
        *_brier(metrics),
        *context.plot("calibration", "Observed share with pain by predicted risk"),
        *context.plot("roc", "Sensitivity against one minus specificity"),
        *_cross_validated(metrics),
        *_tasks(context),
        *_acting(metrics),
        *context.plot("decision_curve", "Net benefit by the risk at which one acts"),
        *context.plot("risk_distribution", "Predicted risks of those with and without pain"),
        *_instability(context),
        *_truth(context),
        *_imbalances(context),
        *_drivers(context),
    ]
    return "\n\n".join(parts)


def _left_out_groups(context: CardContext) -> Iterator[str]:
    """What counts most where the cohort has groups: how it does on those it was not fitted to."""
    groups = context.evaluation.groups
    if groups:
        yield (
            f"With whole groups left out, one at a time ({len(groups)}: "
            f"{', '.join(group.name for group in groups)}). These numbers count most; those of "
            "held-out athletes, whose groups the model has seen, come second:"
        )
        yield _table(context.metrics, "", _LEFT_OUT)
        columns = "group left out | with pain | AUC | slope | intercept"
        head = f"| {columns} |\n| --- | ---: | --- | --- | --- |"
        yield "\n".join([head, *(_group_row(group) for group in groups)])


def _group_row(group: Slice) -> str:
    metrics = group.metrics
    names = ("auc", "calibration_slope", "calibration_intercept")
    cells = [metric_named(name).text(metrics) for name in names]
    counts = f"{metrics['events']:,.0f} of {metrics['rows']:,.0f}"
    return f"| {' | '.join([group.name.replace('|', '/'), counts, *cells])} |"


def _brier(metrics: Mapping[str, float]) -> Iterator[str]:
    names = ("brier_reliability", "brier_resolution", "brier_uncertainty")
    if all(name in metrics for name in names):
        reliability, resolution, uncertainty = (metrics[name] for name in names)
        yield (
            f"The Brier score is reliability {reliability:.4f} (the gain from recalibration; 0 is "
            f"best) minus resolution {resolution:.4f} (the gain from separating athletes) plus "
            f"uncertainty {uncertainty:.4f}."
        )


def _cross_validated(metrics: Mapping[str, float]) -> Iterator[str]:
    if "cv_events" in metrics:
        yield (
            "Cross-validation by athlete, with all settings chosen within the training folds, "
            f"{metrics['cv_events']:,.0f} of {metrics['cv_rows']:,.0f} with pain:"
        )
        yield _table(metrics, "", _CROSS_VALIDATED)


def _tasks(context: CardContext) -> Iterator[str]:
    metrics = context.metrics
    if context.cohort.has_sides and "either_log_loss" in metrics:
        yield "Either knee:"
        yield _table(metrics, "either_", _MODELS)
    if "which_limb_auc" in metrics:
        rows = metrics.get("which_limb_rows", 0)
        yield (
            f"Which leg hurts, if exactly one does ({rows:,.0f} screenings): AUC "
            f"{_auc(metrics, 'which_limb_')}; logistic {_auc(metrics, 'logistic_which_limb_')}."
        )
    if "interval_coverage" in metrics:
        yield (
            f"90 % intervals: {metrics['interval_coverage']:.0%} of true risks lie inside; mean "
            f"width {metrics['interval_width']:.3f}."
        )


def _instability(context: CardContext) -> Iterator[str]:
    """How far the risks of the athletes trained on move when the model is built again."""
    metrics = context.metrics
    if "instability_mape" in metrics:
        mean, upper = (100 * metrics[f"instability_{name}"] for name in ("mape", "mape_top_5_pct"))
        yield (
            f"Instability: the whole model building was repeated in "
            f"{metrics['instability_refits']:.0f} bootstrap samples of the athletes trained on. "
            f"Their risks move by {mean:.1f} points of 100 on average (MAPE), and by {upper:.1f} "
            "or more for one row in twenty. A refit puts a row on the other side of a risk of "
            f"10 % in {metrics['instability_at_10_pct']:.0%} of cases, of 20 % in "
            f"{metrics['instability_at_20_pct']:.0%}; "
            f"{metrics['instability_outside_interval']:.0%} of refitted risks lie outside the 90 % "
            "interval that the model states."
        )
        yield from context.plot("instability", "Risks of refitted models against the model's own")


def _truth(context: CardContext) -> Iterator[str]:
    metrics = context.metrics
    if "true_risk_mae" in metrics:
        yield (
            "Compared with the true risk, which is known here: mean absolute error "
            f"{metrics['true_risk_mae']:.4f}, "
            f"calibration slope {_number(metrics, 'true_calibration_slope', 2)}; the true risk "
            f"itself reaches an AUC of {_auc(metrics, 'true_risk_')}."
        )
    if "oracle_mae" in metrics:
        yield (
            "Compared with the best prediction possible from these measures (the oracle): mean "
            f"absolute difference {metrics['oracle_mae']:.4f}, AUC {_number(metrics, 'auc', 3)} "
            f"against {_number(metrics, 'oracle_auc', 3)}."
        )
    yield from context.plot("oracle_gap", "The model's risk against the best possible")


def _imbalances(context: CardContext) -> Iterator[str]:
    if any(name.startswith("imbalance_") for name in context.metrics):
        yield "Imbalances, each leg:"
        named = {f"imbalance_{n}_": f.label for n, f in imbalances().items()}
        yield _table(context.metrics, "", named)
    yield from context.plot("imbalances", "AUC of each imbalance, compared with the oracle")


def _drivers(context: CardContext) -> Iterator[str]:
    shown = context.evaluation.drivers[:MOST_DRIVERS]
    if shown:
        yield (
            "What moves its risks most, in mean absolute points of 100 over these "
            f"{context.unit} (associations, not causes):"
        )
        rows = [
            f"| {one.label} | {one.points:.2f} | {_RAISES[one.direction]} | {one.measured:.0%} |"
            for one in shown
        ]
        yield "\n".join(
            ["| measure | points | direction | measured in |", "| --- | ---: | --- | ---: |", *rows]
        )
    yield from context.plot("drivers", "Measures by how far they move risks")


def _acting(metrics: Mapping[str, float]) -> Iterator[str]:
    """What acting on the risk is worth, and whom a clinic finds that has room for so many."""
    if "net_benefit_at_10_pct" in metrics:
        model, everyone = (
            100 * metrics[f"{who}net_benefit_at_10_pct"] for who in ("", "treat_all_")
        )
        yield (
            f"Acting at a risk of 10 %: net benefit {model:.2f} true positives in 100, compared "
            f"with {everyone:.2f} for treating everyone and 0 for treating nobody."
        )
    if "either_precision_top_10_pct" in metrics:
        share, found = (
            f"{metrics[f'either_{name}_top_10_pct']:.0%}" if f"either_{name}_top_10_pct" in metrics
            else "none" for name in ("precision", "sensitivity")
        )  # fmt: skip
        yield (
            f"Of the tenth of athletes with the highest risk, {share} had pain in either knee; "
            f"they include {found} of all who had it."
        )


def _table(metrics: Mapping[str, float], task: str, rows: Mapping[str, str]) -> str:
    columns = listed("card")
    lines = [f"| | {' | '.join(metric.label for metric in columns)} |",
             f"| --- |{' --- |' * len(columns)}"]  # fmt: skip
    for prefix, label in rows.items():
        start = prefix + task
        if f"{start}log_loss" in metrics:
            cells = [metric.text(metrics, start) for metric in columns]
            lines.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _auc(metrics: Mapping[str, float], prefix: str) -> str:
    return metric_named("auc").text(metrics, prefix)


def _number(metrics: Mapping[str, float], name: str, digits: int) -> str:
    return f"{metrics[name]:.{digits}f}" if name in metrics else "not measurable"


#: What people are born with, or grow into, before what they do.
ORDER = ("sex", "age", "sport", "side", "battery")


def fairness(context: CardContext) -> str:
    """The table of slices, the worst one named, and the plot."""
    slices = context.evaluation.slices
    if not slices:
        return ""
    rows = [_row(each) for by in ORDER for each in slices if each.by == by]
    columns = listed("card_slices")
    head = [
        f"| by | subgroup | with pain | {' | '.join(metric.column for metric in columns)} |",
        "| --- | --- | ---: |" + "".join(" --- |" if m.interval else " ---: |" for m in columns),
    ]
    note = (
        f"A subgroup with fewer than {FEWEST_EVENTS:.0f} outcomes of either kind is shown but not "
        "judged. *Observed to predicted* above 1: more pain than predicted. All numbers of a "
        "subgroup, including net benefit and the highest risks, are in `evaluation.json` of the "
        "run."
    )
    plot = context.plot("slices", "AUC and calibration slope by subgroup, with 95 % intervals")
    return "\n\n".join([_worst(context), "\n".join([*head, *rows]), note, *plot])


def _worst(context: CardContext) -> str:
    worst = context.evaluation.worst_slice
    if worst is None:
        return "No subgroup has enough outcomes to be judged on its own."
    return (
        f"It ranks worst for **{worst.by}: {worst.name.replace('_', ' ')}**, with an AUC of "
        f"{metric_named('auc').text(worst.metrics)}. Race, income and disability are not recorded, "
        "so fairness by these is unknown."
    )


def _row(row: Slice) -> str:
    counts = f"{row.metrics['events']:,.0f} of {row.metrics['rows']:,.0f}"
    cells = [metric.text(row.metrics) for metric in listed("card_slices")]
    return f"| {' | '.join([row.by, row.name.replace('_', ' '), counts, *cells])} |"
