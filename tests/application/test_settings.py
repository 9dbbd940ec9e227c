import json
from pathlib import Path

import pytest

from entrypoints.settings import BadSettings, ModelEndpoint, Profile, Settings, load

SECRET = "hunter2"  # noqa: S105 - the point is to look for it
SEALING = "c2VjcmV0" * 5 + "c2U="
COMPLETE = {
    "CUEBX_DATABASE_URL": f"postgresql://cuebx:{SECRET}@db/cuebx?sslmode=require&password={SECRET}",
    "CUEBX_REDIS_URL": f"redis://:{SECRET}@redis:6379/0",
    "CUEBX_RABBITMQ_URL": f"amqp://cuebx:{SECRET}@rabbit:5672/",
    "CUEBX_SECRET": SEALING,
    "CUEBX_MAIL_DIR": "/var/lib/cuebx/mail",
    "CUEBX_MODEL_DEFAULT_URL": f"https://user:{SECRET}@models.example/v1",
    "CUEBX_MODEL_DEFAULT_NAME": "small-1",
    "CUEBX_MODEL_DEFAULT_KEY": SECRET,
    "HOME": "/nonexistent",
}


def faults(environ: dict[str, str], *, serving: bool = True, local: Path | None = None) -> tuple[str, ...]:
    with pytest.raises(BadSettings) as refused:
        load(environ, serving=serving, local=local)
    assert "\n" not in str(refused.value)
    return refused.value.faults


def test_what_is_not_given_is_as_the_design_says() -> None:
    here = load(COMPLETE, serving=True)
    assert here.profile is Profile.STANDARD
    assert (here.pool_size, here.max_overflow, here.pool_pre_ping, here.pool_recycle) == (20, 30, True, 3600)
    assert (here.host, here.port, here.workers) == ("127.0.0.1", 8000, 1)


def test_what_is_given_is_taken() -> None:
    given = COMPLETE | {
        "CUEBX_POOL_SIZE": "5",
        "CUEBX_POOL_PRE_PING": "false",
        "CUEBX_MODEL_VERY_LARGE_URL": "http://gpu:8080/v1",
        "CUEBX_MODEL_VERY_LARGE_NAME": "large-1",
        "CUEBX_LOG_LEVEL": "debug",
        "CUEBX_METRICS_PORT": "",
    }
    here = load(given)
    assert (here.pool_size, here.pool_pre_ping, here.log_level, here.metrics_port) == (
        5,
        False,
        "debug",
        None,
    )
    assert here.models["very_large"] == ModelEndpoint(url="http://gpu:8080/v1", name="large-1")
    assert here.models["default"].key == SECRET


def test_what_servers_differ_in_is_said_for_each_alias() -> None:
    given = COMPLETE | {
        "CUEBX_MODEL_GPT_4_1_URL": "http://gpu:8080/v1",
        "CUEBX_MODEL_GPT_4_1_NAME": "gpt-4.1",
        "CUEBX_MODEL_GPT_4_1_RESPONSE_FORMAT": "json_schema",
        "CUEBX_MODEL_GPT_4_1_MAX_TOKENS_PARAMETER": "max_completion_tokens",
    }
    models = load(given).models
    assert models["gpt_4_1"] == ModelEndpoint(
        url="http://gpu:8080/v1",
        name="gpt-4.1",
        response_format="json_schema",
        max_tokens_parameter="max_completion_tokens",
    )
    assert (models["default"].response_format, models["default"].max_tokens_parameter) == (
        "json_object",
        None,
    )


def test_every_fault_is_named_at_once() -> None:
    found = faults(
        {
            "CUEBX_POOL_SIZE": "many",
            "CUEBX_PORT": "0",
            "CUEBX_LOG_LEVEL": "loud",
            "CUEBX_DATABSE_URL": "postgresql://typo",
            "CUEBX_MODEL_FAST_KEY": SECRET,
            "CUEBX_MODEL_SLOW_URL": SECRET,
            "CUEBX_MODEL_SLOW_NAME": "slow-1",
            "CUEBX_MODEL_SLOW_RESPONSE_FORMAT": SECRET,
            "CUEBX_MODEL_SLOW_MAX_TOKENS_PARAMETER": "tokens",
        }
    )
    for each in (
        "CUEBX_DATABASE_URL is missing",
        "CUEBX_DATABSE_URL is no setting",
        "CUEBX_LOG_LEVEL: ",
        "CUEBX_MODEL_FAST_NAME is missing",
        "CUEBX_MODEL_FAST_URL is missing",
        "CUEBX_MODEL_SLOW_URL: expected something like https://",
        "CUEBX_MODEL_SLOW_RESPONSE_FORMAT: expected something like json_object, json_schema or none",
        "CUEBX_MODEL_SLOW_MAX_TOKENS_PARAMETER: expected something like max_tokens or ",
        "CUEBX_POOL_SIZE: ",
        "CUEBX_PORT: ",
        "CUEBX_REDIS_URL is missing",
        "CUEBX_RABBITMQ_URL is missing",
        "CUEBX_SECRET is missing",
        "CUEBX_BREVO_API_KEY is missing",
    ):
        assert sum(fault.startswith(each) for fault in found) == 1, each
    assert len(found) == 14
    assert SECRET not in " ".join(found)


