"""TRIPOD+AI, item by item: answered from a version's metadata, or stated as not done and why.

Collins et al. 2024, BMJ 385:e078378, doi 10.1136/bmj-2023-078378: 27 items, 52 with their parts.
"""

from __future__ import annotations

from kneerisk.evidence import effects
from kneerisk.training.card.card_context import CardContext, effect_counts

#: Where on the card more is.
_USE, _POPULATION, _MADE = "*Intended use*", "*Study population*", "*How it was made*"
_GOOD, _WORSE, _LIMITS = "*How good it is*", "*Where it works less well*", "*Limits*"

#: What each item asks a report of a prediction model to say, in our own words.
ITEMS = {
    "1": "type of model, target population, outcome",
    "2": "a summary",
    "3a": "where it fits in care, and why it is needed",
    "3b": "target population and intended users",
    "3c": "known inequalities in health between groups",
    "4": "objectives: development, evaluation or both",
    "5a": "data sources, and how well they represent the target population",
    "5b": "dates of the data",
    "6a": "setting and places",
    "6b": "eligibility",
    "6c": "treatments received",
    "7": "how data were prepared and checked",
    "8a": "outcome, horizon, and whether it was assessed alike in every group",
    "8b": "who assessed it, if judgement was needed",
    "8c": "whether assessors were blinded to the predictors",
    "9a": "how the first set of predictors was chosen",
    "9b": "definition of each predictor, and how and when it was measured",
    "9c": "who measured them, if judgement was needed",
    "10": "sample size and its justification",
    "11": "missing data",
    "12a": "how the data were used and split",
    "12b": "how predictors entered the model",
    "12c": "type of model, how it was built, settings, internal validation",
    "12d": "differences between clusters such as clubs",
    "12e": "performance measures and plots",
    "12f": "updating after evaluation",
    "12g": "how predictions were calculated for the evaluation",
    "13": "class imbalance: whether and how it was handled",
    "14": "what was done for fairness",
    "15": "output of the model, and how any classes are defined",
    "16": "differences between development and evaluation data",
    "17": "ethical approval and consent",
    "18a": "funding",
    "18b": "conflicts of interest",
    "18c": "protocol",
    "18d": "registration",
    "18e": "availability of the data",
    "18f": "availability of the program",
    "19": "patient and public involvement",
    "20a": "flow of participants, with and without the outcome",
    "20b": "their characteristics, overall and by group",
    "20c": "differences in predictors and outcome between development and evaluation",
    "21": "number of participants and outcomes in each analysis",
    "22": "the full model, so that anyone can predict with it",
    "23a": "performance with intervals, also by group, with plots",
    "23b": "differences in performance between clusters",
    "24": "results of any updating",
    "25": "interpretation, including fairness",
    "26": "limitations",
    "27a": "poor or missing inputs in use",
    "27b": "what users must do, and the expertise they need",
    "27c": "next steps for research",
}


def tripod(context: CardContext) -> str:
    """The table of every item."""
    answers = {**introduction(context), **data(context), **analysis(context), **openness(context),
               **results(context)}  # fmt: skip
    rows = [f"| {item} | {asked} | {answers[item]} |" for item, asked in ITEMS.items()]
    intro = (
        "Every item of TRIPOD+AI (Collins et al. 2024, doi "
        "[10.1136/bmj-2023-078378](https://doi.org/10.1136/bmj-2023-078378)), what it asks for in "
        "our own words, and the answer. Italics name sections of this card."
    )
    return "\n".join([f"{intro}\n", "| item | asks for | answer |", "| --- | --- | --- |", *rows])


def introduction(context: CardContext) -> dict[str, str]:
    """Items 1 to 4."""
    return {
        "1": f"Gradient boosting on a penalised logistic model; athletes; {context.outcome}.",
        "2": "*In short*.",
        "3a": "Screening in sport, before or alongside care: which knee needs attention, and what "
              "to measure or train next.",
        "3b": f"{_USE}.",
        "3c": "Women have pain around the kneecap more often than men (Boling 2010); results are "
              "shown by sex. Income and access to care are not recorded.",
        "4": "Development, with evaluation on held-out athletes"
             + ("; it updates another version." if context.adapted else "."),
    }  # fmt: skip


