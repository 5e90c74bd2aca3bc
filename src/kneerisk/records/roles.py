"""What a key may do. Apart from the database, so that a command's help does not load that."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What a key may do; each may do what those before it may."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"

    def allows(self, wanted: Role) -> bool:
        """Whether it is enough for what is wanted."""
        order = list(Role)
        return order.index(self) >= order.index(wanted)
