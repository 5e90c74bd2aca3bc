"""What a release is made of: its bill of materials, licences, and signatures of bundles."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kneerisk.model import bundle, champion
from pipelines import locked, sbom

ROOT = Path(__file__).parents[1]
PINS = locked.read_lock(ROOT / "requirements.lock")
#: Licences that let a club run and pass on what is installed, by their SPDX names and by those that
#: older packages state. The last two apply to the package alone, not to what uses it.
ALLOWED = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSD-3-Clause-Clear", "CC0-1.0", "MIT",
    "MIT-0", "PSF-2.0", "Zlib",
    "Apache Software License", "Apache License 2.0", "BSD License", "3-Clause BSD License",
    "MIT License", "Python Software Foundation License",
    "Mozilla Public License 2.0 (MPL 2.0)", "LGPL-3.0-only",
}  # fmt: skip
#: What else may be under the last: PostgreSQL's driver, which is loaded as it is.
LGPL = {"psycopg", "psycopg-binary"}


def listed(bill: dict[str, Any]) -> dict[tuple[str, str], set[str]]:
    """The hashes of each package of a bill."""
    return {
        (one["name"], one["version"]): {
            f"sha256:{found['content']}"
            for reference in one["externalReferences"]
            for found in reference.get("hashes", ())
        }
        for one in bill["components"]
    }


def test_the_bill_has_every_package_and_hash_of_the_lock() -> None:
    bill = sbom.sbom(sbom.LOCK)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert listed(bill) == {(pin.name, pin.version): set(pin.hashes) for pin in PINS}
    assert "serialNumber" not in bill
    assert "timestamp" not in bill["metadata"]


def test_the_bill_of_a_release_names_it_and_is_the_same_again(tmp_path: Path) -> None:
    release, part = tmp_path / "kneerisk.tar", tmp_path / "part.txt"
    release.write_bytes(b"a release")
    locked.main(["--out", str(part), "hatchling"])
    bills = [sbom.sbom(part, release, validated=once) for once in (True, False)]
    assert json.dumps(bills[0]) == json.dumps(bills[1])
    described = bills[0]["metadata"]["component"]
    assert (described["name"], described["version"]) == ("kneerisk", sbom.__version__)
    (digest,) = described["hashes"]
    assert digest["content"] == hashlib.sha256(b"a release").hexdigest()


def test_a_bento_brings_what_its_bill_lists(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[tuple[Path, Path | None]] = []
    monkeypatch.setattr(
        sbom, "sbom", lambda lock, release=None: asked.append((lock, release)) or {"components": []}
    )
    bento = tmp_path / "kneerisk.tar"
    assert sbom.main(["--out", str(tmp_path), "--bento", str(bento)]) == 0
    assert asked == [(sbom.LOCK, None), (ROOT / "serving/requirements.txt", bento)]
    assert {path.name for path in tmp_path.iterdir()} == {"lock.cdx.json", "bento.cdx.json"}


def test_every_extra_of_a_user_is_in_the_bill_of_a_wheel() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert {*sbom.WHEEL_EXTRAS, "dev"} == set(project["optional-dependencies"])


def test_licences_of_what_serving_installs_are_known() -> None:
    extras = locked.stated(ROOT / "pyproject.toml", ["serve", "records", "telemetry"])
    names = {pin.name for pin in locked.needed(PINS, extras)}
    made = subprocess.run(
        [Path(sys.executable).with_name("pip-licenses"), "--from=mixed", "--format=json",
         "--packages", *names],
        check=True, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    found = {
        one["Name"].lower().replace("_", "-"): one["License"] for one in json.loads(made.stdout)
    }
    # What the lock has for other systems is not installed here.
    assert len(found) > 0.9 * len(names)
    for name, stated in found.items():
        parts = {part for one in stated.split(";") for part in _parts(one.strip())}
        assert parts <= ALLOWED, f"{name}: {stated}"
        assert name in LGPL or not any("GPL" in part for part in parts), name


def _parts(stated: str) -> set[str]:
    """The licences of an SPDX expression."""
    return {part for one in stated.split(" AND ") for part in one.split(" OR ")}


def test_a_signed_champion_is_known_and_a_changed_one_is_not(
    champion_models: Path, tmp_path: Path
) -> None:
    """The commands of docs/security.md."""
    keygen = shutil.which("ssh-keygen")
    if keygen is None:
        pytest.skip("ssh-keygen is not installed")
    models = tmp_path / "models"
    shutil.copytree(champion_models, models)

    def run(*arguments: str, stdin: bytes | None = None) -> int:
        done = subprocess.run(
            [keygen, *arguments], cwd=tmp_path, input=stdin, capture_output=True, check=False
        )
        return done.returncode

    assert run("-q", "-t", "ed25519", "-N", "", "-f", "release_key") == 0
    public = (tmp_path / "release_key.pub").read_text()
    (tmp_path / "allowed_signers").write_text(f"releases {public}")
    assert (
        run("-Y", "sign", "-f", "release_key", "-n", "kneerisk-release", "models/champion.json")
        == 0
    )

    def is_signed() -> bool:
        return not run(
            "-Y", "verify", "-f", "allowed_signers", "-I", "releases", "-n", "kneerisk-release",
            "-s", "models/champion.json.sig", stdin=(models / "champion.json").read_bytes(),
        )  # fmt: skip

    assert is_signed()
    # The signature beside it disturbs nobody, and what it names has the hash of every file.
    named = champion.read(models)
    assert named is not None
    bundle.load(named.folder, named.sha256)
    champion.write(models, named.version, "0" * 64, None)
    assert not is_signed()
