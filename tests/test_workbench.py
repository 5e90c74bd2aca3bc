"""The MLflow page over two real runs: they compare, their plots are there, lineage is shown.

Its pictures are left in `build/screenshots`, as those of our own page are.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from browser import SHOTS
from mlflow import MlflowClient
from playwright.sync_api import Browser, Page, expect
from served import ROOT, free_port, stop
from typer.testing import CliRunner

from kneerisk.evaluation.run_verdict import verdict
from kneerisk.training.tracking import CHAMPION, LoggedRun, Tracking
from kneerisk.training.tracking.naming import BEST_CALIBRATED, TRAINED_MODELS
from pipelines.__main__ import app

pytestmark = pytest.mark.slow

MODEL = "kneerisk-new_pain-12m"
#: MLflow's page is large: its first view takes seconds on a busy machine.
LONG = 60_000
TRANSPORT_AUC = "iecv_auc"
PLOTS = ("calibration", "decision_curve", "oracle_gap", "risk_distribution", "roc")


def typed(*arguments: str) -> None:
    ended = CliRunner().invoke(app, [*arguments])
    assert ended.exit_code == 0, ended.output


@dataclass(frozen=True)
class Workbench:
    """A running MLflow page and the runs that it shows, the latest first."""

    url: str
    runs_page: str
    runs: list[LoggedRun]
    model_id: str
    """Of the latest run."""


@pytest.fixture(scope="module")
def workbench(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """Two models of one cohort, one of them without the truth, under `kneerisk ui`."""
    folder = tmp_path_factory.mktemp("project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        typed("simulate", "--athletes", "2000", "--seed", "3", "--out", "club.parquet")
        typed("train", "--data", "club.parquet")
        Path("club-truth.parquet").unlink()
        typed("train", "--data", "club.parquet")
        tracking = Tracking(folder)
        tracking.set_alias(tracking.version(f"{MODEL}-v1"), CHAMPION)
        runs = tracking.find_runs(["train"])
        client = MlflowClient(tracking.uri)
        outputs = client.get_run(runs[0].run_id).outputs.model_outputs
        # Simulated athletes have no clubs or years to leave out, which the view has a column for.
        client.log_metric(runs[0].run_id, TRANSPORT_AUC, 0.66)
    command = [sys.executable, "-m", "pipelines", "ui", "--port", str(free_port()), "--json"]
    with (folder / "mlflow.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
            env=os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT)))},
            start_new_session=True,
        )  # fmt: skip
        try:
            told = process.stdout.readline() if process.stdout is not None else b""
            assert told, (folder / "mlflow.log").read_text()
            found = json.loads(told)
            yield Workbench(found["url"], found["runs"], runs, outputs[0].model_id)
        finally:
            stop(process)
            if process.stdout is not None:
                process.stdout.close()


@pytest.fixture
def page(browser: Browser, workbench: Workbench) -> Iterator[Page]:
    """A fresh profile, in which MLflow asks nothing of another host."""
    profile = browser.new_context(viewport={"width": 1500, "height": 1000})
    page = profile.new_page()
    page.set_default_timeout(LONG)
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    yield page
    profile.close()
    assert hosts - {""} == {urlsplit(workbench.url).netloc}


def shot(page: Page, name: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"mlflow-{name}.png", animations="disabled")


#: The addresses of pictures of a name (or of any) that are drawn for a person to see.
DRAWN = (
    "name => [...document.querySelectorAll(name ? `img[alt='${name}']` : 'img')]"
    ".filter(one => one.complete && one.naturalWidth > 300 && one.clientWidth > 300)"
    ".map(one => one.src)"
)


def look_at(page: Page, name: str, number: int) -> None:
    """Choose a picture from the list of files, and wait until so many of it are drawn.

    MLflow names a picture before it is there, over what was shown before.
    """
    before = page.evaluate(DRAWN, None)
    # The pictures may lie over the list of files, which a person then scrolls to.
    page.get_by_text(name, exact=True).first.dispatch_event("click")
    page.wait_for_function(
        f"([name, number, before]) => {{ const drawn = ({DRAWN})(name);"
        " return drawn.length === number && !drawn.some(one => before.includes(one)) }",
        arg=[name, number, before],
    )


def test_it_is_answered_under_its_own_names_and_to_its_own_pages_alone(workbench):
    port = urlsplit(workbench.url).port
    for host, status in ((f"localhost:{port}", 200), ("evil.example", 403), ("192.168.1.7", 403),
                         (f"evil.example:{port}", 403)):  # fmt: skip
        answer = httpx.get(f"{workbench.url}/", headers={"host": host}, timeout=30)
        assert answer.status_code == status, host
    create = f"{workbench.url}/api/2.0/mlflow/experiments/create"
    foreign = {"origin": "https://evil.example"}
    refused = httpx.post(create, json={"name": "foreign"}, headers=foreign, timeout=30)
    assert refused.status_code == 403


def test_runs_are_recognised_best_calibrated_first(page, workbench):
    page.goto(workbench.runs_page)
    expect(page.get_by_text("Models for release")).to_be_visible(timeout=LONG)
    found = page.get_by_role("link", name="new pain within 12 months, simulated, 2,000 athletes")
    expect(found).to_have_count(2, timeout=LONG)
    by_index = sorted(
        workbench.runs, key=lambda run: run.metrics[BEST_CALIBRATED.removeprefix("metrics.")]
    )
    assert [one.inner_text() for one in found.all()] == [run.name for run in by_index]
    shot(page, "runs")


def test_the_bare_address_leads_to_the_ready_made_view(page, workbench):
    page.goto(workbench.url)
    expect(page.get_by_text("Best calibrated first")).to_be_visible(timeout=LONG)
    for name in (
        "auc", "log_loss", "calibration_slope", "calibration_intercept",
        "integrated_calibration_index", "net_benefit_at_10_pct", TRANSPORT_AUC, "source",
    ):  # fmt: skip
        expect(page.get_by_role("columnheader", name=name, exact=True).first).to_be_attached()
    assert page.url.startswith(workbench.runs_page)
    expect(page.get_by_text("MLflow Assistant").filter(visible=True)).to_have_count(0)
    shot(page, "view")


def test_the_assistant_that_could_run_commands_is_not_there(workbench):
    for path in ("config", "providers", "message"):
        answer = httpx.get(f"{workbench.url}/ajax-api/3.0/mlflow/assistant/{path}")
        assert answer.status_code == 404
    assert httpx.get(workbench.url).headers["cache-control"] == "no-store"


def test_two_runs_compare_by_our_metrics_and_plots(page, workbench):
    page.goto(workbench.runs_page)
    boxes = page.get_by_role("checkbox", name="Press Space to toggle row selection")
    expect(boxes).to_have_count(2, timeout=LONG)
    for box in boxes.all():
        box.check()
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.get_by_text("Comparing 2 Runs from 1 Experiment")).to_be_visible(timeout=LONG)
    for run in workbench.runs:
        expect(page.get_by_role("cell", name=run.name)).to_be_visible()
        shown = f"{run.metrics['auc']:.3f}".rstrip("0")
        expect(page.get_by_text(shown, exact=True).first).to_be_attached()
    expect(page.get_by_role("link", name="auc", exact=True)).to_be_visible()
    shot(page, "compare")
    for name in (*PLOTS, "calibration"):
        look_at(page, f"{name}.png", 2)
    page.get_by_role("img", name="calibration.png").first.scroll_into_view_if_needed()
    shot(page, "compare-plots")


def test_a_run_tells_its_verdict_and_its_lineage(page, workbench):
    newest = workbench.runs[0]
    page.goto(
        f"{workbench.url}/#/experiments/{newest.experiment}/runs/{newest.run_id}?{TRAINED_MODELS}"
    )
    note = page.get_by_text(verdict(newest.metrics))
    expect(note).to_be_visible(timeout=LONG)
    expect(page.get_by_text("training: kneerisk simulator").first).to_be_visible()
    expect(page.get_by_text("challenger").first).to_be_visible()
    shot(page, "run")
    page.get_by_text("Show more", exact=True).click()
    with page.context.expect_page() as opened:
        page.get_by_role("link", name=f"{MODEL}-v2", exact=True).click()
    page = opened.value
    expect(page.get_by_role("heading", name="Version 2")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("On held-out athletes it ranks")).to_be_visible()
    expect(page.get_by_role("link", name=newest.name)).to_be_visible()
    shot(page, "version")


def test_the_plots_of_a_run_are_there_to_look_at(page, workbench):
    newest = workbench.runs[0]
    page.goto(f"{workbench.url}/#/experiments/{newest.experiment}/runs/{newest.run_id}/artifacts")
    for name in PLOTS:
        look_at(page, f"{name}.png", 1)
    shot(page, "plots")


def test_a_model_shows_its_data_its_run_and_its_version(page, workbench):
    newest = workbench.runs[0]
    page.goto(f"{workbench.url}/#/experiments/{newest.experiment}/models/{workbench.model_id}")
    expect(page.get_by_role("link", name=newest.name).first).to_be_visible(timeout=LONG)
    expect(page.get_by_text("held-out: kneerisk simulator").first).to_be_visible()
    expect(page.get_by_text("within_penalty", exact=True).last).to_be_attached()
    expect(page.get_by_role("link", name=MODEL)).to_be_visible()
    expect(page.get_by_text("v2", exact=True)).to_be_visible()
    shot(page, "model")
