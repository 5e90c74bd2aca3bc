"""The notebook of the published cohorts runs, and holds nobody's numbers."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from real_data import ROOT, real_data_folder, real_file

if TYPE_CHECKING:
    from nbformat import NotebookNode

NOTEBOOK = ROOT / "docs" / "notebooks" / "real-data.ipynb"


def read() -> NotebookNode:
    # Loaded here: it takes seconds, and every process of a run of tests imports this file.
    import nbformat

    return nbformat.read(NOTEBOOK, as_version=4)


def test_it_is_kept_without_outputs() -> None:
    for cell in read().cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning:(zmq|jupyter_client|tornado|nbclient)")
def test_it_runs_and_finds_what_the_documents_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nbclient import NotebookClient
    from traitlets.config import Config

    for name in ("ric/run_data_meta.csv", "ric/run_kinematics.csv", "weightlifters/wlinj.csv"):
        real_file(name)
    monkeypatch.setenv("KNEERISK_DATA", str(real_data_folder().resolve()))
    notebook = read()
    # Not over TCP, where other users of the machine could listen; and paths of sockets are short.
    with TemporaryDirectory() as sockets:
        manager = {"transport": "ipc", "connection_file": f"{sockets}/kernel.json"}
        NotebookClient(
            notebook, timeout=300, kernel_name="python3", config=Config(KernelManager=manager),
            resources={"metadata": {"path": tmp_path}},
        ).execute()  # fmt: skip
    told = [
        output.data["text/plain"]
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type == "execute_result"
    ]
    assert not [one for cell in notebook.cells for one in cell.get("outputs", ())
                if one.output_type in {"error", "stream"}]  # fmt: skip
    _, lifters, _, runners, limbs = told
    # Ranges that the benchmark's own numbers lie in, with other folds.
    assert 0.55 < number(lifters, "AUC") < 0.72
    assert number(lifters, "log loss") < number(lifters, "log loss of the mean")
    by_person, by_year = map(float, re.findall(r"^AUC +(\S+) +(\S+)$", runners, re.MULTILINE)[0])
    assert 0.60 < by_person < 0.70
    assert by_year < by_person
    assert number(limbs, "people left out") > 0.65


def number(series: str, name: str) -> float:
    return float(re.findall(rf"^{name} +(\S+)$", series, re.MULTILINE)[0])
