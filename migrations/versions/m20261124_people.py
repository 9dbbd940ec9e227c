"""People, members, invitations, and the audit log.

The audit log is append-only for everybody who comes through SQL: a trigger refuses to change or delete a row.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_REFUSE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$
"""


def upgrade() -> None:
    op.create_table(
        "app_user",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("email_key", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("operator", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deletes_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("totp_secret", sa.LargeBinary(), nullable=True),
        sa.Column("totp_enabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("totp_last_step", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(email IS NULL) = (email_key IS NULL)", name=op.f("ck_app_user_email_key")),
        sa.CheckConstraint("(email IS NULL) = (erased_at IS NOT NULL)", name=op.f("ck_app_user_erased")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app_user")),
    )
    op.create_index(
        "ix_app_user_deletes_at",
        "app_user",
        ["deletes_at"],
        unique=False,
        postgresql_where=sa.text("deletes_at IS NOT NULL"),
    )
    op.create_index(op.f("ix_app_user_email_key"), "app_user", ["email_key"], unique=True)
    op.create_table(
        "signing_key",
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("public", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_private", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signs_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verifies_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("kid", name=op.f("pk_signing_key")),
    )
    op.create_table(
        "audit_entry",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("before", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint("actor_kind IN ('user', 'operator')", name=op.f("ck_audit_entry_actor_kind")),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_audit_entry_workspace_id_workspace")
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_audit_entry")),
    )
    op.create_index(
        op.f("ix_audit_entry_workspace_id_at"), "audit_entry", ["workspace_id", "at"], unique=False
    )
    op.create_index(op.f("ix_audit_entry_actor_id"), "audit_entry", ["actor_id"], unique=False)
    op.create_table(
        "invitation",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_key", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("invited_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("role IN ('admin', 'member')", name=op.f("ck_invitation_role")),
        sa.CheckConstraint(
            "accepted_at IS NULL OR revoked_at IS NULL", name=op.f("ck_invitation_ended_once")
        ),
        sa.ForeignKeyConstraint(
            ["invited_by"], ["app_user.id"], name=op.f("fk_invitation_invited_by_app_user")
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_invitation_workspace_id_workspace")
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_invitation")),
    )
    op.create_index(op.f("ix_invitation_digest"), "invitation", ["digest"], unique=True)
    op.create_index(op.f("ix_invitation_email_key"), "invitation", ["email_key"], unique=False)
    op.create_index(
        "ix_invitation_open",
        "invitation",
        ["workspace_id", "email_key"],
        unique=True,
        postgresql_where=sa.text("accepted_at IS NULL AND revoked_at IS NULL"),
    )
    op.create_table(
        "linked_identity",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_linked_identity_user_id_app_user")
        ),
        sa.PrimaryKeyConstraint("provider", "subject", name=op.f("pk_linked_identity")),
    )
    op.create_index(op.f("ix_linked_identity_user_id"), "linked_identity", ["user_id"], unique=False)
    op.create_table(
        "mail_code",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("attempts_left", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("purpose IN ('confirm', 'reset')", name=op.f("ck_mail_code_purpose")),
        sa.CheckConstraint("attempts_left >= 0", name=op.f("ck_mail_code_attempts_left")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_mail_code_user_id_app_user")),
        sa.PrimaryKeyConstraint("user_id", "purpose", name=op.f("pk_mail_code")),
    )
    op.create_table(
        "member",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("role <> 'owner' OR disabled_at IS NULL", name=op.f("ck_member_owner_enabled")),
        sa.CheckConstraint("role IN ('owner', 'admin', 'member')", name=op.f("ck_member_role")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_member_user_id_app_user")),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_member_workspace_id_workspace")
        ),
        sa.PrimaryKeyConstraint("workspace_id", "user_id", name=op.f("pk_member")),
    )
    op.create_index(
        "ix_member_owner", "member", ["workspace_id"], unique=True, postgresql_where=sa.text("role = 'owner'")
    )
    op.create_index(op.f("ix_member_user_id"), "member", ["user_id"], unique=False)
    op.create_table(
        "recovery_code",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_recovery_code_user_id_app_user")),
        sa.PrimaryKeyConstraint("user_id", "digest", name=op.f("pk_recovery_code")),
    )
    op.create_table(
        "refresh_token",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_refresh_token_user_id_app_user")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_refresh_token")),
    )
    op.create_index(
        op.f("ix_refresh_token_user_id_session_id"), "refresh_token", ["user_id", "session_id"], unique=False
    )
    op.create_table(
        "session",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_session_user_id_app_user")),
        sa.PrimaryKeyConstraint("user_id", "id", name=op.f("pk_session")),
    )
    op.add_column("workspace", sa.Column("slug", sa.Text(), nullable=True))
    op.add_column("workspace", sa.Column("seats", sa.BigInteger(), server_default="1", nullable=False))
    op.add_column("workspace", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_workspace_slug"), "workspace", ["slug"], unique=True)
    op.create_check_constraint(op.f("ck_workspace_seats"), "workspace", "seats >= 1")
    op.execute(_REFUSE)
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_entry"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON audit_entry"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_workspace_seats"), "workspace", type_="check")
    op.drop_index(op.f("ix_workspace_slug"), table_name="workspace")
    op.drop_column("workspace", "deleted_at")
    op.drop_column("workspace", "seats")
    op.drop_column("workspace", "slug")
    op.drop_table("session")
    op.drop_index(op.f("ix_refresh_token_user_id_session_id"), table_name="refresh_token")
    op.drop_table("refresh_token")
    op.drop_table("recovery_code")
    op.drop_index(op.f("ix_member_user_id"), table_name="member")
    op.drop_index("ix_member_owner", table_name="member", postgresql_where=sa.text("role = 'owner'"))
    op.drop_table("member")
    op.drop_table("mail_code")
    op.drop_index(op.f("ix_linked_identity_user_id"), table_name="linked_identity")
    op.drop_table("linked_identity")
    op.drop_index(
        "ix_invitation_open",
        table_name="invitation",
        postgresql_where=sa.text("accepted_at IS NULL AND revoked_at IS NULL"),
    )
    op.drop_index(op.f("ix_invitation_email_key"), table_name="invitation")
    op.drop_index(op.f("ix_invitation_digest"), table_name="invitation")
    op.drop_table("invitation")
    op.drop_index(op.f("ix_audit_entry_actor_id"), table_name="audit_entry")
    op.drop_index(op.f("ix_audit_entry_workspace_id_at"), table_name="audit_entry")
    op.drop_table("audit_entry")
    op.execute("DROP FUNCTION refuse_change()")
    op.drop_table("signing_key")
    op.drop_index(op.f("ix_app_user_email_key"), table_name="app_user")
    op.drop_index(
        "ix_app_user_deletes_at", table_name="app_user", postgresql_where=sa.text("deletes_at IS NOT NULL")
    )
    op.drop_table("app_user")
