"""Everything the environment decides, read once, checked at once. ``.env.example`` explains each variable."""

import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta, Struct, field

from domain.errors import Invalid
from domain.keys.errors import NetworkRefused
from domain.keys.policy import check_network

PREFIX = "CUEBX_"
# Not ours to judge: where `cuebx dev` keeps its data, and what the tests read.
_ELSEWHERE = re.compile(r"DATA|TEST_.*")
_PASSWORD = re.compile(r"(://[^:@/]*:).*(?=@)|(password=)[^&]*")
_EXAMPLES = {
    "database_url": "postgresql://user:password@host:5432/database",
    "redis_url": "redis://host:6379/0",
    "rabbitmq_url": "amqp://user:password@host:5672/",
    "brevo_url": "https://api.brevo.com",
    "stripe_api_key": "sk_live_..., or a restricted rk_live_...",
    "stripe_url": "https://api.stripe.com",
    "stripe_webhook_secret": "whsec_..., or two of them with a comma between",
    "billing_return_url": "https://app.example.com/billing",
    "mail_from": "CueBX <mail@example.com>",
    "secret": "32 random bytes in base64 (openssl rand -base64 32)",
    "url": "https://host/v1",
    "oauth_redirect_url": "https://host/signed-in",
    "response_format": "json_object, json_schema or none",
    "max_tokens_parameter": "max_tokens or max_completion_tokens",
}

# A code must not cross a network in the clear (RFC 9700, section 2.6); to this machine it crosses none.
_REDIRECT = r"^(https://[^\s/?#@]+|http://(localhost|127\.0\.0\.1)(:[0-9]+)?)(/[^\s?#]*[^\s?#/])?$"
Count = Annotated[int, Meta(ge=1, le=100_000)]
Text = Annotated[str, Meta(min_length=1)]
Seconds = Annotated[float, Meta(gt=0, le=86_400)]


class Profile(StrEnum):
    """EMBEDDED needs nothing but PostgreSQL: limits in memory, models that echo."""

    EMBEDDED = "embedded"
    STANDARD = "standard"


@dataclass(eq=False)
class BadSettings(Invalid):
    """Every fault at once, so that one round of mending is enough."""

    code: ClassVar[str] = "settings"
    faults: tuple[str, ...]

    def __str__(self) -> str:
        return "the settings are not complete: " + "; ".join(self.faults)


class ModelEndpoint(Struct, frozen=True, kw_only=True):
    """Where an alias of the catalog leads: an OpenAI-compatible API, a model there, and its key, if any.

    ``response_format`` is how it is told the output schema; ``max_tokens_parameter`` is what bounds its
    output, by itself that which OpenAI or other servers know.
    """

    url: Annotated[str, Meta(pattern=r"^https?://[^\s/]+")]
    name: Annotated[str, Meta(min_length=1)]
    key: str | None = None
    response_format: Literal["json_object", "json_schema", "none"] = "json_object"
    max_tokens_parameter: Literal["max_tokens", "max_completion_tokens"] | None = None

    def __repr__(self) -> str:
        return f"ModelEndpoint({_hidden(self.url)}, {self.name})"


_PARTS = {each.name: each for each in msgspec.structs.fields(ModelEndpoint)}
_MODEL = re.compile(rf"MODEL_([A-Z0-9_]+)_({'|'.join(_PARTS).upper()})")


OAUTH = ("google", "github")


class OAuthApp(Struct, frozen=True, kw_only=True):
    """As it is registered at a provider."""

    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        return f"OAuthApp({self.client_id})"


