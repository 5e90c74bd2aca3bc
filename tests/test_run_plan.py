"""What a person chooses of a run: from options, from a file, and every fault of it at once."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kneerisk.training.fitting.settings import ALLOWED, DEFAULTS, Settings
from kneerisk.training.new_versions.run_plan import RunPlan, RunPlanRefused, run_plan


def test_nothing_chosen_is_the_default() -> None:
    assert run_plan() == RunPlan(None, {}, DEFAULTS)


def test_every_setting_has_a_range_that_holds_its_default() -> None:
    assert set(ALLOWED) == {each.name for each in fields(Settings)}
    for name, (low, high) in ALLOWED.items():
        assert low <= getattr(DEFAULTS, name) <= high


def test_options_win_over_a_file(tmp_path: Path) -> None:
    config = tmp_path / "run.toml"
    config.write_text(
        'name = "from the file"\n[tags]\nseason = 2027\nclub = "A"\n'
        "[settings]\nmax_depth = 2\nstep_size = 0.05\n"
    )
    plan = run_plan("mine", ["club=B = C"], ["max_depth=4"], config)
    assert plan.name == "mine"
    assert plan.tags == {"season": "2027", "club": "B = C"}
    assert plan.settings == Settings(max_depth=4, step_size=0.05)
    assert run_plan(config=config).name == "from the file"


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    config = tmp_path / "run.toml"
    config.write_text("athletes = 3\ntags = 1\n[settings]\nmax_depth = 2.5\n")
    with pytest.raises(RunPlanRefused) as refused:
        run_plan(
            "\n", ["purpose=mine", "mlflow.user=x", "loose"], ["depth=3", "step_size="], config
        )
    told = str(refused.value)
    for part in (
        "`athletes` is not known", "`tags` has to be a table", "--tag loose", "one line of text",
        "tag `purpose`", "tag `mlflow.user`", "setting max_depth: 2.5 is not a whole number",
        "no setting `depth`", "setting step_size:  is not a number from 0.001 to 1",
    ):  # fmt: skip
        assert part in told
    assert len(refused.value.faults) == 9


def test_what_is_no_toml_is_told(tmp_path: Path) -> None:
    config = tmp_path / "run.toml"
    config.write_bytes(b"\xff\xfe name")
    with pytest.raises(RunPlanRefused, match=r"run\.toml can't be read as TOML"):
        run_plan(config=config)


@given(st.sampled_from(sorted(ALLOWED)), st.floats() | st.integers() | st.text(max_size=8))
def test_a_setting_is_in_its_range_or_refused(name: str, value: float | str) -> None:
    low, high = ALLOWED[name]
    whole = isinstance(getattr(DEFAULTS, name), int)
    try:
        number = (int if whole else float)(str(value))
    except ValueError:
        number = float("nan")
    typed = [f"{name}={value}"]
    if low <= number <= high:
        assert getattr(run_plan(settings=typed).settings, name) == number
    else:
        with pytest.raises(RunPlanRefused, match=f"setting {name}"):
            run_plan(settings=typed)
