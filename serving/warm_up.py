"""What a worker does once it takes requests, so that its start does not wait for it."""

from __future__ import annotations

import gc
from importlib import import_module

from serving import sheet_import

#: What some answers need: SciPy's statistics and curves take half a second to load.
_NEEDED_LATER = ("scipy.interpolate", "scipy.stats")
#: So many more objects than were freed start a search for garbage, which is circles of a few
#: errors and tasks; a team's answers, some 700 objects each, would else be searched for it again
#: and again (Python's own is 700; assumption: 20,000 objects are some 6 MB).
_SEARCH_AFTER_OBJECTS = 20_000


def warm_up() -> None:
    """Load what some answers need, start the process behind sheets, begin to collect garbage."""
    for module in _NEEDED_LATER:
        import_module(module)
    sheet_import.prepare()
    _keep_from_collector()


def _keep_from_collector() -> None:
    """Take what exists now for good: modules, schema and tables, some 240,000 objects.

    Each full collection would look at all of them, 150 ms during which no request is answered, and
    a large team causes dozens.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_SEARCH_AFTER_OBJECTS)
    gc.enable()
