"""Until when Stripe was asked for events that never arrived."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "stripe_sweep",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_stripe_sweep_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stripe_sweep")),
    )


def downgrade() -> None:
    op.drop_table("stripe_sweep")
