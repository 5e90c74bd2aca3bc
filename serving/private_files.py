"""Which permissions a file with secrets may have."""

from __future__ import annotations

import os
import stat


def is_open_to_others(status: os.stat_result) -> bool:
    """Whether others than the service can read or change a file with secrets.

    A file of root's may be read by a group, as PostgreSQL has it too: so a cluster mounts a pod's
    secrets, and a service that is not root could read no others.

    Parameters
    ----------
    status
        Of the file itself, where its name is a link.

    Returns
    -------
    False where its owner alone, or its owner root and a group, can read it.
    """
    is_mounted = status.st_uid == 0 and os.geteuid() != 0
    too_open = 0o037 if is_mounted else 0o077
    return bool(stat.S_IMODE(status.st_mode) & too_open)
