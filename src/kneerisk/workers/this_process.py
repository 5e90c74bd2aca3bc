"""What works on pieces, whoever does: a function, what every call needs, the pieces one by one.

Code that has such work takes `Workers`, and knows neither processes nor a cluster. Pieces stand by
themselves and bring their own source of chance, so that the results are the same wherever they are
worked on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

#: Called with a function of a module, what every call needs and the pieces, which are taken as they
#: are needed; it gives what each call returns, in the order of the pieces.
Workers: TypeAlias = Callable[[Callable[..., Any], Any, Iterable[Any]], Iterator[Any]]


def in_this_process(work: Callable[..., Any], shared: Any, pieces: Iterable[Any]) -> Iterator[Any]:
    """Work on pieces here, one after the other.

    Parameters
    ----------
    work
        Called with `shared` and one piece.
    shared
        What every call needs.
    pieces
        Each is taken when the one before is done.

    Yields
    ------
    What each call returns.
    """
    for piece in pieces:
        yield work(shared, piece)
