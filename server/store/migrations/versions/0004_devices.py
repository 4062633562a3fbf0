"""Calls have up to four family devices; the first one's token stays with the call."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "device",
        sa.Column("token_hash", sa.String(64), primary_key=True),
        sa.Column("call_id", sa.String(64), sa.ForeignKey("call.call_id"), nullable=False, index=True),
        sa.Column("establishment", sa.String(3), sa.ForeignKey("establishment.code"), nullable=False),
        sa.Column("leg", sa.String(16), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("device")
