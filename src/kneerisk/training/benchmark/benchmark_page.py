"""The benchmark as a Markdown page: scores, controls, and targets set before measuring."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kneerisk.training.benchmark.benchmark_plots import name_of
from kneerisk.training.benchmark.contenders import CONTROL, LOGISTIC, MODEL, PRIOR, XGBOOST
from kneerisk.training.benchmark.scoring import TaskScores

#: The calibration slope of a model whose risks are neither too extreme nor too timid (assumption).
SLOPE = (0.8, 1.2)
COLUMNS = ("", "AUC (95 %)", "over seeds", "log loss", "slope (95 %)", "intercept (95 %)",
           "AUC behind kneerisk (95 %)", "interpretation")  # fmt: skip
#: What a control reads, in everyday words.
PLAINLY = {
    "speed": "running speed",
    "site and year": "the place and year of the visit",
    "demographics": "age, sex and the like",
}
METHOD = """\
## How it was measured

- **Split by person, not by row.** Each person is used either for training or for testing, never
  for both. There are five folds, redrawn for each seed; where the title says so, whole years are
  left out instead, and anyone seen in that year is removed from the other years too. Penalties,
  tree depths, rounds and calibration are chosen within the training part.
- **The same folds for all.** *kneerisk* is the model that `kneerisk train` fits. *Plain XGBoost*
  chooses depth and rounds by early stopping, *logistic regression* its ridge penalty; *base
  rate* predicts the same for everyone. For the painful limb, both plain models read left minus
  right of each measure, with each pair also shown mirrored: the best setup for either.
- **Controls** are logistic regressions on what must not explain a score: the treadmill's speed,
  the site and year of the visit, and demographics (age, sex and body size). No model reads
  speed, site or year. If years are left out, controls learn within years; an unseen year, or a
  site that never changes, then has no information. A control below 0.5 learned a relation from
  the other years that is reversed in the year left out.
- **Scores** compare people within the part that was left out together (a fold or a year) and are
  means over the seeds. Their intervals come from 500 bootstrap samples of people. Those of slope
  and intercept allow for several visits per person.
