"""MLflow loads a version, by the installed package alone, and gives the service's numbers."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import mlflow.artifacts
import mlflow.models
import numpy as np
import pandas as pd
import pytest
from mlflow.models import Model
from scored_frames import SCREENINGS, frame_of, told
from sklearn.metrics import roc_auc_score

from kneerisk.answer import answers
from kneerisk.batch.pyfunc_loader import FrameModel
from kneerisk.cohort.simulation.simulated_cohort import Simulated
from kneerisk.errors import BadCells, BundleRefused, CohortRefused
from kneerisk.model import Bundle, champion
from kneerisk.schema import columns
from kneerisk.training.tracking import CHAMPION, Tracking

with warnings.catch_warnings():
    # MLflow warns of its own type hints.
    warnings.filterwarnings("ignore", message=".*Any type hint", category=UserWarning)
    import mlflow.pyfunc

MODEL = "kneerisk-new_pain-12m"
PAGE = (Path(__file__).parents[1] / "docs" / "comparing-runs.md").read_text("utf-8")
URI = f"models:/{MODEL}@{CHAMPION}"


@pytest.fixture(scope="module")
def store(champion_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tracking]:
    """A store of runs in which the champion is a version."""
    folder = tmp_path_factory.mktemp("project")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        tracking = Tracking(folder)
        found = champion.read(champion_models)
        assert found is not None
        with tracking.start_run("a run", {}) as run:
            version = run.register(MODEL, "for a test")
            run.log_bundle(found.folder, found.sha256)
        tracking.make_champion(version)
        before = mlflow.get_tracking_uri()
        mlflow.set_tracking_uri(tracking.uri)
        yield tracking
        mlflow.set_tracking_uri(before)


@pytest.fixture(scope="module")
def loaded(store: Tracking) -> Any:
    return mlflow.pyfunc.load_model(URI)


@pytest.fixture(scope="module")
def logged(store: Tracking, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the run keeps of the version."""
    folder = tmp_path_factory.mktemp("logged")
    return Path(mlflow.artifacts.download_artifacts(URI, dst_path=str(folder)))


def test_it_gives_the_numbers_of_the_answers_bit_for_bit(loaded: Any, released: Bundle) -> None:
    answered = [json.loads(one.model_dump_json(exclude_none=True, by_alias=True))
                for one in answers(released, SCREENINGS)]  # fmt: skip
    expected = pd.DataFrame([told(answer) for answer in answered])
    predicted = loaded.predict(frame_of(SCREENINGS))
    assert {"refer", "current_pain", "ok"} <= set(predicted["status"])
    pd.testing.assert_frame_equal(predicted[list(expected)], expected, check_exact=True)


def test_the_run_holds_no_code_and_no_pickle(logged: Path) -> None:
    kinds = {path.suffix for path in logged.rglob("*") if path.is_file()}
    assert kinds == {"", ".json", ".ubj"}
    flavors = Model.load(str(logged)).flavors
    assert set(flavors) == {"python_function"}
    flavor = flavors["python_function"]
    assert flavor["loader_module"] == "kneerisk.batch.pyfunc_loader"
    assert not {"code", "env", "python_model"} & {key for key, value in flavor.items() if value}


def test_the_signature_names_what_goes_in_and_comes_out(loaded: Any, logged: Path) -> None:
    signature = loaded.metadata.signature
    assert signature.inputs.input_names() == [*columns(), "red_flags"]
    assert not any(one.required for one in signature.inputs.inputs)
    example = loaded.metadata.load_input_example(str(logged))
    assert set(example) < set(columns())
    predicted = loaded.predict(example)
    assert signature.outputs.input_names() == list(predicted)
    kinds = {one.name: one.type.name for one in signature.outputs.inputs}
    for name, column in predicted.items():
        assert (kinds[name] == "double") == (column.dtype == np.float64), name


