"""The tutorial's club that is adapted to and promoted: its commands run, and print what it shows.

The outputs in `docs/tutorial.md` are those of an earlier run of this test:

    make figures ONLY=tutorial-club
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kneerisk.cohort import read
from kneerisk.model import bundle, champion
from kneerisk.test_pack import expected_answers
from kneerisk.test_pack.pack_requests import pack_requests
from pipelines import __main__ as cli

pytestmark = pytest.mark.slow

TUTORIAL = Path(__file__).parents[1] / "docs" / "tutorial.md"
HEADING = "A club that is large enough"
#: A block of commands, and the block of what they print.
BLOCK = re.compile(r"```sh\n(?P<typed>.*?)```\n\n```text\n(?P<shown>.*?)```\n", re.DOTALL)
#: After this line of a block there is more, which is not shown.
LEFT_OUT = "..."
RUN_ID = re.compile(r"\b[0-9a-f]{32}\b")
NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")
#: Other processors round otherwise, and small cohorts pass it on: so far apart numbers may be.
SHARE, LEAST = 0.15, 0.02


def section() -> str:
    """The tutorial's section with the club."""
    after = TUTORIAL.read_text("utf-8").partition(HEADING)[2]
    return re.split(r"^## ", after, flags=re.MULTILINE)[0]


def agree(shown: str, printed: str) -> bool:
    """Whether the same words are printed with about the same numbers, run ids apart."""
    lines = [line.split() for line in (shown, printed)]
    texts = [" ".join(RUN_ID.sub("RUN", word) for word in words) for words in lines]
    if NUMBER.sub("0", texts[0]) != NUMBER.sub("0", texts[1]):
        return False
    pairs = zip(*(map(float, NUMBER.findall(text)) for text in texts), strict=True)
    return all(abs(one - other) <= LEAST + SHARE * abs(one) for one, other in pairs)


def disagreeing(shown: str, printed: str) -> list[tuple[str, str]]:
    """Lines of a block that are no longer what is printed."""
    lines, found = shown.splitlines(), printed.splitlines()
    if lines[-1] == LEFT_OUT:
        lines = lines[:-1]
        found = found[: len(lines)]
    found += [""] * (len(lines) - len(found))
    lines += [""] * (len(found) - len(lines))
    return [(one, other) for one, other in zip(lines, found, strict=True) if not agree(one, other)]


def renewed(shown: str, printed: str) -> str:
    """A block as it is to be shown: as many lines as before."""
    if not shown.endswith(f"{LEFT_OUT}\n"):
        return printed
    kept = len(shown.splitlines()) - 1
    return "\n".join([*printed.splitlines()[:kept], LEFT_OUT]) + "\n"


@pytest.fixture
def kneerisk(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[[str], str]:
    """Runs a line as typed, in an empty folder; gives what is on stdout."""
    monkeypatch.chdir(tmp_path)
    for name in ("MLFLOW_TRACKING_URI", "KNEERISK_MODELS"):
        monkeypatch.delenv(name, raising=False)
    # What is in a pack is tested elsewhere; 500 answers take five seconds.
    monkeypatch.setattr(expected_answers, "pack_requests", lambda: pack_requests()[:20])

    def run(line: str) -> str:
        monkeypatch.setattr(sys, "argv", line.split())
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        assert not ended.value.code, captured.err
        return captured.out

    return run


def test_it_is_adapted_to_promoted_and_rolled_back(
    kneerisk: Callable[[str], str], tmp_path: Path
) -> None:
    text, stale = section(), []

    def run(block: re.Match[str]) -> str:
        typed = [line for line in block["typed"].splitlines() if line.startswith("kneerisk ")]
        printed = "".join(map(kneerisk, typed))
        stale.extend(disagreeing(block["shown"], printed))
        return block[0].replace(block["shown"], renewed(block["shown"], printed))

    new = BLOCK.sub(run, text)
    if "UPDATE_TUTORIAL" in os.environ:
        TUTORIAL.write_text(TUTORIAL.read_text("utf-8").replace(text, new), "utf-8")
    else:
        assert stale == [], "make figures ONLY=tutorial-club"

    served = champion.read(tmp_path / "models")
    assert served is not None
    adapted, base = (bundle.load(tmp_path / "models" / f"kneerisk-new_pain-12m-v{number}").metadata
                     for number in (2, 1))  # fmt: skip
    assert served.version == base.version == adapted.base_version
    # Nobody was measured, and its file, version and card say so.
    club = read(tmp_path / "club.parquet")
    assert {club.kind, adapted.cohort, base.cohort} == {"simulated"}
    assert club.source in adapted.source
    card = (tmp_path / "models" / adapted.version / "card.md").read_text("utf-8")
    assert "Its cohort is **simulated**" in card
    assert f"{base.version}, its log-odds corrected with the club's" in card
    assert "not how well it works on athletes" in card


@pytest.mark.parametrize(
    ("shown", "printed", "found"),
    [
        ("AUC 0.70\n", "AUC 0.71\n", 0),
        ("AUC 0.70\n", "AUC 0.95\n", 1),
        ("AUC 0.70\n", "auc 0.70\n", 1),
        ("one\n", "one\ntwo\n", 1),
        ("one\n...\n", "one\ntwo\n", 0),
        ("one\ntwo\n", "one\n", 1),
    ],
)
def test_what_is_stale_is_found(shown: str, printed: str, found: int) -> None:
    assert len(disagreeing(shown, printed)) == found