- **A control reaches a score** if its AUC lies inside or above the score's 95 % interval. Such a
  score is no evidence of a signal from the knee, however high it is.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Targets of a task. A difference is how far the model may lie behind, or must lie ahead."""

    auc: float
    auc_behind_logistic: float
    auc_ahead_of_xgboost: float | None = None
    log_loss_over_logistic: float | None = None


@dataclass(frozen=True, slots=True)
class TargetCheck:
    """One target in words, what was measured, and whether that meets it."""

    task: str
    target: str
    measured: float
    met: bool


#: By task; one without a target has none because no signal is known to be there.
TARGETS = {
    "which_limb": Target(
        auc=0.69, auc_behind_logistic=0.005, auc_ahead_of_xgboost=0.02, log_loss_over_logistic=0.005
    ),
    "weightlifters": Target(auc=0.66, auc_behind_logistic=0.01),
    "weightlifters_without_later": Target(auc=0.60, auc_behind_logistic=0.01),
}


def target_checks(scores: TaskScores) -> list[TargetCheck]:
    """Every target of a task, with what was measured."""
    target = TARGETS.get(scores.task.name)
    if target is None:
        return []
    return [TargetCheck(scores.task.name, *check) for check in _checks(scores, target)]


def _checks(scores: TaskScores, target: Target) -> Iterator[tuple[str, float, bool]]:
    model, logistic, xgboost = (scores.metrics[name] for name in (MODEL, LOGISTIC, XGBOOST))
    yield f"AUC at least {target.auc}", model["auc"], model["auc"] >= target.auc
    ahead = model["auc"] - logistic["auc"]
    yield (f"AUC minus that of logistic at least {-target.auc_behind_logistic}", ahead,
           ahead >= -target.auc_behind_logistic)  # fmt: skip
    if target.auc_ahead_of_xgboost is not None:
        ahead = model["auc"] - xgboost["auc"]
        yield (f"AUC minus that of plain XGBoost at least {target.auc_ahead_of_xgboost}", ahead,
               ahead >= target.auc_ahead_of_xgboost)  # fmt: skip
    if target.log_loss_over_logistic is not None:
        over = model["log_loss"] - logistic["log_loss"]
        yield (f"log loss minus that of logistic at most {target.log_loss_over_logistic}", over,
               over <= target.log_loss_over_logistic)  # fmt: skip
    slope = model["calibration_slope"]
    yield (f"calibration slope {SLOPE[0]} to {SLOPE[1]}", slope,
           SLOPE[0] <= slope <= SLOPE[1])  # fmt: skip


def page(tasks: Sequence[TaskScores], command: str, plots: Mapping[str, str]) -> str:
    """Markdown of all tasks.

    Parameters
    ----------
    tasks
        Their scores, in the order of the page.
    command
        That makes the page again.
    plots
        Address of each plot by name: `forest`, `calibration`.

    Returns
    -------
    The page, ending in a newline.
    """
    by_name = {scores.task.name: scores for scores in tasks}
    sections = [
        "# How good it is on people",
        f"<!-- Made by `{command}`: change that, not this page. -->",
        *_lead(by_name),
        f"![AUC of every contender by task, with intervals]({plots['forest']})",
        *(_task(scores) for scores in tasks),
        "## Calibration",
        f"![Observed share by stated risk]({plots['calibration']})",
        "## Targets",
        "Set before measuring.",
        targets_table([check for scores in tasks for check in target_checks(scores)], by_name),
        METHOD.rstrip(),
        _limits(tasks),
        f"Made by `{command}`; [where to get the files](../data/README.md).",
    ]
    return "\n\n".join(sections) + "\n"


def _sentences(by_name: Mapping[str, TaskScores]) -> Iterable[str]:
    limb = by_name["which_limb"]
    right = 100 * limb.metrics[MODEL]["right_limb"]
    yield (
        "**From the gait of a runner with one painful knee, the model picks the painful one in "
        f"{right:.0f} of 100 cases, where guessing gets 50; {_confounding(limb)}, and plain "
        f"logistic regression {_against_logistic(limb)}.**"
    )
    if {"which_limb_years", "painful_knee_years"} <= by_name.keys():
        yield _travel(by_name)
    every, less = by_name["weightlifters"], by_name["weightlifters_without_later"]
    yield (
        "**Among older weightlifters it identifies some of those who have had a knee injury, "
        "mostly from injuries of other joints, which may have come later "
        f"({_confounding(every)}); without those, {_confounding(less)}.**"
    )
    other, which = by_name["knee_or_other"], by_name["patellofemoral_or_itb"]
    yield (
        "**With whole years left out, whether a runner's injury is at the knee or elsewhere "
        f"{_signal(other)}.** **Whether it is patellofemoral pain or ITB syndrome "
        f"{_signal(which)}.**"
    )
    yield (
        "All of this is about existing pain and past injuries: none of these data sets says "
        "whether a knee *will* hurt."
    )


def _travel(by_name: Mapping[str, TaskScores]) -> str:
    names = ("which_limb_years", "painful_knee_years", "painful_knee")
    limb, painful, by_person = (f"{by_name[name].metrics[MODEL]['auc']:.2f}" for name in names)
    chance = by_name["painful_knee_years"].is_chance(MODEL)
    verdict = "does not travel: `kneerisk promote` refuses it" if chance else "is told as well"
    return (
        f"**With whole years left out, which limb hurts has an AUC of {limb}; whether a knee hurts "
        f"at all {verdict} (AUC {painful}, in folds by person {by_person}).**"
    )


def _lead(by_name: Mapping[str, TaskScores]) -> tuple[str, str]:
    *shown, caveat = _sentences(by_name)
    return " ".join(shown), caveat


def _against_logistic(scores: TaskScores) -> str:
    other = scores.metrics[LOGISTIC]
    if other["auc_behind_model_low"] > 0.0:
        return "does worse"
    return "does better" if other["auc_behind_model_high"] < 0.0 else "does about as well"


def _confounding(scores: TaskScores) -> str:
    if reached := scores.reached_by[MODEL]:
        return f"it does no better than {_controls(reached)} alone"
    controls = _controls([name for name in scores.metrics if name.startswith(CONTROL)])
    return f"{controls} {'does' if controls == PLAINLY['speed'] else 'do'} not explain it"


def _signal(scores: TaskScores) -> str:
    if scores.is_chance(MODEL):
        return "can't be predicted here: no score is beyond chance and the confounders"
    if reached := scores.reached_by[MODEL]:
        return f"can be predicted to a degree, but no better than by {_controls(reached)} alone"
    return "can be predicted in part"


def _controls(names: Sequence[str]) -> str:
    own = [name.removeprefix(CONTROL).strip() for name in names]
    words = [PLAINLY.get(name, name) for name in own]
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def _task(scores: TaskScores) -> str:
    counts = scores.counts
    text = (
        f"Label: {scores.task.label_means} ({counts['events']:,.0f} of {counts['rows']:,.0f}; "
        f"{counts['athletes']:,.0f} people). {_verdict(scores)}"
    )
    return f"## {scores.task.title}\n\n{text}\n\n{table(scores)}"


def _verdict(scores: TaskScores) -> str:
    if scores.is_chance(MODEL):
        return (
            "**No model finds anything beyond chance and the confounders**; no score in this "
            "table counts as a result."
        )
    if reached := scores.reached_by[MODEL]:
        controls = " and ".join(
            f"{name.removeprefix(CONTROL).strip()} ({scores.metrics[name]['auc']:.2f})"
            for name in reached
        )
        return f"**Confounded**: a control reaches the model's score: {controls}."
    return "No control reaches the model's score."


def table(scores: TaskScores) -> str:
    """Every contender's scores as a table in Markdown."""
    lines = [_row(COLUMNS), _row(["---"] * len(COLUMNS))]
    lines += [_row(_cells(scores, name)) for name in scores.metrics]
    return "\n".join(lines)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(scores: TaskScores, name: str) -> list[str]:
    metrics = scores.metrics[name]
    base = name == PRIOR
    seeds = f"{metrics['auc_lowest_seed']:.3f} to {metrics['auc_highest_seed']:.3f}"
    return [
        name_of(name),
        "0.500" if base else _with_limits(metrics, "auc", 3),
        "" if base else seeds,
        f"{metrics['log_loss']:.4f}",
        _with_limits(metrics, "calibration_slope", 2),
        _with_limits(metrics, "calibration_intercept", 2),
        "" if base else _with_limits(metrics, "auc_behind_model", 3),
        _remark(scores, name),
    ]


