"""Which ids of several files are one athlete: the same, or the same number behind another prefix.

A case list may write `player_1` where the file of exposure has `1`. Only ids that differ in nothing
but such a word are matched by themselves, and the rule is told; any other prefix is asked about,
since `A1` and `B1` may be two teams.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from kneerisk.cohort.sheets.lexicon.folded_text import fold
from kneerisk.cohort.sheets.lexicon.vocabulary import athlete_key
from kneerisk.records.outcome_logs.log_rows import LogRows
from kneerisk.words import text

#: Words that only say that a number is a person's.
_PERSON = frozenset({"", "player", "athlete", "participant", "subject", "person", "id", "p", "nr",
                     "no", "pt", "spieler", "joueur", "jugador", "runner"})  # fmt: skip
_NUMBERED = re.compile(r"(.*?)[\s_.#-]*0*(\d{1,9})", re.DOTALL)


class _Numbers(NamedTuple):
    """Ids that are one prefix and a number each."""

    prefix: str
    by_number: Mapping[int, str]


def _numbered(ids: Sequence[str]) -> _Numbers | None:
    """The numbers of ids; None where they have several prefixes, or one number twice."""
    prefixes: set[str] = set()
    by_number: dict[int, str] = {}
    for name in ids:
        match = _NUMBERED.fullmatch(name)
        if match is None:
            return None
        prefixes.add(match[1])
        if by_number.setdefault(int(match[2]), name) != name:
            return None
    return _Numbers(prefixes.pop(), by_number) if len({fold(p) for p in prefixes}) == 1 else None


def match_ids(logs: Sequence[LogRows]) -> dict[str, str]:
    """Give each athlete one id over all files.

    Parameters
    ----------
    logs
        The files; those of players come first, then the first one given names the athletes.

    Returns
    -------
    dict
        The rule that was used, by file.
    """
    ordered = sorted(logs, key=lambda rows: rows.table.kind != "players")
    names: dict[str, str] = {}
    rules: dict[str, str] = {}
    for rows in ordered:
        own = list(dict.fromkeys(name for name in rows.raw if name))
        renamed = {
            name: rows.mapping.athletes[name] for name in own if name in rows.mapping.athletes
        }
        rest = [name for name in own if name not in renamed]
        exact = {name: names[key] for name in rest if (key := athlete_key(name)) in names}
        missing = [name for name in rest if name not in exact]
        if names and missing and not exact:
            found, rule = _by_number(rows, list(names.values()), missing)
            renamed |= found
            if rule:
                rules[rows.table.name] = rule
        renamed |= exact
        rows.renamed = {name: renamed.get(name, name) for name in own}
        for name in own:
            # Spellings of one id within a file are one athlete too.
            label = names.setdefault(athlete_key(rows.renamed[name]), rows.renamed[name])
            rows.renamed[name] = label
    return rules


def _by_number(
    rows: LogRows, known: Sequence[str], missing: Sequence[str]
) -> tuple[dict[str, str], str | None]:
    theirs, own = _numbered(list(dict.fromkeys(known))), _numbered(missing)
    if theirs is None or own is None or not theirs.by_number.keys() & own.by_number.keys():
        return {}, None
    is_word = all(fold(one.prefix) in _PERSON for one in (theirs, own))
    if not is_word:
        if rows.mapping.same_numbers is None:
            rows.ask("same_numbers", {"same_people": True, "other_people": False})
        if not rows.mapping.same_numbers:
            return {}, None
    found = {name: theirs.by_number.get(n, name) for n, name in own.by_number.items()}
    return found, text("outcome_log.same_number", theirs=_shape(theirs), own=_shape(own))


def _shape(numbers: _Numbers) -> str:
    """How ids are written, without anyone's: `player_<number>`."""
    example = next(iter(numbers.by_number.values()))
    return f"{example.rstrip('0123456789')}<{text('outcome_log.number')}>"