class Settings(Struct, frozen=True, kw_only=True):
    """``models`` are by alias as ``settable`` has it: in small letters, without dots and dashes."""

    database_url: Annotated[str, Meta(pattern=r"^postgres(ql)?(\+asyncpg)?://")]
    profile: Profile = Profile.STANDARD
    redis_url: Annotated[str, Meta(pattern=r"^(rediss?|unix)://")] | None = None
    rabbitmq_url: Annotated[str, Meta(pattern=r"^amqps?://")] | None = None
    rabbitmq_prefix: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]{1,60}$")] = "cuebx"
    models: dict[str, ModelEndpoint] = field(default_factory=dict)
    model_connections: Count = 200

    secret: Annotated[str, Meta(pattern=r"^[A-Za-z0-9+/_-]{43}=?(,[A-Za-z0-9+/_-]{43}=?)*$")] | None = None
    mail_dir: Annotated[str, Meta(min_length=1)] | None = None
    brevo_api_key: Text | None = None
    brevo_url: Annotated[str, Meta(pattern=r"^https?://[^\s/]+")] = "https://api.brevo.com"
    brevo_webhook_token: Annotated[str, Meta(min_length=16, max_length=200)] | None = None
    mail_from: Annotated[str, Meta(pattern=r"^([^<>@]+ )?<?[^\s<>@]+@[^\s<>@]+>?$")] | None = None
    mail_sandbox: bool = False
    stripe_api_key: Annotated[str, Meta(pattern=r"^(sk|rk)_\S+$")] | None = None
    stripe_url: Annotated[str, Meta(pattern=r"^https?://[^\s/]+$")] = "https://api.stripe.com"
    stripe_webhook_secret: Annotated[str, Meta(pattern=r"^whsec_[^\s,]+(,whsec_[^\s,]+)?$")] | None = None
    billing_return_url: Annotated[str, Meta(pattern=r"^https?://[^\s]+$")] | None = None
    trusted_proxies: str = ""
    oauth_redirect_url: Annotated[str, Meta(pattern=_REDIRECT)] | None = None
    google_client_id: Text | None = None
    google_client_secret: Text | None = None
    github_client_id: Text | None = None
    github_client_secret: Text | None = None

    host: Annotated[str, Meta(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65_535)] = 8000
    workers: Annotated[int, Meta(ge=1, le=256)] = 1
    metrics_port: Annotated[int, Meta(ge=1, le=65_535)] | None = None
    shutdown_seconds: Seconds = 10.0
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    pool_size: Count = 20
    max_overflow: Annotated[int, Meta(ge=0, le=100_000)] = 30
    pool_pre_ping: bool = True
    pool_recycle: Annotated[int, Meta(ge=-1)] = 3600
    command_timeout: Seconds = 30.0

    def oauth(self) -> dict[str, OAuthApp]:
        """By provider, those that are configured."""
        named = {
            each: (getattr(self, f"{each}_client_id"), getattr(self, f"{each}_client_secret"))
            for each in OAUTH
        }
        return {
            name: OAuthApp(client_id=id, client_secret=secret)
            for name, (id, secret) in named.items()
            if id and secret
        }

    def __repr__(self) -> str:
        shown = ((name, getattr(self, name)) for name in self.__struct_fields__)
        return f"Settings({', '.join(f'{name}={_shown(name, value)}' for name, value in shown)})"


STAND_IN_KEY = "sk_test_stand_in"


def stand_in(url: str, return_url: str) -> Mapping[str, str]:
    """Billing by the stand-in for Stripe that `cuebx dev` runs at ``url``. Names without their prefix."""
    return {
        "STRIPE_API_KEY": STAND_IN_KEY,
        "STRIPE_URL": url,
        "STRIPE_WEBHOOK_SECRET": "whsec_stand_in",
        "BILLING_RETURN_URL": return_url,
    }


def load(
    environ: Mapping[str, str] = os.environ, *, serving: bool = False, local: Path | None = None
) -> Settings:
    """Raises BadSettings.

    ``serving`` asks for all that a server of the standard profile needs. ``local`` is the file of facts of
    a `cuebx dev`: where the environment names no database, commands work on that one.
    """
    ours = {name.removeprefix(PREFIX): value for name, value in environ.items() if name.startswith(PREFIX)}
    given = {name: value for name, value in ours.items() if value and not _ELSEWHERE.fullmatch(name)}
    if local is not None and "DATABASE_URL" not in given and local.exists():
        facts = _facts_of(local)
        given |= {"DATABASE_URL": facts["database_url"], "PROFILE": Profile.EMBEDDED}
        if facts.get("stripe_url") and "STRIPE_API_KEY" not in given:
            given |= stand_in(facts["stripe_url"], facts.get("url", ""))
    values: dict[str, Any] = {}
    faults = [*_read(given, values), *(_missing(given, values) if serving else ())]
    if "DATABASE_URL" not in given:
        faults.insert(
            0,
            f"{PREFIX}DATABASE_URL is missing"
            + (f", and there is no {local} (CUEBX_DATA names another folder)" if local else ""),
        )
    if faults:
        raise BadSettings(tuple(faults))
    return Settings(**values)


