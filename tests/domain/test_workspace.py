from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from domain.errors import DatabaseUnavailable
from domain.ids import WorkspaceId
from domain.workspaces.workspace import Kind, NameRefused, Workspace, WorkspaceMissing, check_name
from tests.fakes.clock import NOON

WORKSPACE = Workspace(id=WorkspaceId(UUID(int=1)), name="Acme", kind=Kind.TEAM, created_at=NOON)


def test_a_frozen_workspace_remembers_since_when() -> None:
    frozen = WORKSPACE.freeze(NOON)
    assert frozen == replace(WORKSPACE, frozen_at=NOON)
    assert frozen.freeze(NOON + timedelta(days=1)) == frozen


def test_a_thawed_workspace_is_as_it_was() -> None:
    assert WORKSPACE.freeze(NOON).unfreeze() == WORKSPACE
    assert WORKSPACE.unfreeze() == WORKSPACE


@pytest.mark.parametrize("name", ["a", "x" * 100, "Émile & Söhne 株式会社", "a  b"])
def test_a_name_may_be_what_can_be_printed(name: str) -> None:
    assert check_name(f" {name}\t") == name


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "a\x00b", "a\nb", "a\u202eb", "\ud800"])
def test_any_other_name_is_refused(name: str) -> None:
    with pytest.raises(NameRefused) as refusal:
        check_name(name)
    assert str(refusal.value) == "a name has 1 to 100 printable characters"


def test_what_is_missing_or_away_is_said() -> None:
    assert str(WorkspaceMissing()) == "there is no such workspace"
    assert "may have been done or not" in str(DatabaseUnavailable())
    assert "the same Idempotency-Key" in str(DatabaseUnavailable())
