"""Incidents have a state and a review; a call's audit entries are found by its id."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("incident", sa.Column("state", sa.String(20), nullable=False, server_default="AWAITING_REVIEW"))
    op.add_column("incident", sa.Column("body", sa.Text, nullable=False, server_default=""))
    op.create_index("incident_by_state", "incident", ["establishment", "state"])
    op.create_index("audit_by_call", "audit", ["call_id"])


def downgrade() -> None:
    op.drop_index("audit_by_call", "audit")
    op.drop_index("incident_by_state", "incident")
    for column in ("body", "state"):
        op.drop_column("incident", column)
