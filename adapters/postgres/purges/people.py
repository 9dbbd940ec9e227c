from adapters.postgres.purges.steps import step

SESSIONS = step("""
    WITH over AS (
        SELECT user_id, id FROM session WHERE least(ended_at, expires_at) < now() - :keep
        LIMIT :most FOR UPDATE SKIP LOCKED
    ), tokens AS (
        DELETE FROM refresh_token t USING over WHERE t.user_id = over.user_id AND t.session_id = over.id
    )
    DELETE FROM session s USING over WHERE s.user_id = over.user_id AND s.id = over.id
""")
CODES = step("""
    DELETE FROM mail_code WHERE (user_id, purpose) IN (
        SELECT user_id, purpose FROM mail_code WHERE expires_at < now() - :keep
        LIMIT :most FOR UPDATE SKIP LOCKED
    )
""")
INVITATIONS = step("""
    DELETE FROM invitation WHERE (workspace_id, id) IN (
        SELECT workspace_id, id FROM invitation
        WHERE least(accepted_at, revoked_at, expires_at) < now() - :keep
        LIMIT :most FOR UPDATE SKIP LOCKED
    )
""")
