"""Laptops sign recordings with a key that is registered with their token."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "signing_key",
        sa.Column("establishment", sa.String(3), sa.ForeignKey("establishment.code"), primary_key=True),
        sa.Column("laptop_id", sa.String(64), primary_key=True),
        sa.Column("key", sa.LargeBinary, primary_key=True),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("since_ms", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("signing_key")
