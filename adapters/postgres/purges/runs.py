from adapters.postgres.purges.steps import step

RUNS = step("""
    DELETE FROM run WHERE (account_id, id) IN (
        SELECT account_id, id FROM run WHERE finished_at < now() - :keep
        LIMIT :most FOR UPDATE SKIP LOCKED
    )
""")
