"""Whatever strikes a command that writes, the champion is the old or the new one, and all goes on.

The short form is part of every test run; the long one (`pytest -m harness`) strikes at every write.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from spoilt_bundles import load_spoilt
from store_faults import MODEL, Ended, Fault, command, copied, left_over, project, served

from kneerisk.errors import BundleRefused
from kneerisk.model import bundle

pytestmark = pytest.mark.slow

#: What is struck. The third version waits to be promoted, so that `promote` of it is what is next.
COMMANDS = {
    "promote": ("promote",),
    "rollback": ("rollback",),
    "train": ("train", "--athletes", "150", "--seed", "4"),
    "adapt": ("adapt", "--data", "club.parquet", "--refits", "2"),
    "tune": ("tune", "--athletes", "150", "--trials", "2", "--study", "s"),
}
NEXT = ("promote", f"{MODEL}-v3")
#: A file system of so many bytes, which a file takes all of but a few.
DISK_BYTES, FILLER = 64_000_000, "filler"
FREE_BYTES = (0, 8_192, 65_536, 262_144, 524_288, 1_048_576, 2_097_152)
#: What may be served after a fault.
OLD, BACK, NEW = (f"{MODEL}-v{number}" for number in (2, 1, 3))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project folder, to be copied."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        return project(tmp_path_factory.mktemp("store") / "template")


@pytest.fixture(scope="module")
def writes(template: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """How many writes a command begins where nothing strikes."""
    base = tmp_path_factory.mktemp("counted")
    counted = {}
    for name in ("promote", "rollback"):
        ended = command(copied(template, base / name), *COMMANDS[name])
        assert ended.code == 0, ended.err
        counted[name] = ended.writes
    return counted


def spread(most: int, points: int) -> list[int]:
    """So many of the numbers from 1 on, first and last among them."""
    return sorted({1 + round(place * (most - 1) / max(points - 1, 1)) for place in range(points)})


def strike(
    template: Path,
    folder: Path,
    name: str,
    fault: Fault,
    at: int,
    following: tuple[str, ...] = NEXT,
) -> None:
    """One fault, and what must hold after it."""
    copied(template, folder)
    ended = command(folder, *COMMANDS[name], fault=fault, at=at)
    is_told(ended, fault)
    champion_is_whole(folder)
    goes_on(folder, following)
    shutil.rmtree(folder)


def goes_on(folder: Path, following: tuple[str, ...] = NEXT) -> None:
    """The next command promotes the version that waits, and clears what is left of the struck."""
    ended = command(folder, *following)
    assert ended.code == 0, ended.err
    assert "Traceback" not in ended.err
    assert served(folder)["version"] == NEW
    champion_is_whole(folder)
    assert left_over(folder) == []
    assert unfinished(folder) == []


def is_told(ended: Ended, fault: Fault) -> None:
    """No traceback on a person's stream; what went wrong is said in a line."""
    assert "Traceback" not in ended.err + ended.out, ended.err
    if fault == "kill":
        assert ended.code in (-9, 0)
    elif ended.code != 0:
        assert ended.err.splitlines()[-1].startswith("kneerisk: "), ended.err


def champion_is_whole(folder: Path) -> None:
    champion = served(folder)
    assert champion is not None
    assert champion["version"] in (OLD, BACK, NEW)
    bundle.load(folder / "models" / champion["version"], champion["sha256"])


def unfinished(folder: Path) -> list[str]:
    """Runs that stay running, and versions without a bundle."""
    with closing(sqlite3.connect(folder / "mlflow.db")) as database:
        running = database.execute(
            "SELECT run_uuid FROM runs WHERE status = 'RUNNING' AND lifecycle_stage = 'active'"
        ).fetchall()
        without = database.execute(
            "SELECT name || version FROM model_versions v WHERE current_stage != "
            "'Deleted_Internal' AND NOT EXISTS (SELECT 1 FROM model_version_tags t WHERE "
            "t.name = v.name AND t.version = v.version AND t.key = 'bundle_sha256')"
        ).fetchall()
    return [row[0] for row in running + without]


