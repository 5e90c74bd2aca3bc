"""TRIPOD+AI, item by item: answered from the facts, or said to be not done and why."""

from __future__ import annotations

from kneerisk.evidence import effects
from kneerisk.training.card.card_context import About
from kneerisk.training.card.tripod_items import ASKED

#: Where on the card more is.
_USE, _KNOWS, _MADE = "*Intended use*", "*Whom it knows*", "*How it was made*"
_GOOD, _WORSE, _LIMITS = "*How good it is*", "*For whom it works less well*", "*Limits*"


def tripod(about: About) -> str:
    """The table of every item."""
    answers = {**introduction(about), **data(about), **analysis(about), **openness(about),
               **results(about)}  # fmt: skip
    rows = [f"| {item} | {asked} | {answers[item]} |" for item, asked in ASKED.items()]
    intro = (
        "Every item of TRIPOD+AI (Collins and others 2024, doi "
        "[10.1136/bmj-2023-078378](https://doi.org/10.1136/bmj-2023-078378)), what it asks for in "
        "our own words, and the answer. Names in italics are sections of this card."
    )
    return "\n".join([f"{intro}\n", "| item | asks for | answer |", "| --- | --- | --- |", *rows])


def introduction(about: About) -> dict[str, str]:
    """Items 1 to 4."""
    return {
        "1": f"Gradient boosting on a penalised logistic model; athletes; {about.outcome}.",
        "2": "*In short*.",
        "3a": "Screening in sport, before or beside care: which knee to look after, what to "
              "measure or train next.",
        "3b": f"{_USE}.",
        "3c": "Women have pain around the kneecap more often than men (Boling 2010); results are "
              "shown by sex. Income and access to care are not recorded.",
        "4": "Development with evaluation on athletes held out"
             + (": a correction of another version." if about.adapted else "."),
    }  # fmt: skip


def data(about: About) -> dict[str, str]:
    """Items 5 to 11."""
    nobody = "Nobody was measured: simulated"
    unknown = "Not recorded in the cohort file; see the source"
    dated = about.cohort.frame.get("screening_date")
    dates = None if dated is None else dated.dropna().astype(str)
    return {
        "5a": f"{about.cohort.source} (**{about.cohort.kind}**). "
              + ("It stands for nobody but the literature." if about.simulated else
                 "How well they stand for others is not known."),
        "5b": "None: simulated." if about.simulated else
              f"{min(dates)} to {max(dates)}." if dates is not None and len(dates) else
              "The file has no dates.",
        "6a": f"{nobody}." if about.simulated else f"{unknown}.",
        "6b": "Ages and sports as under *Whom it knows*; "
              + ("a leg that hurts at the screening has no outcome."
                 if about.cohort.outcome_kind == "new_pain" else
                 "every screening with an outcome."),
        "6c": "None: simulated." if about.simulated else "Not recorded.",
        "7": "One schema checks every cell for unit, limits and rules between measures; bad cells "
             "are refused, never repaired. The same for every group.",
        "8a": f"{about.outcome[0].upper()}{about.outcome[1:]}; the same for every group.",
        "8b": f"{nobody}." if about.simulated else f"{unknown}.",
        "8c": f"{nobody}." if about.simulated else f"{unknown}.",
        "9a": f"Measures of the screening schema; {len(effects())} published effects say which "
              "way each may act, those whose prospective evidence is null are held at none.",
        "9b": "`data/dictionary.md`: protocol, unit, limits, error and source of each; measured at "
              "the screening.",
        "9c": f"{nobody}, with the published error of each test." if about.simulated else
              f"{unknown}.",
        "10": f"{_MADE}, sample size against Riley's criteria.",
        "11": f"{_MADE}, missing values.",
    }  # fmt: skip


def analysis(about: About) -> dict[str, str]:
    """Items 12 to 17."""
    validated = (
        "cross-validation by athlete" if "cv_events" in about.metrics else "held-out athletes"
    )
    return {
        "12a": f"{_MADE}, data: a fifth of the athletes held out by a hash of their id.",
        "12b": "As z-scores of the norm for sex and protocol, skewed ones as logarithms, turned "
               "into expected true values; no cut-points.",
        "12c": f"{_MADE}, model and settings; internal validation by {validated}.",
        "12d": "Not done: the cohort has no clubs." if about.simulated else
               "Not done: groups are kept out of the inputs and not compared.",
        "12e": "AUC, log loss, Brier's score and its parts, calibration slope, intercept, index "
               "and curve, net benefit, precision of the highest risks.",
        "12f": f"This version is one: {about.metadata.base_version} updated." if about.adapted else
               "Slope and intercept of left-out log-odds, inside the fit; none after evaluation.",
        "12g": "The released bundle, by the same function as in the service.",
        "13": "Nothing is weighted or resampled, as that would spoil the probabilities.",
        "14": f"Sex is an input. Performance by sex and age is shown ({_WORSE}); no further step "
              "was taken, and other groups are not recorded.",
        "15": "A probability with a 90 % interval, by leg and for either knee. Bands compare it "
              "with the rate of the sport; no class is predicted.",
        "16": "None: held-out athletes are of the same cohort.",
        "17": "None needed: nobody was measured." if about.simulated else
              "That of the source; it is not recorded here.",
    }  # fmt: skip


def openness(about: About) -> dict[str, str]:
    """Items 18 and 19."""
    return {
        "18a": "None recorded.",
        "18b": "None recorded.",
        "18c": "Not done: there was no protocol before the fit.",
        "18d": "Not done: not registered.",
        "18e": "Drawn again by the program with the seed of the run." if about.simulated else
               "Not with the program; the run keeps a digest, and the source says where it is.",
        "18f": "Open (Apache-2.0)"
               + (f", commit `{about.metadata.git_sha}`." if about.metadata.git_sha else ".")
               + f" `kneerisk reproduce {about.metadata.version}` fits it again.",
        "19": "Not done.",
    }  # fmt: skip


def results(about: About) -> dict[str, str]:
    """Items 20 to 27."""
    metrics = about.metrics
    return {
        "20a": f"{_KNOWS}; {metrics.get('events', 0):,.0f} of {metrics.get('rows', 0):,.0f} "
               f"held-out {about.unit} have the outcome.",
        "20b": f"{_KNOWS}; outcomes by group under {_WORSE}.",
        "20c": "Not done: both parts are random draws of one cohort.",
        "21": f"{about.metadata.athletes:,} athletes with "
               f"{about.metadata.events:,.0f} outcomes to learn "
              f"from; {metrics.get('athletes', 0):,.0f} held out.",
        "22": "The bundle holds every weight and tree (JSON, UBJ); any screening can be scored.",
        "23a": f"{_GOOD} and {_WORSE}, with intervals over athletes.",
        "23b": "Not done, as 12d.",
        "24": "The table of the champion as it was, under *How good it is*." if about.adapted else
              "Not done: nothing was updated.",
        "25": "*In short*. "
              + ("How well the simulator was learnt, not how well it works on people."
                 if about.simulated else "How well it ranks and is calibrated in this cohort."),
        "26": f"*Assumptions*, {_LIMITS}, *Not done*.",
        "27a": "A bad value is refused with the reason; a missing test is allowed and widens the "
               "interval; an athlete outside of those known is told so.",
        "27b": "Measure by the protocol of the dictionary and read the interval; red flags come "
               "first. No other expertise is needed.",
        "27c": "Outcomes of screened athletes, followed for a year: external validation, then "
               "adaptation (`kneerisk adapt`).",
    }  # fmt: skip
