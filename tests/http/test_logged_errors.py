import logging

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.http.logs import Stream, logging_to

PROMPT = {"prompt": "own words"}


async def test_an_error_of_the_database_is_logged_without_what_was_sent_there(engine: AsyncEngine) -> None:
    stream = Stream()
    with logging_to(stream):
        async with engine.connect() as connection:
            with pytest.raises(DBAPIError) as failure:
                await connection.execute(sa.text("SELECT 1 / (length(:prompt) - 9)"), PROMPT)
        logging.getLogger("adapters.example").error("failed", exc_info=failure.value)
    assert "division by zero" in stream.text
    assert "own words" not in stream.text
