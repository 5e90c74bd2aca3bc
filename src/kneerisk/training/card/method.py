"""The population that a version was fitted to, and how it was made."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

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


def _people(context: CardContext) -> Iterator[str]:
    cohort, frame = context.cohort, context.cohort.frame
    yield f"{frame['athlete_id'].nunique():,} athletes, {len(frame):,} screenings"
    outcomes = cohort.outcomes()
    for name, values in (("left", outcomes.left), ("right", outcomes.right),
                         ("either knee", outcomes.either)):  # fmt: skip
        recorded = values[np.isfinite(values)]
        if len(recorded):
            yield (
                f"outcome, {name}: known of {len(recorded):,}, happened in {recorded.sum():,.0f} "
                f"({recorded.mean():.1%})"
            )
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
            "these are the club's athletes; whom the model calls known is still whom "
            f"{context.metadata.base_version} was made from"
        )


def _measured(context: CardContext) -> str:
    """The measures that the cohort has, by how many screenings had them."""
    frame, shares = context.cohort.frame, dict[str, float]()
    for name, measure in columns().items():
        if measure.model_input and name in frame:
            plain = name.removeprefix("left_").removeprefix("right_")
            shares[plain] = max(shares.get(plain, 0.0), float(frame[name].notna().mean()))
    listed = sorted(
        ((name, share) for name, share in shares.items() if share >= _LISTED_FROM),
        key=lambda item: -item[1],
    )
    text = ", ".join(f"`{name}` {share:.0%}" for name, share in listed)
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
        f"**Data.** A hash of the athlete's id holds out {HELD_OUT_SHARE:.0%} of the athletes, "
        f"never rows, so that no version was ever fitted to them; {train} were left to learn from."
    )
    if "cv_events" in context.metrics:
        text += " Cross-validation keeps athletes together too, and chooses everything inside."
    return text


def _model(context: CardContext) -> str:
    if context.adapted:
        return (
            f"**Model.** {context.metadata.base_version} with its log-odds corrected by the club's "
            "outcomes, as far as they support it: by their number up to a slope, beyond that by "
            "what is gained on athletes left out. It is never fitted from scratch."
        )
    target = (
        "the true risk of each simulated leg, which is known"
        if context.from_truth
        else "what happened"
    )
    return (
        "**Model.** The expected true value of every measure given all that was measured and the "
        "errors of the tests; a penalised logistic part on them, held to published directions; "
        "gradient-boosted trees (XGBoost) from there, as many as help on athletes left out, none "
        f"allowed; logistic recalibration. Fitted to {target}. Classes are not weighted or "
        "resampled. More in `docs/model-and-method.md`."
    )


def _missing(context: CardContext) -> str:
    text = (
        "**Missing values.** Any subset of tests will do. A test that was not done is not filled "
        "in: the joint distribution of the measures says what it would be expected to be, and how "
        "uncertain that is, which widens the interval."
    )
    if context.simulated:
        return text + " The simulated athletes lack tests as real batteries do."
    if context.adapted:
        return f"{text} A missing outcome is left out, never taken for none."
    return text + (
        " Which tests were done is no input, as it says where somebody was measured. A missing "
        "outcome is left out, never taken for none."
    )


def size(context: CardContext) -> str:
    """Sample size beside Riley's criteria."""
    required, events = context.sample_size
    criteria = (
        f"Riley's criteria (shrinkage at least {SHRINKAGE:g}, optimism of R2 at most {OPTIMISM:g}, "
        f"overall risk to within {PRECISION:g})"
    )
    requirement = (
        f"{required.minimum:,} outcomes for the overall risk and one line of it, "
        f"{required.full:,} for a weight for each of {required.parameters} measures"
    )
    if context.from_truth:
        return (
            "**Sample size.** Fitted to true risks, so that outcomes are not what it rests on. A "
            f"model fitted to outcomes of such a cohort would need, by {criteria}, {requirement}; "
            f"there are {events:,}."
        )
    enough = "enough" if events >= required.full else "too few for that, so that it is shrunk"
    if context.adapted:
        enough = "why only a correction is fitted" if events < required.full else "enough"
    return (
        f"**Sample size.** {events:,} outcomes of the rarer sort to learn from: {enough}. "
        f"{criteria} ask for {requirement}."
    )


def _settings(context: CardContext) -> str:
    rows = [f"| `{name}` | {value:g} |" for name, value in sorted(context.metadata.choices.items())]
    return "\n".join(["| setting, or what was chosen inside the fit | |", "| --- | ---: |", *rows])
