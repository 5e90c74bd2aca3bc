"""Validation reports: nobody can be made out, their numbers are right, they can be pooled."""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import replace
from html import unescape
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import statsmodels.api as sm
from browser import SHOTS
from hypothesis import given
from hypothesis import strategies as st
from mlflow import MlflowClient
from scipy.special import expit, logit

from kneerisk.cohort import Cohort
from kneerisk.cohort.files import write
from kneerisk.cohort.simulation.simulated_cohort import simulate
from kneerisk.errors import CohortRefused
from kneerisk.evaluation.calibration.cubic_splines import KNOTS, restricted_cubic_spline
from kneerisk.evaluation.calibration.recalibration import recalibrate, smooth_band
from kneerisk.evaluation.external.external_validation import validation_report
from kneerisk.evaluation.external.pooled_validation import pool_reports
from kneerisk.evaluation.external.small_cells import SMALLEST_CELL, large_parts, safe_cuts
from kneerisk.evaluation.external.validation_report import ValidationReport
from kneerisk.evaluation.task_rows import Risks, risks_of, task_rows
from kneerisk.model import Bundle
from kneerisk.training.tracking import Tracking, Version
from kneerisk.training.tracking.run_lookup import registered_here
from kneerisk.training.validation.pooled_page import pooled_html
from kneerisk.training.validation.validation_page import validation_html
from pipelines import __main__ as cli

#: Where pictures of the documents lie; remade with UPDATE_TOUR.
PLOTS = Path(__file__).parents[1] / "docs" / "plots"
#: What must never leave: an id, a file's name, a free text.
CANARIES = ("Hildegard", "secret-club", "coach@club.example")


@pytest.fixture(scope="module")
def club() -> Cohort:
    """A club of 900, with names for ids and a source that says too much."""
    drawn = simulate(900, 52).cohort
    frame = drawn.frame.assign(
        athlete_id=[f"Hildegard {number}" for number in range(len(drawn.frame))],
        screening_date=["2024-03-01" if number % 3 else "2025-03-01"
                        for number in range(len(drawn.frame))],
    )  # fmt: skip
    return replace(drawn, frame=frame, kind="observed", source="/home/coach@club.example/x.csv")


@pytest.fixture(scope="module")
def risks(released: Bundle, club: Cohort) -> Risks:
    return risks_of(released.model.predict(club.columns()))


@pytest.fixture(scope="module")
def report(released: Bundle, club: Cohort, risks: Risks) -> ValidationReport:
    prior = Risks(np.full(900, 0.07), np.full(900, 0.07), np.full(900, 0.13))
    return validation_report(released, club, risks, {"prior": prior}, "FC Testing")


@pytest.fixture
def kneerisk(monkeypatch, tmp_path, capsys):
    """Run the command in an empty folder; gives its exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["kneerisk", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return run


def of_club(report: ValidationReport, number: int, **changes: object) -> ValidationReport:
    """The report as another club's."""
    file = report.file.model_copy(
        update={"label": f"Club {number}", "rows_sha256": f"{number:064x}"} | changes
    )
    apart = np.random.default_rng(number).normal(0.0, [0.03, 0.2, 0.2])
    names = ("auc", "observed_to_expected", "calibration_slope")
    metrics = report.metrics | {
        f"{name}{end}": report.metrics[f"{name}{end}"] + float(shift)
        for name, shift in zip(names, apart, strict=True)
        for end in ("", "_low", "_high")
    }
    return report.model_copy(update={"file": file, "metrics": metrics})


def written(folder: Path, *reports: ValidationReport) -> list[Path]:
    paths = [folder / f"club-{number}.json" for number in range(len(reports))]
    for path, each in zip(paths, reports, strict=True):
        path.write_text(each.as_json())
    return paths


def register(tracking: Tracking, sha256: str, folder: Path) -> Version:
    """Register a version of that bundle in a store."""
    (folder / "bundle").mkdir()
    with tracking.start_run("a run", {}) as run:
        run.register("kneerisk-new_pain-12m", "for a test")
        run.log_bundle(folder / "bundle", sha256)
    found = registered_here(tracking, "kneerisk-new_pain-12m-v1", sha256)
    assert found is not None
    return found


