"""Reading a table of the catalog, key by key, and noting whatever is wrong with it."""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from application.catalog.source import Document, Fault, Path
from domain.catalog.bounds import KEY
from domain.credits import MalformedAmount, format_decimal, parse_decimal

_FORBIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # control characters but the tab and the newline
KEY_RULE = "a small letter, then at most 62 small letters, digits and underscores"
_PLAIN = re.compile(r"[A-Za-z0-9_$-]+")


def dotted(path: Path) -> str:
    return ".".join(part if _PLAIN.fullmatch(part) else json.dumps(part) for part in map(str, path))


def hint(word: str, known: Collection[str]) -> str:
    close = get_close_matches(word, known, n=1)
    return f'; did you mean "{close[0]}"?' if close else ""


_KINDS: tuple[tuple[type[object], str], ...] = (
    (bool, "a boolean"),  # before the integers, which it is one of
    (str, "a string"),
    (int, "an integer"),
    (float, "a float"),
    (Mapping, "a table"),
    (list, "an array"),
)


def kind(value: object) -> str:
    """What somebody who writes TOML calls it."""
    return next((words for type_, words in _KINDS if isinstance(value, type_)), "a date or a time")


@dataclass(slots=True)
class Report:
    """The faults of one document so far."""

    document: Document
    faults: list[Fault] = field(default_factory=list)

    def add(self, path: Path, message: str, *, within: int = 0) -> None:
        line = self.document.line(path, within=within)
        self.faults.append(Fault(line, f"{dotted(path)}: {message}" if path else message))

    def absent(self, absent: Path, path: Path, message: str) -> None:
        """Blame what is at ``path`` for what is ``absent``, unless that was only not to be read."""
        if not self.document.may_hold(absent):
            self.add(path, message)


@dataclass(slots=True)
class Section:
    """One table. Every getter answers something usable; the report says afterwards whether it counts.

    What is asked for is a known key. ``close`` reports those that are missing, and those that nobody knows.
    """

    path: Path
    table: Mapping[str, object]
    report: Report
    known: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)

    @classmethod
    def at(cls, path: Path, value: object, report: Report) -> "Section | None":
        if isinstance(value, Mapping):
            return cls(path, value, report)
        report.add(path, f"is {kind(value)}, but must be a table")
        return None

    def fault(self, key: str, message: str, *, within: int = 0) -> None:
        self.report.add((*self.path, key), message, within=within)

    def has(self, key: str) -> bool:
        self.known.add(key)
        return key in self.table

    def need(self, key: str) -> bool:
        if not self.has(key):
            self.missing.add(key)
        return key in self.table

    def child(self, key: str, *, required: bool = True) -> "Section | None":
        present = self.need(key) if required else self.has(key)
        return Section.at((*self.path, key), self.table[key], self.report) if present else None

    def faulty(self, key: str) -> bool:
        """Whether something was said of ``key``."""
        path = (*self.path, key)
        return any(fault.message.startswith(f"{dotted(path)}: ") for fault in self.report.faults)

    def entries(self, key: str, what: str, *, required: bool = True) -> "Iterator[Section]":
        """The tables in the table ``key``, each with a good key. There must be one, if ``required``."""
        section = self.child(key, required=required)
        if section is None:
            return
        for name, value in section.table.items():
            path = (*section.path, name)
            if KEY.fullmatch(name) is None:
                self.report.add(path, f"a key of a {what} is {KEY_RULE}")
            entry = Section.at(path, value, self.report)
            if entry is not None:
                yield entry
        if required and not section.table:
            self.report.absent(section.path, section.path, f"there must be at least one {what}")

    def text(
        self,
        key: str,
        *,
        most: int,
        default: str | None = None,
        pattern: re.Pattern[str] | None = None,
        called: str = "",
    ) -> str:
        """At most ``most`` characters. ``called`` says what fits the pattern. No default: it is required."""
        if not (self.need(key) if default is None else self.has(key)):
            return default or ""
        value = self.table[key]
        if not isinstance(value, str):
            self.fault(key, f"is {kind(value)}, but must be a string")
        elif default is None and not value.strip():
            self.fault(key, "must not be empty")
        elif len(value) > most:
            self.fault(key, f"has {len(value)} characters, but at most {most} are allowed")
        elif found := _FORBIDDEN.search(value):
            within = value.count("\n", 0, found.start()) + 1
            self.fault(key, f"must not hold the control character {found.group()!r}", within=within)
        elif pattern is not None and pattern.fullmatch(value) is None:
            self.fault(key, f"{value[:80]!r} is not {called}")
        else:
            return value
        return default or ""

    def amount(self, key: str, *, places: int, most: int, default: int | None = None) -> int:
        """A decimal string, exactly, in units of ten to the power of minus ``places``."""
        if not (self.need(key) if default is None else self.has(key)):
            return default or 0
        value = self.table[key]
        if not isinstance(value, str):
            self.fault(key, f'is {kind(value)}, but an amount must be a string, such as "12.5"')
            return 0
        try:
            amount = parse_decimal(value, places=places)
        except MalformedAmount as error:
            self.fault(key, str(error))
            return 0
        if amount > most:
            self.fault(key, f"must be at most {format_decimal(most, places=places)}")
        return amount

    def whole(self, key: str, *, most: int, least: int = 1, default: int | None = None) -> int:
        """An integer. No default: it is required."""
        if not (self.need(key) if default is None else self.has(key)):
            return default or 0
        value = self.table[key]
        if not isinstance(value, int) or isinstance(value, bool):
            self.fault(key, f"is {kind(value)}, but must be an integer")
            return 0
        if not least <= value <= most:
            self.fault(key, f"must be from {least} to {most}")
        return value

    def close(self) -> None:
        for key in self.table.keys() - self.known:
            known = hint(key, self.known) or f"; known are {', '.join(sorted(self.known))}"
            self.fault(key, f"is not known here{known}")
            self.missing.difference_update(get_close_matches(key, self.known, n=1))
        for key in sorted(self.missing):
            self.report.absent((*self.path, key), self.path, f"{dotted((key,))} is missing")
