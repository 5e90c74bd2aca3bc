"""A whole benchmark: out-of-fold predictions from several processes, its runs and its page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from kneerisk.progress import Progress, event
from kneerisk.training import provenance
from kneerisk.training.benchmark.benchmark_page import TARGETS, page, table, target_checks
from kneerisk.training.benchmark.benchmark_plots import calibration, forest
from kneerisk.training.benchmark.contenders import OutOfFold, out_of_fold
from kneerisk.training.benchmark.scoring import TaskScores
from kneerisk.training.benchmark.tasks import Task
from kneerisk.training.plots.plot_style import images
from kneerisk.training.tracking import Run, Tracking

#: Processes at once; each runs on one thread.
PROCESSES = 2
COMMAND = (
    "kneerisk benchmark --ric-metadata run_data_meta.csv --ric-kinematics run_kinematics.csv "
    "--weightlifters wlinj.csv --out docs/real-benchmark.md --json"
)
#: Beside the page, the folder and the start of the name of its plots.
PLOT_FILES = "plots/real-benchmark"


def out_of_fold_by_task(
    tasks: Sequence[Task], seeds: Sequence[int], progress: Progress
) -> Iterator[tuple[Task, list[OutOfFold]]]:
    """Out-of-fold predictions of each task, by fold seed, from several processes.

    Parameters
    ----------
    tasks
        What is predicted, of whom.
    seeds
        How the folds are dealt, each once.
    progress
        Called as each fit ends.

    Yields
    ------
    Each task with the predictions of each seed.
    """
    jobs = [(task, seed) for task in tasks for seed in seeds]
    # Not forked: the threads of BLAS and OpenMP don't survive that.
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        running = {pool.submit(out_of_fold, task, seed): (task.name, seed) for task, seed in jobs}
        done: dict[tuple[str, int], OutOfFold] = {}
        for future in as_completed(running):
            done[running[future]] = future.result()
            progress(event("out_of_fold", number=len(done), total=len(jobs)))
    for task in tasks:
        yield task, [done[task.name, seed] for seed in seeds]


def log_benchmark(run: Run, tracking: Tracking, scores: Sequence[TaskScores], seeds: int) -> None:
    """Log the benchmark's own run, and a run of each task below it.

    Parameters
    ----------
    run
        The benchmark's own run.
    tracking
        The store of runs.
    scores
        Of every task.
    seeds
        How often folds were dealt.
    """
    figures = _figures(scores)
    run.log_images(images(figures))
    markdown = page(scores, COMMAND, {name: f"plots/{name}.png" for name in figures})
    run.set_note(markdown.partition("![")[0])
    run.log_values({"seeds": seeds, "tasks": len(scores)}, {})
    for task_scores in scores:
        _log_task(tracking, task_scores, seeds, run.run_id)


def _log_task(tracking: Tracking, scores: TaskScores, seeds: int, parent: str) -> None:
    task = scores.task
    sha256 = provenance.digest(task.cohort)
    with tracking.start_run(task.title, benchmark_tags(), "benchmark", parent) as run:
        run.log_values(
            {"task": task.name, "seeds": seeds, "source": task.cohort.source,
             "data_sha256": sha256, "folds": "by year" if task.block is not None else "by athlete"},
            scores.flat(),
        )  # fmt: skip
        run.log_dataset(task.cohort, "benchmark", sha256, {})
        run.log_images(images({"forest": forest([scores])}))
        run.set_note(table(scores))


def benchmark_tags() -> dict[str, str]:
    """The tags by which the runs are found."""
    return {
        "mlflow.source.name": "kneerisk benchmark",
        "mlflow.source.git.commit": provenance.git_sha() or "",
    }


def task_summary(scores: TaskScores) -> dict[str, Any]:
    """What a task's metrics come to, as plain data: chance, confounding, targets met."""
    return {
        "title": scores.task.title,
        "chance": {name: scores.is_chance(name) for name in scores.reached_by},
        "confounded_by": {name: list(by) for name, by in scores.reached_by.items()},
        "asked": [
            {"asked": check.target, "measured": check.measured, "met": check.met}
            for check in target_checks(scores)
        ],
    }


def page_with_plots(scores: Sequence[TaskScores], folder: Path) -> str:
    """The page as Markdown; its plots are saved below the folder that it is to lie in."""
    addresses = {}
    for name, figure in _figures(scores).items():
        addresses[name] = f"{PLOT_FILES}-{name}.png"
        path = folder / addresses[name]
        path.parent.mkdir(parents=True, exist_ok=True)
        # Without the program's version, so that the same numbers are the same file.
        figure.savefig(path, metadata={"Software": None})
    return page(scores, COMMAND, addresses)


def _figures(scores: Sequence[TaskScores]) -> dict[str, Figure]:
    """The plots of the page, by name."""
    with_targets = [each for each in scores if each.task.name in TARGETS]
    return {"forest": forest(scores), "calibration": calibration(with_targets)}
