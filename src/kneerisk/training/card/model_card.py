"""The model card from top to bottom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from kneerisk.cohort import Cohort
from kneerisk.evaluation.evaluation import Evaluation
from kneerisk.model import Metadata
from kneerisk.training.card.card_context import KINDS, CardContext
from kneerisk.training.card.fairness import fairness
from kneerisk.training.card.limitations import assumptions, limits, not_done
from kneerisk.training.card.method import method, population
from kneerisk.training.card.performance import performance
from kneerisk.training.card.tripod import tripod
from kneerisk.training.provenance.environment import PREFIX, environment

NOTICE = (
    "Not a medical device. It does not diagnose, and it does not replace a clinician: it says "
    "which pattern the measures are consistent with, and how uncertain that is."
)
USE = (
    "For coaches, physios and sports scientists who screen athletes of 16 years and over, to "
    "decide what to measure, train or ask next. Not for selection, insurance or employment, not "
    "for a knee that was injured today, and not in place of a referral where a red flag applies."
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
        "What it is": _table(dict(_identity(context))),
        "Intended use": USE,
        "Whom it knows": population(context),
        "How it was made": method(context),
        "How good it is on athletes it has not seen": performance(context),
        "For whom it works less well": fairness(context),
        "Assumptions": "\n".join(f"- {line}" for line in assumptions(context)),
        "Limits": "\n".join(f"- {line}" for line in limits(context)),
        "Not done": "\n".join(f"- {line}" for line in not_done(context)),
        "TRIPOD+AI": tripod(context),
    }
    blocks = [f"# {metadata.version}", f"**{NOTICE}**"]
    blocks += [f"## {title}\n\n{text}" for title, text in sections.items() if text]
    return "\n\n".join(blocks) + "\n"


def _in_short(context: CardContext) -> Iterator[str]:
    yield f"It tells {context.outcome}."
    yield f"Its cohort is **{context.cohort.kind}**: {KINDS[context.cohort.kind]}."
    yield (
        f"On athletes it has not seen it ranks {context.unit} with an AUC of "
        f"{context.with_interval('auc', 3)}, and stated risks come true with a calibration slope "
        f"of {context.with_interval('calibration_slope', 2)}; 1 is right."
    )
    if "cv_auc" in context.metrics:
        yield (
            f"In cross-validation by athlete, which here counts for more: AUC "
            f"{context.with_interval('cv_auc', 3)}, slope "
            f"{context.with_interval('cv_calibration_slope', 2)}."
        )
    if worst := context.evaluation.worst_slice:
        yield (
            f"It ranks worst for {worst.by} {worst.name.replace('_', ' ')}: AUC "
            f"{worst.metrics['auc']:.3f}, of the parts with outcomes enough to tell."
        )
    yield next(limits(context))


def _identity(context: CardContext) -> Iterator[tuple[str, str]]:
    metadata, cohort = context.metadata, context.cohort
    yield "Outcome", context.outcome
    yield "Per", "leg, and either knee" if cohort.has_sides else "athlete: the source has no side"
    yield "Cohort", f"**{cohort.kind}**: {KINDS[cohort.kind]}"
    yield "Source", cohort.source
    if metadata.base_version is not None:
        yield "Corrects", f"{metadata.base_version}, bundle sha256 `{metadata.base_sha256}`"
    yield "Data", f"sha256 `{metadata.data_sha256}`"
    yield "Run", f"`{metadata.run_id}`"
    yield "Program", f"`{metadata.git_sha}`" if metadata.git_sha else "not under version control"
    yield "Schema", f"`{metadata.schema}`"
    yield "Made with", _libraries(context.made_with)
    yield "Made again by", f"`kneerisk reproduce {metadata.version}`"


def _libraries(made_with: Mapping[str, str]) -> str:
    names = {name: name.removeprefix(PREFIX).replace("_", " ") for name in made_with}
    return ", ".join(f"{names[name]} {value}" for name, value in made_with.items())


def _table(rows: Mapping[str, str]) -> str:
    return "\n".join(["| | |", "| --- | --- |", *(f"| {k} | {v} |" for k, v in rows.items())])
