"""A team is shared among the workers of the service: those that nobody asks take a part of it.

The worker that was asked gives out its screenings a few at a time and answers some itself, so that
none waits for another; what a worker does not answer, whatever the cause, it answers itself.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

from anyio import to_thread

from kneerisk.answer.compose_answer import lineage_of
from kneerisk.model.bundle import Bundle
from serving.champion_holder import ChampionHolder
from serving.team_turns import MOST_AT_ONCE, others_ask
from serving.worker_sockets import ask, listen

#: The JSON of the results of some screenings, given the place of the first of them in the team.
MakeResults = Callable[[Bundle, Sequence[Any], Collection[str], int], bytes]

_NOT_ANSWERED = b""


class Shares:
    """The screenings of a team that nobody has taken yet, and the results that were made.

    Parameters
    ----------
    screenings
        The team, in its order.

    Attributes
    ----------
    made
        JSON of results by the place of the first of them.
    """

    def __init__(self, screenings: Sequence[Any]) -> None:
        self._screenings = screenings
        self._waiting = deque([range(len(screenings))] if screenings else [])
        self.made: dict[int, bytes] = {}

    @property
    def are_left(self) -> bool:
        """Whether some screenings wait for someone to answer them."""
        return bool(self._waiting)

    def take(self, count: int) -> range:
        """The places of the next screenings, so many at most; of none where none is left."""
        if not self._waiting:
            return range(0)
        places = self._waiting.popleft()
        if len(places) > count:
            self._waiting.appendleft(places[count:])
        return places[:count]

    def give_back(self, places: range) -> None:
        """Let someone else answer the screenings at these places."""
        self._waiting.appendleft(places)

    def screenings(self, places: range) -> Sequence[Any]:
        """The screenings at some places."""
        return self._screenings[places.start : places.stop]


async def share_with(worker: Path, shares: Shares, bundle: Bundle, fields: Collection[str]) -> None:
    """Give another worker a few screenings at a time to answer, as long as it does.

    Parameters
    ----------
    worker
        Where it listens.
    shares
        The team.
    bundle
        The champion, which has to be its champion too.
    fields
        The fields of the answers that are asked for.
    """
    while places := shares.take(MOST_AT_ONCE):
        request = {
            "model": _model(bundle),
            "fields": sorted(fields),
            "start": places.start,
            "screenings": shares.screenings(places),
        }
        results = await to_thread.run_sync(
            _asked, worker, json.dumps(request).encode(), abandon_on_cancel=True
        )
        if results == _NOT_ANSWERED:
            shares.give_back(places)
            return
        shares.made[places.start] = results


def _model(bundle: Bundle) -> dict[str, Any]:
    return lineage_of(bundle.metadata).model_dump(mode="json")


def _asked(worker: Path, request: bytes) -> bytes:
    try:
        return ask(worker, request)
    except (OSError, EOFError):
        return _NOT_ANSWERED


def take_shares(champion: ChampionHolder, make_results: MakeResults) -> None:
    """Answer shares of other workers' teams from now on, while nobody asks this one.

    Parameters
    ----------
    champion
        Holds the model that answers.
    make_results
        Makes the JSON of the results of a share.
    """

    def answer(request: bytes) -> bytes:
        share = json.loads(request)
        with champion.for_request():
            bundle = champion.bundle
            if bundle is None or _model(bundle) != share["model"] or others_ask():
                return _NOT_ANSWERED
            try:
                return make_results(
                    bundle, share["screenings"], frozenset(share["fields"]), share["start"]
                )
            except Exception:  # noqa: BLE001 - who asked meets it too, and says so
                return _NOT_ANSWERED

    listen(answer)
