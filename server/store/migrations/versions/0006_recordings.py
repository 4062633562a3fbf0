"""An index of the recordings that are whole here."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "recording",
        sa.Column("establishment", sa.String(3), sa.ForeignKey("establishment.code"), primary_key=True),
        sa.Column("call_id", sa.String(64), sa.ForeignKey("call.call_id"), primary_key=True),
        sa.Column("part", sa.String(64), primary_key=True),
        sa.Column("laptop_id", sa.String(64), nullable=False),
        sa.Column("verified_at_ms", sa.BigInteger, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("records", sa.Integer, nullable=False),
        sa.Column("gaps", sa.Integer, nullable=False),
        sa.Column("ended", sa.String(16), nullable=False),
        sa.Column("chain", sa.String(64), nullable=False),
        sa.Column("signer", sa.String(64), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("recording")
