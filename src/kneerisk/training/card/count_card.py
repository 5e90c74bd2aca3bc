"""The card of a version whose base rate was updated by a club's count, without any screening.

It has no evaluation, as there is nobody to evaluate it on, so it says what has changed and refers
to the card of the version that was updated for everything else.
"""

from __future__ import annotations

from collections.abc import Iterator

from kneerisk.model import Metadata
from kneerisk.model.base_rates import Count
from kneerisk.training.card.card_context import OUTCOMES
from kneerisk.training.card.model_card import NOTICE, USE, table


def count_card(metadata: Metadata, count: Count, *, rate_before: float, rate_after: float) -> str:
    """The card as Markdown.

    Parameters
    ----------
    metadata
        Of the updated version.
    count
        What the club has counted.
    rate_before
        The mean risk of either knee in any sport, before the update.
    rate_after
        The same after it.

    Returns
    -------
    The card, which ends in a line break.
    """
    base, rates = metadata.base_version, (rate_before, rate_after)
    sections = {
        "In short": "\n".join(f"- {line}" for line in _in_short(metadata, count, rates)),
        "What it is": table(dict(_identity(metadata, count))),
        "Intended use": USE,
        "How it was made": (
            f"The count updates how often knees hurt by Bayes' rule: {base} holds a range of base "
            "rates as wide as definitions of knee pain disagree, and the count narrows it. The "
            "club may have counted athletes of several sports, so its rate may lie as far from "
            "that of an athlete's sport as sports lie from each other. Nothing else has changed: "
            f"weights, trees, imbalances and the ranges of effects are those of {base}, whose card "
            "describes them. More in `docs/training.md`."
        ),
        "How good it is": (
            "**Not validated.** A count has no screenings, so nobody's risk can be compared with "
            f"what happened. How {base} does on simulated athletes is on its card; that says "
            "nothing about this club."
        ),
        "Limits": "\n".join(f"- {line}" for line in _limits(metadata)),
    }
    blocks = [f"# {metadata.version}", f"**{NOTICE}**"]
    blocks += [f"## {title}\n\n{content}" for title, content in sections.items()]
    return "\n\n".join(blocks) + "\n"


def _in_short(metadata: Metadata, count: Count, rates: tuple[float, float]) -> Iterator[str]:
    before, after = (f"{100.0 * rate:.1f}" for rate in rates)
    yield f"It predicts: {_outcome(metadata)}."
    yield (
        f"It is {metadata.base_version} with its base rate updated by a club's count of "
        f"{_in_words(count)} with knee pain within {metadata.horizon_months} months."
    )
    yield (
        f"The mean risk of either knee, over all sports, was {before} of 100; it is now {after} of "
        "100."
    )
    yield f"**Not validated**; updated by a count of {_in_words(count)}."


def _identity(metadata: Metadata, count: Count) -> Iterator[tuple[str, str]]:
    yield "Outcome", _outcome(metadata)
    yield "Cohort", "**adapted**: a simulated base, its base rate updated by a count"
    yield "Source", metadata.source
    yield "Count", f"{_in_words(count)}; no athlete was screened"
    yield "Updates", f"{metadata.base_version}, bundle sha256 `{metadata.base_sha256}`"
    yield "Run", f"`{metadata.run_id}`"
    yield "Program", f"`{metadata.git_sha}`" if metadata.git_sha else "not under version control"
    yield "Schema", f"`{metadata.schema}`"
    yield "To reproduce", f"`kneerisk reproduce {metadata.version}`"


def _limits(metadata: Metadata) -> Iterator[str]:
    yield "It is as right about how often knees hurt as the count is about the next 12 months."
    yield (
        "A count of another kind of pain, or of athletes who hurt at the start already, moves "
        "every risk the wrong way."
    )
    yield "A request's own `setting` replaces this count; the two are not added up."
    yield f"Everything under *Limits* of {metadata.base_version} applies."


def _outcome(metadata: Metadata) -> str:
    return OUTCOMES[metadata.outcome_kind].format(months=metadata.horizon_months)


def _in_words(count: Count) -> str:
    return f"{count.outcomes:,g} of {count.of:,g} athletes"
