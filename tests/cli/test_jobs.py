import pytest

from tests.cli.operator import asked, misused, refused
from tests.cli.processes import command

pytestmark = pytest.mark.usefixtures("own_database")


def test_jobs_are_listed_and_run_by_hand() -> None:
    before = {each["job"]: each for each in asked("jobs", "list")}
    assert before["erase_users"]["last_at"] is None
    ran = asked("jobs", "run", "erase_users")
    assert (ran["outcome"], ran["erased"], ran["kept"]) == ("ok", 0, 0)
    after = {each["job"]: each for each in asked("jobs", "list")}["erase_users"]
    assert (after["outcome"], after["running"], after["failures"]) == ("ok", False, 0)
    assert after["next_at"] > after["last_at"]
    assert "erase_users" in command("jobs", "list").stdout


def test_what_is_no_job_is_said_to_be_none() -> None:
    assert "there is no such job" in refused("jobs", "run", "conquer")
    assert "Missing argument" in misused("jobs", "run")