def test_a_server_of_the_standard_profile_needs_redis_and_a_command_does_not() -> None:
    alone = {"CUEBX_DATABASE_URL": "postgresql://db/cuebx"}
    assert faults(alone) == (
        "CUEBX_REDIS_URL is missing: each process would count the limits for itself",
        "CUEBX_RABBITMQ_URL is missing: mails and queued runs travel through it",
        "CUEBX_SECRET is missing: 32 random bytes in base64, such as `openssl rand -base64 32` gives",
        "CUEBX_BREVO_API_KEY is missing, and CUEBX_MAIL_DIR, which would do: mails have nowhere to go",
    )
    assert load(alone).redis_url is None
    assert load(alone | {"CUEBX_PROFILE": "embedded"}, serving=True).redis_url is None


@pytest.mark.parametrize("url", ["mysql://db/cuebx", "cuebx", "postgresql:/db"])
def test_an_address_of_something_else_is_refused_without_repeating_it(url: str) -> None:
    (fault,) = faults({"CUEBX_DATABASE_URL": url}, serving=False)
    assert (
        fault == "CUEBX_DATABASE_URL: expected something like postgresql://user:password@host:5432/database"
    )


@pytest.mark.parametrize("show", [str, repr, "{}".format, "%s".__mod__])
def test_no_secret_is_ever_shown(show: object) -> None:
    assert callable(show)
    here = load(COMPLETE)
    for each in (here, here.models["default"]):
        assert SECRET not in show(each)
        assert SEALING not in show(each)
    assert "postgresql://cuebx:***@db/cuebx" in show(here)


def test_where_no_database_is_named_commands_work_on_the_one_that_runs_here(tmp_path: Path) -> None:
    local = tmp_path / "dev.json"
    local.write_text(json.dumps({"database_url": "postgresql://here", "url": "http://127.0.0.1:8000"}))
    here = load({}, local=local)
    assert (here.database_url, here.profile) == ("postgresql://here", Profile.EMBEDDED)
    named = load({"CUEBX_DATABASE_URL": "postgresql://elsewhere"}, local=local)
    assert (named.database_url, named.profile) == ("postgresql://elsewhere", Profile.STANDARD)


def test_without_a_database_anywhere_it_says_where_it_looked(tmp_path: Path) -> None:
    local = tmp_path / "dev.json"
    assert faults({}, serving=False, local=local) == (
        f"CUEBX_DATABASE_URL is missing, and there is no {local} (CUEBX_DATA names another folder)",
    )
    local.write_text("{}")
    (fault,) = faults({}, serving=False, local=local)
    assert fault.startswith(f"{local} cannot be read")


def test_variables_of_the_tests_and_the_place_of_the_data_are_nobodys_fault() -> None:
    given = COMPLETE | {"CUEBX_TEST_POSTGRES_URL": "x", "CUEBX_DATA": "elsewhere"}
    assert load(given, serving=True) == load(COMPLETE, serving=True)


def test_the_example_names_every_setting_and_nothing_else() -> None:
    lines = Path(".env.example").read_text().splitlines()
    named = {line.lstrip("# ").split("=")[0] for line in lines if "=" in line and "CUEBX_" in line}
    fields = {f"CUEBX_{name.upper()}" for name in Settings.__struct_fields__ if name != "models"}
    models = {f"CUEBX_MODEL_DEFAULT_{part.upper()}" for part in ModelEndpoint.__struct_fields__}
    assert named == fields | models | {"CUEBX_DATA"}


@pytest.mark.parametrize(
    ("name", "given", "told"),
    [
        ("SECRET", "short", "32 random bytes in base64"),
        ("TRUSTED_PROXIES", "10.0.0.0/8,10.0.0.1/8", "'10.0.0.1/8' is no network"),
    ],
)
def test_what_cannot_be_is_told(name: str, given: str, told: str) -> None:
    (fault,) = faults({**COMPLETE, f"CUEBX_{name}": given})
    assert told in fault


def test_networks_of_proxies_are_a_list() -> None:
    given = "10.0.0.0/8, 2001:db8::/32"
    assert load({**COMPLETE, "CUEBX_TRUSTED_PROXIES": given}).trusted_proxies == given


OAUTH = {
    "CUEBX_OAUTH_REDIRECT_URL": "https://app.example/signed-in",
    "CUEBX_GITHUB_CLIENT_ID": "id",
    "CUEBX_GITHUB_CLIENT_SECRET": SECRET,
}


def test_a_provider_to_sign_in_by_is_configured_whole() -> None:
    settings = load(COMPLETE | OAUTH)
    (github,) = settings.oauth().items()
    assert (github[0], github[1].client_id, github[1].client_secret) == ("github", "id", SECRET)
    assert SECRET not in repr(settings) + repr(settings.oauth())
    assert load(COMPLETE).oauth() == {}
    for name in OAUTH:
        given = {each: text for each, text in OAUTH.items() if each != name}
        assert faults(COMPLETE | given) == (f"{name} is missing",)


@pytest.mark.parametrize(
    "url", ["https://app.example", "http://localhost:3000/signed-in", "http://127.0.0.1/signed-in"]
)
def test_a_redirect_url_on_this_machine_needs_no_tls(url: str) -> None:
    assert load(COMPLETE | OAUTH | {"CUEBX_OAUTH_REDIRECT_URL": url}).oauth_redirect_url == url


@pytest.mark.parametrize(
    "url",
    [
        *("app.example", "https://app.example/x/", "https://app.example/x?y=1"),
        *("http://app.example/x", "http://localhost.app.example/x", "http://localhost@app.example/x"),
    ],
)
def test_a_redirect_url_has_room_for_the_providers_name(url: str) -> None:
    (fault,) = faults(COMPLETE | OAUTH | {"CUEBX_OAUTH_REDIRECT_URL": url})
    assert fault == "CUEBX_OAUTH_REDIRECT_URL: expected something like https://host/signed-in"
