"""The first tables, and an audit that nobody can change."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_UNCHANGEABLE = "append_only"


def upgrade() -> None:
    """Make them."""
    _make_clubs()
    _make_visits()
    _make_reports()
    _make_audit()


def _make_clubs() -> None:
    """Whose rows they are, and what opens them."""
    op.create_table(
        "club",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(100), nullable=False, unique=True),
        sa.Column("created_at", sa.DateTime, nullable=False),
    )
    op.create_table(
        "key",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("club_id", sa.Integer, sa.ForeignKey("club.id"), nullable=False, index=True),
        sa.Column("role", sa.String(40), nullable=False),
        sa.Column("secret_sha256", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("expires_at", sa.DateTime),
        sa.Column("revoked_at", sa.DateTime),
    )


def _make_visits() -> None:
    """Athletes, what they were measured at, and what was told about it."""
    op.create_table(
        "athlete",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("club_id", sa.Integer, sa.ForeignKey("club.id"), nullable=False),
        sa.Column("code", sa.String(100), nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.UniqueConstraint("club_id", "code"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "visit",
        sa.Column("id", sa.Integer, primary_key=True),
        _of("athlete"),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("screening", sa.JSON, nullable=False),
        sa.Column("schema_fingerprint", sa.String(64), nullable=False),
        sa.Column("recorded_at", sa.DateTime, nullable=False),
    )
    op.create_table(
        "answer",
        sa.Column("id", sa.String(36), primary_key=True),
        _of("visit"),
        sa.Column("version", sa.String(100), nullable=False),
        sa.Column("bundle_sha256", sa.String(64), nullable=False),
        sa.Column("told", sa.JSON, nullable=False),
        sa.Column("answered_at", sa.DateTime, nullable=False),
    )


def _make_reports() -> None:
    """Tables of what happened afterwards, and of requests that were done."""
    op.create_table(
        "outcome",
        sa.Column("id", sa.String(36), primary_key=True),
        _of("athlete"),
        sa.Column("answer_id", sa.String(36), sa.ForeignKey("answer.id", ondelete="SET NULL")),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("side", sa.String(40), nullable=False),
        sa.Column("first_day", sa.Date, nullable=False),
        sa.Column("last_day", sa.Date, nullable=False),
        sa.Column("details", sa.JSON, nullable=False),
        sa.Column("reported_at", sa.DateTime, nullable=False),
    )
    op.create_table(
        "exposure",
        sa.Column("id", sa.Integer, primary_key=True),
        _of("athlete"),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("minutes", sa.Double, nullable=False),
    )
    op.create_table(
        "sent",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("club_id", sa.Integer, sa.ForeignKey("club.id"), nullable=False),
        sa.Column("idempotency_key", sa.String(100), nullable=False),
        _of("athlete"),
        sa.Column("body_sha256", sa.String(64), nullable=False),
        sa.Column("answer_id", sa.String(36), sa.ForeignKey("answer.id", ondelete="CASCADE")),
        sa.Column("sent_at", sa.DateTime, nullable=False),
        sa.UniqueConstraint("club_id", "idempotency_key"),
    )


def _of(table: str) -> sa.Column[int]:
    """The row of a table that a row hangs on, and is deleted with."""
    owner = sa.ForeignKey(f"{table}.id", ondelete="CASCADE")
    return sa.Column(f"{table}_id", sa.Integer, owner, nullable=False, index=True)


def _make_audit() -> None:
    """Who did what; no row of it can be changed."""
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("club_id", sa.Integer, sa.ForeignKey("club.id")),
        sa.Column("actor", sa.String(100), nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("subject", sa.String(100)),
    )
    if op.get_bind().dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_no_{change.lower()} BEFORE {change} ON audit "
                f"BEGIN SELECT RAISE(ABORT, '{_UNCHANGEABLE}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION audit_unchangeable() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_UNCHANGEABLE}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_unchangeable BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_unchangeable()"
    )
