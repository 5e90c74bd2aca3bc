"""The command kneerisk: what it prints where, and how it ends."""

import csv
import io
import json
import os
import pty
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from bodies import flat

from kneerisk import __version__
from kneerisk.answer import answer
from kneerisk.cohort import read, read_screenings
from kneerisk.cohort.sheets.undescribed_sheet import recognise
from kneerisk.cohort.simulation.simulated_cohort import SOURCE, simulate
from kneerisk.errors import CohortRefused
from kneerisk.model import bundle, champion
from kneerisk.progress import event, within
from kneerisk.schema import SIDES, Screening, from_row
from kneerisk.test_pack import pack_files
from kneerisk.test_pack.pack_requests import PACK_SIZE
from kneerisk.training.provenance import Source, load
from kneerisk.words import section
from pipelines import __main__ as cli
from pipelines import console
from pipelines.__main__ import COMMANDS as COMMAND_FILES
from pipelines.console import Table

ROOT = Path(__file__).parents[1]
COMMANDS = sorted(
    str(command.name or command.callback.__name__)
    for file in COMMAND_FILES
    for command in file.app.registered_commands
)
#: Of commands that have commands of their own: both words.
GROUPED = [
    (str(group.name), str(command.name or command.callback.__name__))
    for group in cli.app.registered_groups
    if isinstance(group.name, str)
    for command in group.typer_instance.registered_commands
]
TYPED = [*COMMANDS, *GROUPED]


@pytest.fixture
def kneerisk(monkeypatch, tmp_path, capsys):
    """Run the command in an empty folder; gives its exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    for name in ("MLFLOW_TRACKING_URI", "KNEERISK_MODELS", "PORT", "MLFLOW_PORT"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["kneerisk", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return run


class TestHelp:
    def test_commands_are_listed_with_examples(self, kneerisk):
        code, out, _ = kneerisk("--help")
        assert code == 0
        assert "Not a medical device" in " ".join(out.split())
        for panel in ("Make a cohort", "Train and evaluate", "Release and answer", "Keep records"):
            assert panel in out

    @pytest.mark.parametrize("command", TYPED, ids=str)
    def test_every_command_shows_examples_that_can_be_typed(self, kneerisk, command):
        """An example names this command, and options that it has."""
        words = command if isinstance(command, tuple) else (command,)
        code, out, _ = kneerisk(*words, "--help")
        assert code == 0
        usage, _, shown = out.partition("Examples")
        lines = " ".join(shown.split()).split("kneerisk ")[1:]
        assert lines
        for line in lines:
            assert line.startswith(" ".join(words))
            for option in re.findall(r"--[a-z-]+", line):
                assert option in usage

    def test_every_command_with_a_result_has_it_as_json(self, kneerisk):
        for command in COMMANDS:
            assert "--json" in kneerisk(command, "--help")[1]

    def test_the_version_is_told(self, kneerisk):
        assert kneerisk("--version") == (0, f"kneerisk {__version__}\n", "")

    def test_an_unknown_command_is_answered_with_the_nearest(self, kneerisk):
        code, out, err = kneerisk("promte")
        assert (code, out) == (2, "")
        assert "Did you mean 'promote'?" in err

    def test_help_loads_nothing_heavy(self):
        heavy = "{'mlflow', 'pandas', 'xgboost', 'sklearn', 'bentoml', 'matplotlib', 'scipy'}"
        program = (
            "import sys; sys.argv = ['kneerisk', '--help']\n"
            "from pipelines.__main__ import main\n"
            "try:\n    main()\nexcept SystemExit:\n    pass\n"
            f"sys.exit(', '.join({heavy} & set(sys.modules)) or 0)"
        )
        ended = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stderr

    def test_comparing_loads_little_besides_mlflow(self):
        """MLflow's own modules take two seconds: these would be two more."""
        heavy = "{'scipy.stats', 'scipy.optimize', 'xgboost', 'sklearn', 'matplotlib', 'optuna'}"
        program = (
            "import sys\n"
            "import kneerisk.evaluation.comparison, kneerisk.training.tracking.run_lookup\n"
            "import pipelines.compare, pipelines.runs\n"
            f"sys.exit(', '.join({heavy} & set(sys.modules)) or 0)"
        )
        ended = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stderr

    def test_an_unknown_option_is_told(self, kneerisk):
        code, out, err = kneerisk("train", "--fast")
        assert code == 2
        assert out == ""
        assert "--fast" in err