class TestShort:
    """One of each fault; every command at every write is for `make harness`."""

    @pytest.mark.parametrize(("name", "fault"), [("promote", "kill"), ("rollback", "full")])
    def test_what_is_served_stays_whole(
        self, template: Path, tmp_path: Path, writes: dict[str, int], name: str, fault: Fault
    ) -> None:
        # In the middle of its writes no test pack was begun that the next command would mend.
        following = (*NEXT, "--no-testpack")
        strike(template, tmp_path / "struck", name, fault, writes[name] // 2, following)


def spoilt_bundles(template: Path, tmp_path: Path, every: int) -> list[str]:
    folder = tmp_path / OLD
    shutil.copytree(template / "models" / OLD, folder)
    child = multiprocessing.get_context("spawn").Process(
        target=load_spoilt, args=(str(folder), str(tmp_path / "told"), every)
    )
    child.start()
    child.join()
    told = (tmp_path / "told").read_text().splitlines()
    assert child.exitcode == 0, told[-1]
    return told


def only_harmless_load(told: list[str]) -> None:
    """What loads is vouched for, and changes no number or is a document."""
    loaded = [line for line in told if line.endswith(": loaded")]
    assert all(" vouched: " in line for line in loaded), loaded


def test_spoilt_bundles_are_refused(template: Path, tmp_path: Path) -> None:
    told = spoilt_bundles(template, tmp_path, 25)
    assert len(told) > 10
    only_harmless_load(told)


@pytest.mark.harness
@pytest.mark.parametrize("name", COMMANDS)
def test_every_fault(
    template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Kill a command at its writes, or let the disk be full or read-only from one of them on."""
    most = command(copied(template, tmp_path / name), *COMMANDS[name]).writes
    tried, faults = 0, []
    for fault, points in (("kill", 24), ("full", 8), ("read-only", 8)):
        for at in spread(most, min(points, most)):
            tried += 1
            folder = tmp_path / f"{name}-{fault}-{at}"
            try:
                strike(template, folder, name, fault, at)
            except (AssertionError, BundleRefused) as error:
                faults.append(f"{fault} at write {at} of {most}: {str(error)[-600:]}")
    with capsys.disabled():
        sys.stdout.write(f"\nstore, {name}: tried {tried}, faults {len(faults)}\n")
    assert faults == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system of its own that can be filled."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "kneerisk-test", str(folder))
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    if not mounted:
        pytest.skip("only root may mount a file system")
    try:
        yield folder
    finally:
        subprocess.run(("umount", "--lazy", str(folder)), check=True)


def fill(folder: Path, free: int) -> None:
    """Take all space of the folder's file system but so many bytes."""
    space = os.statvfs(folder)
    with (folder / FILLER).open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, space.f_bavail * space.f_frsize - free)


@pytest.mark.harness
@pytest.mark.parametrize("name", COMMANDS)
def test_a_disk_that_is_full(
    template: Path, small_disk: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    faults = []
    for free in FREE_BYTES:
        copied(template, small_disk)
        fill(small_disk, free)
        ended = command(small_disk, *COMMANDS[name])
        try:
            is_told(ended, "full")
            champion_is_whole(small_disk)
            (small_disk / FILLER).unlink()
            goes_on(small_disk)
        except (AssertionError, BundleRefused) as error:
            faults.append(f"{free} bytes free: {str(error)[-600:]}")
        for path in small_disk.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    with capsys.disabled():
        sys.stdout.write(
            f"\nstore, {name} on a full disk: tried {len(FREE_BYTES)}, faults {len(faults)}\n"
        )
    assert faults == []


@pytest.mark.harness
def test_every_spoilt_file(
    template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = spoilt_bundles(template, tmp_path, 1)
    with capsys.disabled():
        sys.stdout.write(f"\nstore, spoilt files: tried {len(told)}, faults 0\n")
    only_harmless_load(told)