def test_whole_numbers_and_missing_columns_are_no_matter(loaded: Any) -> None:
    frame = pd.DataFrame({"age_years": [24, 31], "sex": ["male", "female"]}, index=["b", "a"])
    predicted = loaded.predict(frame)
    assert list(predicted.index) == ["b", "a"]
    pd.testing.assert_frame_equal(predicted, loaded.predict(frame.astype({"age_years": float})))


def test_bad_cells_are_refused_all_at_once(loaded: Any, released: Bundle) -> None:
    frame = pd.DataFrame({"age_years": [24.0, 777.0], "sex": ["man", "female"]})
    with pytest.raises(BadCells) as refused:
        loaded.predict(frame)
    assert {fault.column for fault in refused.value.faults} == {"age_years", "sex"}
    assert "777" not in str(refused.value)
    with pytest.raises(CohortRefused, match="hip_dorp_deg"):
        FrameModel(released).predict(frame.head(1).assign(hip_dorp_deg=3.0))


def test_a_changed_bundle_is_not_loaded(logged: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed"
    shutil.copytree(logged, changed)
    facts = changed / "bundle" / "facts.json"
    facts.write_text(facts.read_text().replace("simulated", "observed", 1))
    with pytest.raises(BundleRefused, match=r"facts\.json"):
        mlflow.pyfunc.load_model(str(changed))
    # A whole other bundle, sound in itself, is not the one that was logged.
    manifest = changed / "bundle" / "manifest.json"
    manifest.write_text(manifest.read_text() + "\n")
    with pytest.raises(BundleRefused, match="released"):
        mlflow.pyfunc.load_model(str(changed))


def test_mlflows_server_answers_with_it(loaded: Any, logged: Path) -> None:
    """The application behind `mlflow models serve`."""
    from mlflow.pyfunc import scoring_server

    request = json.loads((logged / "serving_input_example.json").read_text())
    bad = {"dataframe_records": [{"age_years": 777.25, "sex": "male"}]}

    async def asked() -> list[httpx.Response]:
        transport = httpx.ASGITransport(scoring_server.init(loaded))
        async with httpx.AsyncClient(transport=transport, base_url="http://mlflow") as client:
            return [await client.post("/invocations", json=body) for body in (request, bad)]

    answered, refused = asyncio.run(asked())
    assert answered.status_code == 200
    given = pd.DataFrame(answered.json()["predictions"]).astype({"risk_either": float})
    example = loaded.predict(loaded.metadata.load_input_example(str(logged)))
    assert given["risk_either"].equals(example["risk_either"])
    assert refused.status_code == 400
    assert "age_years" in refused.text
    assert "777" not in refused.text


@pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
def test_mlflow_evaluates_it_as_the_page_says(
    store: Tracking, simulated: Simulated, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = simulated.cohort.frame.drop(columns=["outcome_left", "outcome_right"])
    frame = frame.assign(outcome=simulated.cohort.outcomes().either).head(300)
    found: dict[str, Any] = {"frame": frame}
    for lines in re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL):
        here = lines.replace("sqlite:///mlflow.db", store.uri)
        exec(compile(here, "docs/comparing-runs.md", "exec"), found)
    known, risks, labels = (found[name] for name in ("known", "of_risks", "of_labels"))
    risk, outcome = found["model"].predict(known)["risk_either"], known["outcome"]
    assert risks.metrics["mean_squared_error"] == pytest.approx(
        float(((risk - outcome) ** 2).mean())
    )
    assert risks.metrics["auc"] == pytest.approx(roc_auc_score(outcome, risk))
    flagged = risk >= 0.2
    counts = {
        "true_positives": (flagged & (outcome == 1)).sum(),
        "false_positives": (flagged & (outcome == 0)).sum(),
        "false_negatives": (~flagged & (outcome == 1)).sum(),
    }
    assert {name: labels.metrics[name] for name in counts} == counts
    assert 0 < counts["true_positives"] < len(known)
    shown = [float(number) for number in capsys.readouterr().out.split()]
    assert shown[2:] == [labels.metrics[f"{name}_score"] for name in ("precision", "recall")]