class TestMistakes:
    """One clear message on stderr, a non-zero exit, no traceback, nothing written."""

    def test_no_challenger(self, kneerisk):
        code, out, err = kneerisk("promote")
        assert (code, out) == (1, "")
        assert err.splitlines()[-1] == "kneerisk: there is no challenger: train a model first"

    def test_no_champion(self, kneerisk, tmp_path):
        (tmp_path / "c.csv").write_text("athlete_id,age_years,sex\na,30,male\n")
        code, _, err = kneerisk("score", "c.csv", "--out", "a.csv")
        assert code == 1
        assert "names no champion" in err

    def test_a_file_that_is_not_there(self, kneerisk):
        code, _, err = kneerisk("train", "--data", "nowhere.parquet")
        assert code == 2
        assert "nowhere.parquet" in err

    def test_a_file_that_is_no_cohort(self, kneerisk, tmp_path):
        (tmp_path / "c.csv").write_text("a,b\n1,2\n")
        code, out, err = kneerisk("train", "--data", "c.csv", "--json")
        assert (code, out) == (1, "")
        assert "not a cohort" in err
        assert not (tmp_path / "mlflow.db").exists()

    def test_a_folder_that_cannot_be_written(self, kneerisk, tmp_path):
        (tmp_path / "file").write_text("")
        code, _, err = kneerisk("simulate", "--athletes", 10, "--out", "file/c.csv")
        assert code == 1
        assert "Traceback" not in err

    def test_a_taken_port(self, kneerisk):
        import socket

        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            for command in ("serve", "ui"):
                code, _, err = kneerisk(command, "--port", port)
                assert code == 1
                assert f"port {port} is taken" in err


class TestSimulate:
    def test_the_same_seed_gives_the_same_bytes(self, kneerisk, tmp_path):
        for name in ("one", "two"):
            code, out, _ = kneerisk(
                "simulate", "--athletes", 20, "--seed", 5, "--json",
                "--out", f"{name}.csv",
            )  # fmt: skip
            assert code == 0
            assert json.loads(out)["screenings"] == 20
        for kind in ("", "-truth"):
            one, two = ((tmp_path / f"{n}{kind}.csv").read_bytes() for n in ("one", "two"))
            assert one == two
        assert read(tmp_path / "one.csv") == simulate(20, 5).cohort
        truth = pd.read_csv(tmp_path / "one-truth.csv")
        assert list(truth["athlete_id"]) == list(read(tmp_path / "one.csv").frame["athlete_id"])

    def test_a_club_with_other_odds_has_the_same_athletes_and_says_so(self, kneerisk, tmp_path):
        for name, odds in (("usual", 1), ("club", 2)):
            code, out, _ = kneerisk(
                "simulate", "--athletes", 300, "--seed", 5, "--base-odds", odds, "--json",
                "--out", f"{name}.csv",
            )  # fmt: skip
            assert code == 0
            assert json.loads(out).get("base_odds") == (None if odds == 1 else 2)
        usual, club = (read(tmp_path / f"{name}.csv") for name in ("usual", "club"))
        assert usual == simulate(300, 5).cohort
        assert (usual.source, club.source) == (SOURCE, f"{SOURCE}, base_odds=2")
        assert club.kind == "simulated"
        outcomes = ["outcome_left", "outcome_right"]
        assert club.frame.drop(columns=outcomes).equals(usual.frame.drop(columns=outcomes))
        for side in SIDES:
            risks = [pd.read_csv(tmp_path / f"{name}-truth.csv")[f"risk_{side}"].to_numpy()
                     for name in ("usual", "club")]  # fmt: skip
            before, after = (risk / (1.0 - risk) for risk in risks)
            np.testing.assert_allclose(after, 2.0 * before, rtol=1e-9)

    @pytest.mark.parametrize("odds", [0.1, 6, "nan"])
    def test_odds_that_no_study_reports_are_refused(self, odds, kneerisk, tmp_path):
        code, out, err = kneerisk("simulate", "--base-odds", odds, "--out", "club.csv")
        assert (code, out) == (2, "")
        assert "not between 0.2 and 5" in " ".join(err.replace("│", " ").split())
        assert not (tmp_path / "club.csv").exists()

    def test_the_truth_is_written_where_asked_and_found_beside_the_cohort(self, kneerisk, tmp_path):
        kneerisk("simulate", "--athletes", 20, "--out", "one.csv", "--truth", "elsewhere.parquet")
        assert (tmp_path / "elsewhere.parquet").is_file()
        assert not (tmp_path / "one-truth.csv").exists()
        assert load(Source(path=tmp_path / "one.csv"))[1] is None
        kneerisk("simulate", "--athletes", 20, "--seed", 6, "--out", "two.csv")
        cohort, truth = load(Source(path=tmp_path / "two.csv"))
        assert truth is not None
        assert list(truth["athlete_id"]) == list(cohort.frame["athlete_id"])
        (tmp_path / "two-truth.csv").rename(tmp_path / "one-truth.csv")
        with pytest.raises(CohortRefused, match="true risks of another cohort"):
            load(Source(path=tmp_path / "one.csv"))


