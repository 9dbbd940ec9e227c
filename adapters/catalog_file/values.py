"""Where the parts of a TOML value stand. The value is known to be well formed, so this only counts."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from application.catalog.source import Path

STRING = r"""
    \"{3} (?: \\. | [^\\] )*? \"{3} \"{0,2}
  | '{3} .*? '{3} '{0,2}
  | " (?! "" ) (?: \\. | [^"\\\n] )* "
  | ' (?! '' ) [^'\n]* '
"""
_TOKEN = re.compile(
    rf"""
      (?P<text> {STRING} )
    | (?P<gap> [ \t\n]+ | \#[^\n]* )
    | (?P<mark> [\[\]{{}},=] )
    | [^\s\[\]{{}},="'\#]+
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Part:
    """``text`` is the first and the last line between the quotes of a string."""

    path: Path
    line: int
    text: tuple[int, int] | None = None


@dataclass(slots=True)
class _Frame:
    """An array, whose ``index`` comes next, or an inline table, whose ``key`` was read (or is being read)."""

    path: Path
    index: int | None
    source: str = ""
    key: Path | None = None

    @property
    def next(self) -> Path | None:
        """The path of the value that comes next; None where a key does."""
        if self.index is not None:
            return (*self.path, self.index)
        return self.key


def key_path(source: str) -> tuple[str, ...]:
    """What a key such as ``a."b c"`` names."""
    keys = []
    rest: Any = tomllib.loads(f"{source} = 0")
    while rest:
        ((key, rest),) = rest.items()
        keys.append(key)
    return tuple(keys)


def parts(source: str, path: Path, line: int) -> Iterator[Part]:
    """The value in ``source``, which begins on ``line`` and belongs to ``path``, and all that is in it."""
    frames = [_Frame(path, None, key=path)]
    for token in _TOKEN.finditer(source):
        text, frame = token.group(), frames[-1]
        if token.lastgroup == "mark":
            yield from _step(text, frames, line)
        elif token.lastgroup != "gap":
            if frame.next is None:
                frame.source += text
            else:
                yield Part(frame.next, line, _span(text, line) if token.lastgroup == "text" else None)
        line += text.count("\n")


def _step(mark: str, frames: list[_Frame], line: int) -> Iterator[Part]:
    frame = frames[-1]
    match mark:
        case "[" | "{":
            inner = frame.next or ()
            yield Part(inner, line)
            frames.append(_Frame(inner, 0 if mark == "[" else None))
        case "]" | "}":
            frames.pop()
        case "=":
            frame.key = frame.path
            for key in key_path(frame.source):
                frame.key = (*frame.key, key)
                yield Part(frame.key, line)
            frame.source = ""
        case _ if frame.index is not None:
            frame.index += 1
        case _:
            frame.key = None


def _span(text: str, line: int) -> tuple[int, int]:
    """A newline right after the opening quotes is not part of the string."""
    last = line + text.count("\n")
    return (line + 1 if text[3:4] == "\n" and last > line else line), last
