"""What a ledger should answer, by pots of credits and a clock of whole hours, without the product's code.

Deadlines lie at half hours, so that none is met in the very moment that it ends. Answers are plain tuples.
"""

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, inf
from typing import TypeAlias
from uuid import UUID

Answer: TypeAlias = tuple[object, ...]
PER_TOKEN = {"call": Fraction(1), "sure": Fraction(1), "odd": Fraction(7, 10)}
CHARGED_WHEN_LOST = {"sure"}


@dataclass(eq=False)
class Pot:
    name: str
    granted: int
    priority: int
    ends: float
    age: int
    held: int = 0
    spent: int = 0

    @property
    def free(self) -> int:
        return self.granted - self.held - self.spent


@dataclass(eq=False)
class Cap:
    """What ``keys`` may spend, in all. A shadow one counts whom it would have refused."""

    keys: frozenset[int]
    amount: int
    shadow: bool = False
    held: int = 0
    spent: int = 0
    refused: int = 0

    @property
    def left(self) -> int:
        return max(0, self.amount - self.held - self.spent)

    def ask(self, amount: int) -> None:
        self.refused += self.shadow and amount > self.left


@dataclass(eq=False)
class Ticket:
    id: UUID
    fingerprint: str
    feature: str
    test: bool
    tokens: int
    parts: list[tuple[Pot, int]]
    opening: Answer
    ends: float
    caps: list[Cap]
    state: str = "held"
    used: int | None = None
    """Tokens, once it is committed."""
    answer: Answer = ()

    @property
    def open(self) -> bool:
        return self.state in {"held", "started"}

    @property
    def held(self) -> int:
        return sum(amount for _, amount in self.parts)


