"""TRIPOD+AI, item by item: answered from a version's metadata, or stated as not done and why.

Collins et al. 2024, BMJ 385:e078378, doi 10.1136/bmj-2023-078378: 27 items, 52 with their parts.
"""

from __future__ import annotations

from kneerisk.evidence import effects
from kneerisk.training.card.card_context import CardContext

#: Where on the card more is.
_USE, _KNOWS, _MADE = "*Intended use*", "*Whom it knows*", "*How it was made*"
_GOOD, _WORSE, _LIMITS = "*How good it is*", "*For whom it works less well*", "*Limits*"

#: What each item asks a report of a prediction model to say, in our own words.
ITEMS = {
    "1": "what kind of model, for whom, of which outcome",
    "2": "a summary",
    "3a": "where in care it belongs, and why it is needed",
    "3b": "whom it is for, and who is to use it",
    "3c": "known inequalities in health between groups",
    "4": "objectives: development, evaluation or both",
    "5a": "sources of the data, and how well they stand for those it is for",
    "5b": "dates of the data",
    "6a": "setting and places",
    "6b": "who was eligible",
    "6c": "treatments received",
    "7": "how data were prepared and checked",
    "8a": "the outcome, its horizon, how it was assessed, for every group alike",
    "8b": "who assessed it, where judgement was needed",
    "8c": "whether they were blind to the measures",
    "9a": "how the first set of predictors was chosen",
    "9b": "definition of each predictor, how and when measured",
    "9c": "who measured them, where judgement was needed",
    "10": "sample size and how it was arrived at",
    "11": "missing data",
    "12a": "how data were used and divided",
    "12b": "how predictors entered the model",
    "12c": "type of model, how it was built, settings, internal validation",
    "12d": "differences between clusters such as clubs",
    "12e": "measures of performance and pictures",
    "12f": "updating after evaluation",
    "12g": "how predictions are calculated when evaluated",
    "13": "class imbalance: whether and how it was handled",
    "14": "what was done for fairness",
    "15": "what comes out, and how any classes are defined",
    "16": "differences between the data of development and of evaluation",
    "17": "ethical approval and consent",
    "18a": "funding",
    "18b": "conflicts of interest",
    "18c": "protocol",
    "18d": "registration",
    "18e": "availability of the data",
    "18f": "availability of the program",
    "19": "involvement of patients and the public",
    "20a": "flow of people, with and without the outcome",
    "20b": "their characteristics, also by group",
    "20c": "how those of the evaluation differ in predictors and outcome",
    "21": "number of people and outcomes in each analysis",
    "22": "the whole model, so that anybody can predict with it",
    "23a": "performance with intervals, by group and with pictures",
    "23b": "differences of performance between clusters",
    "24": "results of any updating",
    "25": "interpretation, fairness included",
    "26": "limits",
    "27a": "poor or missing inputs in use",
    "27b": "what users must do, and what they must know",
    "27c": "next steps of research",
}


def tripod(context: CardContext) -> str:
    """The table of every item."""
    answers = {**introduction(context), **data(context), **analysis(context), **openness(context),
               **results(context)}  # fmt: skip
    rows = [f"| {item} | {asked} | {answers[item]} |" for item, asked in ITEMS.items()]
    intro = (
        "Every item of TRIPOD+AI (Collins and others 2024, doi "
        "[10.1136/bmj-2023-078378](https://doi.org/10.1136/bmj-2023-078378)), what it asks for in "
        "our own words, and the answer. Names in italics are sections of this card."
    )
    return "\n".join([f"{intro}\n", "| item | asks for | answer |", "| --- | --- | --- |", *rows])


def introduction(context: CardContext) -> dict[str, str]:
    """Items 1 to 4."""
    return {
        "1": f"Gradient boosting on a penalised logistic model; athletes; {context.outcome}.",
        "2": "*In short*.",
        "3a": "Screening in sport, before or beside care: which knee to look after, what to "
              "measure or train next.",
        "3b": f"{_USE}.",
        "3c": "Women have pain around the kneecap more often than men (Boling 2010); results are "
              "shown by sex. Income and access to care are not recorded.",
        "4": "Development with evaluation on athletes held out"
             + (": a correction of another version." if context.adapted else "."),
    }  # fmt: skip


