"""Published files -> every contender of every task out of fold -> judged -> MLflow, and a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import Any

from kneerisk.training.benchmark.benchmark_page import page, table
from kneerisk.training.benchmark.benchmark_plots import calibration, forest
from kneerisk.training.benchmark.contenders import OutOfFold, out_of_fold
from kneerisk.training.benchmark.published_tasks import ric_tasks, weightlifter_tasks
from kneerisk.training.benchmark.scoring import Judged, judge
from kneerisk.training.benchmark.targets import BARS, checks
from kneerisk.training.benchmark.task import Task
from kneerisk.training.recording import lineage
from kneerisk.training.tracking import Tracking
from pipelines.console import Progress
from pipelines.outputs import write_text

#: Processes at once; each runs on one thread.
PROCESSES = 2
COMMAND = (
    "kneerisk benchmark --ric-metadata run_data_meta.csv --ric-kinematics run_kinematics.csv "
    "--weightlifters wlinj.csv --out docs/real-benchmark.md --json"
)
#: Beside the page, the folder and the start of the name of its pictures.
PICTURES = "plots/real-benchmark"


def benchmark_on(
    metadata: Path,
    kinematics: Path,
    weightlifters: Path,
    seeds: int,
    out: Path | None,
    progress: Progress,
) -> dict[str, Any]:
    """Judge every contender on the published sets; gives `metrics`, each after its task, and more.

    Raises
    ------
    CohortRefused
        Where a file is not the published one.
    """
    started = perf_counter()
    progress("Reading the files")
    tasks = (*ric_tasks(metadata, kinematics), *weightlifter_tasks(weightlifters))
    progress("Opening MLflow")
    name = f"published data, {seeds} fold seeds"
    with Tracking(Path.cwd()).run(name, tags(), purpose="benchmark") as run:
        judged = [judge(task, told) for task, told in compete(tasks, range(seeds), progress)]
        progress("Logging the runs")
        run.figures(pictures(judged))
        text = page(judged, COMMAND, {key: f"plots/{key}.png" for key in pictures(judged)})
        run.note(text.partition("![")[0])
        run.numbers({"seeds": seeds, "tasks": len(tasks)}, {})
        for one in judged:
            log(one, seeds, run.run_id)
    if out is not None:
        write_page(judged, out)
    return {
        "run_id": run.run_id,
        "seconds": round(perf_counter() - started, 1),
        "seeds": seeds,
        "page": None if out is None else str(out),
        "metrics": {
            f"{one.task.name}_{name}": value for one in judged for name, value in one.flat().items()
        },
        "tasks": {one.task.name: of_task(one) for one in judged},
    }


def compete(
    tasks: Sequence[Task], seeds: Sequence[int], progress: Progress
) -> Iterator[tuple[Task, list[OutOfFold]]]:
    """Out-of-fold predictions of each task, by seed, from as many processes as there may be."""
    jobs = [(task, seed) for task in tasks for seed in seeds]
    # Not forked: the threads of BLAS and OpenMP don't survive that.
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        begun = {pool.submit(out_of_fold, task, seed): (task.name, seed) for task, seed in jobs}
        done: dict[tuple[str, int], OutOfFold] = {}
        for ended in as_completed(begun):
            done[begun[ended]] = ended.result()
            progress(f"Out of fold: {len(done)} of {len(jobs)} fits of tasks by seed")
    for task in tasks:
        yield task, [done[task.name, seed] for seed in seeds]


def of_task(judged: Judged) -> dict[str, Any]:
    """What is to be made of a task's metrics, as plain data."""
    return {
        "title": judged.task.title,
        "chance": {name: judged.is_chance(name) for name in judged.reached_by},
        "confounded_by": {name: list(by) for name, by in judged.reached_by.items()},
        "asked": [
            {"asked": one.asked, "measured": one.measured, "met": one.met} for one in checks(judged)
        ],
    }


def log(judged: Judged, seeds: int, parent: str) -> None:
    """One run of a task, shown below the benchmark's own."""
    task = judged.task
    sha256 = lineage.digest(task.cohort)
    with Tracking(Path.cwd()).run(task.title, tags(), "benchmark", parent) as run:
        run.numbers(
            {"task": task.name, "seeds": seeds, "source": task.cohort.source,
             "data_sha256": sha256, "folds": "by year" if task.block is not None else "by athlete"},
            judged.flat(),
        )  # fmt: skip
        run.dataset(task.cohort, "benchmark", sha256, {})
        run.figures({"forest": forest([judged])})
        run.note(table(judged))


def tags() -> dict[str, str]:
    """By what runs are found."""
    return {
        "mlflow.source.name": "kneerisk benchmark",
        "mlflow.source.git.commit": lineage.git_sha() or "",
    }


def pictures(judged: Sequence[Judged]) -> dict[str, Any]:
    """Every picture of the page, by name."""
    with_bar = [one for one in judged if one.task.name in BARS]
    return {"forest": forest(judged), "calibration": calibration(with_bar)}


def write_page(judged: Sequence[Judged], out: Path) -> None:
    """Write the page, and its pictures in a folder beside it."""
    addresses = {}
    for name, drawn in pictures(judged).items():
        addresses[name] = f"{PICTURES}-{name}.png"
        picture = out.parent / addresses[name]
        picture.parent.mkdir(parents=True, exist_ok=True)
        # Without the program's version, so that the same numbers are the same file.
        drawn.savefig(picture, metadata={"Software": None})
    write_text(page(judged, COMMAND, addresses), out)


def told(found: dict[str, Any]) -> str:
    """The result for a person."""
    lines = [f"{found['seeds']} fold seeds in {found['seconds']:.0f} s (run {found['run_id']})"]
    for task, one in found["tasks"].items():
        reached = one["confounded_by"]["model"]
        metrics = {name.removeprefix(f"{task}_"): value for name, value in found["metrics"].items()
                   if name.startswith(f"{task}_")}  # fmt: skip
        remark = "chance" if one["chance"]["model"] else ""
        if reached:
            remark = ", ".join(filter(None, (remark, "reached by " + ", ".join(reached))))
        lines.append(one["title"])
        lines.append(
            "  AUC {auc:.3f} ({auc_low:.3f} to {auc_high:.3f})".format(**metrics)
            + f"; logistic {metrics['logistic_auc']:.3f}, XGBoost {metrics['xgboost_auc']:.3f}"
            + (f"; {remark}" if remark else "; no control reaches it")
        )
        lines += [f"  MISSED: {check['asked']}, measured {check['measured']:.3f}"
                  for check in one["asked"] if not check["met"]]  # fmt: skip
    return "\n".join(lines)
