"""A second factor for signing in: enrolled, turned on, turned off."""

from typing import Annotated

from dishka import FromDishka
from litestar.params import JSONBody
from msgspec import Meta, Struct

from application.actor import Person
from application.identity.second_factor import (
    ChangeSecondFactor,
    EnableSecondFactor,
    EnrollSecondFactor,
)
from domain.identity.errors import TooBusy, TooManyAttempts
from domain.identity.password import PasswordRefused
from domain.identity.second_factor import SecondFactorOff, SecondFactorOn, SecondFactorRefused
from domain.identity.user import UserMissing
from entrypoints.http.identity import TAG, SecondCode, Secret
from entrypoints.http.lean import Reply, lean_post

PATH = "/v1/me/second-factor"
_LIMITED = (UserMissing, TooManyAttempts, TooBusy)


class EnrollRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    password: Secret


class EnableRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    code: Annotated[str, Meta(pattern="^[0-9]{6}$", description="As the app shows it now")]


class ProofRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    password: Secret
    code: SecondCode


class EnrolledAnswer(Struct, frozen=True, kw_only=True):
    """Shown now, and never again: type the secret into an app, or show it the URI as a QR code."""

    secret: str
    uri: str


class RecoveryAnswer(Struct, frozen=True, kw_only=True):
    """Shown now, and never again. Each works once, in place of a code."""

    recovery_codes: list[str]


@lean_post(PATH, tag=TAG, status=201, refuses=(PasswordRefused, SecondFactorOn, *_LIMITED))
async def enroll_second_factor(
    person: Person, data: JSONBody[EnrollRequest], use: FromDishka[EnrollSecondFactor]
) -> Reply[EnrolledAnswer]:
    """Begin: a secret for an app that shows one-time passwords (RFC 6238). It is not on yet."""
    enrolled = await use(person, data.password)
    return Reply(EnrolledAnswer(secret=enrolled.secret, uri=enrolled.uri))


@lean_post(
    PATH + "/enable", tag=TAG, refuses=(SecondFactorOff, SecondFactorOn, SecondFactorRefused, *_LIMITED)
)
async def enable_second_factor(
    person: Person, data: JSONBody[EnableRequest], use: FromDishka[EnableSecondFactor]
) -> Reply[RecoveryAnswer]:
    """Turn it on with a code of the app. All other sessions end."""
    return Reply(RecoveryAnswer(recovery_codes=list(await use(person, data.code))))


@lean_post(
    PATH + "/disable",
    tag=TAG,
    status=204,
    refuses=(PasswordRefused, SecondFactorOff, SecondFactorRefused, *_LIMITED),
)
async def disable_second_factor(
    person: Person, data: JSONBody[ProofRequest], use: FromDishka[ChangeSecondFactor]
) -> Reply[None]:
    """Turn it off, with the password and a code or a recovery code."""
    await use.disable(person, data.password, data.code)
    return Reply(None)


@lean_post(
    PATH + "/recovery-codes",
    tag=TAG,
    refuses=(PasswordRefused, SecondFactorOff, SecondFactorRefused, *_LIMITED),
)
async def renew_recovery_codes(
    person: Person, data: JSONBody[ProofRequest], use: FromDishka[ChangeSecondFactor]
) -> Reply[RecoveryAnswer]:
    """Get new recovery codes. The old ones are void."""
    return Reply(RecoveryAnswer(recovery_codes=list(await use.renew_codes(person, data.password, data.code))))


HANDLERS = [enroll_second_factor, enable_second_factor, disable_second_factor, renew_recovery_codes]
