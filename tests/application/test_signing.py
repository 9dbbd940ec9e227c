"""Keys of access tokens are replaced without anybody noticing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from application.identity.signing import (
    AHEAD,
    REMEMBERED,
    TOKEN_LASTS,
    RotateSigningKey,
    SigningKey,
    SigningKeys,
    signer,
)
from tests.fakes.clock import NOON, SetClock

TICK = timedelta(microseconds=1)


def a_key(kid: str, signs_from: datetime = NOON) -> SigningKey:
    return SigningKey(
        kid=kid, public=b"public", sealed_private=b"sealed", created_at=NOON, signs_from=signs_from
    )


@dataclass
class KeptKeys(SigningKeys):
    rows: list[SigningKey] = field(default_factory=list)

    async def all(self) -> Sequence[SigningKey]:
        return list(self.rows)

    async def begin(self, make: Callable[[], SigningKey]) -> Sequence[SigningKey]:
        self.rows = self.rows or [make()]
        return list(self.rows)

    async def rotate(self, new: SigningKey, ended: Sequence[SigningKey]) -> None:
        changed = {each.kid: each for each in ended}
        self.rows = [changed.get(each.kid, each) for each in self.rows] + [new]


def new_key(*, signs_from: datetime) -> SigningKey:
    return a_key("new", signs_from)


def test_without_a_key_nobody_signs() -> None:
    assert signer([], NOON) is None
    assert signer([a_key("later", NOON + TICK)], NOON) is None


async def test_a_new_key_signs_once_every_process_knows_it() -> None:
    keys = KeptKeys([a_key("old")])
    new = await RotateSigningKey(keys, new_key, SetClock())()
    assert new.signs_from == NOON + AHEAD
    assert AHEAD > REMEMBERED
    assert signer(keys.rows, NOON + AHEAD - TICK) == keys.rows[0]
    assert signer(keys.rows, NOON + AHEAD) == new


async def test_the_old_key_verifies_until_its_last_token_is_over() -> None:
    keys = KeptKeys([a_key("old")])
    await RotateSigningKey(keys, new_key, SetClock())()
    old, new = keys.rows
    last = NOON + AHEAD + REMEMBERED + TOKEN_LASTS
    assert old.verifies(last - TICK)
    assert not old.verifies(last)
    assert new.verifies(last)


async def test_a_key_that_was_replaced_before_is_left_as_it_is() -> None:
    older = replace(a_key("older"), verifies_until=NOON + TICK)
    keys = KeptKeys([older, a_key("old")])
    await RotateSigningKey(keys, new_key, SetClock())()
    assert keys.rows[0] == older


async def test_where_none_signs_yet_the_new_key_does_at_once() -> None:
    keys = KeptKeys()
    new = await RotateSigningKey(keys, new_key, SetClock())()
    assert signer(keys.rows, NOON) == new
