"""A TOML document with the line of everything in it, read on past its faults.

``tomllib`` knows no positions and stops at the first fault. So the document is cut into its statements
(headers and pairs of key and value, https://toml.io/en/v1.0.0), and ``tomllib`` reads each by itself. A
document without a fault is, at the end, what ``tomllib`` makes of the whole.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from adapters.catalog_file.values import STRING, key_path, parts
from application.catalog.source import Document, Fault, Path

# A line that can only be a header, even where a bracket or a quote before it was never closed.
_HEADER = re.compile(
    r"^\[\[?[ \t]*(?!(?:true|false|inf|nan)\b)[A-Za-z_][\w. \t-]*\]\]?[ \t]*(?:#.*)?$", re.MULTILINE
)
_TOKEN = re.compile(
    rf"""
      {STRING}
    | (?P<unclosed> \"{{3}} | '{{3}} )
    | \# [^\n]*
    | (?P<open> [\[{{] )
    | (?P<close> [\]}}] )
    | (?P<end> \n )
    | [^"'\#\[\]{{}}\n]+
    | .
    """,
    re.VERBOSE | re.DOTALL,
)
_KEY = re.compile(r"(?: \" (?: \\. | [^\"\\\n] )* \" | ' [^'\n]* ' | [^\"'=\n] )+", re.VERBOSE)
_PREFIX = re.compile(r"\[\[?[ \t]*([\w.-]+)")
_WHERE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_NAMES = re.compile(r"\(('[^)]*'),?\)")
_BLANK = re.compile(r"(?: [ \t\n] | \#[^\n]* )*", re.VERBOSE)


@dataclass(frozen=True, slots=True)
class _Statement:
    source: str
    line: int


def read(source: str) -> Document:
    reading = _Reading()
    # A carriage return that is left is a fault, and must not make a line ending with what follows it.
    for statement in _statements(source.replace("\r\n", "\n").replace("\r", "\r ")):
        reading.take(statement)
    if not reading.faults:
        reading.check(source)
    return Document(
        data=reading.root,
        lines=reading.lines,
        texts=reading.texts,
        faults=tuple(reading.faults),
        lost=frozenset(reading.lost),
    )


def _statements(source: str) -> Iterator[_Statement]:
    at, line = 0, 1
    while True:
        gap = _BLANK.match(source, at)
        start = gap.end() if gap else at
        line += source.count("\n", at, start)
        if start == len(source):
            return
        at = _end(source, start)
        yield _Statement(source[start:at], line)
        line += source.count("\n", start, at)


def _end(source: str, start: int) -> int:
    """Where the statement that begins at ``start`` ends: at a newline outside of brackets and quotes."""
    header, depth = source[start] == "[", 0
    for token in _TOKEN.finditer(source, start):
        match token.lastgroup:
            case "unclosed":
                following = _HEADER.search(source, token.end())
                return following.start() if following else len(source)
            case "open":
                depth += 1
            case "close":
                depth -= 1
            case "end" if header or depth <= 0 or _HEADER.match(source, token.end()):
                return token.start()
            case _:
                pass
    return len(source)


@dataclass(slots=True)
class _Reading:
    """The document so far. ``table`` is the one that pairs go into, at ``section``; None: past them."""

    root: dict[str, Any] = field(default_factory=dict)
    lines: dict[Path, int] = field(default_factory=dict)
    texts: dict[Path, tuple[int, int]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    lost: set[Path] = field(default_factory=set)
    section: Path = ()
    table: dict[str, Any] | None = None
    headers: set[Path] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.table = self.root

    def take(self, statement: _Statement) -> None:
        header = statement.source[0] == "["
        try:
            parsed = tomllib.loads(statement.source)
        except (ValueError, RecursionError) as error:
            self._malformed(error, statement)
            self.lost.update(self._unread(statement))
            if header:
                self.table = None
        else:
            if header:
                self._open(parsed, statement.line)
            elif self.table is not None:
                self._set(self.table, parsed, statement)

    def check(self, source: str) -> None:
        """Leave the last word to the parser: it knows rules of redefinition that are not looked at here."""
        try:
            self.root = tomllib.loads(source)
        except (ValueError, RecursionError) as error:
            self._malformed(error, _Statement(source, 1), end=source.rstrip().count("\n"))

    def _malformed(self, error: Exception, statement: _Statement, *, end: int = 0) -> None:
        """``end`` is the line, from 0, to name where the parser names the end of the source."""
        message = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        text, line = _NAMES.sub(_dotted, _WHERE.sub("", message)), end
        where = _WHERE.search(message)
        if where and where[1]:
            line = int(where[1]) - 1
            upto = statement.source.split("\n")[line]
            if "{" in upto and int(where[2]) > len(upto):
                text = "an inline table { ... } ends on the line that it begins on"
        self.faults.append(Fault(statement.line + line, f"not TOML: {text[:1].lower()}{text[1:]}"))

    def _unread(self, statement: _Statement) -> Iterator[Path]:
        """What a statement that is not TOML may have said something of."""
        if statement.source[0] == "[":
            prefix = _PREFIX.match(statement.source)
            yield tuple(prefix[1].split(".")[:-1]) if prefix else ()
        elif _HEADER.search(statement.source):  # an open quote or bracket swallowed a section
            yield ()
        elif self.table is not None:
            key = _KEY.match(statement.source)
            try:
                yield self.section + key_path(key.group() if key else "")
            except ValueError:
                yield self.section

    def _open(self, parsed: Any, line: int) -> None:  # noqa: ANN401 - it is what tomllib returns
        keys = []
        while isinstance(parsed, dict) and parsed:
            ((key, parsed),) = parsed.items()
            keys.append(key)
        self.table = None
        found = self._walk(self.root, (), keys[:-1], line)
        if found is None:
            return
        table, above = found
        path = (*above, keys[-1])
        many = isinstance(parsed, list)
        empty: Any = [] if many else {}
        there = table.setdefault(keys[-1], empty)
        if path in self.headers or not isinstance(there, type(empty)):
            self._twice(path, line)
            return
        if many:
            self.lines.setdefault(path, line)
            path = (*path, len(there))
            there.append({})
            there = there[-1]
        self.headers.add(path)
        self.lines[path] = line
        self.section, self.table = path, there

    def _set(self, table: dict[str, Any], parsed: dict[str, Any], statement: _Statement) -> None:
        key = _KEY.match(statement.source)
        source = key.group() if key else ""
        *above, last = key_path(source)
        found = self._walk(table, self.section, above, statement.line)
        if found is None:
            return
        table, path = found
        path = (*path, last)
        if last in table:
            self._twice(path, statement.line)
            return
        for name in above:
            parsed = parsed[name]
        table[last] = parsed[last]
        for part in parts(statement.source[len(source) + 1 :], path, statement.line):
            self.lines.setdefault(part.path, part.line)
            if part.text is not None:
                self.texts[part.path] = part.text

    def _walk(
        self, table: dict[str, Any], path: Path, keys: list[str], line: int
    ) -> tuple[dict[str, Any], Path] | None:
        """Down to the table that ``keys`` name, made where there is none; in a list of tables, the last."""
        for key in keys:
            path = (*path, key)
            self.lines.setdefault(path, line)
            there = table.setdefault(key, {})
            if isinstance(there, list) and there:
                path, there = (*path, len(there) - 1), there[-1]
            if not isinstance(there, dict):
                self._twice(path, line)
                return None
            table = there
        return table, path

    def _twice(self, path: Path, line: int) -> None:
        name = ".".join(map(str, path))
        self.faults.append(Fault(line, f"{name} is defined twice: first on line {self.lines.get(path, 1)}"))


def _dotted(names: re.Match[str]) -> str:
    return names[1].replace("', '", ".").strip("'")