class TestScore:
    @pytest.fixture
    def scored(self, kneerisk, tmp_path, champion_models):
        kneerisk("simulate", "--athletes", 40, "--seed", 8, "--out", "cohort.parquet")

        def score(out, file="cohort.parquet"):
            code, printed, err = kneerisk(
                "score", file, "--out", out, "--models", champion_models, "--json"
            )
            assert code == 0, err
            return json.loads(printed)

        return score

    def test_numbers_are_those_of_single_answers(self, scored, tmp_path, champion_models):
        assert scored("answers.parquet")["screenings"] == 40
        found = pd.read_parquet(tmp_path / "answers.parquet")
        frame, screenings = read_screenings(tmp_path / "cohort.parquet")
        served = champion.read(champion_models)
        assert served is not None
        loaded = bundle.load(served.folder)
        assert list(found["athlete_id"]) == list(frame["athlete_id"])
        for row, screening in zip(found.to_dict("records"), screenings, strict=True):
            alone = flat(answer(loaded, screening))
            for name, value in alone.items():
                if value is None:
                    assert pd.isna(row[name])
                else:
                    assert row[name] == value

    def test_csv_and_parquet_hold_the_same(self, scored, tmp_path):
        scored("answers.parquet")
        scored("answers.csv")
        one = pd.read_parquet(tmp_path / "answers.parquet")
        other = pd.read_csv(tmp_path / "answers.csv")
        numbers = one.select_dtypes("number").columns
        assert len(numbers) >= 19
        np.testing.assert_array_equal(one[numbers], other[numbers])

    def test_outcomes_are_not_needed_and_red_flags_are_kept_apart(self, scored, tmp_path):
        (tmp_path / "plain.csv").write_text(
            "athlete_id,group,age_years,sex,left_pain_nrs,red_flags\n"
            "a,team 1,30,male,,\nb,team 1,31,female,4,none\n"
        )
        _, screenings = read_screenings(tmp_path / "plain.csv")
        assert screenings[0].red_flags is None
        assert screenings[1].red_flags == []
        assert screenings[1].pain.sides == {"left"}
        scored("answers.csv", "plain.csv")
        found = pd.read_csv(tmp_path / "answers.csv")
        assert list(found["group"]) == ["team 1", "team 1"]
        assert found["status"][1] == "current_pain"
        assert np.isnan(found["risk_left"][1])

    SHEET = (
        "Player,Tested,Sex,Age,Lunge R,Lunge L,Weight (lb),Hip drop L,Red flags\n"
        "Aisha,2026-11-17,f,22,38,33,159,9.5,none\n"
        "=cmd|x,2026-11-17,m,24,38,40,180,5,\n"
        "Lucia,2026-11-17,f,219,142,41,130,4,none\n"
        "Maud,2026-11-17,f,19,142,41,130,4,none\n"
    )

    @pytest.mark.parametrize("suffix", ["csv", "xlsx"])
    def test_a_club_s_sheet_is_scored_and_comes_back_as_the_same_squad(
        self, kneerisk, tmp_path, champion_models, suffix
    ):
        (tmp_path / "club.csv").write_text(self.SHEET)
        code, out, err = kneerisk(
            "score", "club.csv", "--sheet", "--out", f"scored.{suffix}",
            "--models", champion_models, "--json",
        )  # fmt: skip
        assert code == 0, err
        told = json.loads(out)
        assert (told["screenings"], told["not_scored"]) == (3, 1)
        content = (tmp_path / f"scored.{suffix}").read_bytes()
        before, after = recognise(self.SHEET.encode()), recognise(content)
        assert [row.screening for row in after.rows[:2]] == [
            row.screening for row in before.rows[:2]
        ]
        assert [row.athlete for row in after.rows] == ["Aisha", "=cmd|x", "Lucia", "Maud"]
        assert after.rows[2].screening is None
        if suffix == "csv":
            rows = list(csv.DictReader(io.StringIO(content.decode())))
            assert rows[1]["athlete_id"] == "'=cmd|x"
            assert float(rows[0]["risk_left"]) > 0
            assert "5 to 65" in rows[2]["not_scored"]
            # One bad cell costs the cell, and is told.
            assert "5 to 65" in rows[3]["cells_left_out"]
            assert (rows[3]["not_scored"], rows[3]["right_wblt_dorsiflexion_deg"]) == ("", "")
            assert float(rows[3]["risk_left"]) > 0
        else:
            sheet = openpyxl.load_workbook(io.BytesIO(content)).active
            assert sheet is not None
            assert (sheet["A3"].value, sheet["A3"].data_type) == ("=cmd|x", "s")

    def test_a_mapping_scores_a_sheet_as_it_scores_itself(
        self, kneerisk, tmp_path, champion_models
    ):
        (tmp_path / "club.csv").write_text(self.SHEET)
        assert kneerisk("ingest", "sheet", "club.csv", "--propose", "club.toml")[0] == 0
        scored = []
        for how in (("--sheet",), ("--mapping", "club.toml")):
            code, _, err = kneerisk(
                "score", "club.csv", *how, "--out", "scored.csv", "--models", champion_models
            )
            assert code == 0, err
            with (tmp_path / "scored.csv").open() as file:
                rows = list(csv.DictReader(file))
            told = ("athlete_id", "risk_left", "not_scored", "cells_left_out")
            scored.append([[bool(row[name]) for name in told] for row in rows])
        assert scored[0] == scored[1]

    def test_the_files_of_a_squad_are_scored_together(self, kneerisk, tmp_path, champion_models):
        (tmp_path / "people.csv").write_text("Player,Sex,Age\nAmy,f,22\nBo,m,30\n")
        (tmp_path / "knees.csv").write_text("Player,SLR L,SLR R\nBO,70,71\nAmy,80,\n")
        files = ("people.csv", "knees.csv")
        asked = ("--out", "scored.csv", "--models", champion_models)
        assert kneerisk("ingest", "sheet", *files, "--propose", "squad.toml")[0] == 0
        for how in (("--sheet",), ("--mapping", "squad.toml")):
            code, _, err = kneerisk("score", *files, *how, *asked)
            assert code == 0, err
            rows = list(csv.DictReader(io.StringIO((tmp_path / "scored.csv").read_text())))
            assert [(row["athlete_id"], row["left_slr_deg"]) for row in rows] == [
                ("Amy", "80.0"), ("Bo", "70.0")
            ]  # fmt: skip
        code, _, err = kneerisk("score", *files, *asked)
        assert code != 0
        assert "add --sheet or --mapping" in err

    def test_a_sheet_with_open_questions_is_scored_with_their_answers(
        self, kneerisk, tmp_path, champion_models
    ):
        (tmp_path / "club.csv").write_text(
            "Player,Sex,Age,Weight (kg),Hip abd R (kg),Hip abd L (kg)\n"
            "A,f,22,61,250,262\nB,m,30,80,300,310\nC,m,30,81,300,310\n"
        )
        asked = ("score", "club.csv", "--out", "scored.csv", "--models", champion_models)
        code, _, err = kneerisk(*asked, "--sheet")
        assert code == 1
        assert "Hip abd R (kg)" in err
        assert "--propose club.toml" in err
        assert kneerisk("ingest", "sheet", "club.csv", "--propose", "club.toml")[0] == 0
        proposed = (tmp_path / "club.toml").read_text()
        answered = re.sub(r"(?m)^# (?=(right|left)_hip_abduction)", "", proposed)
        (tmp_path / "club.toml").write_text(answered)
        code, _, err = kneerisk(*asked, "--mapping", "club.toml")
        assert code == 0, err
        rows = list(csv.DictReader(io.StringIO((tmp_path / "scored.csv").read_text())))
        wanted = 100 * 250 / 9.80665 / 61
        assert float(rows[0]["right_hip_abduction_pct_bw"]) == pytest.approx(wanted)

    def test_every_bad_cell_is_told_and_nothing_is_written(
        self, kneerisk, tmp_path, champion_models
    ):
        (tmp_path / "bad.csv").write_text(
            "athlete_id,age_years,sex,left_hip_drop_deg\na,,male,5\nb,30,female,500\nc,31,,4\n"
        )
        code, out, err = kneerisk(
            "score", "bad.csv", "--out", "answers.csv", "--models", champion_models
        )
        assert (code, out) == (1, "")
        for told in ("3 bad cell(s)", "line 2, age_years", "line 3, left_hip_drop_deg", "line 4"):
            assert told in err
        assert "500" not in err
        assert not (tmp_path / "answers.csv").exists()

    def test_a_row_and_a_body_are_the_same_screening(self, tmp_path):
        (tmp_path / "one.csv").write_text(
            "athlete_id,age_years,sex,left_quad_lag_grade,sport\na,30,male,1,running\n"
        )
        _, (screening,) = read_screenings(tmp_path / "one.csv")
        row = {"age_years": 30, "sex": "male", "left_quad_lag_grade": 1, "sport": "running"}
        assert screening == from_row(row)
        assert isinstance(screening, Screening)


