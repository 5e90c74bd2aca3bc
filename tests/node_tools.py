"""Tools of Node that check the API's description: installed for a test run, never kept.

A plugin of pytest would be more than they need: without Node, or where the packages can't be had,
the tests that use them are skipped, with the reason in the summary of the run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

#: One version of each, so that a new release changes nothing here.
PACKAGES = (
    "@redocly/cli@2.77.0",
    "openapi-typescript@7.13.0",
    "openapi-fetch@0.17.0",
    "typescript@5.9.3",
)
_INSTALL = ("--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")


@dataclass(frozen=True, slots=True)
class NodeTools:
    """A folder with the tools in it."""

    folder: Path

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a tool, or ``node`` itself, in the folder."""
        path = f"{self.folder / 'node_modules' / '.bin'}{os.pathsep}{os.environ['PATH']}"
        quiet = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
        return subprocess.run(
            command, cwd=self.folder, env=os.environ | quiet | {"PATH": path},
            capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip

    def done(self, *command: str) -> str:
        """What a command writes that has to succeed."""
        result = self.run(*command)
        assert result.returncode == 0, f"{command}:\n{result.stdout[-3000:]}{result.stderr[-3000:]}"
        return result.stdout


def installed(folder: Path) -> NodeTools:
    """Install the tools, or skip the test that asks for them and say why."""
    if not (shutil.which("npm") and shutil.which("node")):
        pytest.skip("no npm and node: install Node.js 20 or later to lint and generate clients")
    command = ["npm", "install", *_INSTALL, "--prefix", str(folder), *PACKAGES]
    result = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    if result.returncode:
        pytest.skip(f"npm can't install {', '.join(PACKAGES)}: {result.stderr.strip()[-300:]}")
    return NodeTools(folder)