@dataclass
class Model:
    multiplier: Fraction
    monthly: int
    overdraft: int
    now: int = 0
    frozen: bool = False
    parked: bool = False
    pots: dict[str, Pot] = field(default_factory=dict)
    caps: list[Cap] = field(default_factory=list)
    tickets: dict[UUID, Ticket] = field(default_factory=dict)
    requests: dict[str, Ticket] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.monthly:
            self.pots["allocation"] = Pot("allocation", self.monthly, 20, 27 * 24, 0)

    def cost(self, feature: str, tokens: int) -> int:
        return ceil(PER_TOKEN[feature] * tokens * self.multiplier)

    def burning(self) -> list[Pot]:
        live = [pot for pot in self.pots.values() if pot.name != "overdraft" and pot.ends > self.now]
        return sorted(live, key=lambda pot: (pot.priority, pot.ends, pot.age))

    @property
    def free(self) -> int:
        return sum(pot.free for pot in self.burning())

    def elapse(self, hours: int) -> None:
        self.now += hours
        for ticket in self.tickets.values():
            if ticket.open and ticket.ends < self.now:
                charged = ticket.state == "started" and ticket.feature in CHARGED_WHEN_LOST
                for cap in ticket.caps:
                    cap.held -= ticket.held
                    cap.spent += ticket.held if charged else 0
                for pot, amount in ticket.parts:
                    pot.held -= amount
                    pot.spent += amount if charged else 0
                ticket.parts, ticket.state = [], "expired"

    def grant(self, name: str, amount: int, priority: int, hours: float) -> Answer:
        if name in self.pots:
            pot = self.pots[name]
            if pot.granted != amount:
                return ("grant_reference_reused",)
            return ("granted", True, self.free)
        pot = self.pots[name] = Pot(name, amount, priority, self.now + hours, len(self.pots))
        lent = self.pots.get("overdraft")
        if lent is not None:
            back = min(lent.spent, amount)
            lent.spent -= back
            pot.spent += back
        return ("granted", False, self.free)

    def reserve(
        self,
        id: UUID,
        *,
        request: str,
        fingerprint: str,
        feature: str,
        tokens: int,
        hours: float,
        test: bool,
        clamp: bool,
        key: int | None,
    ) -> Answer:
        first = self.requests.get(request)
        if first is not None:
            if first.fingerprint != fingerprint:
                return ("idempotency_key_reused",)
            return ("reserved", first.id, first.id != id, *first.opening)
        if self.frozen:
            return ("workspace_frozen",)
        if self.parked:
            return ("account_parked",)
        free, full = self.free, self.cost(feature, tokens)
        caps = [] if test else [cap for cap in self.caps if key in cap.keys]
        room = self.room(caps, free)
        fitting = tokens
        if not test and full > room:
            fits = [count for count in range(1, tokens + 1) if self.cost(feature, count) <= room]
            if not clamp or not fits:
                return self._refused(full, free, room)
            fitting = max(fits)
        held = 0 if test else self.cost(feature, fitting)
        opening = (held, free - held, (room - held) // full if full else None, fitting)
        parts = self._hold(held)
        for cap in caps:
            cap.ask(held)
            cap.held += held
        ticket = Ticket(id, fingerprint, feature, test, fitting, parts, opening, self.now + hours, caps)
        self.tickets[id] = self.requests[request] = ticket
        return ("reserved", id, False, *opening)

    def room(self, caps: list[Cap], free: int) -> int:
        return min([free, *(cap.left for cap in caps if not cap.shadow)])

    def _refused(self, needed: int, free: int, room: int) -> Answer:
        if room < free:
            return ("spend_limit_reached", needed, room)
        return ("insufficient_credits", needed, free)

    def start(self, id: UUID) -> Answer:
        ticket = self.tickets[id]
        if not ticket.open:
            return self._closed(ticket)
        ticket.state = "started"
        return ("started",)

    def extend(self, id: UUID, tokens: int | None, hours: float | None) -> Answer:
        ticket = self.tickets[id]
        if not ticket.open:
            return self._closed(ticket)
        if self.frozen:
            return ("workspace_frozen",)
        if self.parked:
            return ("account_parked",)
        wanted = 0 if tokens is None or ticket.test else self.cost(ticket.feature, tokens)
        more = max(0, wanted - ticket.held)
        room = self.room(ticket.caps, self.free)
        if more > room:
            return self._refused(more, self.free, room)
        ticket.parts += self._hold(more)
        for cap in ticket.caps:
            cap.ask(more)
            cap.held += more
        if hours is not None:
            ticket.ends = max(ticket.ends, self.now + hours)
        return ("extended", ticket.held, self.free)

    def commit(self, id: UUID, tokens: int) -> Answer:
        ticket = self.tickets[id]
        if ticket.state == "committed" and ticket.used == tokens:
            return ("settled", True, *ticket.answer)
        if not ticket.open:
            return self._closed(ticket)
        cost = self.cost(ticket.feature, tokens)
        due = 0 if ticket.test else cost
        paid: Counter[str] = Counter()
        for cap in ticket.caps:
            cap.held -= ticket.held
            cap.spent += min(ticket.held, due)
        for pot, amount in ticket.parts:
            pot.held -= amount
            due -= self._pay(pot, min(amount, due), paid)
        if due:
            allowed = self.room(ticket.caps, due)
            beyond = self._charge_beyond(allowed, paid)
            for cap in ticket.caps:
                cap.ask(due)
                cap.spent += beyond
            due -= beyond
        ticket.used = tokens
        return self._settle(
            ticket, "committed", (cost, paid.total(), due, frozenset(paid.items()), self.free)
        )

    def _charge_beyond(self, due: int, paid: Counter[str]) -> int:
        before = due
        for pot in self.burning():
            due -= self._pay(pot, min(pot.free, due), paid)
        if due and self.overdraft:
            lent = self.pots.setdefault(
                "overdraft", Pot("overdraft", self.overdraft, 100, inf, len(self.pots))
            )
            due -= self._pay(lent, min(lent.free, due), paid)
        return before - due

    def release(self, id: UUID) -> Answer:
        ticket = self.tickets[id]
        if ticket.state == "released":
            return ("settled", True, *ticket.answer)
        if not ticket.open:
            return self._closed(ticket)
        for cap in ticket.caps:
            cap.held -= ticket.held
        for pot, amount in ticket.parts:
            pot.held -= amount
        return self._settle(ticket, "released", (0, 0, 0, frozenset(), self.free))

    def _hold(self, amount: int) -> list[tuple[Pot, int]]:
        parts = []
        for pot in self.burning():
            part = min(pot.free, amount)
            if part:
                pot.held += part
                amount -= part
                parts.append((pot, part))
        assert amount == 0, "asked for only where it fits"
        return parts

    def _pay(self, pot: Pot, amount: int, paid: Counter[str]) -> int:
        if amount:
            pot.spent += amount
            paid[pot.name] += amount
        return amount

    def _settle(self, ticket: Ticket, state: str, figures: Answer) -> Answer:
        ticket.parts, ticket.state, ticket.answer = [], state, figures
        return ("settled", False, *figures)

    def _closed(self, ticket: Ticket) -> Answer:
        return (
            ("reservation_expired",) if ticket.state == "expired" else ("reservation_settled", ticket.state)
        )
