"""Files of screenings are scored as columns: the same numbers as answers, row by row."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import strategies
from bodies import flat
from hypothesis import given, settings
from hypothesis import strategies as st
from worker_tasks import doubled, killed

from kneerisk.answer.compose_answer import answers
from kneerisk.answer.score_columns import score_columns
from kneerisk.batch.scored_chunk import PackedModel, packed
from kneerisk.batch.scored_file import score_in_chunks, write_answers
from kneerisk.cohort import read_screenings
from kneerisk.cohort.file_chunks import chunks_of, row_count, rows_in
from kneerisk.cohort.file_rows import read_table
from kneerisk.cohort.layout import OUTCOMES
from kneerisk.cohort.simulation.simulated_cohort import Simulated
from kneerisk.errors import BadCells, WorkersLost
from kneerisk.model import Bundle
from kneerisk.model.base_rates import Count
from kneerisk.progress import ignore
from kneerisk.schema import Screening, coded, coded_rows
from kneerisk.schema.own_measures import NO_OWN_MEASURES
from kneerisk.schema.rules import contradictions, may_contradict
from kneerisk.workers import worker_processes
from kneerisk.workers.worker_processes import in_processes

#: The parts of an answer that a file of answers has.
SCORED = ("red_flags", "risk", "imbalances", "model")
#: What every row keeps.
BASIC = ("age_years", "sex")


def flags(screening: Screening) -> str | None:
    """A screening's red flags as a file has them."""
    codes = screening.red_flags
    return None if codes is None else ";".join(codes) or "none"


def columns_of(bundle: Bundle, screenings: list[Screening]) -> pd.DataFrame:
    asked = np.array([flags(screening) for screening in screenings], dtype=object)
    return pd.DataFrame(score_columns(bundle, coded(screenings), asked))


def assert_same(found: pd.DataFrame, told: list[dict[str, Any]]) -> None:
    wanted = pd.DataFrame(told, columns=list(told[0]))
    assert list(found) == list(wanted)
    for name in wanted:
        same = (found[name] == wanted[name]) | (found[name].isna() & wanted[name].isna())
        assert same.all(), name


@pytest.fixture(scope="module")
def bundles(released: Bundle) -> list[Bundle]:
    """A released model and other kinds: with a club's count, of outcomes alone, without sides."""
    model = released.model
    of_outcomes = dataclasses.replace(model, base_rates=None, imbalance=None)
    models = [
        model,
        model.counting(Count(9.0, 60.0)),
        of_outcomes,
        dataclasses.replace(of_outcomes, odds_ratio=None),
    ]
    return [dataclasses.replace(released, model=one) for one in models]


@settings(max_examples=8)
@given(screenings=st.lists(strategies.screenings(), min_size=1, max_size=6))
def test_columns_are_those_of_answers(bundles: list[Bundle], screenings: list[Screening]) -> None:
    for bundle in bundles:
        told = [flat(one) for one in answers(bundle, screenings, SCORED)]
        assert_same(columns_of(bundle, screenings), told)


@settings(max_examples=8)
@given(
    screenings=st.lists(strategies.screenings(), min_size=2, max_size=6), first=st.integers(0, 5)
)
def test_a_row_has_the_same_digits_in_any_company(
    released: Bundle, screenings: list[Screening], first: int
) -> None:
    together = columns_of(released, screenings)
    first, count = first % len(screenings), 1
    some = columns_of(released, screenings[first : first + count])
    assert_same(some, together.iloc[first : first + count].to_dict("records"))


@settings(max_examples=4)
@given(screenings=st.lists(strategies.screenings(), min_size=1, max_size=4))
def test_drivers_are_those_of_answers(released: Bundle, screenings: list[Screening]) -> None:
    asked = np.array([flags(screening) for screening in screenings], dtype=object)
    found = pd.DataFrame(score_columns(released, coded(screenings), asked, drivers=True))
    told = answers(released, screenings, ("risk", "drivers"))
    for row, one in zip(found.to_dict("records"), told, strict=True):
        for side in ("left", "right"):
            drivers = [driver for driver in one.drivers or [] if driver.side == side][:3]
            for rank in (1, 2, 3):
                measure, points = row[f"driver_{side}_{rank}"], row[f"driver_{side}_{rank}_points"]
                if rank > len(drivers):
                    assert pd.isna(measure)
                    assert pd.isna(points)
                else:
                    assert measure == drivers[rank - 1].measure
                    assert points == pytest.approx(drivers[rank - 1].points, rel=1e-12)


