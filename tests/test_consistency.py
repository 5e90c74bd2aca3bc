"""The same screening has the same numbers, to the last digit, wherever it is asked.

In the library alone and in a team, over HTTP alone and in a team, and in a file of either format.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from served import Served
from typer.testing import CliRunner

from kneerisk.answer import Answer, answers
from kneerisk.cohort.simulation.simulated_cohort import Simulated
from kneerisk.model import Bundle
from kneerisk.model.golden_cases import BODIES
from kneerisk.schema import Screening, columns, from_row, to_row
from pipelines.__main__ import app

#: Numbers with many digits, and red flags that were asked: what a simulated athlete never has.
MORE: tuple[dict[str, Any], ...] = (
    *BODIES,
    {
        "athlete": {"age_years": 33.3333333333, "sex": "male", "sport": "volleyball",
                    "mass_kg": 81.1 / 3, "height_cm": 180.1},
        "left": {"hip_drop_deg": 0.1 + 0.2, "fppa_deg": 20 / 3, "wblt_dorsiflexion_deg": 100 / 3},
        "protocol": {"valgus_task": "drop_jump"},
        "red_flags": ["effusion"],
    },
    {"athlete": {"age_years": 19, "sex": "female"}, "red_flags": ["true_locking", "hard_mass"]},
    {"athlete": {"age_years": 90, "sex": "male"}, "red_flags": []},
)  # fmt: skip


@pytest.fixture(scope="module")
def screenings(simulated: Simulated) -> list[Screening]:
    """Two dozen simulated athletes and what they lack, then all with their legs exchanged."""
    found = [Screening.model_validate(body) for body in MORE]
    for _, row in simulated.cohort.frame.head(24).iterrows():
        given = {name: row[name] for name in columns() if name in row and not pd.isna(row[name])}
        whole = {n: int(v) for n, v in given.items() if getattr(columns()[n], "whole", False)}
        found.append(from_row(given | whole))
    return found + [screening.swapped() for screening in found]


@pytest.fixture(scope="module")
def expected(released: Bundle, screenings: list[Screening]) -> list[dict[str, Any]]:
    """What the library says of each screening alone."""
    return [plain(answers(released, [screening])[0]) for screening in screenings]


def plain(found: Answer) -> dict[str, Any]:
    """An answer as it arrives: through JSON, without what is absent."""
    arrived: dict[str, Any] = json.loads(found.model_dump_json(exclude_none=True))
    return arrived


def body(screening: Screening) -> dict[str, Any]:
    sent: dict[str, Any] = screening.model_dump(mode="json", exclude_none=True)
    return sent


def test_a_body_comes_back_as_it_was_sent(screenings: list[Screening]) -> None:
    for screening in screenings:
        assert Screening.model_validate_json(json.dumps(body(screening))) == screening


@pytest.mark.parametrize("size", [2, 7, 64])
def test_in_a_team(
    released: Bundle,
    screenings: list[Screening],
    expected: list[dict[str, Any]],
    size: int,
) -> None:
    found: list[Answer] = []
    for first in range(0, len(screenings), size):
        found += answers(released, screenings[first : first + size])
    assert [plain(one) for one in found] == expected


def test_in_another_order(
    released: Bundle, screenings: list[Screening], expected: list[dict[str, Any]]
) -> None:
    found = [plain(one) for one in answers(released, screenings[::-1])]
    assert found[::-1] == expected


def test_exchanged_legs_exchange_the_numbers(expected: list[dict[str, Any]]) -> None:
    half = len(expected) // 2
    for one, other in zip(expected[:half], expected[half:], strict=True):
        for side, across in (("left", "right"), ("right", "left"), ("either", "either")):
            mine, theirs = (
                dict(told["risk"].get(at, {})) for told, at in ((one, side), (other, across))
            )
            # Where the drivers start is a rest: what is left of the risk when they are taken off.
            typical = [risk.pop("typical_probability", None) for risk in (mine, theirs)]
            assert mine == theirs
            assert typical[0] == pytest.approx(typical[1], abs=1e-12)
        assert one["risk"]["status"] == other["risk"]["status"]
        assert patterns(one, "left") == patterns(other, "right")


def patterns(found: dict[str, Any], side: str) -> list[tuple[str, float]]:
    told = found.get("imbalances", [])
    return [(one["name"], one["probability"]) for one in told if one["side"] == side]


@pytest.mark.slow
class TestOverHttp:
    def test_alone(
        self, page_service: Served, screenings: list[Screening], expected: list[dict[str, Any]]
    ) -> None:
        for screening, wanted in zip(screenings, expected, strict=True):
            response = page_service.post("/v1/predict", body(screening))
            assert response.status_code == 200
            assert response.json() == wanted

    def test_in_a_team(
        self, page_service: Served, screenings: list[Screening], expected: list[dict[str, Any]]
    ) -> None:
        sent = {"screenings": [body(screening) for screening in screenings]}
        results = page_service.post("/v1/predict_team", sent).json()["results"]
        assert [result["index"] for result in results] == list(range(len(screenings)))
        assert [result["answer"] for result in results] == expected

    def test_the_model_is_the_one_of_the_library(
        self, page_service: Served, released: Bundle
    ) -> None:
        assert page_service.get("/v1/model").json()["version"] == released.metadata.version


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
class TestInAFile:
    @pytest.fixture
    def scored(
        self, suffix: str, screenings: list[Screening], champion_models: Path, tmp_path: Path
    ) -> pd.DataFrame:
        rows = pd.DataFrame([to_row(screening) for screening in screenings])
        rows.insert(0, "athlete_id", [f"a{number}" for number in range(len(rows))])
        rows["red_flags"] = [flags(screening) for screening in screenings]
        given, out = tmp_path / f"team{suffix}", tmp_path / f"answers{suffix}"
        if suffix == ".csv":
            rows.to_csv(given, index=False)
        else:
            rows.to_parquet(given, index=False)
        command = ["score", str(given), "--out", str(out), "--models", str(champion_models)]
        ended = CliRunner().invoke(app, command)
        assert ended.exit_code == 0, ended.output
        if suffix == ".csv":
            return pd.read_csv(out)
        return pd.read_parquet(out)

    def test_scored(self, scored: pd.DataFrame, expected: list[dict[str, Any]]) -> None:
        assert list(scored["athlete_id"]) == [f"a{number}" for number in range(len(expected))]
        assert list(scored["status"]) == [one["risk"]["status"] for one in expected]
        for name in ("left", "right", "either"):
            told = [one["risk"].get(name) for one in expected]
            for column, values in {
                f"risk_{name}": [one and one["probability"] for one in told],
                f"risk_{name}_low": [one and one["interval"][0] for one in told],
                f"risk_{name}_high": [one and one["interval"][1] for one in told],
                f"band_{name}": [one and one["band"] for one in told],
            }.items():
                assert there(scored[column]) == values, column

    def test_imbalances(self, scored: pd.DataFrame, expected: list[dict[str, Any]]) -> None:
        for row, one in zip(scored.to_dict("records"), expected, strict=True):
            for side in ("left", "right"):
                for name, probability in patterns(one, side):
                    assert row[f"{side}_{name}"] == probability


def flags(screening: Screening) -> str | None:
    if screening.red_flags is None:
        return None
    return ";".join(screening.red_flags) or "none"


def there(column: pd.Series) -> list[Any]:
    """The values of a column; None where there is none."""
    return [None if pd.isna(value) else value for value in column]