def _read(given: Mapping[str, str], values: dict[str, Any]) -> Iterator[str]:
    """Fills ``values``, and tells what is wrong with what is given."""
    known = {each.name.upper(): each for each in msgspec.structs.fields(Settings) if each.name != "models"}
    models: dict[str, dict[str, str]] = {}
    for name, text in sorted(given.items()):
        if each := known.get(name):
            try:
                values[each.name] = msgspec.convert(text, each.type, strict=False)
            except msgspec.ValidationError as error:
                yield f"{PREFIX}{name}: {_expected(each.name, error)}"
            if each.name == "trusted_proxies":
                yield from (f"{PREFIX}{name}: {fault}" for fault in _network_faults(text))
        elif part := _MODEL.fullmatch(name):
            models.setdefault(part[1], {})[part[2].lower()] = text
        else:
            yield f"{PREFIX}{name} is no setting"
    yield from _read_models(models, values.setdefault("models", {}))
    yield from _oauth_faults(given)


def _oauth_faults(given: Collection[str]) -> Iterator[str]:
    for provider in map(str.upper, OAUTH):
        needed = [f"{provider}_CLIENT_ID", f"{provider}_CLIENT_SECRET", "OAUTH_REDIRECT_URL"]
        if any(name in given for name in needed[:2]):
            yield from (f"{PREFIX}{name} is missing" for name in needed if name not in given)


def _network_faults(text: str) -> Iterator[str]:
    for network in text.split(","):
        try:
            check_network(network.strip())
        except NetworkRefused as error:
            yield str(error)


def _read_models(given: Mapping[str, Mapping[str, str]], models: dict[str, ModelEndpoint]) -> Iterator[str]:
    for alias, parts in given.items():
        values: dict[str, Any] = {}
        for name, text in parts.items():
            try:
                values[name] = msgspec.convert(text, _PARTS[name].type)
            except msgspec.ValidationError as error:
                yield f"{PREFIX}MODEL_{alias}_{name.upper()}: {_expected(name, error)}"
        absent = [name for name, each in _PARTS.items() if each.required and name not in parts]
        yield from (f"{PREFIX}MODEL_{alias}_{name.upper()} is missing" for name in absent)
        if values.keys() == parts.keys() and not absent:
            models[alias.lower()] = ModelEndpoint(**values)


def _expected(name: str, error: msgspec.ValidationError) -> str:
    """Never with what was given, which may be a secret."""
    return f"expected something like {_EXAMPLES[name]}" if name in _EXAMPLES else str(error)


def _missing(given: Collection[str], values: Mapping[str, object]) -> Iterator[str]:
    if values.get("profile") == Profile.EMBEDDED:
        return
    if "REDIS_URL" not in given:
        yield f"{PREFIX}REDIS_URL is missing: each process would count the limits for itself"
    if "RABBITMQ_URL" not in given:
        yield f"{PREFIX}RABBITMQ_URL is missing: mails and queued runs travel through it"
    if "SECRET" not in given:
        yield f"{PREFIX}SECRET is missing: 32 random bytes in base64, such as `openssl rand -base64 32` gives"
    if "STRIPE_API_KEY" in given:
        for name, why in (
            ("STRIPE_WEBHOOK_SECRET", "what Stripe tells could not be believed"),
            ("BILLING_RETURN_URL", "who has paid has to come back to some page"),
        ):
            if name not in given:
                yield f"{PREFIX}{name} is missing: {why}"
    if "BREVO_API_KEY" in given and "MAIL_FROM" not in given:
        yield f"{PREFIX}MAIL_FROM is missing: the sender of mails, such as CueBX <mail@example.com>"
    if not {"MAIL_DIR", "BREVO_API_KEY"} & set(given):
        other = f"{PREFIX}MAIL_DIR, which would do"
        yield f"{PREFIX}BREVO_API_KEY is missing, and {other}: mails have nowhere to go"


def _facts_of(local: Path) -> Mapping[str, str]:
    try:
        facts = msgspec.json.decode(local.read_bytes(), type=dict[str, str])
        return {**facts, "database_url": facts["database_url"]}
    except (OSError, msgspec.MsgspecError, KeyError) as error:
        raise BadSettings((f"{local} cannot be read: {error}",)) from error


def _shown(name: str, value: object) -> str:
    return "***" if name.endswith(("secret", "_key", "_token")) and value is not None else _hidden(str(value))


def _hidden(text: str) -> str:
    return _PASSWORD.sub(r"\1\2***", text)
