"""Every number of the documents is made by one command, and equals what was measured."""

from __future__ import annotations

import json
import shlex
from fnmatch import fnmatch
from importlib.util import find_spec
from pathlib import Path

import pytest
from test_docs import unknown_commands

from benchmarks import sample_size
from benchmarks.learning_curve import MOST_WORSE, CohortLosses, LearningCurve, as_markdown
from kneerisk.cohort.simulation.simulated_cohort import simulate
from pipelines import figures
from pipelines.figures import ROOT, Figure, FigureFailed
from pipelines.quoted_numbers import (
    Quotation,
    QuotationFault,
    rewrite_quotations,
    stale_quotations,
)

FIGURES, QUOTATIONS = figures.read_figures()
#: Folders that hold only files written by a command, but for the one written by hand.
MADE = ("benchmarks/results", "docs/plots", "docs/examples", "docs/tour")
BY_HAND = "docs/examples/cases.json"


class TestListed:
    def test_every_result_is_made_by_a_figure(self) -> None:
        files = {str(p.relative_to(ROOT)) for folder in MADE for p in (ROOT / folder).rglob("*.*")}
        patterns = [pattern for figure in FIGURES.values() for pattern in figure.makes]
        assert files - {BY_HAND} == {
            path for path in files if any(fnmatch(path, pattern) for pattern in patterns)
        }

    @pytest.mark.parametrize("name", FIGURES)
    def test_the_files_of_a_figure_exist(self, name: str) -> None:
        assert [p for p in FIGURES[name].makes if not list(ROOT.glob(p))] == []

    @pytest.mark.parametrize("name", FIGURES)
    def test_its_commands_exist(self, name: str) -> None:
        assert unknown_commands("\n".join(FIGURES[name].commands)) == []
        parts = [shlex.split(command) for command in FIGURES[name].commands]
        modules = [part[part.index("-m") + 1] for part in parts if "-m" in part]
        assert [module for module in modules if find_spec(module) is None] == []
        files = [word.replace("{root}", str(ROOT)) for part in parts for word in part]
        assert [f for f in files if f.startswith(str(ROOT)) and not Path(f).exists()] == []

    def test_no_document_quotes_a_stale_number(self) -> None:
        assert list(stale_quotations(ROOT, QUOTATIONS)) == []

    def test_the_list_shows_commands_and_minutes(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert figures.main(["--list"]) == 0
        listed = capsys.readouterr().out
        assert "clubs (" in listed
        assert "    python -m benchmarks.club_updating" in listed

    def test_an_unknown_name_is_refused(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert figures.main(["moon"]) == 2
        assert "no figure is called moon; there are derived, " in capsys.readouterr().err


class TestMake:
    def figure(self, *commands: str, **more: object) -> Figure:
        return Figure(name="f", description="", commands=commands, minutes=0, makes=(), **more)

    def test_it_runs_in_the_folder_with_this_checkout(self, tmp_path: Path) -> None:
        code = "import pathlib, pipelines; pathlib.Path('out').write_text(pipelines.__file__)"
        self.figure(f"python -c {shlex.quote(code)}").make(tmp_path)
        assert Path((tmp_path / "out").read_text()).is_relative_to(ROOT)

    def test_metrics_are_kept_without_run_ids(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(figures, "ROOT", tmp_path)
        printed = json.dumps({"run_id": "r", "metrics": {"b": 0.12345678, "a": 1}})
        self.figure(f"echo {shlex.quote(printed)}", "echo promoted", metrics="m.json").make(
            tmp_path
        )
        assert json.loads((tmp_path / "m.json").read_text()) == {"a": 1, "b": 0.123457}

    def test_missing_data_raise(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("KNEERISK_DATA", str(tmp_path))
        with pytest.raises(
            FigureFailed, match=r"reads a\.csv, .*data/README\.md says where to get it"
        ):
            self.figure("touch out", data=("a.csv",)).make(tmp_path)
        assert not (tmp_path / "out").exists()

    def test_a_failure_is_reported_and_the_others_are_made(self, tmp_path: Path) -> None:
        out = tmp_path / "out"
        bad, good = self.figure("false"), self.figure(f"touch {shlex.quote(str(out))}")
        assert figures.make({"bad": bad, "good": good}, ["bad", "good"]) == [
            "false ended with 1: "
        ]  # fmt: skip
        assert out.exists()


class TestQuotations:
    """Words around numbers, in a small document made for the test."""

    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        (tmp_path / "r.json").write_text(
            '{"auc": 0.7049, "of": [{"k": "x", "n": 1234}], "w": "a b"}'
        )
        (tmp_path / "r.md").write_text(
            "| | share, % |\n| --- | --- |\n| a: b |  |\n| c | -4.7 % |\n"
        )
        (tmp_path / "d.md").write_text("The AUC\nis 0.61 over\n1,000 legs: it was x y. And -1 %.\n")
        return tmp_path

    def quotation(self, text: str, result: str = "r.json") -> Quotation:
        return Quotation(document="d.md", result=result, text=text)

    def test_numbers_and_words_are_rewritten_and_line_breaks_kept(self, root: Path) -> None:
        quotations = [
            self.quotation("AUC is {{auc:.2f}} over {{of > k=x > n:,}} legs: it was {{w}}."),
            self.quotation("And {{=c > share, %}} %.", "r.md"),
        ]
        assert len(list(stale_quotations(root, quotations))) == 4
        rewrite_quotations(root, quotations)
        document = (root / "d.md").read_text()
        assert document == "The AUC\nis 0.70 over\n1,234 legs: it was a b. And -4.7 %.\n"
        assert list(stale_quotations(root, quotations)) == []

    @pytest.mark.parametrize(
        ("text", "message"),
        [("no {{auc}} here", "has 0 times"), ("{{auc}}", "has 3 times"),
         ("is {{aux}}", "has nothing at aux"), ("is {{of > k=z > n}}", "has 0 rows")],
    )  # fmt: skip
    def test_words_or_numbers_that_are_missing_raise(
        self, root: Path, text: str, message: str
    ) -> None:
        with pytest.raises(QuotationFault, match=message):
            list(stale_quotations(root, [self.quotation(text)]))


class TestSampleSize:
    """`python -m benchmarks.sample_size` in small, and what it left."""

    def test_fitted_to_outcomes_no_worse_than_logistic_regression_or_plain_xgboost(self) -> None:
        scorer = sample_size.Scorer(simulate(3_000, 5))
        fits = [scorer.fit_and_score(1_000, number) for number in (101, 102)]
        curve = LearningCurve(
            fresh=3_000, fitted_to=0, true_risk=0.0, oracle=0.0, fitted_to_truth=0.0, fits=fits
        )
        better = curve.better_baseline(1_000)
        assert curve.difference("model", 1_000).mean == 0.0
        assert curve.difference(better, 1_000).mean <= MOST_WORSE
        assert curve.values("model", 1_000).max() < curve.values("base_rate", 1_000).min()

    def test_the_page_is_what_was_measured(self) -> None:
        text, met = as_markdown(LearningCurve.read(sample_size.NUMBERS))
        assert sample_size.PAGE.read_text("utf-8") == text
        assert met

    @pytest.mark.parametrize(("model", "verdict"), [(0.2504, "Met at every size."),
                                                 (0.2506, "MISSED.")])  # fmt: skip
    def test_it_is_held_to_the_better_baseline(self, model: float, verdict: str) -> None:
        fits = [
            CohortLosses(athletes=500, cohort=number, outcomes=60, model=model, logistic=0.25,
                         own_leg=0.25, xgboost=0.26, base_rate=0.26)
            for number in range(2)
        ]  # fmt: skip
        curve = LearningCurve(
            fresh=1, fitted_to=1, true_risk=0.2, oracle=0.2, fitted_to_truth=0.2, fits=fits
        )
        text, met = as_markdown(curve)
        assert verdict in text
        assert met == (model < 0.2505)