def data(context: CardContext) -> dict[str, str]:
    """Items 5 to 11."""
    nobody = "Nobody was measured: simulated"
    unknown = "Not recorded in the cohort file; see the source"
    dated = context.cohort.frame.get("screening_date")
    dates = None if dated is None else dated.dropna().astype(str)
    return {
        "5a": f"{context.cohort.source} (**{context.cohort.kind}**). "
              + ("It stands for nobody but the literature." if context.simulated else
                 "How well they stand for others is not known."),
        "5b": "None: simulated." if context.simulated else
              f"{min(dates)} to {max(dates)}." if dates is not None and len(dates) else
              "The file has no dates.",
        "6a": f"{nobody}." if context.simulated else f"{unknown}.",
        "6b": "Ages and sports as under *Whom it knows*; "
              + ("a leg that hurts at the screening has no outcome."
                 if context.cohort.outcome_kind == "new_pain" else
                 "every screening with an outcome."),
        "6c": "None: simulated." if context.simulated else "Not recorded.",
        "7": "One schema checks every cell for unit, limits and rules between measures; bad cells "
             "are refused, never repaired. The same for every group.",
        "8a": f"{context.outcome[0].upper()}{context.outcome[1:]}; the same for every group.",
        "8b": f"{nobody}." if context.simulated else f"{unknown}.",
        "8c": f"{nobody}." if context.simulated else f"{unknown}.",
        "9a": f"Measures of the screening schema; {len(effects())} published effects say which "
              "way each may act, those whose prospective evidence is null are held at none.",
        "9b": "`data/dictionary.md`: protocol, unit, limits, error and source of each; measured at "
              "the screening.",
        "9c": f"{nobody}, with the published error of each test." if context.simulated else
              f"{unknown}.",
        "10": f"{_MADE}, sample size against Riley's criteria.",
        "11": f"{_MADE}, missing values.",
    }  # fmt: skip


def analysis(context: CardContext) -> dict[str, str]:
    """Items 12 to 17."""
    validated = (
        "cross-validation by athlete" if "cv_events" in context.metrics else "held-out athletes"
    )
    return {
        "12a": f"{_MADE}, data: a fifth of the athletes held out by a hash of their id.",
        "12b": "As z-scores of the norm for sex and protocol, skewed ones as logarithms, turned "
               "into expected true values; no cut-points.",
        "12c": f"{_MADE}, model and settings; internal validation by {validated}.",
        "12d": "Not done: the cohort has no clubs." if context.simulated else
               "Not done: groups are kept out of the inputs and not compared.",
        "12e": "AUC, log loss, Brier's score and its parts, calibration slope, intercept, index "
               "and curve, net benefit, precision of the highest risks.",
        "12f": f"This version is one: {context.metadata.base_version} updated."
               if context.adapted else
               "Slope and intercept of left-out log-odds, inside the fit; none after evaluation.",
        "12g": "The released bundle, by the same function as in the service.",
        "13": "Nothing is weighted or resampled, as that would spoil the probabilities.",
        "14": f"Sex is an input. Performance by sex and age is shown ({_WORSE}); no further step "
              "was taken, and other groups are not recorded.",
        "15": "A probability with a 90 % interval, by leg and for either knee. Bands compare it "
              "with the rate of the sport; no class is predicted.",
        "16": "None: held-out athletes are of the same cohort.",
        "17": "None needed: nobody was measured." if context.simulated else
              "That of the source; it is not recorded here.",
    }  # fmt: skip


def openness(context: CardContext) -> dict[str, str]:
    """Items 18 and 19."""
    return {
        "18a": "None recorded.",
        "18b": "None recorded.",
        "18c": "Not done: there was no protocol before the fit.",
        "18d": "Not done: not registered.",
        "18e": "Drawn again by the program with the seed of the run." if context.simulated else
               "Not with the program; the run keeps a digest, and the source says where it is.",
        "18f": "Open (Apache-2.0)"
               + (f", commit `{context.metadata.git_sha}`." if context.metadata.git_sha else ".")
               + f" `kneerisk reproduce {context.metadata.version}` fits it again.",
        "19": "Not done.",
    }  # fmt: skip


def results(context: CardContext) -> dict[str, str]:
    """Items 20 to 27."""
    metrics = context.metrics
    return {
        "20a": f"{_KNOWS}; {metrics.get('events', 0):,.0f} of {metrics.get('rows', 0):,.0f} "
               f"held-out {context.unit} have the outcome.",
        "20b": f"{_KNOWS}; outcomes by group under {_WORSE}.",
        "20c": "Not done: both parts are random draws of one cohort.",
        "21": f"{context.metadata.athletes:,} athletes with "
               f"{context.metadata.events:,.0f} outcomes to learn "
              f"from; {metrics.get('athletes', 0):,.0f} held out.",
        "22": "The bundle holds every weight and tree (JSON, UBJ); any screening can be scored.",
        "23a": f"{_GOOD} and {_WORSE}, with intervals over athletes.",
        "23b": "Not done, as 12d.",
        "24": "The table of the champion as it was, under *How good it is*." if context.adapted else
              "Not done: nothing was updated.",
        "25": "*In short*. "
              + ("How well the simulator was learnt, not how well it works on people."
                 if context.simulated else "How well it ranks and is calibrated in this cohort."),
        "26": f"*Assumptions*, {_LIMITS}, *Not done*.",
        "27a": "A bad value is refused with the reason; a missing test is allowed and widens the "
               "interval; an athlete outside of those known is told so.",
        "27b": "Measure by the protocol of the dictionary and read the interval; red flags come "
               "first. No other expertise is needed.",
        "27c": "Outcomes of screened athletes, followed for a year: external validation, then "
               "adaptation (`kneerisk adapt`).",
    }  # fmt: skip