class TestSpine:
    """Train, promote and roll back, from the command line, on a small cohort."""

    def test_train_promote_score(self, kneerisk, tmp_path, monkeypatch):
        # The gates are tested elsewhere; a model of so few athletes need not pass them.
        monkeypatch.setattr("kneerisk.training.registry.gates.SLOPE_LOW", -100.0)
        monkeypatch.setattr("kneerisk.training.registry.gates.SLOPE_HIGH", 100.0)
        code, out, err = kneerisk("train", "--athletes", 1_500, "--seed", 3, "--json")
        assert code == 0, err
        trained = json.loads(out)
        assert set(trained) == {"version", "run_id", "metrics"}
        assert trained["version"] == "kneerisk-new_pain-12m-v1"
        for name in ("auc", "auc_low", "log_loss", "brier", "calibration_slope", "which_limb_auc",
                     "logistic_log_loss", "control_auc", "prior_brier", "true_risk_mae",
                     "either_auc", "interval_coverage", "imbalance_calf_tightness_auc",
                     ):  # fmt: skip
            assert np.isfinite(trained["metrics"][name])
        code, out, err = kneerisk("promote", "--json")
        assert code == 0, err
        promoted = json.loads(out)
        assert promoted["served"] is True
        pack, version = pack_files.read(tmp_path / promoted["testpack"]), trained["version"]
        assert (pack.version, len(pack.cases)) == (version, PACK_SIZE)
        assert pack.manifest["bundle_sha256"] == bundle.load(tmp_path / "models" / version).sha256
        assert {path.name for path in (tmp_path / "models").iterdir()} == {
            version, f"{version}-testpack", "champion.json", "releases.json",
        }  # fmt: skip
        card = tmp_path / "models" / trained["version"] / "card.md"
        shown = re.findall(r"!\[.+\]\((.+)\)", card.read_text())
        assert {"plots/roc.png", "plots/drivers.png", "plots/oracle_gap.png"} <= set(shown)
        assert sorted(shown) == sorted(f"plots/{p.name}" for p in (card.parent / "plots").iterdir())
        kneerisk("simulate", "--athletes", 10, "--out", "c.csv")
        code, out, err = kneerisk("score", "c.csv", "--out", "a.csv", "--json")
        assert code == 0, err
        assert json.loads(out)["version"] == trained["version"]
        code, out, err = kneerisk("rollback")
        assert (code, out) == (1, "")
        assert "replaced nothing" in err

    def test_an_observed_cohort_is_cross_validated_and_named(self, kneerisk, tmp_path, monkeypatch):
        monkeypatch.setattr(
            "kneerisk.training.new_versions.trained_version.CROSS_VALIDATION_SEEDS", range(1)
        )
        cohort = simulate(400, 6).cohort
        either = cohort.outcomes().either
        frame = cohort.frame.drop(columns=["outcome_left", "outcome_right"])
        kinds = {"cohort_kind": "observed", "outcome_kind": "past_injury", "source": "a club"}
        observed = frame.assign(outcome_either=either, horizon_months="", **kinds)
        observed.to_csv(tmp_path / "club.csv", index=False)
        code, out, err = kneerisk("train", "--data", "club.csv", "--refits", "3", "--json")
        assert code == 0, err
        trained = json.loads(out)
        assert trained["version"] == "kneerisk-past_injury-v1"
        metrics = trained["metrics"]
        assert metrics["cv_athletes"] == metrics["cv_rows"] == np.isfinite(either).sum()
        assert metrics["cv_auc_low"] < metrics["cv_auc"] < metrics["cv_auc_high"]
        assert metrics["auc"] == metrics["either_auc"]
        assert "which_limb_auc" not in metrics