def _with_limits(metrics: Mapping[str, float], name: str, digits: int) -> str:
    if name not in metrics:
        return ""
    low, high = (metrics[f"{name}_{end}"] for end in ("low", "high"))
    return f"{metrics[name]:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def _remark(scores: TaskScores, name: str) -> str:
    if name == PRIOR or name.startswith(CONTROL):
        return ""
    if scores.is_chance(name):
        return "chance"
    if reached := scores.reached_by[name]:
        return "confounded: reached by " + ", ".join(
            control.removeprefix(CONTROL).strip() for control in reached
        )
    return "above every control"


def targets_table(checks: Sequence[TargetCheck], by_name: Mapping[str, TaskScores]) -> str:
    """Every target with what was measured, as a table in Markdown."""
    lines = [_row(("task", "target", "measured", "met")), _row(["---"] * 4)]
    lines += [
        _row((by_name[check.task].task.title, check.target, f"{check.measured:.3f}",
              "yes" if check.met else "**no**"))
        for check in checks
    ]  # fmt: skip
    return "\n".join(lines)


def _limits(tasks: Sequence[TaskScores]) -> str:
    sets = sorted({scores.task.cohort.source for scores in tasks})
    return (
        "## What it does not show\n\n"
        "These are present pain and past injuries of people who came to a clinic or answered a "
        "survey. They show neither\nwho gets pain next nor how good the default model is. With one "
        "clinic and one survey, others may differ:\nfitted to every leg, a model of present pain "
        "holds for the years it has seen, not for others, and\n`kneerisk promote` refuses it "
        f"([the numbers](training.md#public-data)). Data: {'; '.join(sets)}."
    )
