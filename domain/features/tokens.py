"""Token counts without a tokenizer, from the length of a text in UTF-8."""

BYTES_PER_TOKEN = 4
"""What English prose comes to with the byte-pair vocabularies in use, about."""

PER_CALL = 256
"""Tokens that may come on top of a prompt: the chat template, the role names, a line about the schema."""


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def most_tokens(*texts: str) -> int:
    """No fewer than any byte-pair tokenizer makes of ``texts`` in one call: a token is at least one byte."""
    return PER_CALL + sum(map(_bytes, texts))


def about_tokens(text: str) -> int:
    """The usual number. Charged where the model's service does not say how many it counted."""
    return -(-_bytes(text) // BYTES_PER_TOKEN)


def units_of(document: object, units_from: str | None) -> int:
    """The length of the array that ``document`` holds under ``units_from``; 0 where there is none."""
    held = document.get(units_from) if units_from is not None and isinstance(document, dict) else None
    return len(held) if isinstance(held, list) else 0
