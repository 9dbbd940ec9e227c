"""One table says who may do what."""

import pytest

from application.access import TABLE, Credential, OperationDenied, authorize, rule_of
from domain.workspaces.role import Role

PERSON = Credential.ACCESS_TOKEN


def test_what_is_not_in_the_table_is_refused() -> None:
    with pytest.raises(OperationDenied, match="launch_rocket is not for this credential"):
        rule_of("launch_rocket")
    with pytest.raises(OperationDenied):
        authorize("launch_rocket", Credential.OPERATOR)


def test_another_kind_of_credential_is_refused() -> None:
    authorize("reserve", Credential.SERVICE_KEY)
    with pytest.raises(OperationDenied):
        authorize("reserve", Credential.CUSTOMER_KEY)


def test_a_person_needs_one_of_the_roles() -> None:
    authorize("create_key", PERSON, Role.ADMIN)
    authorize("read_workspace", PERSON, Role.MEMBER)
    with pytest.raises(
        OperationDenied, match="create_key is for the owner or admin of the workspace"
    ) as refusal:
        authorize("create_key", PERSON, Role.MEMBER)
    assert refusal.value.roles == (Role.OWNER, Role.ADMIN)
    with pytest.raises(OperationDenied):
        authorize("create_key", PERSON)


def test_the_operator_needs_no_role() -> None:
    authorize("list_keys", Credential.OPERATOR)
    with pytest.raises(OperationDenied):
        authorize("sign_out", Credential.OPERATOR)


@pytest.mark.parametrize("operation", TABLE)
def test_only_what_needs_no_credential_is_for_everybody(operation: str) -> None:
    by = TABLE[operation].by
    assert by
    assert Credential.NOTHING not in by or by == frozenset(Credential)