@settings(max_examples=6)
@given(screenings=st.lists(strategies.screenings(), min_size=1, max_size=4))
def test_the_next_test_is_the_first_of_answers(
    released: Bundle, screenings: list[Screening]
) -> None:
    screenings = [one.model_copy(update={"equipment": None}) for one in screenings]
    asked = np.array([flags(screening) for screening in screenings], dtype=object)
    found = pd.DataFrame(score_columns(released, coded(screenings), asked, next_test=True))
    told = answers(released, screenings, ("next_tests",))
    for row, one in zip(found.to_dict("records"), told, strict=True):
        if one.next_tests:
            assert row["next_test"] == one.next_tests[0].test
            assert row["next_test_uncertainty_removed"] == one.next_tests[0].uncertainty_removed
        else:
            assert pd.isna(row["next_test"])
            assert pd.isna(row["next_test_uncertainty_removed"])


@settings(max_examples=30)
@given(rows=st.lists(strategies.rows(), min_size=1, max_size=6), chance=st.integers(0, 99))
def test_columns_are_suspected_where_a_rule_is_broken(
    rows: list[dict[str, Any]], chance: int
) -> None:
    """Rows that keep every rule, and the same with values dropped and moved so that some break."""
    rng = np.random.default_rng(chance)
    for row in rows:
        for name in rng.permutation([name for name in row if name not in BASIC])[:3].tolist():
            del row[name]
        for name in [name for name in row if name.endswith(("_ratio", "_tilt_deg", "_cm"))]:
            row[name] *= float(rng.choice([1.0, 1.2]))
    broken = [bool(list(contradictions(row))) for row in rows]
    assert may_contradict(coded_rows(rows)).tolist() == broken


#: Rows of a chunk here: a file of forty has several.
ROWS = 7


def alone(work: Any, shared: Any, chunks: Any) -> Any:
    """The work of all chunks done here, one after the other."""
    return in_processes(work, shared, chunks, 1)


@pytest.fixture(scope="module")
def packed_model(released: Bundle) -> PackedModel:
    return packed(released, NO_OWN_MEASURES)


@pytest.fixture
def squad(simulated: Simulated, tmp_path: Path) -> Path:
    """Forty screenings with dates and red flags, as a CSV that people write."""
    frame = simulated.cohort.frame.head(40).drop(columns=list(OUTCOMES), errors="ignore")
    frame["screening_date"], frame["red_flags"] = "2026-03-01", ["none", None] * 20
    path = tmp_path / "squad.csv"
    frame.to_csv(path, index=False)
    return path


def scored(model: PackedModel, file: Path, out: Path, workers: Any = alone) -> bytes:
    write_answers(score_in_chunks(model, file, out, workers, ignore, ROWS), out)
    return out.read_bytes()


