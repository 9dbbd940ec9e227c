"""Background jobs, parked accounts, told thresholds, and what purged reservations leave behind.

What was spent under a limit is recounted from reservations. Those that are purged leave their sum in
`limit_carry`.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "job_tick",
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_by", sa.Text(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("failures", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("failures >= 0", name=op.f("ck_job_tick_failures")),
        sa.PrimaryKeyConstraint("job", name=op.f("pk_job_tick")),
    )
    op.create_table(
        "limit_carry",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("limit_id", sa.Uuid(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("spent > 0", name=op.f("ck_limit_carry_spent")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_limit_carry_account_id_account")
        ),
        sa.PrimaryKeyConstraint("account_id", "limit_id", "since", name=op.f("pk_limit_carry")),
    )
    op.create_table(
        "credit_alert",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("threshold", sa.BigInteger(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_credit_alert_account_id_account")
        ),
        sa.PrimaryKeyConstraint("account_id", "since", "threshold", name=op.f("pk_credit_alert")),
    )
    op.add_column("account", sa.Column("parked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("account", sa.Column("parked_reason", sa.Text(), nullable=True))
    op.create_check_constraint(
        op.f("ck_account_parked"), "account", "(parked_at IS NULL) = (parked_reason IS NULL)"
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_account_parked"), "account", type_="check")
    op.drop_column("account", "parked_reason")
    op.drop_column("account", "parked_at")
    op.drop_table("credit_alert")
    op.drop_table("limit_carry")
    op.drop_table("job_tick")
