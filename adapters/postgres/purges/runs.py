from adapters.postgres.purges.steps import step

RUNS = step("""
    DELETE FROM run WHERE (account_id, id) IN (
        SELECT account_id, id FROM run WHERE finished_at < now() - :keep
        LIMIT :most FOR UPDATE SKIP LOCKED
    )
""")
QUEUED_RUNS = step("""
    DELETE FROM queued_run WHERE (account_id, id) IN (
        SELECT account_id, id FROM queued_run WHERE kept_until < now() - :keep
        LIMIT :most FOR UPDATE SKIP LOCKED
    )
""")
BATCHES = step("""
    DELETE FROM run_batch WHERE (account_id, id) IN (
        SELECT account_id, id FROM run_batch b WHERE created_at < now() - :keep AND NOT EXISTS (
            SELECT FROM queued_run r WHERE r.account_id = b.account_id AND r.batch_id = b.id
        )
        LIMIT :most FOR UPDATE SKIP LOCKED
    )
""")
INBOX = step("""
    DELETE FROM inbox WHERE (consumer, event_id) IN (
        SELECT consumer, event_id FROM inbox WHERE handled_at < now() - :keep
        LIMIT :most FOR UPDATE SKIP LOCKED
    )
""")