class TestInChunks:
    @pytest.mark.parametrize("rows", [1, 3, 100])
    def test_chunks_are_the_file(self, rows: int, tmp_path: Path) -> None:
        """Cells that hold line ends, empty lines, apostrophes and lines of another system."""
        text = '\ufeffathlete_id,sex\r\n\r\n"a\nb",male\r\n\n"c ""d""",x\n\'=e,y\nf,\n\ng,z'
        path = tmp_path / "odd.csv"
        path.write_text(text, encoding="utf-8", newline="")
        whole = read_table(path)
        parts = [rows_in(chunk) for chunk in chunks_of(path, rows)]
        assert [line for part in parts for line in part.lines] == whole.lines
        together = pd.concat([part.frame for part in parts], ignore_index=True)
        pd.testing.assert_frame_equal(together, whole.frame)

    def test_a_row_group_of_parquet_is_cut_up_too(self, squad: Path, tmp_path: Path) -> None:
        path = tmp_path / "squad.parquet"
        pd.read_csv(squad).to_parquet(path)
        parts = [rows_in(chunk) for chunk in chunks_of(path, ROWS)]
        assert [len(part.frame) for part in parts] == [7, 7, 7, 7, 7, 5]
        assert [line for part in parts for line in part.lines] == read_table(path).lines

    @pytest.mark.parametrize("suffix", ["csv", "parquet"])
    def test_a_run_that_was_stopped_goes_on(
        self, packed_model: PackedModel, squad: Path, tmp_path: Path, suffix: str
    ) -> None:
        whole = scored(packed_model, squad, tmp_path / f"whole.{suffix}")
        out, done = tmp_path / f"answers.{suffix}", list[int]()

        def stopped(work: Any, shared: Any, chunks: Any) -> Any:
            for chunk in chunks:
                if len(done) == 3:
                    raise KeyboardInterrupt
                done.append(chunk.number)
                yield work(shared, chunk)

        with pytest.raises(KeyboardInterrupt):
            scored(packed_model, squad, out, stopped)
        assert not out.exists()

        def rest(work: Any, shared: Any, chunks: Any) -> Any:
            for chunk in chunks:
                done.append(chunk.number)
                yield work(shared, chunk)

        assert scored(packed_model, squad, out, rest) == whole
        assert done == [0, 1, 2, 3, 4, 5]
        assert {path.name for path in tmp_path.iterdir()} == {
            squad.name,
            f"whole.{suffix}",
            out.name,
        }

    def test_another_file_starts_anew(
        self, packed_model: PackedModel, squad: Path, tmp_path: Path
    ) -> None:
        out = tmp_path / "answers.csv"
        score_in_chunks(packed_model, squad, out, alone, ignore, ROWS)
        squad.write_text("\n".join(squad.read_text().splitlines()[:11]), encoding="utf-8")
        assert len(scored(packed_model, squad, out).splitlines()) == 11

    def test_every_bad_cell_is_told_as_of_a_whole_file(
        self, packed_model: PackedModel, squad: Path, tmp_path: Path
    ) -> None:
        cells = pd.read_csv(squad, dtype=object)
        cells.loc[3, "age_years"], cells.loc[30, "sex"], cells.loc[38, "age_years"] = "7", "m", None
        cells.loc[12, "height_cm"] = "1_80"
        cells.to_csv(squad, index=False)
        with pytest.raises(BadCells) as whole:
            read_screenings(squad)
        with pytest.raises(BadCells) as found:
            scored(packed_model, squad, tmp_path / "answers.csv")
        assert str(found.value) == str(whole.value)
        assert len(found.value.faults) == 4

    def test_a_screening_that_stands_twice_is_found_in_another_chunk(
        self, packed_model: PackedModel, squad: Path, tmp_path: Path
    ) -> None:
        with squad.open("a", encoding="utf-8") as file:
            file.write(squad.read_text().splitlines()[2] + "\n")
        with pytest.raises(BadCells) as whole:
            read_screenings(squad)
        with pytest.raises(BadCells) as found:
            scored(packed_model, squad, tmp_path / "answers.csv")
        assert str(found.value) == str(whole.value)


class TestProcesses:
    def test_a_killed_process_costs_no_work(self, tmp_path: Path) -> None:
        assert list(in_processes(doubled, tmp_path, range(1, 7), 2)) == [2, 4, 6, 8, 10, 12]

    def test_processes_end_with_a_command_that_is_killed(self, tmp_path: Path) -> None:
        script = tmp_path / "command.py"
        script.write_text(
            "import os, signal\n"
            "from worker_tasks import own_id\n"
            "from kneerisk.workers.worker_processes import in_processes\n"
            "if __name__ == '__main__':\n"
            "    for number in in_processes(own_id, None, range(100), 2):\n"
            "        print(number, flush=True)\n"
            "        os.kill(os.getpid(), signal.SIGKILL)\n"
        )
        here = {"PYTHONPATH": os.pathsep.join(sys.path)}
        ran = subprocess.run(
            [sys.executable, script],
            env=os.environ | here,
            capture_output=True,
            check=False,
            timeout=60,
        )
        # Output ends when the last process that could write to it has ended.
        assert ran.stdout.strip().isdigit()

    def test_processes_that_always_end_are_one_clear_message(self) -> None:
        with pytest.raises(WorkersLost, match="too little memory"):
            list(in_processes(killed, None, [1], 2))

    def test_a_container_s_limit_counts(self, tmp_path: Path, monkeypatch: Any) -> None:
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
        for written, counted in {"250000 100000": 2, "max 100000": 8, "50000 100000": 1}.items():
            (tmp_path / "cpu.max").write_text(written)
            monkeypatch.setattr(worker_processes, "_QUOTA", tmp_path / "cpu.max")
            assert worker_processes.cores() == counted


@pytest.mark.parametrize(
    ("content", "rows"), [("a\n1\n2\n3\n", 3), ("a\n1\n2\n3", 3), ("a\n1", 1), ("a\n", 1)]
)
def test_the_rows_that_progress_tells_are_those_below_the_header(
    tmp_path: Path, content: str, rows: int
) -> None:
    (tmp_path / "club.csv").write_text(content, newline="")
    assert row_count(tmp_path / "club.csv") == rows