class TestConsole:
    """Colour and a bar on a terminal, plain lines elsewhere."""

    def shown(self, program: str, **environment: str) -> str:
        """What a program leaves on a terminal of its own, escape codes and all."""
        reader, terminal = pty.openpty()
        clean = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        ended = subprocess.run(
            [sys.executable, "-c", program], stdout=terminal, stderr=terminal, check=False,
            env=clean | {"TERM": "xterm-256color", "COLUMNS": "100"} | environment,
        )  # fmt: skip
        os.close(terminal)
        found = b""
        with suppress(OSError):  # Linux says so at the end of a terminal that was closed
            while part := os.read(reader, 65_536):
                found += part
        os.close(reader)
        assert ended.returncode == 0, found
        return found.decode()

    TABLE = (
        "from pipelines.console import Cell, Table, result\n"
        "rows = [['log_loss', Cell('0.2 *', 'bold green'), '0.25'], ['auc', '0.7', '0.75']]\n"
        "result({}, False, 'First.', Table(['metric', 'v1', 'v2'], rows), 'Last.')"
    )

    def test_a_table_has_colour_on_a_terminal_unless_it_is_unwanted(self):
        green = re.compile(r"\x1b\[[\d;]*32m0\.2 \*")
        assert green.search(self.shown(self.TABLE))
        plain = self.shown(self.TABLE, NO_COLOR="1")
        assert "0.2 *" in plain
        assert not re.search(r"\x1b\[[\d;]*3\dm", plain)

    @pytest.mark.parametrize("is_terminal", [False, True])
    def test_words_of_a_file_steer_no_terminal(self, capsys, monkeypatch, is_terminal):
        hostile = "A\x1b[2J\x1b]0;x\x07B\x9b31mC\rD[/b]"
        monkeypatch.setattr(sys.stdout, "isatty", lambda: is_terminal)
        console.result({}, False, hostile, Table(["name", "n"], [[hostile, "1"]]))
        console.say(hostile)
        out, err = capsys.readouterr()
        # The escapes of a table's own colours are there on a terminal.
        assert not any(
            control in out + err for control in ("\x1b[2J", "\x1b]", "\x07", "\x9b", "\r")
        )
        # What is no control character stays, brackets as well.
        assert "D[/b]" in out
        assert "D[/b]" in err

    def test_a_table_is_plain_where_it_is_piped(self, capsys):
        console.result({}, False, "First.", Table(["metric", "v1"], [["auc", "0.7"]]), "Last.")
        assert capsys.readouterr().out == "First.\n\nmetric   v1\nauc     0.7\n\nLast.\n"

    STEPS = (
        "from kneerisk.progress import event\n"
        "from pipelines.console import progress\n"
        "with progress() as tell:\n"
        "    tell(event('reading_cohort'))\n"
        "    for number in range(1, 5): tell(event('bootstrap', number=number, total=4))\n"
    )

    def test_a_terminal_has_a_bar_with_the_time_left(self):
        shown = self.shown(self.STEPS)
        assert "bootstrap 4 of 4" in shown
        assert "left" in shown
        assert "━" in shown

    def test_a_file_has_a_line_a_step(self, capsys):
        reading = event("reading_file", file="club.csv")
        oracle = [event("oracle", number=number, total=20_000) for number in (1, 4_097)]
        with console.progress() as progress:
            for step in (reading, reading, *oracle):
                progress(step)
            within("fitting", progress)(event("linear_part"))
        assert capsys.readouterr().err.splitlines() == [
            "Reading club.csv",
            "oracle: screening 1 of 20,000",
            "oracle: screening 4,097 of 20,000",
            "Fitting: linear part",
        ]

    def test_every_stage_has_its_text_and_its_place_in_the_code(self):
        """The words of a stage are found by its name: neither is there without the other."""
        files = [path for room in ("src", "pipelines") for path in (ROOT / room).rglob("*.py")]
        sources = [path.read_text("utf-8") for path in files if path.name != "progress.py"]
        words = section("command_line")
        for call, table in (("event", "progress"), ("within", "progress_within")):
            pattern = rf'\b{call}\(\s*"([a-z_]+)"'
            stages = {stage for source in sources for stage in re.findall(pattern, source)}
            assert stages == set(words[table])
