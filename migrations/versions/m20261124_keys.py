"""What a key may do and spend, and who made it.

A reservation says which limits count it, so that its end is counted where its hold was.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "shadow_refusal",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("limit_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("missing", sa.BigInteger(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_shadow_refusal_account_id_account")
        ),
        sa.PrimaryKeyConstraint("account_id", "limit_id", "key_id", name=op.f("pk_shadow_refusal")),
    )
    op.create_table(
        "spend_limit",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("shadow", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("period IN ('day', 'month', 'total')", name=op.f("ck_spend_limit_period")),
        sa.CheckConstraint("subject_kind IN ('key', 'member')", name=op.f("ck_spend_limit_subject_kind")),
        sa.CheckConstraint("amount >= 0 AND held >= 0 AND spent >= 0", name=op.f("ck_spend_limit_balance")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_spend_limit_account_id_account")
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_spend_limit")),
        postgresql_with={"fillfactor": 50},
    )
    op.create_index(
        op.f("ix_spend_limit_account_id_subject_id_period_shadow"),
        "spend_limit",
        ["account_id", "subject_id", "period", "shadow"],
        unique=True,
    )
    op.add_column("api_key", sa.Column("previous_digest", sa.LargeBinary(), nullable=True))
    op.add_column("api_key", sa.Column("previous_until", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(
        op.f("ck_api_key_previous"), "api_key", "(previous_digest IS NULL) = (previous_until IS NULL)"
    )
    op.create_index(op.f("ix_api_key_previous_digest"), "api_key", ["previous_digest"], unique=True)
    op.add_column("api_key", sa.Column("created_by", sa.Uuid(), nullable=True))
    op.add_column("api_key", sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("api_key", sa.Column("features", postgresql.ARRAY(sa.Text()), nullable=True))
    op.add_column("api_key", sa.Column("networks", postgresql.ARRAY(sa.Text()), nullable=True))
    op.add_column("api_key", sa.Column("per_minute", sa.BigInteger(), nullable=True))
    op.add_column("api_key", sa.Column("per_day", sa.BigInteger(), nullable=True))
    op.create_index(op.f("ix_api_key_created_by"), "api_key", ["created_by"], unique=False)
    op.create_foreign_key(
        op.f("fk_api_key_created_by_app_user"), "api_key", "app_user", ["created_by"], ["id"]
    )
    op.add_column("reservation", sa.Column("member_id", sa.Uuid(), nullable=True))
    op.add_column(
        "reservation",
        sa.Column("counted", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
    )
    op.create_check_constraint(op.f("ck_api_key_rate"), "api_key", "per_minute > 0 AND per_day > 0")


def downgrade() -> None:
    op.drop_constraint(op.f("ck_api_key_rate"), "api_key", type_="check")
    op.drop_column("reservation", "counted")
    op.drop_column("reservation", "member_id")
    op.drop_constraint(op.f("fk_api_key_created_by_app_user"), "api_key", type_="foreignkey")
    op.drop_index(op.f("ix_api_key_created_by"), table_name="api_key")
    op.drop_column("api_key", "per_day")
    op.drop_column("api_key", "per_minute")
    op.drop_column("api_key", "networks")
    op.drop_column("api_key", "features")
    op.drop_column("api_key", "last_used_at")
    op.drop_column("api_key", "created_by")
    op.drop_index(op.f("ix_api_key_previous_digest"), table_name="api_key")
    op.drop_constraint(op.f("ck_api_key_previous"), "api_key", type_="check")
    op.drop_column("api_key", "previous_until")
    op.drop_column("api_key", "previous_digest")
    op.drop_index(op.f("ix_spend_limit_account_id_subject_id_period_shadow"), table_name="spend_limit")
    op.drop_table("spend_limit")
    op.drop_table("shadow_refusal")
