"""Several establishments in one database: whose an audit entry and a command's answer are."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    for table in ("audit", "command"):
        op.add_column(table, sa.Column("establishment", sa.String(3), nullable=False, server_default=""))
    # Until now a database held one establishment, so its answers are that one's.
    op.execute("UPDATE command SET establishment = coalesce((SELECT min(code) FROM establishment), '')")


def downgrade() -> None:
    for table in ("audit", "command"):
        op.drop_column(table, "establishment")
