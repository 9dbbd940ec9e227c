from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from domain.ids import LimitId
from domain.usage.reservation import Reservation
from domain.usage.spend_limit import Counted, ShadowRefusal, SpendLimit, first


@dataclass(slots=True)
class Tally:
    """The spend limits on a desk: what counts under them, and whom the shadow ones would have refused."""

    limits: dict[LimitId, SpendLimit] = field(default_factory=dict)
    changed: set[LimitId] = field(default_factory=set)
    refusals: list[ShadowRefusal] = field(default_factory=list)

    def copy(self) -> "Tally":
        return Tally(dict(self.limits), set(self.changed), list(self.refusals))

    def put(self, limit: SpendLimit) -> None:
        self.limits[limit.id] = limit
        self.changed.add(limit.id)

    def on(self, subjects: Sequence[UUID], now: datetime) -> tuple[SpendLimit, ...]:
        """Those of ``subjects``, in the period that holds ``now``."""
        if not self.limits:
            return ()
        return tuple(each.at(now) for each in self.limits.values() if each.subject in subjects)

    def of(self, reservation: Reservation, now: datetime) -> tuple[SpendLimit, ...]:
        """Those that count it and are still there, in the period that holds ``now``."""
        ids = dict.fromkeys(each.limit for each in reservation.counted)
        return tuple(self.limits[id].at(now) for id in ids if id in self.limits)

    def shadow(
        self, limits: Iterable[SpendLimit], reservation: Reservation, amount: int, now: datetime
    ) -> None:
        """Notes which of ``limits`` would have refused ``reservation`` another ``amount``."""
        for limit in limits:
            missing = amount - max(0, limit.left)
            if limit.shadow and missing > 0:
                self.refusals.append(
                    ShadowRefusal(reservation.account, limit.id, reservation.key, missing, now)
                )

    def hold(self, limits: Iterable[SpendLimit], amount: int) -> tuple[Counted, ...]:
        """In the period that each of ``limits`` is in."""
        for limit in limits:
            self.put(limit.hold(amount))
        return tuple(Counted(limit.id, limit.since, amount) for limit in limits)

    def spend(self, limits: Iterable[SpendLimit], amount: int) -> tuple[Counted, ...]:
        """Beyond what was held, in the period that each of ``limits`` is in."""
        for limit in limits:
            self.put(limit.settle(0, spent=amount))
        return tuple(Counted(limit.id, limit.since, amount) for limit in limits)

    def end(self, reservation: Reservation, *, charged: int) -> tuple[Counted, ...]:
        """Nothing of it is held any more, and ``charged`` of what was is spent: what counts from now on."""
        spent = first(reservation.counted, charged)
        charges = {(each.limit, each.since): each.amount for each in spent}
        for each in reservation.counted:
            limit = self.limits.get(each.limit)
            if limit is not None and limit.since == each.since:  # or else it was of a period that is over
                self.put(limit.settle(each.amount, spent=charges.get((each.limit, each.since), 0)))
        return spent