class TestNobodyIsMadeOut:
    def test_no_id_no_path_no_free_text(self, report: ValidationReport) -> None:
        for text in (report.as_json(), validation_html(report)):
            assert not [canary for canary in CANARIES if canary in text]
            assert "FC Testing" in text

    def test_no_list_is_as_long_as_the_file(self, report: ValidationReport) -> None:
        data = json.loads(report.as_json())
        longest = max(len(value) for value in data.values() if isinstance(value, list))
        assert longest < 110 < report.file.athletes

    def test_no_cell_is_small(self, report: ValidationReport) -> None:
        cells = [(group.rows, group.events) for group in report.groups]
        cells += [(part.metrics["rows"], part.metrics["events"]) for part in report.slices]
        assert len(report.groups) > 2
        assert len(report.slices) > 4
        for rows, events in cells:
            assert events >= SMALLEST_CELL
            assert rows - events >= SMALLEST_CELL

    def test_nothing_follows_from_a_total_less_the_rest(self, report: ValidationReport) -> None:
        for by in {part.by for part in report.slices}:
            parts = [part.metrics for part in report.slices if part.by == by]
            for name in ("rows", "events"):
                assert sum(part[name] for part in parts) == report.metrics[name]

    def test_net_benefit_tells_no_small_cell(self, report: ValidationReport) -> None:
        """Who is at or above each cut can be worked out; differences between cuts are no person."""
        rows, share = report.metrics["rows"], report.metrics["observed_share"]
        acted = []
        for point, after in zip(report.decision, report.decision, strict=True):
            t, u = point.threshold, after.recalibrated_threshold
            # Two equations, of net benefit before and after, give true and false positives.
            left = np.array([[1.0, -t / (1 - t)], [1.0, -u / (1 - u)]])
            acted.append(np.linalg.solve(left, rows * np.array([point.model, after.recalibrated])))
        assert len(acted) > 3
        true_positives = [rows * share, *(each[0] for each in acted)]
        # Numbers have five digits, so that what is worked out is off by a little.
        assert (-np.diff(true_positives) > SMALLEST_CELL - 2.0).all()

    def test_numbers_of_athletes_are_rounded(self, report: ValidationReport) -> None:
        assert report.file.athletes % SMALLEST_CELL == 0
        assert report.file.screenings % SMALLEST_CELL == 0
        assert report.metrics["athletes"] % SMALLEST_CELL == 0

    def test_a_year_of_few_is_not_named(self, released, club, risks) -> None:
        dates = club.frame["screening_date"].where(np.arange(900) > 3, "1999-01-01")
        early = replace(club, frame=club.frame.assign(screening_date=dates))
        file = validation_report(released, early, risks, {}).file
        assert (file.first_year, file.last_year) == (2024, 2025)

    def test_too_small_a_file_is_refused_without_its_numbers(self, released, club, risks) -> None:
        few = replace(club, frame=club.frame.head(40), source="few.csv")
        cut = Risks(*(risk[:40] for risk in (risks.left, risks.right, risks.either)))
        with pytest.raises(CohortRefused, match="at least 10 athletes") as refused:
            validation_report(released, few, cut, {})
        assert re.findall(r"\d+", str(refused.value)) == ["10", "10"]

    @given(st.lists(st.sampled_from([None, "a", "b", "c", "d", "e"]), min_size=60, max_size=400),
           st.integers(0, 9))  # fmt: skip
    def test_parts_of_any_cut_are_large_or_put_together(self, labels, seed) -> None:
        rng = np.random.default_rng(seed)
        outcome = (rng.random(len(labels)) < 0.3).astype(float)
        athlete = rng.integers(0, len(labels) // 2 + 1, len(labels))
        rows = task_rows(rng.random(len(labels)), outcome, athlete)
        parts = large_parts(rows, labels)
        together = [part for part in parts if part.name is None]
        assert len(together) <= 1
        for part in parts:
            for kind in (0.0, 1.0):
                inside = part.rows & (outcome == kind)
                assert len(np.unique(athlete[inside])) >= SMALLEST_CELL
        if parts:
            assert (np.sum([part.rows for part in parts], axis=0) == 1).all()

    @given(st.integers(0, 30), st.floats(0.3, 3.0))
    def test_groups_of_risk_are_large(self, seed, spread) -> None:
        rng = np.random.default_rng(seed)
        risk = expit(rng.normal(-2.0, spread, 600))
        outcome = (rng.random(600) < risk).astype(float)
        rows = task_rows(risk, outcome, np.tile(np.arange(300), 2))
        ends = [0.0, *safe_cuts(rows), 1.0]
        for low, high in pairwise(ends):
            inside = (risk >= low) & (risk < high)
            for kind in (0.0, 1.0):
                of_kind = rows.athlete[inside & (outcome == kind)]
                assert len(ends) == 2 or len(np.unique(of_kind)) >= SMALLEST_CELL


class TestNumbers:
    def test_the_band_is_that_of_statsmodels(self) -> None:
        """A cluster-robust fit of the same spline: its curve and the limits of its log-odds."""
        rng = np.random.default_rng(4)
        log_odds = rng.normal(-1.5, 1.0, 800)
        athlete = np.tile(np.arange(400), 2)
        outcome = (rng.random(800) < expit(0.2 + 0.8 * log_odds)).astype(float)
        places = np.array([0.05, 0.1, 0.3])
        ours = smooth_band(task_rows(expit(log_odds), outcome, athlete), places)
        knots = np.quantile(log_odds, KNOTS)
        fit = sm.GLM(outcome, restricted_cubic_spline(log_odds, knots), sm.families.Binomial()).fit(
            cov_type="cluster",
            cov_kwds={"groups": athlete, "use_correction": False},
        )
        there = restricted_cubic_spline(logit(places), knots)
        error = np.sqrt(np.diag(there @ fit.cov_params() @ there.T))
        middle = there @ fit.params
        theirs = [expit(middle + sign * 1.959964 * error) for sign in (0.0, -1.0, 1.0)]
        assert np.allclose(ours, theirs, atol=1e-6)

    def test_recalibration_finds_what_was_bent(self) -> None:
        rng = np.random.default_rng(6)
        log_odds = rng.normal(-2.0, 1.0, 20_000)
        outcome = (rng.random(20_000) < expit(0.5 + 0.6 * log_odds)).astype(float)
        rows = task_rows(expit(log_odds), outcome)
        slope = recalibrate(rows, "slope")
        assert (slope.intercept, slope.slope) == pytest.approx((0.5, 0.6), abs=0.08)
        assert slope.metrics["log_loss_over_before"] < -0.01
        assert slope.metrics["log_loss"] < recalibrate(rows, "intercept").metrics["log_loss"]

    def test_risks_that_rank_backwards_are_not_recalibrated(self) -> None:
        rng = np.random.default_rng(7)
        log_odds = rng.normal(-1.0, 1.0, 2_000)
        outcome = (rng.random(2_000) < expit(-log_odds)).astype(float)
        assert recalibrate(task_rows(expit(log_odds), outcome), "slope") is None

    def test_the_order_of_rows_and_names_of_people_make_no_other_file(
        self, released: Bundle, club: Cohort, risks: Risks, report: ValidationReport
    ) -> None:
        order = np.random.default_rng(1).permutation(900)
        frame = club.frame.iloc[order].assign(athlete_id=[f"n{place}" for place in range(900)])
        turned = Risks(*(risk[order] for risk in (risks.left, risks.right, risks.either)))
        again = validation_report(
            released, replace(club, frame=frame.reset_index(drop=True)), turned, {}
        )
        assert again.file.rows_sha256 == report.file.rows_sha256
        assert again.metrics["calibration_slope"] == report.metrics["calibration_slope"]

    def test_two_legs_of_an_athlete_need_more_rows(self, report: ValidationReport) -> None:
        assert report.design_effect >= 1.0
        needed = {need.metric: need for need in report.needs}
        assert set(needed) == {"auc", "calibration_slope", "net_benefit", "observed_to_expected"}
        slope = needed["calibration_slope"]
        assert slope.events < slope.athletes < slope.rows
        assert slope.width_here > slope.width


class TestPage:
    def test_needs_nothing_else(self, report: ValidationReport) -> None:
        page = validation_html(report)
        assert "<script" not in page
        assert not re.findall(r"(?:src|href)=|url\(|@import|https?://", page)
        assert "default-src 'none'" in unescape(page)

    def test_a_label_is_no_markup(self, report: ValidationReport) -> None:
        file = report.file.model_copy(update={"label": "<b>FC</b> & sons"})
        page = validation_html(report.model_copy(update={"file": file}))
        assert "<b>FC" not in page
        assert "&lt;b&gt;FC" in page

    @pytest.mark.parametrize("kind", ["external-validation", "pooled-validation"])
    def test_opens_and_prints(
        self, report: ValidationReport, tmp_path: Path, browser, kind: str
    ) -> None:
        """Nothing is asked for or complained of; look at build/screenshots/<kind>.png."""
        clubs = [of_club(report, number) for number in range(8)]
        pages = {
            "external-validation": lambda: validation_html(report),
            "pooled-validation": lambda: pooled_html(pool_reports(clubs, [Path("x.json")] * 8)),
        }
        (tmp_path / "page.html").write_text(pages[kind]())
        opened = browser.new_page(viewport={"width": 900, "height": 1200})
        asked, complaints = [], []
        opened.on("request", lambda request: asked.append(request.url))
        opened.on("console", lambda message: complaints.append(message.text))
        opened.goto((tmp_path / "page.html").as_uri())
        SHOTS.mkdir(parents=True, exist_ok=True)
        opened.screenshot(path=SHOTS / f"{kind}.png", full_page=True)
        if os.environ.get("UPDATE_TOUR"):
            top = {"x": 50, "y": 25, "width": 800, "height": 1060}
            opened.screenshot(path=PLOTS / f"{kind}.png", full_page=True, clip=top)
        width = opened.evaluate("document.documentElement.scrollWidth")
        sheets = len(re.findall(rb"/Type\s*/Page\b", opened.pdf(prefer_css_page_size=True)))
        opened.close()
        assert len(asked) == 1
        assert complaints == []
        assert width <= 900
        assert 1 <= sheets <= 4


class TestCommands:
    def test_validate_then_pool(
        self,
        kneerisk,
        champion_models: Path,
        club: Cohort,
        report: ValidationReport,
        tmp_path: Path,
    ) -> None:
        few = replace(club, frame=club.frame.head(160).reset_index(drop=True))
        write(few, tmp_path / "secret-club.parquet")
        code, out, err = kneerisk(
            "validate", "--models", champion_models, "--data", "secret-club.parquet",
            "--label", "Club 0", "--out", "report.html", "--json",
        )  # fmt: skip
        assert code == 0, err
        result = json.loads(out)
        sent = (tmp_path / "report.json").read_text() + (tmp_path / "report.html").read_text()
        assert not [canary for canary in (*CANARIES, str(tmp_path)) if canary in sent]
        assert {"refitted_logistic_auc", "refitted_control_auc", "prior_log_loss"} <= result[
            "metrics"
        ].keys()
        run = MlflowClient(f"sqlite:///{tmp_path / 'mlflow.db'}").get_run(result["run_id"])
        assert run.data.metrics["auc"] == result["metrics"]["auc"]
        assert run.data.tags["version"] == result["model"]["version"]

        tracking = Tracking(tmp_path)
        version, sha256 = result["model"]["version"], result["model"]["sha256"]
        assert registered_here(tracking, version, sha256) is None
        registered = register(tracking, sha256, tmp_path)
        others = written(tmp_path, *(of_club(report, number) for number in range(5)))
        code, out, err = kneerisk("pool", "report.json", *others, "--json")
        assert code == 0, err
        pooled = json.loads(out)
        assert [metric["metric"] for metric in pooled["metrics"]] == [
            "auc", "observed_to_expected", "calibration_slope",
        ]  # fmt: skip
        assert pooled["pooled"]["pooled_auc_clubs"] == 6
        page = (tmp_path / "pooled.html").read_text()
        assert page.count('class="diamond"') == 3
        assert "<script" not in page
        run = MlflowClient(tracking.uri).get_run(pooled["run_id"])
        assert run.data.metrics["pooled_auc"] == pooled["pooled"]["pooled_auc"]
        made = MlflowClient(tracking.uri).get_run(registered.run_id).outputs.model_outputs
        assert [each.model_id for each in run.inputs.model_inputs] == [made[0].model_id]
        shown = MlflowClient(tracking.uri).get_logged_model(made[0].model_id).metrics
        assert "pooled_calibration_slope" in {metric.key for metric in shown}

    def test_what_can_not_be_pooled_is_told_at_once(
        self, kneerisk, report: ValidationReport, tmp_path: Path
    ) -> None:
        other_model = report.model.model_copy(update={"version": "kneerisk-new_pain-12m-v9"})
        mixed = of_club(report, 2, outcome_kind="present_pain", horizon_months=None,
                        cohort_kind="simulated", own_cohort=True)  # fmt: skip
        written(tmp_path, of_club(report, 1), mixed.model_copy(update={"model": other_model}),
                of_club(report, 1))  # fmt: skip
        code, out, err = kneerisk("pool", "club-0.json", "club-1.json", "club-2.json")
        assert (code, out) == (1, "")
        for words in ("different models", "different outcomes", "different horizons",
                      "never mixed", "same file was validated twice: club-0.json and club-2.json",
                      "club-1.json is of held-out athletes"):  # fmt: skip
            assert words in err
        assert not (tmp_path / "pooled.html").exists()
        assert not (tmp_path / "mlflow.db").exists()

    def test_files_that_are_no_reports_are_told_at_once(
        self, kneerisk, report: ValidationReport, tmp_path: Path
    ) -> None:
        [sound] = written(tmp_path, report)
        damaged = json.loads(sound.read_text())
        damaged["metrics"]["auc"] = "high"
        (tmp_path / "damaged.json").write_text(json.dumps(damaged))
        (tmp_path / "page.html").write_text("<p>")
        (tmp_path / "old.json").write_text('{"format": "kneerisk validation 0"}')
        (tmp_path / "nan.json").write_text(sound.read_text().replace("0.5,", "NaN,", 1))
        code, _, err = kneerisk("pool", "damaged.json", "page.html", "old.json", sound)
        assert code == 1
        assert "damaged.json: a damaged report: metrics/auc" in err
        assert "page.html: this is the page of a report" in err
        assert "old.json: not a report that this program reads" in err
        assert "club-0" not in err

    def test_impossible_numbers_are_not_pooled(self, kneerisk, report, tmp_path: Path) -> None:
        wrong = report.model_copy(update={"metrics": report.metrics | {"auc": 1.7}})
        written(tmp_path, of_club(wrong, 1), of_club(report, 2), of_club(report, 3))
        code, _, err = kneerisk("pool", "club-0.json", "club-1.json", "club-2.json")
        assert code == 1
        assert "club-0.json is damaged" in err

    @pytest.mark.parametrize("out", ["report.pdf", "report"])
    def test_another_kind_of_page_is_refused(self, kneerisk, tmp_path: Path, out: str) -> None:
        (tmp_path / "c.csv").write_text("athlete_id\na\n")
        code, _, err = kneerisk("validate", "--data", "c.csv", "--out", out)
        assert code == 1
        assert "must end in .html" in err

    def test_a_report_is_not_written_over(self, kneerisk, report, tmp_path: Path) -> None:
        paths = written(tmp_path, *(of_club(report, number) for number in range(3)))
        code, _, err = kneerisk("pool", *paths, "--out", "club-1.html")
        assert code == 1
        assert "choose another name" in err
