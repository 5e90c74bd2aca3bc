"""The population that a version was fitted to, and how it was made."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kneerisk.cohort import Cohort
from kneerisk.cohort.row_weights import effective_number
from kneerisk.cohort.splits import HELD_OUT_SHARE
from kneerisk.schema import columns
from kneerisk.training.card.card_context import CardContext
from kneerisk.training.leakage.required_sample_size import OPTIMISM, PRECISION, SHRINKAGE

#: A measure that fewer screenings have is not listed among those that the cohort has.
_LISTED_FROM = 0.01


def population(context: CardContext) -> str:
    """Counts, who they are, and which measures they have."""
    lines = [f"- {line}" for line in _people(context)]
    return "\n".join(lines) + "\n\n" + _measured(context)


def _weights(cohort: Cohort) -> Iterator[str]:
    """What weighted outcomes are worth, where they have weights."""
    weights, outcomes = cohort.weights(), cohort.outcomes()
    if weights is None:
        return
    sides = ("left", "right") if cohort.has_sides else ("either",)
    known = [np.isfinite(getattr(outcomes, side)) for side in sides]
    own = np.concatenate([getattr(weights, s)[rows] for s, rows in zip(sides, known, strict=True)])
    yield (
        f"each known outcome has a weight, for those that are not known: the {len(own):,} are "
        f"worth {effective_number(own):,.0f} of one weight, and the shares above have none"
    )


def _people(context: CardContext) -> Iterator[str]:
    cohort, frame = context.cohort, context.cohort.frame
    yield f"{frame['athlete_id'].nunique():,} athletes, {len(frame):,} screenings"
    outcomes = cohort.outcomes()
    for name, values in (("left", outcomes.left), ("right", outcomes.right),
                         ("either knee", outcomes.either)):  # fmt: skip
        recorded = values[np.isfinite(values)]
        if len(recorded):
            yield (
                f"outcome, {name}: known for {len(recorded):,}, occurred in {recorded.sum():,.0f} "
                f"({recorded.mean():.1%})"
            )
    yield from _weights(cohort)
    for name in ("age_years", "height_cm", "mass_kg"):
        if name in frame and frame[name].notna().any():
            low, middle, high = frame[name].quantile([0.05, 0.5, 0.95])
            unit = getattr(columns()[name], "unit", "")
            spread = f"5 % below {low:.0f}, 5 % above {high:.0f}"
            yield f"{columns()[name].label}: median {middle:.0f} {unit} ({spread})"
    for name in ("sex", "sport", "level"):
        if name in frame and frame[name].notna().any():
            shares = frame[name].value_counts(normalize=True)
            listed = ", ".join(f"{value} {share:.0%}" for value, share in shares.items())
            yield f"{columns()[name].label}: {listed}"
    if context.adapted:
        yield (
            "these are the club's athletes; the range that an answer calls seen in training is "
            f"still that of {context.metadata.base_version}"
        )


def _measured(context: CardContext) -> str:
    """The measures that the cohort has, by how many screenings had them."""
    frame, shares = context.cohort.frame, dict[str, float]()
    for name, measure in columns().items():
        if measure.model_input and name in frame:
            plain = name.removeprefix("left_").removeprefix("right_")
            shares[plain] = max(shares.get(plain, 0.0), float(frame[name].notna().mean()))
    ranked = sorted(shares.items(), key=lambda item: -item[1])
    text = ", ".join(f"`{name}` {share:.0%}" for name, share in ranked if share >= _LISTED_FROM)
    return (
        f"Measures, by the share of screenings that have them: {text}. "
        "Each is defined in the data dictionary (`data/dictionary.md`)."
    )


def method(context: CardContext) -> str:
    """Data, model, settings, missing values and sample size."""
    blocks = [_split(context), _model(context), _missing(context), size(context), "**Settings.**",
             _settings(context)]  # fmt: skip
    return "\n\n".join(blocks)


def _split(context: CardContext) -> str:
    train = f"{context.metadata.athletes:,} athletes ({context.metadata.screenings:,} screenings)"
    text = (
        f"**Data.** A hash of the athlete's id holds out {HELD_OUT_SHARE:.0%} of the athletes "
        f"(never single rows), so no version was ever fitted to them; training had {train}."
    )
    if "cv_events" in context.metrics:
        text += (
            " Cross-validation keeps athletes together too, and chooses all settings within the "
            "training folds."
        )
    return text


def _model(context: CardContext) -> str:
    if context.adapted:
        return (
            f"**Model.** {context.metadata.base_version}, its log-odds corrected with the club's "
            "outcomes as far as they support it: the number of outcomes decides on an intercept "
            "and a slope, the gain on left-out athletes on anything more. It is never fitted from "
            "scratch."
        )
    target = (
        "the true risk of each simulated leg, which is known"
        if context.from_truth
        else "what happened"
    )
    return (
        "**Model.** First, the expected true value of every measure, given all that was measured "
        "and the errors of the tests. On these, a penalised logistic model, constrained to "
        "published directions. From there, gradient-boosted trees (XGBoost), as many as help on "
        "left-out athletes, possibly none. Last, logistic recalibration. "
        f"Fitted to {target}. Classes are not weighted or resampled. More in "
        "`docs/model-and-method.md`."
    )


def _missing(context: CardContext) -> str:
    text = (
        "**Missing values.** Any subset of tests will do. A test that was not done is not filled "
        "in: the joint distribution of the measures says what it would be expected to be, and how "
        "uncertain that is, which widens the interval."
    )
    if context.simulated:
        return text + " The simulated athletes miss the tests that real batteries leave out."
    if context.adapted:
        return f"{text} A missing outcome is left out, never counted as no pain."
    return text + (
        " Which tests were done is not an input, as that reveals where an athlete was measured. A "
        "missing outcome is left out, never counted as no pain."
    )


def size(context: CardContext) -> str:
    """Sample size beside Riley's criteria."""
    required, events = context.sample_size
    criteria = (
        f"Riley's criteria (shrinkage at least {SHRINKAGE:g}, optimism of R2 at most {OPTIMISM:g}, "
        f"overall risk to within {PRECISION:g})"
    )
    requirement = (
        f"{required.minimum:,} outcomes for the overall risk and a single parameter, "
        f"{required.full:,} for a weight for each of {required.parameters} measures"
    )
    if context.from_truth:
        return (
            "**Sample size.** The model is fitted to true risks, so it does not depend on the "
            "number of outcomes. Fitted to the outcomes of such a cohort, it would need "
            f"{requirement}, by {criteria}; there are {events:,}."
        )
    enough = "enough"
    if events < required.full:
        enough = "too few, so only a correction is fitted" if context.adapted else (
            "too few for all weights, so they are shrunk")  # fmt: skip
    return (
        f"**Sample size.** {events:,} outcomes of the rarer kind for training: {enough}. "
        f"{criteria} require {requirement}."
    )


def _settings(context: CardContext) -> str:
    rows = [f"| `{name}` | {value:g} |" for name, value in sorted(context.metadata.choices.items())]
    return "\n".join(["| setting, or value chosen by the fit | |", "| --- | ---: |", *rows])
