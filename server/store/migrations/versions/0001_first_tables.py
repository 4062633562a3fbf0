"""The first tables: establishment, laptop, staff, call, command, incident, audit."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "establishment",
        sa.Column("code", sa.String(3), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("hall", sa.Text, nullable=False),
        sa.Column("policy", sa.Text, nullable=False),
    )
    op.create_table(
        "laptop",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("establishment", sa.String(3), sa.ForeignKey("establishment.code"), nullable=False),
        sa.Column("seat", sa.Integer, nullable=False),
        sa.Column("room", sa.Text, nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
    )
    op.create_table(
        "staff",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("establishment", sa.String(3), sa.ForeignKey("establishment.code"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("unix_user", sa.String(64), unique=True),
        sa.Column("token_hash", sa.String(64), unique=True),
    )
    op.create_table(
        "call",
        sa.Column("call_id", sa.String(64), primary_key=True),
        sa.Column("establishment", sa.String(3), sa.ForeignKey("establishment.code"), nullable=False),
        sa.Column("laptop_id", sa.String(64), nullable=False),
        sa.Column("starts_at_ms", sa.BigInteger, nullable=False),
        sa.Column("ends_at_ms", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("outcome", sa.String(40)),
        sa.Column("room_token_hash", sa.String(64), nullable=False, unique=True),
        sa.Column("family_token_hash", sa.String(64), nullable=False, unique=True),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("call_by_state", "call", ["establishment", "state"])
    op.create_table(
        "command",
        sa.Column("command_id", sa.String(64), primary_key=True),
        sa.Column("at_ms", sa.BigInteger, nullable=False, index=True),
        sa.Column("answer", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "incident",
        sa.Column("reference", sa.String(32), primary_key=True),
        sa.Column("establishment", sa.String(3), sa.ForeignKey("establishment.code"), nullable=False),
        sa.Column("call_id", sa.String(64), sa.ForeignKey("call.call_id"), nullable=False),
        sa.Column("category", sa.String(1), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("flagged_by", sa.Text, nullable=False),
        sa.Column("pressed_at_ms", sa.BigInteger, nullable=False),
        sa.Column("filed_at_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "audit",
        sa.Column("n", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("session", sa.String(64), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("call_id", sa.String(64), nullable=False),
        sa.Column("accepted", sa.Boolean, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )


def downgrade() -> None:
    for table in ("audit", "incident", "command", "call", "staff", "laptop", "establishment"):
        op.drop_table(table)
