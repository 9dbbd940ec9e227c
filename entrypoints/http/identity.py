"""People sign up, confirm their address, sign in, and get a new password."""

from typing import Annotated

from dishka import FromDishka
from litestar.params import JSONBody
from msgspec import Meta, Struct

from application.identity.passwords import RequestReset, ResetPassword
from application.identity.sign_in import RefreshSession, SignIn, Tokens
from application.identity.sign_up import ConfirmEmail, ResendCode, SignUp
from application.identity.signing import TOKEN_LASTS
from domain.email import EmailRefused, parse_email
from domain.identity.code import CodeRefused
from domain.identity.errors import TooBusy, TooManyAttempts
from domain.identity.password import PasswordRefused
from domain.identity.second_factor import SecondFactorNeeded, SecondFactorRefused
from domain.identity.session import RefreshTokenRefused
from domain.identity.user import SignInRefused
from domain.ids import user_text
from domain.workspaces.workspace import NameRefused
from entrypoints.http.client import Caller
from entrypoints.http.evenly import evenly
from entrypoints.http.lean import Reply, lean_post

PATH = "/v1/auth"
TAG = "Identity"
Address = Annotated[str, Meta(min_length=3, max_length=320, description="An e-mail address")]
Secret = Annotated[str, Meta(min_length=1, max_length=4096)]
SixDigits = Annotated[str, Meta(pattern="^[0-9]{6}$", description="From the mail; it works for 10 minutes")]
SecondCode = Annotated[str, Meta(min_length=6, max_length=60, description="Six digits, or a recovery code")]
Name = Annotated[str, Meta(min_length=1, max_length=100)]
NO_STORE = {"Cache-Control": "no-store"}
"""Of answers with tokens (RFC 6749, section 5.1)."""
_LIMITED = (TooManyAttempts, TooBusy)


class SignUpRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A password has 12 characters or more, and at most 1,024 bytes. Nothing else is asked of it."""

    email: Address
    password: Secret
    name: Name


class AddressRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    email: Address


class ConfirmRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The password is the one of the sign-up: what somebody else signed up is not confirmed by chance."""

    email: Address
    code: SixDigits
    password: Secret


class ConfirmedAnswer(Struct, frozen=True, kw_only=True):
    user_id: str


class SignInRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The code is of the second factor, where one is on: six digits, or a recovery code."""

    email: Address
    password: Secret
    code: SecondCode | None = None


class RefreshRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    refresh_token: Secret


class ResetRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    email: Address
    code: SixDigits
    password: Secret


class TokensAnswer(Struct, frozen=True, kw_only=True):
    """The refresh token works once, and gives both anew. ``expires_in`` is seconds."""

    access_token: str
    token_type: str
    expires_in: int
    refresh_token: str
    user_id: str

    @classmethod
    def of(cls, tokens: Tokens) -> "TokensAnswer":
        return cls(
            access_token=tokens.access,
            token_type="Bearer",  # noqa: S106 - RFC 6750 calls it so
            expires_in=int(TOKEN_LASTS.total_seconds()),
            refresh_token=tokens.refresh,
            user_id=user_text(tokens.user),
        )


class MailedAnswer(Struct, frozen=True, kw_only=True):
    """The same whether or not somebody has the address."""

    detail: str = "look into your mailbox"


@lean_post(
    PATH + "/sign-up",
    tag=TAG,
    status=202,
    refuses=(EmailRefused, PasswordRefused, NameRefused, *_LIMITED),
)
async def sign_up(
    caller: Caller, data: JSONBody[SignUpRequest], use: FromDishka[SignUp]
) -> Reply[MailedAnswer]:
    """Begin: a code comes by mail. Somebody who has an account is told that by mail, and not here."""
    await evenly(use(parse_email(data.email), data.password, data.name, address=caller.address))
    return Reply(MailedAnswer())


@lean_post(PATH + "/confirm", tag=TAG, refuses=(EmailRefused, CodeRefused, *_LIMITED))
async def confirm_email(
    caller: Caller, data: JSONBody[ConfirmRequest], use: FromDishka[ConfirmEmail]
) -> Reply[ConfirmedAnswer]:
    """Confirm the address with the code from the mail. A personal workspace comes with it."""
    user = await evenly(use(parse_email(data.email), data.code, data.password, address=caller.address))
    return Reply(ConfirmedAnswer(user_id=user_text(user.id)))


@lean_post(PATH + "/resend", tag=TAG, status=202, refuses=(EmailRefused, *_LIMITED))
async def resend_code(
    caller: Caller, data: JSONBody[AddressRequest], use: FromDishka[ResendCode]
) -> Reply[MailedAnswer]:
    """Send a new code, which voids the old one."""
    await evenly(use(parse_email(data.email), address=caller.address))
    return Reply(MailedAnswer())


@lean_post(
    PATH + "/sign-in",
    tag=TAG,
    refuses=(EmailRefused, SignInRefused, SecondFactorNeeded, SecondFactorRefused, *_LIMITED),
)
async def sign_in(
    caller: Caller, data: JSONBody[SignInRequest], use: FromDishka[SignIn]
) -> Reply[TokensAnswer]:
    """Begin a session. The address has to be confirmed."""
    email = parse_email(data.email)
    tokens = await use(email, data.password, data.code, device=caller.device, address=caller.address)
    return Reply(TokensAnswer.of(tokens), NO_STORE)


@lean_post(PATH + "/refresh", tag=TAG, refuses=(RefreshTokenRefused,))
async def refresh_session(
    caller: Caller, data: JSONBody[RefreshRequest], use: FromDishka[RefreshSession]
) -> Reply[TokensAnswer]:
    """Go on with a session. A refresh token that comes a second time ends it, and its owner is told."""
    return Reply(TokensAnswer.of(await use(data.refresh_token, address=caller.address)), NO_STORE)


@lean_post(PATH + "/password-reset", tag=TAG, status=202, refuses=(EmailRefused, *_LIMITED))
async def request_password_reset(
    caller: Caller, data: JSONBody[AddressRequest], use: FromDishka[RequestReset]
) -> Reply[MailedAnswer]:
    """Have a code for a new password sent."""
    await evenly(use(parse_email(data.email), address=caller.address))
    return Reply(MailedAnswer())


@lean_post(
    PATH + "/password-reset/confirm",
    tag=TAG,
    status=204,
    refuses=(EmailRefused, PasswordRefused, CodeRefused, *_LIMITED),
)
async def reset_password(
    caller: Caller, data: JSONBody[ResetRequest], use: FromDishka[ResetPassword]
) -> Reply[None]:
    """Set a new password with the code from the mail. All sessions end."""
    await evenly(use(parse_email(data.email), data.code, data.password, address=caller.address))
    return Reply(None)


HANDLERS = [
    sign_up,
    confirm_email,
    resend_code,
    sign_in,
    refresh_session,
    request_password_reset,
    reset_password,
]
