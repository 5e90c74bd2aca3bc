"""The card of a version: what it is, how good it is, and what it must not be used for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kneerisk.cohort import Cohort
from kneerisk.evidence import imbalances
from kneerisk.model import Facts
from kneerisk.schema import columns
from kneerisk.training.sample_size import few_outcomes

#: An AUC above this, on athletes that were measured, calls for a search for leaks (assumption:
#: a little above what grouped, held-out evaluation has given for knee pain).
_TOO_GOOD_AUC = 0.72
_FEW_EVENTS = 100

NOTICE = (
    "Not a medical device. It does not diagnose, and it does not replace a clinician: it says "
    "which pattern the measures are consistent with, and how uncertain that is."
)
_OUTCOMES = {
    "new_pain": "new knee pain within {months} months, in a leg free of it at the screening",
    "present_pain": "knee pain at the time of the screening; nothing about the future",
    "past_injury": "a knee injury before the screening; nothing about the future",
}
_KINDS = {
    "simulated": "drawn from published effect sizes; no athlete was measured",
    "observed": "athletes who were measured, with outcomes that were recorded",
    "adapted": "a simulated base, corrected by athletes who were measured",
}


def card(facts: Facts, cohort: Cohort, metrics: Mapping[str, float]) -> str:
    """The card as Markdown; `cohort` is the whole one, metrics are of held-out athletes."""
    parts = [
        f"# {facts.version}",
        NOTICE,
        "\n".join(_about(facts, cohort)),
        "## Population\n\n" + "\n".join(_population(cohort)),
        "## On athletes it has not seen\n\n" + _performance(cohort, metrics),
        "## Limits\n\n" + "\n".join(f"- {limit}" for limit in _limits(cohort, metrics)),
        "## Intended use\n\n" + _USE,
    ]
    return "\n\n".join(parts) + "\n"


_USE = (
    "For coaches, physios and sports scientists who screen athletes of 16 years and over, to "
    "decide what to measure, train or ask next. Not for selection, insurance or employment, not "
    "for a knee that was injured today, and not in place of a referral where a red flag applies."
)


def _about(facts: Facts, cohort: Cohort) -> Iterator[str]:
    outcome = _OUTCOMES[cohort.outcome_kind].format(months=cohort.horizon_months)
    yield "| | |"
    yield "| --- | --- |"
    yield f"| Outcome | {outcome} |"
    yield f"| Per | {'leg' if cohort.has_sides else 'athlete: the source has no side'} |"
    yield f"| Cohort | **{cohort.kind}**: {_KINDS[cohort.kind]} |"
    yield f"| Source | {cohort.source} |"
    yield f"| Data | sha256 `{facts.data_sha256}` |"
    yield f"| Run | `{facts.run_id}` |"
    yield f"| Program | {f'`{facts.git_sha}`' if facts.git_sha else 'not under version control'} |"
    yield f"| Schema | `{facts.schema}` |"


def _population(cohort: Cohort) -> Iterator[str]:
    frame = cohort.frame
    yield f"- {frame['athlete_id'].nunique():,} athletes, {len(frame):,} screenings"
    for name in ("age_years", "height_cm", "mass_kg"):
        if name in frame and frame[name].notna().any():
            low, middle, high = frame[name].quantile([0.05, 0.5, 0.95])
            label = columns()[name].label
            unit = getattr(columns()[name], "unit", "")
            spread = f"5 % below {low:.0f}, 5 % above {high:.0f}"
            yield f"- {label}: median {middle:.0f} {unit} ({spread})"
    for name in ("sex", "sport"):
        if name in frame and frame[name].notna().any():
            shares = frame[name].value_counts(normalize=True)
            told = ", ".join(f"{value} {share:.0%}" for value, share in shares.items())
            yield f"- {columns()[name].label}: {told}"


def _performance(cohort: Cohort, metrics: Mapping[str, float]) -> str:
    unit = "legs" if cohort.has_sides else "athletes' screenings"
    counts = (
        f"{metrics.get('rows', 0):,.0f} {unit} of {metrics.get('athletes', 0):,.0f} athletes, "
        f"{metrics.get('events', 0):,.0f} with pain. In brackets: 95 % interval over athletes."
    )
    return "\n\n".join(
        [
            counts,
            _table(metrics, "", {"": "model", "logistic_": "logistic", "control_": "confounders "
                   "only", "prior_": "base rate", "oracle_": "best possible (oracle)"}),
            *_extra(cohort, metrics),
        ]
    )  # fmt: skip


def _extra(cohort: Cohort, metrics: Mapping[str, float]) -> Iterator[str]:
    if cohort.has_sides and "either_log_loss" in metrics:
        yield "Either knee:"
        yield _table(metrics, "either_", {"": "model", "logistic_": "logistic"})
    yield from _acting(metrics)
    if "which_limb_auc" in metrics:
        told = _auc(metrics, "which_limb_")
        other = _auc(metrics, "logistic_which_limb_")
        rows = metrics.get("which_limb_rows", 0)
        yield (
            f"Which leg hurts, where exactly one does ({rows:,.0f} screenings): AUC {told}; "
            f"logistic {other}."
        )
    if "true_risk_mae" in metrics:
        yield (
            "Against the true risk, which is known here: mean error "
            f"{metrics['true_risk_mae']:.4f}, "
            f"calibration slope {_number(metrics, 'true_calibration_slope', 2)}; the true risk "
            f"itself reaches an AUC of {_auc(metrics, 'true_risk_')}."
        )
    if "oracle_mae" in metrics:
        yield (
            "Against the best risk that anyone could state from these measures (the oracle): mean "
            f"distance {metrics['oracle_mae']:.4f}, AUC lower by "
            f"{_number(metrics, 'auc_below_oracle', 4)}."
        )
    if any(name.startswith("imbalance_") for name in metrics):
        yield "Imbalances, each leg:"
        yield _table(metrics, "", {f"imbalance_{n}_": f.label for n, f in imbalances().items()})


def _acting(metrics: Mapping[str, float]) -> Iterator[str]:
    """What acting on the risk is worth, and whom a clinic finds that has room for so many."""
    if "net_benefit_at_10_pct" in metrics:
        model, everyone = (
            100 * metrics[f"{who}net_benefit_at_10_pct"] for who in ("", "treat_all_")
        )
        yield (
            f"Acting at a risk of 10 %: net benefit {model:.2f} true positives in 100, "
            f"{everyone:.2f} for treating everyone and 0 for treating nobody."
        )
    if "either_precision_top_10_pct" in metrics:
        share, found = (
            f"{metrics[f'either_{name}_top_10_pct']:.0%}" if f"either_{name}_top_10_pct" in metrics
            else "none" for name in ("precision", "sensitivity")
        )  # fmt: skip
        yield (
            f"Of the tenth of athletes with the highest risk, {share} had pain in either knee; "
            f"of all who had it, {found} are among them."
        )


def _table(metrics: Mapping[str, float], task: str, rows: Mapping[str, str]) -> str:
    lines = ["| | AUC | log loss | Brier | calibration slope | intercept | calibration index |",
             "| --- | --- | --- | --- | --- | --- | --- |"]  # fmt: skip
    for prefix, label in rows.items():
        start = prefix + task
        if f"{start}log_loss" not in metrics:
            continue
        cells = [_auc(metrics, start), _number(metrics, f"{start}log_loss", 4),
                 _number(metrics, f"{start}brier", 4),
                 _number(metrics, f"{start}calibration_slope", 2),
                 _number(metrics, f"{start}calibration_intercept", 2),
                 _number(metrics, f"{start}integrated_calibration_index", 4)]  # fmt: skip
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _auc(metrics: Mapping[str, float], prefix: str) -> str:
    told = _number(metrics, f"{prefix}auc", 3)
    if f"{prefix}auc_low" not in metrics:
        return told
    low, high = metrics[f"{prefix}auc_low"], metrics[f"{prefix}auc_high"]
    return f"{told} ({low:.3f} to {high:.3f})"


def _number(metrics: Mapping[str, float], name: str, digits: int) -> str:
    return f"{metrics[name]:.{digits}f}" if name in metrics else "not measurable"


def _limits(cohort: Cohort, metrics: Mapping[str, float]) -> Iterator[str]:
    if cohort.kind == "simulated":
        yield (
            "It knows what the literature says and no more: these numbers show how well it "
            "learnt the simulator, not how well it works on athletes."
        )
    if cohort.outcome_kind != "new_pain":
        yield "It describes a state that was already there, and must not be read as a prediction."
    if not cohort.has_sides:
        yield "It has no left and right: its risk is that of either knee."
    if "events_needed" in metrics and metrics["train_events"] < metrics["events_needed"]:
        yield few_outcomes(metrics["train_events"], metrics["events_needed"])
    if metrics.get("events", 0) < _FEW_EVENTS:
        yield f"Fewer than {_FEW_EVENTS} held-out outcomes: read the intervals, not the numbers."
    if cohort.kind == "observed" and metrics.get("auc", 0.0) > _TOO_GOOD_AUC:
        yield (
            f"An AUC above {_TOO_GOOD_AUC} is more than individual risk allows in this field: "
            "look for a leak before believing it."
        )
    if metrics.get("log_loss", 0.0) > metrics.get("logistic_log_loss", float("inf")):
        yield "Its log loss is worse than that of plain logistic regression on the same athletes."
    if metrics.get("log_loss", 0.0) > metrics.get("control_log_loss", float("inf")):
        yield "Age, sex, body size and speed alone do better: it may have learnt who was measured."
    yield "An AUC of 0.60 to 0.72 ranks athletes weakly; most of those flagged never have pain."
    yield "Associations, not causes: changing a measure need not change the risk as it says."
