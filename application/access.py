"""Who may do what: a row for each operation. HTTP and the command line ask here; without a row it is refused.

An operation is called as in the OpenAPI document (``operationId``); what only the command line does has a
name of its own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from domain.errors import Denied
from domain.workspaces.role import Role


class Credential(StrEnum):
    """What a caller shows."""

    NOTHING = "nothing"
    SERVICE_KEY = "service_key"
    CUSTOMER_KEY = "customer_key"
    ACCESS_TOKEN = "access_token"  # noqa: S105 - its name
    OPERATOR = "operator"
    """The command line, for whoever can read the settings; over HTTP, an operator's access token."""
    WEBHOOK_TOKEN = "webhook_token"  # noqa: S105 - its name


@dataclass(frozen=True, slots=True)
class Rule:
    """``roles``: for a person it is about a workspace, and asks for one of these there."""

    by: frozenset[Credential]
    roles: frozenset[Role] | None = None


@dataclass(eq=False)
class OperationDenied(Denied):
    """``roles`` are those that may."""

    code: ClassVar[str] = "operation_denied"
    operation: str
    roles: tuple[str, ...]

    def __str__(self) -> str:
        if not self.roles:
            return f"{self.operation} is not for this credential"
        return f"{self.operation} is for the {' or '.join(self.roles)} of the workspace"


def _by(*credentials: Credential) -> Rule:
    return Rule(frozenset(credentials))


def _member(*roles: Role) -> Rule:
    """The operator needs no role."""
    return Rule(frozenset({Credential.ACCESS_TOKEN, Credential.OPERATOR}), frozenset(roles))


def _rows(rule: Rule, names: str) -> Iterable[tuple[str, Rule]]:
    return ((name, rule) for name in names.split())


_ANYBODY = Rule(frozenset(Credential))
_SERVICE = _by(Credential.SERVICE_KEY)
_CUSTOMER = _by(Credential.CUSTOMER_KEY)
_PERSON = _by(Credential.ACCESS_TOKEN)
_OPERATOR = _by(Credential.OPERATOR)
_ADMINS = _member(Role.OWNER, Role.ADMIN)
_MEMBERS = _member(*Role)

TABLE: Mapping[str, Rule] = dict(
    [
        *_rows(_ANYBODY, "live ready metrics jwks"),
        *_rows(_ANYBODY, "sign_up confirm_email resend_code sign_in refresh_session"),
        *_rows(_ANYBODY, "request_password_reset reset_password"),
        *_rows(_ANYBODY, "begin_elsewhere finish_elsewhere"),
        *_rows(_ANYBODY, "plans"),
        *_rows(_ANYBODY, "stripe_webhook"),  # what it is sent is signed
        *_rows(_PERSON, "list_identities unlink_identity"),
        *_rows(_PERSON, "change_me export_me request_deletion cancel_deletion"),
        *_rows(_SERVICE, "reserve start commit release extend reservation"),
        *_rows(_CUSTOMER, "balance features usage records run_feature"),
        *_rows(_CUSTOMER, "run_batch read_batch list_runs read_run cancel_run erase_run"),
        *_rows(_PERSON, "sign_out read_me change_password"),
        *_rows(_PERSON, "enroll_second_factor enable_second_factor disable_second_factor"),
        *_rows(_PERSON, "renew_recovery_codes"),
        *_rows(_PERSON, "list_sessions end_session end_other_sessions"),
        *_rows(_PERSON, "create_workspace list_workspaces accept_invitation"),
        *_rows(_MEMBERS, "read_workspace list_members leave_workspace"),
        *_rows(_ADMINS, "update_workspace change_member remove_member"),
        *_rows(_ADMINS, "invite list_invitations resend_invitation revoke_invitation"),
        *_rows(_ADMINS, "create_key list_keys change_key rotate_key revoke_key"),
        *_rows(_ADMINS, "set_limit list_limits remove_limit read_shadow read_audit_log export_audit_log"),
        *_rows(_ADMINS, "subscribe buy_credits open_portal list_subscriptions list_invoices"),
        *_rows(_ADMINS, "preview_change change_subscription cancel_subscription resume_subscription"),
        *_rows(_ADMINS, "set_auto_top_up list_auto_top_ups remove_auto_top_up"),
        *_rows(_member(Role.OWNER), "transfer_ownership delete_workspace"),
        *_rows(_OPERATOR, "freeze_workspace unfreeze_workspace create_any_workspace list_all_workspaces"),
        *_rows(_OPERATOR, "set_seats list_users show_user create_operator end_sessions erase_users"),
        *_rows(_OPERATOR, "list_signing_keys rotate_signing_key"),
        *_rows(_OPERATOR, "list_dead_letters show_dead_letter replay_dead_letter replay_dead_letters"),
        *_rows(_OPERATOR, "discard_dead_letter list_suppressions allow_address"),
        *_rows(_by(Credential.WEBHOOK_TOKEN), "brevo_webhook"),
        *_rows(_OPERATOR, "grant_credits audit_books publish_catalog reconcile_billing"),
        *_rows(_OPERATOR, "list_jobs run_job park_account unpark_account list_parked"),
    ]
)


def rule_of(operation: str) -> Rule:
    """Raises OperationDenied for an operation without a row."""
    rule = TABLE.get(operation)
    if rule is None:
        raise OperationDenied(operation, ())
    return rule


def authorize(operation: str, credential: Credential, role: Role | None = None) -> None:
    """Raises OperationDenied. ``role`` is a person's in the workspace that it is about."""
    rule = rule_of(operation)
    if credential not in rule.by:
        raise OperationDenied(operation, ())
    if rule.roles is not None and credential is Credential.ACCESS_TOKEN and role not in rule.roles:
        raise OperationDenied(operation, tuple(each for each in Role if each in rule.roles))
