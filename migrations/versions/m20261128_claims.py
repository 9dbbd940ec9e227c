"""Quotes that are being made; what was won of a dispute is no longer a sum of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("quote", sa.Column("claimed", sa.BigInteger(), nullable=True))
    op.drop_column("invoice", "won_back")


def downgrade() -> None:
    op.add_column("invoice", sa.Column("won_back", sa.BigInteger(), server_default="0", nullable=False))
    op.alter_column("invoice", "won_back", server_default=None)
    op.drop_column("quote", "claimed")
