"""Write what derives from schema, evidence tables and simulator, or check that it is current."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from kneerisk.answer.poses import sprite
from kneerisk.cohort.sheets.device_exports import tests_described
from kneerisk.evidence import effect_sizes
from kneerisk.schema import data_dictionary
from pipelines import error_codes

ROOT = Path(__file__).parents[1]
#: Enough athletes to see every column filled, and to try the commands on.
SAMPLE_ATHLETES, SAMPLE_SEED = 100, 1


def sample_cohort() -> str:
    """Simulate a small cohort and return it as a canonical CSV file."""
    from kneerisk.cohort import write
    from kneerisk.cohort.simulation.simulated_cohort import simulate

    with TemporaryDirectory() as folder:
        path = Path(folder) / "sample.csv"
        write(simulate(SAMPLE_ATHLETES, SAMPLE_SEED).cohort, path)
        return path.read_text(encoding="utf-8")


def effect_counts() -> str:
    """How many effects have a published size, a judged one or none, as JSON, for documents."""
    return json.dumps(effect_sizes(), indent=2) + "\n"


#: What renders each derived file.
RENDERERS: dict[str, Callable[[], str]] = {
    "data/dictionary.md": data_dictionary.markdown,
    "data/device-tests.md": tests_described.markdown,
    "data/screening.schema.json": data_dictionary.json_schema,
    "data/effect-sizes.json": effect_counts,
    "data/sample.csv": sample_cohort,
    "docs/error-codes.md": error_codes.markdown,
    "serving/page/poses.svg": sprite,
}


def derive(root: Path, check: bool) -> list[Path]:
    """Return the derived files under ``root`` that are stale; rewrite them unless ``check``."""
    stale = []
    for name, render in RENDERERS.items():
        path, text = root / name, render()
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale.append(path)
            if not check:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8", newline="\n")
    return stale


def main(check: bool) -> int:
    """Write or check the derived files of this checkout; 1 if a check finds a stale one."""
    stale = [path.relative_to(ROOT) for path in derive(ROOT, check)]
    for path in stale:
        message = "is stale: run python -m pipelines.derive" if check else "written"
        sys.stderr.write(f"{path} {message}\n")
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
