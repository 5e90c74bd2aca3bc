"""The model card from top to bottom, with the assumptions, the limits and what was not done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from kneerisk.cohort import Cohort
from kneerisk.evaluation.evaluation import Evaluation
from kneerisk.evidence import count_assumptions, effect_sizes
from kneerisk.model import Metadata
from kneerisk.training.card.card_context import KINDS, CardContext, effect_counts
from kneerisk.training.card.method import method, population
from kneerisk.training.card.performance import fairness, performance
from kneerisk.training.card.tripod import tripod
from kneerisk.training.leakage.required_sample_size import FEWEST_EVENTS, few_outcomes
from kneerisk.training.provenance import ENVIRONMENT_PREFIX, environment

NOTICE = (
    "Not a medical device. It does not diagnose, and it does not replace a clinician: it says "
    "which pattern the measures are consistent with, and how uncertain that is."
)
USE = (
    "For coaches, physios and sports scientists who screen athletes aged 16 and over, to "
    "decide what to measure, train or ask next. Not for selection, insurance or employment, not "
    "for a knee that was injured today, and not in place of a referral when a red flag applies."
)


def model_card(
    metadata: Metadata, cohort: Cohort, evaluation: Evaluation, plots: Iterable[str] = ()
) -> str:
    """The model card as Markdown (Mitchell et al. 2019, doi 10.1145/3287560.3287596).

    Parameters
    ----------
    metadata
        Of the version.
    cohort
        The whole one, athletes to train on and held-out ones.
    evaluation
        On the held-out athletes.
    plots
        Names of the plots in `plots/` beside the card; without them it shows none.

    Returns
    -------
    The card, which ends in a line break.
    """
    context = CardContext(metadata=metadata, cohort=cohort, evaluation=evaluation,
                          plots=tuple(plots), made_with=environment())  # fmt: skip
    sections = {
        "In short": "\n".join(f"- {line}" for line in _in_short(context)),
        "What it is": table(dict(_identity(context))),
        "Intended use": USE,
        "Study population": population(context),
        "How it was made": method(context),
        "How good it is on held-out athletes": performance(context),
        "Where it works less well": fairness(context),
        "Assumptions": "\n".join(f"- {line}" for line in assumptions(context)),
        "Limits": "\n".join(f"- {line}" for line in limits(context)),
        "Not done": "\n".join(f"- {line}" for line in not_done(context)),
        "TRIPOD+AI": tripod(context),
    }
    blocks = [f"# {metadata.version}", f"**{NOTICE}**"]
    blocks += [f"## {title}\n\n{text}" for title, text in sections.items() if text]
    return "\n\n".join(blocks) + "\n"


def _in_short(context: CardContext) -> Iterator[str]:
    yield f"It predicts: {context.outcome}."
    yield f"Its cohort is **{context.cohort.kind}**: {KINDS[context.cohort.kind]}."
    if context.simulated or context.adapted:
        base = " of the base model" if context.adapted else ""
        yield f"Effects on the risk{base}, {sum(effect_sizes().values())}: {effect_counts()}."
    yield from _travel(context)
    yield (
        f"On held-out athletes it ranks {context.unit} with an AUC of "
        f"{context.with_interval('auc', 3)}; the calibration slope is "
        f"{context.with_interval('calibration_slope', 2)} (1 is ideal)."
    )
    if "cv_auc" in context.metrics:
        weight = "" if context.evaluation.groups else ", which carries more weight here"
        yield (
            f"In cross-validation by athlete{weight}: AUC "
            f"{context.with_interval('cv_auc', 3)}, slope "
            f"{context.with_interval('cv_calibration_slope', 2)}."
        )
    if "instability_mape" in context.metrics:
        yield (
            f"Built again in {context.metrics['instability_refits']:.0f} bootstrap samples of its "
            f"athletes, it moves a risk by {100 * context.metrics['instability_mape']:.1f} points "
            "of 100 on average."
        )
    if worst := context.evaluation.worst_slice:
        yield (
            f"It ranks worst for {worst.by} {worst.name.replace('_', ' ')}: AUC "
            f"{worst.metrics['auc']:.3f}, among the subgroups with enough outcomes to judge."
        )
    yield next(limits(context))


def _travel(context: CardContext) -> Iterator[str]:
    """How it does on groups that were left out, and whether it may be promoted."""
    if context.evaluation.groups:
        travels = (
            "" if context.metrics.get("does_not_travel") == 0.0 else "**It does not travel.** "
        )
        yield (
            f"{travels}With whole groups left out ({len(context.evaluation.groups)}) it ranks with "
            f"an AUC of {context.with_interval('iecv_auc', 3)}; the calibration slope is "
            f"{context.with_interval('iecv_calibration_slope', 2)}, the intercept "
            f"{context.with_interval('iecv_calibration_intercept', 2)} (0 is ideal)."
        )
    verdict = context.metadata.verdict
    if verdict and not verdict["passes"]:
        yield f"`kneerisk promote` refuses it: {', '.join(f'`{r}`' for r in verdict['reasons'])}."


def _identity(context: CardContext) -> Iterator[tuple[str, str]]:
    metadata, cohort = context.metadata, context.cohort
    yield "Outcome", context.outcome
    yield "Unit", "leg, and either knee" if cohort.has_sides else "athlete: the source has no side"
    yield "Cohort", f"**{cohort.kind}**: {KINDS[cohort.kind]}"
    yield "Source", cohort.source
    if metadata.base_version is not None:
        yield "Corrects", f"{metadata.base_version}, bundle sha256 `{metadata.base_sha256}`"
    yield "Data", f"sha256 `{metadata.data_sha256}`"
    yield "Run", f"`{metadata.run_id}`"
    yield "Program", f"`{metadata.git_sha}`" if metadata.git_sha else "not under version control"
    yield "Schema", f"`{metadata.schema}`"
    yield "Made with", _libraries(context.made_with)
    yield "To reproduce", f"`kneerisk reproduce {metadata.version}`"


def _libraries(made_with: Mapping[str, str]) -> str:
    names = {name: name.removeprefix(ENVIRONMENT_PREFIX).replace("_", " ") for name in made_with}
    return ", ".join(f"{names[name]} {value}" for name, value in made_with.items())


def table(rows: Mapping[str, str]) -> str:
    """A table of two columns without a head, as Markdown."""
    return "\n".join(["| | |", "| --- | --- |", *(f"| {k} | {v} |" for k, v in rows.items())])


#: An AUC above this, on athletes that were measured, calls for a search for leaks (assumption:
#: a little above what grouped, held-out evaluation has given for knee pain).
_TOO_GOOD_AUC = 0.72
#: Tables of the simulator, and what their rows are.
_TABLES = {
    "effects": "effect sizes on the risk",
    "base_rates": "base rates, including that of each sport",
    "loadings": "links between imbalances and measures",
    "imbalances": "imbalances and how common they are",
    "correlations": "correlations between measures",
    "symmetry": "correlations between the two legs",
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
        base = " behind the base model" if context.adapted else ""
        yield (
            f"Rows of the simulator's tables{base} that are our judgement rather than published "
            f"numbers (each is marked as such): {judgements}."
        )
        yield (
            "**The imbalances are latent; they have never been measured.** How strongly a test "
            "marks one, and how many legs have it, are nearly all assumptions: read the imbalances "
            "as a consistent summary of the tests. Nobody was asked whether a leg has one."
        )
        yield (
            "The usual risk counts pain of 3 out of 10 for two weeks, or a week of training "
            "lost. No study counts exactly this; base rates are drawn from a range as wide as the "
            "definitions of studies disagree, and the intervals hold that range."
        )
        yield (
            "Which tests are done together (the batteries), how often, and who does each sport are "
            "assumptions without a source."
        )
        yield (
            "True measures are jointly Gaussian, on their own scale or the log scale; factors add "
            "up in log-odds."
        )
    if not context.simulated:
        yield (
            "The covariance of the measures is the published one, updated with what was measured; "
            "the imbalances that an answer names rest on assumed links to the tests."
        )
        yield "Outcomes that were not recorded resemble those that were."
    yield "The errors of the tests are the published ones, no matter who does the test."


def limits(context: CardContext) -> Iterator[str]:
    """The limits of the version, the weightiest first."""
    cohort, metrics = context.cohort, context.metrics
    if context.simulated:
        yield (
            "It knows what studies suggest and no more: these numbers show how well it "
            "learned the simulator, not how well it works on athletes."
        )
    if context.adapted:
        yield (
            "It was corrected with one club's outcomes; how well it works at another is unknown."
        )
    if cohort.outcome_kind != "new_pain":
        yield "It describes a state that already exists and must not be read as a prediction."
    yield from _numeric_limits(context)
    if not cohort.has_sides:
        yield "It does not separate left and right: its risk is for either knee."
    if cohort.kind == "observed" and metrics.get("auc", 0.0) > _TOO_GOOD_AUC:
        yield (
            f"An AUC above {_TOO_GOOD_AUC} is more than individual risk allows in this field: "
            "look for a leak before believing it."
        )
    yield "An AUC of 0.60 to 0.72 ranks athletes weakly; most of those flagged never have pain."
    yield "Associations, not causes: changing a measure may not change the risk as predicted."


def _numeric_limits(context: CardContext) -> Iterator[str]:
    metrics = context.metrics
    if "events_needed" in metrics and metrics["train_events"] < metrics["events_needed"]:
        yield few_outcomes(metrics["train_events"], metrics["events_needed"])
    if metrics.get("effective_events", metrics.get("events", 0)) < FEWEST_EVENTS:
        yield (
            f"Fewer than {FEWEST_EVENTS:.0f} held-out outcomes: read the intervals, not the "
            "numbers."
        )
    if metrics.get("log_loss", 0.0) > metrics.get("logistic_log_loss", float("inf")):
        yield "Its log loss is worse than that of plain logistic regression on the same athletes."
    if metrics.get("log_loss", 0.0) > metrics.get("control_log_loss", float("inf")):
        yield "Age, sex, body size and speed alone do better: it may have learned who was measured."


def not_done(context: CardContext) -> Iterator[str]:
    """What was not done, where a reader might assume it was."""
    if context.simulated:
        yield "**Nobody was measured.** It has not been validated on people of any club or sport."
    elif groups := context.evaluation.groups:
        yield (
            f"**No external validation** on athletes from elsewhere: within its source, "
            f"{len(groups)} groups were left out in turn."
        )
    else:
        yield "**No external validation** on athletes from other places and years."
    yield "No trial of whether acting on its risks prevents pain; no comparison with a clinician."
    yield "No protocol or registration before the fit."
    yield "No athlete, patient or clinician was involved in the design."
    yield (
        "No athlete was followed: how risks change within a season is unknown."
        if context.simulated
        else "Who assessed outcomes, and whether they knew the measures, is not recorded here."
    )
