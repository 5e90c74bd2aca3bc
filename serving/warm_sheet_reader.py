"""Reads a small sheet once, so that every child finds what the first reading builds.

Importing this module is its work, which nothing else here does: the server process that children
are forked from runs no other code (`serving.sheet_import.prepare`). It does so before a client's
sheet exists, and reads none itself, so that a child holds nothing of other callers.
"""

from __future__ import annotations

from kneerisk.cohort.sheets.sheet_asked import SheetAsked
from kneerisk.cohort.sheets.training_logs.read_log import read_training_logs
from kneerisk.cohort.sheets.undescribed_sheet import recognise

_SHEET = b"""Name;Date;Age;Sex;Side;Dorsiflexion L (deg);Weight;Remark
Ada Example;2024-05-01;27;f;left;38,5;61 kg;x
Bo Example;03.05.2024;31;m;right;n/a;180 lb;
Bo Example;04.05.2024;310;m;right;99;180 lb;
"""

_LOG = b"""Activity ID,Activity Date,Activity Name,Activity Type,Elapsed Time,Distance
1,"Jun 1, 2026, 6:36:55 PM",Easy,Run,3378,6.32
"""

recognise(_SHEET, SheetAsked.model_validate_json("{}")).model_dump_json(exclude_none=True)
read_training_logs([_LOG]).model_dump_json(exclude_none=True)