def data(context: CardContext) -> dict[str, str]:
    """Items 5 to 11."""
    nobody = "Nobody was measured: simulated"
    unknown = "Not recorded in the cohort file; see the source"
    dated = context.cohort.frame.get("screening_date")
    dates = None if dated is None else dated.dropna().astype(str)
    return {
        "5a": f"{context.cohort.source} (**{context.cohort.kind}**). "
              + ("It represents what studies suggest, not a population." if context.simulated else
                 "How well it represents other athletes is not known."),
        "5b": "None: simulated." if context.simulated else
              f"{min(dates)} to {max(dates)}." if dates is not None and len(dates) else
              "The file has no dates.",
        "6a": f"{nobody}." if context.simulated else f"{unknown}.",
        "6b": "Ages and sports as under *Study population*; "
              + ("a leg that hurts at the screening has no outcome."
                 if context.cohort.outcome_kind == "new_pain" else
                 "every screening with an outcome is included."),
        "6c": "None: simulated." if context.simulated else "Not recorded.",
        "7": "One schema checks the unit and limits of every cell and the rules between measures; "
             "bad cells are refused, never repaired. This is the same for every group.",
        "8a": f"{context.outcome[0].upper()}{context.outcome[1:]}; the same for every group.",
        "8b": f"{nobody}." if context.simulated else f"{unknown}.",
        "8c": f"{nobody}." if context.simulated else f"{unknown}.",
        "9a": f"Measures of the screening schema. {len(effects())} effects, {effect_counts()}, set "
              "the direction in which a measure may act; where prospective evidence is null, it "
              "has no effect of its own.",
        "9b": "`data/dictionary.md` gives the protocol, unit, limits, error and source of each; "
              "all are measured at the screening.",
        "9c": f"{nobody}, with the published error of each test." if context.simulated else
              f"{unknown}.",
        "10": f"{_MADE}, sample size by Riley's criteria.",
        "11": f"{_MADE}, missing values.",
    }  # fmt: skip


def analysis(context: CardContext) -> dict[str, str]:
    """Items 12 to 17."""
    validated = (
        "cross-validation by athlete" if "cv_events" in context.metrics else "held-out athletes"
    )
    return {
        "12a": f"{_MADE}, data: a fifth of the athletes held out by a hash of their id.",
        "12b": "As z-scores of the norm for sex and protocol (skewed measures as logarithms), "
               "converted to expected true values; no cut-points.",
        "12c": f"{_MADE}, model and settings; internal validation by {validated}.",
        "12d": "Not done: the cohort has no clubs." if context.simulated else
               "Not done: groups are not an input, and they are not compared.",
        "12e": "AUC, log loss, Brier score and its components; calibration slope, intercept, index "
               "and curve; net benefit; precision among the highest risks.",
        "12f": f"This version is itself an update, of {context.metadata.base_version}."
               if context.adapted else
               "Slope and intercept on left-out log-odds, inside the fit; no updating after "
               "evaluation.",
        "12g": "With the released bundle and the same function as in the service.",
        "13": "No weighting or resampling, as either would distort the probabilities.",
        "14": f"Sex is an input. Performance by sex and age is shown ({_WORSE}); nothing further "
              "was done, and other groups are not recorded.",
        "15": "A probability with a 90 % interval, for each leg and for either knee. Bands compare "
              "it with the base rate of the sport; no class is predicted.",
        "16": "None: held-out athletes come from the same cohort.",
        "17": "None needed: nobody was measured." if context.simulated else
              "See the source; not recorded here.",
    }  # fmt: skip


def openness(context: CardContext) -> dict[str, str]:
    """Items 18 and 19."""
    return {
        "18a": "None recorded.",
        "18b": "None recorded.",
        "18c": "None was written before the fit.",
        "18d": "Not registered.",
        "18e": "The program simulates them again from the run's seed." if context.simulated else
               "Not part of the program; the run records a digest, and the source says where they "
               "are.",
        "18f": "Open (Apache-2.0)"
               + (f", commit `{context.metadata.git_sha}`." if context.metadata.git_sha else ".")
               + f" `kneerisk reproduce {context.metadata.version}` fits it again.",
        "19": "Not done.",
    }  # fmt: skip


def results(context: CardContext) -> dict[str, str]:
    """Items 20 to 27."""
    metrics = context.metrics
    return {
        "20a": f"{_POPULATION}; {metrics.get('events', 0):,.0f} of {metrics.get('rows', 0):,.0f} "
               f"held-out {context.unit} have the outcome.",
        "20b": f"{_POPULATION}; outcomes by group under {_WORSE}.",
        "20c": "Not compared: both parts are random draws from one cohort.",
        "21": f"{context.metadata.athletes:,} athletes with "
              f"{context.metadata.events:,.0f} outcomes for training; "
              f"{metrics.get('athletes', 0):,.0f} held out.",
        "22": "The bundle holds every weight and tree (JSON, UBJ) and can score any screening.",
        "23a": f"{_GOOD} and {_WORSE}, with intervals over athletes.",
        "23b": "Not done; see 12d.",
        "24": "Under *How good it is*, next to the champion before it." if context.adapted else
              "Not applicable: nothing was updated.",
        "25": "*In short*. "
              + ("The figures show how well it learned the simulator, not how well it works on "
                 "people." if context.simulated else
                 "The figures show how well it ranks and is calibrated in this cohort."),
        "26": f"*Assumptions*, {_LIMITS}, *Not done*.",
        "27a": "A bad value is refused with the reason; a missing test is allowed and widens the "
               "interval; the answer warns if an athlete is outside the range seen in training.",
        "27b": "Follow the protocols of the dictionary, ask about red flags first, and read the "
               "interval. No other expertise is needed.",
        "27c": "Follow screened athletes for a year: validate externally, then update "
               "(`kneerisk adapt`).",
    }  # fmt: skip
