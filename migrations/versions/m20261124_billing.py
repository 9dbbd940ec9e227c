"""Subscriptions, invoices and pages to pay on; what Stripe told; refunds in the books."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "stripe_event",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stripe_event")),
    )
    op.create_index(op.f("ix_stripe_event_received_at"), "stripe_event", ["received_at"], unique=False)
    op.create_table(
        "billing_customer",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_billing_customer_workspace_id_workspace")
        ),
        sa.PrimaryKeyConstraint("workspace_id", name=op.f("pk_billing_customer")),
    )
    op.create_index(op.f("ix_billing_customer_id"), "billing_customer", ["id"], unique=True)
    op.create_table(
        "checkout",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("wanted", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("session", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("purpose IN ('subscribe', 'top_up')", name=op.f("ck_checkout_purpose")),
        sa.CheckConstraint("state IN ('open', 'complete', 'expired')", name=op.f("ck_checkout_state")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_checkout_account_id_account")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_checkout")),
    )
    op.create_index(op.f("ix_checkout_session"), "checkout", ["session"], unique=True)
    op.create_index(
        "ix_checkout_subscribing",
        "checkout",
        ["account_id"],
        unique=True,
        postgresql_where=sa.text("purpose = 'subscribe' AND state = 'open'"),
    )
    op.create_table(
        "invoice",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("subscription", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("paid", sa.BigInteger(), nullable=False),
        sa.Column("taken_back", sa.BigInteger(), nullable=False),
        sa.Column("won_back", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("pdf", sa.Text(), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_invoice_account_id_account")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_invoice")),
    )
    op.create_index(
        op.f("ix_invoice_account_id_created_at"), "invoice", ["account_id", "created_at"], unique=False
    )
    op.create_index(op.f("ix_invoice_id"), "invoice", ["id"], unique=True)
    op.create_table(
        "subscription",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("plan", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("seats", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("period_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("period_end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cancel_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trial_end", sa.DateTime(timezone=True), nullable=True),
        sa.Column("schedule", sa.Text(), nullable=True),
        sa.Column("next_plan", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("next_seats", sa.BigInteger(), nullable=True),
        sa.Column("owed_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("seats >= 0", name=op.f("ck_subscription_seats")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_subscription_account_id_account")
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_subscription")),
    )
    op.create_index(op.f("ix_subscription_id"), "subscription", ["id"], unique=True)
    op.create_table(
        "quote",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subscription", sa.Text(), nullable=False),
        sa.Column("wanted", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("timing", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("monthly", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("credits", sa.BigInteger(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_quote_account_id_account")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_quote")),
    )
    op.create_index(op.f("ix_quote_expires_at"), "quote", ["expires_at"], unique=False)
    op.create_table(
        "top_up",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("lookup_key", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("invoice", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('pending', 'paid', 'failed')", name=op.f("ck_top_up_state")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_top_up_account_id_account")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_top_up")),
    )
    op.create_index(
        "ix_top_up_pending",
        "top_up",
        ["account_id"],
        unique=True,
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index(op.f("ix_top_up_account_id_created_at"), "top_up", ["account_id", "created_at"])
    op.create_table(
        "billing_notice",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_billing_notice_account_id_account")
        ),
        sa.PrimaryKeyConstraint("account_id", "kind", "about", name=op.f("pk_billing_notice")),
    )
    op.create_index(op.f("ix_billing_notice_told_at"), "billing_notice", ["told_at"], unique=False)
    op.add_column("account", sa.Column("freezes_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("account", sa.Column("top_up_below", sa.BigInteger(), nullable=True))
    op.add_column("account", sa.Column("top_up_pack", sa.Text(), nullable=True))
    op.add_column("account", sa.Column("top_up_monthly", sa.BigInteger(), nullable=True))
    op.create_check_constraint(
        op.f("ck_account_top_up"),
        "account",
        "num_nulls(top_up_below, top_up_pack, top_up_monthly) IN (0, 3) AND top_up_below >= 0"
        " AND top_up_monthly > 0",
    )
    op.create_index(
        "ix_account_top_up", "account", ["id"], postgresql_where=sa.text("top_up_below IS NOT NULL")
    )
    op.add_column("lot", sa.Column("refunded", sa.BigInteger(), server_default="0", nullable=False))
    op.create_check_constraint(op.f("ck_lot_refunded"), "lot", "refunded >= 0")
    op.add_column(
        "repayment", sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False)
    )
    op.drop_constraint(op.f("pk_repayment"), "repayment", type_="primary")
    op.create_primary_key(op.f("pk_repayment"), "repayment", ["account_id", "id"])
    op.drop_constraint(op.f("ck_repayment_amount"), "repayment", type_="check")
    op.create_check_constraint(op.f("ck_repayment_amount"), "repayment", "amount <> 0")


def downgrade() -> None:
    """Refused by the database where a refund is in the books: the earlier version could not read them."""
    op.drop_constraint(op.f("ck_repayment_amount"), "repayment", type_="check")
    op.create_check_constraint(op.f("ck_repayment_amount"), "repayment", "amount > 0")
    op.drop_constraint(op.f("pk_repayment"), "repayment", type_="primary")
    op.create_primary_key(op.f("pk_repayment"), "repayment", ["account_id", "lot_id"])
    op.drop_column("repayment", "id")
    op.drop_constraint(op.f("ck_lot_refunded"), "lot", type_="check")
    op.drop_column("lot", "refunded")
    op.drop_index("ix_account_top_up", table_name="account")
    op.drop_constraint(op.f("ck_account_top_up"), "account", type_="check")
    op.drop_column("account", "top_up_monthly")
    op.drop_column("account", "top_up_pack")
    op.drop_column("account", "top_up_below")
    op.drop_column("account", "freezes_at")
    op.drop_index(op.f("ix_top_up_account_id_created_at"), table_name="top_up")
    op.drop_index("ix_top_up_pending", table_name="top_up")
    op.drop_table("top_up")
    op.drop_index(op.f("ix_billing_notice_told_at"), table_name="billing_notice")
    op.drop_table("billing_notice")
    op.drop_index(op.f("ix_quote_expires_at"), table_name="quote")
    op.drop_table("quote")
    op.drop_index(op.f("ix_subscription_id"), table_name="subscription")
    op.drop_table("subscription")
    op.drop_index(op.f("ix_invoice_id"), table_name="invoice")
    op.drop_index(op.f("ix_invoice_account_id_created_at"), table_name="invoice")
    op.drop_table("invoice")
    op.drop_index(
        "ix_checkout_subscribing",
        table_name="checkout",
        postgresql_where=sa.text("purpose = 'subscribe' AND state = 'open'"),
    )
    op.drop_index(op.f("ix_checkout_session"), table_name="checkout")
    op.drop_table("checkout")
    op.drop_index(op.f("ix_billing_customer_id"), table_name="billing_customer")
    op.drop_table("billing_customer")
    op.drop_index(op.f("ix_stripe_event_received_at"), table_name="stripe_event")
    op.drop_table("stripe_event")
