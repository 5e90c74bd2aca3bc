"""`kneerisk benchmark`: published files -> contenders out of fold -> scores -> MLflow, a page."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import typer

from kneerisk.progress import Progress, event
from kneerisk.words import text
from pipelines import console
from pipelines.options import TRAIN_PANEL, Json, examples

app = typer.Typer()


@app.command(
    help=text("help.benchmark.command"),
    rich_help_panel=TRAIN_PANEL,
    epilog=examples(
        "benchmark --ric-metadata run_data_meta.csv --ric-kinematics run_kinematics.csv "
        "--weightlifters wlinj.csv"
    ),
)
def benchmark(
    ric_metadata: Annotated[Path, typer.Option(exists=True, dir_okay=False)],
    ric_kinematics: Annotated[Path, typer.Option(exists=True, dir_okay=False)],
    weightlifters: Annotated[Path, typer.Option(exists=True, dir_okay=False)],
    seeds: Annotated[int, typer.Option(min=1, help=text("help.benchmark.seeds"))] = 10,
    out: Annotated[Path | None, typer.Option(help=text("help.benchmark.out"))] = None,
    as_json: Json = False,
) -> None:
    """Score the method on published data and print the scores."""
    files = (ric_metadata, ric_kinematics, weightlifters)
    with console.progress() as progress:
        result = benchmark_method(files, seeds, out, progress)
    console.result(result, as_json, summary(result))


def benchmark_method(
    files: tuple[Path, Path, Path], seeds: int, out: Path | None, progress: Progress
) -> dict[str, Any]:
    """Score every contender on the published sets.

    Parameters
    ----------
    files
        The metadata and the kinematics of RIC, and the weightlifters.
    seeds
        How many times folds are drawn.
    out
        The page to write, if any.
    progress
        Called with what is being done.

    Returns
    -------
    `metrics`, each name after its task's, and a summary of each task.
    """
    from kneerisk.training.benchmark import benchmark_run
    from kneerisk.training.benchmark.scoring import score_task
    from kneerisk.training.benchmark.tasks import ric_tasks, weightlifter_tasks
    from kneerisk.training.tracking import Tracking
    from pipelines.console import write_text

    started = perf_counter()
    progress(event("reading_files"))
    metadata, kinematics, weightlifters = files
    tasks = (*ric_tasks(metadata, kinematics), *weightlifter_tasks(weightlifters))
    progress(event("opening_mlflow"))
    tracking, name = Tracking(Path.cwd()), text("command_line.benchmark.run", seeds=seeds)
    with tracking.start_run(name, benchmark_run.benchmark_tags(), purpose="benchmark") as run:
        predictions = benchmark_run.out_of_fold_by_task(tasks, range(seeds), progress)
        scores = [score_task(task, by_seed) for task, by_seed in predictions]
        progress(event("logging_runs"))
        benchmark_run.log_benchmark(run, tracking, scores, seeds)
    if out is not None:
        write_text(benchmark_run.page_with_plots(scores, out.parent), out)
    return {
        "run_id": run.run_id,
        "seconds": round(perf_counter() - started, 1),
        "seeds": seeds,
        "page": None if out is None else str(out),
        "metrics": {f"{each.task.name}_{metric}": value
                    for each in scores for metric, value in each.flat().items()},
        "tasks": {each.task.name: benchmark_run.task_summary(each) for each in scores},
    }  # fmt: skip


def summary(result: dict[str, Any]) -> str:
    """The result for a person."""
    lines = [
        text(
            "command_line.benchmark.done",
            seeds=result["seeds"], seconds=f"{result['seconds']:.0f}", run=result["run_id"],
        )
    ]  # fmt: skip
    for name, task in result["tasks"].items():
        metrics = {metric.removeprefix(f"{name}_"): f"{value:.3f}"
                   for metric, value in result["metrics"].items()
                   if metric.startswith(f"{name}_")}  # fmt: skip
        scores = text(
            "command_line.benchmark.scores",
            auc=metrics["auc"], low=metrics["auc_low"], high=metrics["auc_high"],
            logistic=metrics["logistic_auc"], xgboost=metrics["xgboost_auc"], remark=_remark(task),
        )  # fmt: skip
        lines += [task["title"], f"  {scores}"]
        for check in task["asked"]:
            if not check["met"]:
                measured = f"{check['measured']:.3f}"
                missed = text(
                    "command_line.benchmark.missed", asked=check["asked"], measured=measured
                )
                lines.append(f"  {missed}")
    return "\n".join(lines)


def _remark(task: dict[str, Any]) -> str:
    """Whether the model's score may be chance or is reached by a control."""
    remarks = [text("command_line.benchmark.chance")] if task["chance"]["model"] else []
    if reached := task["confounded_by"]["model"]:
        remarks.append(text("command_line.benchmark.reached", controls=", ".join(reached)))
    return ", ".join(remarks) or text("command_line.benchmark.not_reached")
