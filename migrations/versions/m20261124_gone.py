"""A customer at Stripe that was deleted with its workspace; finding who has not paid."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("billing_customer", sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_account_freezes_at",
        "account",
        ["freezes_at"],
        postgresql_where=sa.text("freezes_at IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_account_freezes_at", table_name="account")
    op.drop_column("billing_customer", "closed_at")
