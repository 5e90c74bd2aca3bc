"""The assumptions and limits of a version, and what was not done."""

from __future__ import annotations

from collections.abc import Iterator

from kneerisk.evidence import count_assumptions
from kneerisk.training.card.card_context import CardContext
from kneerisk.training.leakage.required_sample_size import FEWEST_EVENTS, few_outcomes

#: An AUC above this, on athletes that were measured, calls for a search for leaks (assumption:
#: a little above what grouped, held-out evaluation has given for knee pain).
_TOO_GOOD_AUC = 0.72
#: Tables of the simulator, and what their rows are.
_TABLES = {
    "effects": "sizes of effects on the risk",
    "base_rates": "base rates, that of each sport's risk among them",
    "loadings": "links between an imbalance and a measure",
    "imbalances": "imbalances, with how many legs have each",
    "correlations": "correlations between measures",
    "symmetry": "likenesses of the two legs",
    "shifts": "differences by age, sport and pain",
    "sports": "sports, with their shares, sexes and ages",
    "reverse_causation": "effects of pain on strength",
}


def assumptions(context: CardContext) -> Iterator[str]:
    """What the model takes for granted without a measurement."""
    if context.simulated or context.adapted:
        counts = {name: count_assumptions(name) for name in _TABLES}
        judgements = "; ".join(
            f"{_TABLES[name]}: {judged} of {rows}" for name, (judged, rows) in counts.items()
        )
        whose = "of the base " if context.adapted else ""
        yield (
            f"Rows of the simulator's tables {whose}that are a judgement made here, not published "
            f"numbers (each says so): {judgements}."
        )
        yield (
            "**The imbalances are latent and nobody has measured them.** How strongly a test marks "
            "one, and how many legs have it, are assumptions nearly throughout: read them as a "
            "consistent way of saying what the tests add up to."
        )
        yield (
            "Which tests are done together (the batteries) and their shares, and the athletes of "
            "each sport, are assumptions without a source."
        )
        yield (
            "True measures are jointly Gaussian, on their own or the log scale; factors add up on "
            "the log-odds."
        )
    if not context.simulated:
        yield (
            "How measures go together is the published covariance moved towards what was measured; "
            "the imbalances that an answer names rest on assumed links to the tests."
        )
        yield "Outcomes that nobody recorded are like those that were."
    yield "The errors of the tests are those of their sources, whoever does the test."


def limits(context: CardContext) -> Iterator[str]:
    """The limits of the version, the weightiest first."""
    cohort, metrics = context.cohort, context.metrics
    if context.simulated:
        yield (
            "It knows what the literature says and no more: these numbers show how well it "
            "learnt the simulator, not how well it works on athletes."
        )
    if context.adapted:
        yield (
            "It was corrected by one club's outcomes, and says nothing of how it does at another."
        )
    if cohort.outcome_kind != "new_pain":
        yield "It describes a state that was already there, and must not be read as a prediction."
    yield from _numeric_limits(context)
    if not cohort.has_sides:
        yield "It has no left and right: its risk is that of either knee."
    if cohort.kind == "observed" and metrics.get("auc", 0.0) > _TOO_GOOD_AUC:
        yield (
            f"An AUC above {_TOO_GOOD_AUC} is more than individual risk allows in this field: "
            "look for a leak before believing it."
        )
    yield "An AUC of 0.60 to 0.72 ranks athletes weakly; most of those flagged never have pain."
    yield "Associations, not causes: changing a measure need not change the risk as it says."


def _numeric_limits(context: CardContext) -> Iterator[str]:
    metrics = context.metrics
    if "events_needed" in metrics and metrics["train_events"] < metrics["events_needed"]:
        yield few_outcomes(metrics["train_events"], metrics["events_needed"])
    if metrics.get("events", 0) < FEWEST_EVENTS:
        yield (
            f"Fewer than {FEWEST_EVENTS:.0f} held-out outcomes: read the intervals, not the "
            "numbers."
        )
    if metrics.get("log_loss", 0.0) > metrics.get("logistic_log_loss", float("inf")):
        yield "Its log loss is worse than that of plain logistic regression on the same athletes."
    if metrics.get("log_loss", 0.0) > metrics.get("control_log_loss", float("inf")):
        yield "Age, sex, body size and speed alone do better: it may have learnt who was measured."


def not_done(context: CardContext) -> Iterator[str]:
    """What was not done, where a reader might assume it was."""
    if context.simulated:
        yield "**Nobody was measured.** It has not been validated on people, of any club or sport."
    else:
        yield "**No external validation**: athletes of other places and years have not been scored."
    yield "No trial of whether acting on its risks prevents pain; no comparison with a clinician."
    yield "No protocol, and no registration, before the fit."
    yield "No athlete, patient or clinician took part in the design."
    yield (
        "No athlete was followed: nothing is known of risks that change within a season."
        if context.simulated
        else "Who assessed outcomes, and whether they knew the measures, is not recorded here."
    )
