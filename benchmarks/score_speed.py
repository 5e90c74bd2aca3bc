"""Cost of `kneerisk score` over a large file, beside the trees of the same model alone.

`python -m benchmarks.score_speed` simulates a file, scores it as Parquet and as CSV and prints each
target as met or missed; `ROWS=1000000` takes a whole million. Times are processor time of all
processes over two cores, so that other work of the machine doesn't count.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from benchmarks.performance_page import RESULTS
from benchmarks.serving_speed import machine
from kneerisk.answer import answers
from kneerisk.answer.score_columns import score_columns
from kneerisk.cohort import screenings_of
from kneerisk.cohort.layout import OUTCOMES
from kneerisk.cohort.simulation.simulated_cohort import simulate
from kneerisk.model import Bundle
from kneerisk.training.registry.versions import load_version

#: Rows that are simulated at once, each lot with a seed of its own.
LOT, CORES, MILLION, TEAM = 100_000, 2, 1_000_000, 1_000
#: Rows that are scored with drivers, and with next tests, and the seconds that they may take on two
#: cores.
WITH_MORE, MOST_SECONDS_WITH_MORE = 100_000, 60.0
#: What a file may be scored with, by its option.
MORE = {"--drivers": "drivers", "--next-test": "next tests"}
#: Seconds that a million may take on two cores, megabytes of all processes together, and seconds
#: of one core for the answers of a team.
MOST_SECONDS, MOST_MEGABYTES, MOST_TEAM_SECONDS = 90.0, 2_000.0, 2.0
_POLL_SECONDS = 0.2


def main() -> int:
    """Measure, print and write the results; 1 if a target is missed."""
    models = Path(os.environ.get("KNEERISK_MODELS") or "models")
    rows = int(os.environ.get("ROWS") or 2 * LOT)
    with tempfile.TemporaryDirectory(prefix="kneerisk-bench-") as folder:
        measured = measure(models, rows, Path(folder))
    (RESULTS / "score-speed.json").write_text(json.dumps(measured, indent=2) + "\n", "utf-8")
    (RESULTS / "score-speed.md").write_text(as_markdown(measured), "utf-8")
    sys.stdout.write(as_markdown(measured))
    return 0 if all(target["met"] for target in measured["targets"].values()) else 1


def measure(models: Path, rows: int, folder: Path) -> dict[str, Any]:
    """Score a file of so many rows in both forms, and time the model on some of it."""
    parquet, csv = folder / "many.parquet", folder / "many.csv"
    _simulated(rows, parquet)
    pa_csv.write_csv(pq.read_table(parquet), csv)
    bundle = load_version(models)
    results = {
        "kneerisk score, Parquet": _scored(parquet, models, folder / "answers.parquet"),
        "kneerisk score, CSV": _scored(csv, models, folder / "answers.csv"),
    }
    results = {name: _for_a_million(one, rows) for name, one in results.items()}
    few = _first_rows(parquet, folder / "few.parquet")
    for option, name in MORE.items():
        scored = _scored(few, models, folder / f"answers{option}.parquet", option)
        results[f"kneerisk score, Parquet, with {name}"] = _for_a_million(
            scored, min(rows, WITH_MORE)
        )
    results |= _in_one_process(bundle)
    return {"machine": machine(), "rows": rows, "results": results, "targets": _targets(results)}


def _simulated(rows: int, path: Path) -> None:
    writer = None
    for lot, first in enumerate(range(0, rows, LOT)):
        cohort = simulate(min(LOT, rows - first), 100 + lot).cohort
        frame = cohort.frame.assign(athlete_id=f"{lot}-" + cohort.frame["athlete_id"])
        frame = frame.drop(columns=list(OUTCOMES), errors="ignore")
        frame.to_parquet(path.with_suffix(".lot"), index=False)
        table = pq.read_table(path.with_suffix(".lot"))
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table.cast(writer.schema))
    if writer is not None:
        writer.close()


def _first_rows(file: Path, out: Path) -> Path:
    """A file of the first rows of another, as many as are scored with drivers and with tests."""
    pq.write_table(pq.read_table(file).slice(0, WITH_MORE), out)
    return out


def _scored(file: Path, models: Path, out: Path, *options: str) -> dict[str, float]:
    """Processor seconds and peak megabytes of the command, all of its processes together."""
    command = [sys.executable, "-m", "pipelines", "score", str(file), "--out", str(out), *options]
    before = os.times()
    with subprocess.Popen([*command, "--models", str(models)], stderr=subprocess.DEVNULL) as ran:
        peak = 0.0
        while ran.poll() is None:
            peak = max(peak, _memory(ran.pid))
            time.sleep(_POLL_SECONDS)
    after = os.times()
    spent = after.children_user - before.children_user
    spent += after.children_system - before.children_system
    return {"seconds": spent, "megabytes": peak / 1e6, "status": float(ran.returncode)}


def _memory(pid: int) -> float:
    """Memory of a process and its children, of which pages that they share count once."""
    try:
        parent = psutil.Process(pid)
        tree = [parent, *parent.children(recursive=True)]
        return float(sum(process.memory_full_info().pss for process in tree))
    except psutil.Error:
        return 0.0


def _for_a_million(measured: dict[str, float], rows: int) -> dict[str, float]:
    if measured["status"]:
        raise RuntimeError("kneerisk score failed")
    per_second = rows / measured["seconds"]
    return {
        "rows_a_second_and_core": round(per_second),
        "million_seconds": round(MILLION / per_second / CORES, 1),
        "peak_megabytes": round(measured["megabytes"]),
    }


def _in_one_process(bundle: Bundle) -> dict[str, dict[str, float]]:
    """The model over columns, its trees alone, and the whole answers of a team."""
    cohort = simulate(20_000, 7).cohort
    data, model = cohort.columns(), bundle.model
    features = model.features(data)
    trees = [model.boosted, *([] if model.imbalance is None else model.imbalance.trees.values())]
    trees += [getattr(model.interval, "quantiles", model.boosted)]
    rows = [(one.booster, one.rows(features)) for one in trees if one.booster is not None]
    asked = np.full(len(data["sex"]), "none", dtype=object)
    team = screenings_of(cohort.frame.head(TEAM))
    answers(bundle, team[:2])
    return {
        "the model, columns in memory": _rate(
            len(asked), lambda: score_columns(bundle, data, asked)
        ),
        "inplace_predict of its trees": _rate(
            len(asked), lambda: [booster.inplace_predict(matrix) for booster, matrix in rows]
        ),
        "a team of 1,000, whole answers": _rate(TEAM, lambda: answers(bundle, team)),
    }


def _rate(rows: int, work: Any) -> dict[str, float]:
    start = time.process_time()
    work()
    per_second = rows / (time.process_time() - start)
    return {
        "rows_a_second_and_core": round(per_second),
        "million_seconds": round(MILLION / per_second / CORES, 1),
    }


def _targets(results: dict[str, dict[str, float]]) -> dict[str, dict[str, Any]]:
    """Each target with what was measured over what is allowed."""
    ratios = {}
    for name in ("Parquet", "CSV"):
        one = results[f"kneerisk score, {name}"]
        ratios[f"a million ({name}) in {MOST_SECONDS:g} s on two cores"] = (
            one["million_seconds"] / MOST_SECONDS
        )
        ratios[f"a million ({name}) in {MOST_MEGABYTES:,.0f} MB"] = (
            one["peak_megabytes"] / MOST_MEGABYTES
        )
    for name in MORE.values():
        one = results[f"kneerisk score, Parquet, with {name}"]
        seconds = one["million_seconds"] * WITH_MORE / MILLION
        ratios[f"{WITH_MORE:,} with {name} in {MOST_SECONDS_WITH_MORE:g} s on two cores"] = (
            seconds / MOST_SECONDS_WITH_MORE
        )
    rate = results["a team of 1,000, whole answers"]["rows_a_second_and_core"]
    ratios[f"a team of 1,000 in {MOST_TEAM_SECONDS:g} s"] = TEAM / rate / MOST_TEAM_SECONDS
    return {name: {"ratio": round(ratio, 2), "met": ratio <= 1.0} for name, ratio in ratios.items()}


def as_markdown(measured: dict[str, Any]) -> str:
    """Render the results as a page."""
    lines = [
        "# Speed over a file",
        "",
        f"Made by `python -m benchmarks.score_speed` from {measured['rows']:,} simulated rows; the",
        "last column is all processes of the command together.",
        "",
        "| | rows/s a core | a million on two cores, s | peak MB |",
        "| --- | ---: | ---: | ---: |",
    ]
    for name, row in measured["results"].items():
        cells = (row["rows_a_second_and_core"], row["million_seconds"], row.get("peak_megabytes"))
        shown = ("" if cell is None else f"{cell:,.6g}" for cell in cells)
        lines.append(f"| {name} | {' | '.join(shown)} |")
    lines += ["", *(f"- {'met' if one['met'] else 'MISSED'} ({one['ratio']:g} of it): {target}"
                    for target, one in measured["targets"].items())]  # fmt: skip
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
