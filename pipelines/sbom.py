"""What a release is made of, as CycloneDX: every package of the lock, its version and its hashes.

    python -m pipelines.sbom --out build/sbom
    python -m pipelines.sbom --out build/sbom --wheel dist/kneerisk-0.1.0-py3-none-any.whl
    python -m pipelines.sbom --out build/sbom --bento kneerisk.tar

The first lists all that development and every extra bring; the others what a release brings where
it is installed, beside the SHA-256 of the release itself. The same files make the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kneerisk import __version__
from pipelines import locked

ROOT = Path(__file__).parents[1]
LOCK, BENTO_LOCK = ROOT / "requirements.lock", ROOT / "serving" / "requirements.txt"
#: What a wheel may bring: all extras that a user can ask for.
WHEEL_EXTRAS = ("serve", "train", "records", "dask", "client", "telemetry")
SPECIFICATION = "1.6"


def sbom(
    requirements: Path, release: Path | None = None, *, validated: bool = True
) -> dict[str, Any]:
    """The bill of materials of a list of packages with hashes.

    Parameters
    ----------
    requirements
        The list, in the form of a lock.
    release
        The file that brings them; None where there is none.
    validated
        Whether it is held against the schema of CycloneDX, which takes half a minute for the lock.

    Returns
    -------
    dict
        CycloneDX as JSON, the same for the same files.
    """
    command = [
        sys.executable, "-W", "ignore", "-m", "cyclonedx_py", "requirements", str(requirements),
        "--pyproject", str(ROOT / "pyproject.toml"), "--output-reproducible",
        "--spec-version", SPECIFICATION, "--output-format", "JSON",
        "--validate" if validated else "--no-validate",
    ]  # fmt: skip
    made = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    bill: dict[str, Any] = json.loads(made.stdout)
    described = bill["metadata"]["component"]
    described["version"] = __version__
    if release is not None:
        digest = hashlib.sha256(release.read_bytes()).hexdigest()
        described["hashes"] = [{"alg": "SHA-256", "content": digest}]
    return bill


def main(arguments: Sequence[str]) -> int:
    """Write the bill of the lock, and of releases where they are named."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.sbom", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--wheel", type=Path)
    parser.add_argument("--bento", type=Path)
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    _write(sbom(LOCK), options.out / "lock.cdx.json")
    if options.bento:
        _write(sbom(BENTO_LOCK, options.bento), options.out / "bento.cdx.json")
    if options.wheel:
        with TemporaryDirectory() as folder:
            part = Path(folder) / "wheel.txt"
            locked.main(["--out", str(part), *WHEEL_EXTRAS])
            _write(sbom(part, options.wheel), options.out / "wheel.cdx.json")
    return 0


def _write(bill: dict[str, Any], file: Path) -> None:
    file.write_text(json.dumps(bill, indent=1, ensure_ascii=False) + "\n", "utf-8")
    sys.stderr.write(f"{file}: {len(bill['components'])} packages\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
