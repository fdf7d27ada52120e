"""What a command prints: plain aligned text for people, one JSON document for programs, errors with a hint.

Text looks the same on a terminal and in a file, has no colour, and shows times in UTC. In JSON, times are RFC 3339, bytes are
hexadecimal and coded words are their words. Whatever came from elsewhere is cleaned of characters that move a terminal's cursor.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

import click

from federation.errors import FederationError
from federation.text import is_plain

Document: TypeAlias = Mapping[str, Any]
"""What `--json` prints."""


def show(document: Document, lines: Iterable[str], *, as_json: bool) -> None:
    """Print the one or the other on stdout."""
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        for line in lines:
            click.echo(printable(line).rstrip())


def show_error(error: FederationError, *, as_json: bool) -> None:
    """Print what went wrong and what to do: for people on stderr, for programs on stdout."""
    if as_json:
        show({"error": {"code": error.code, "message": error.message, "hint": error.hint}}, (), as_json=True)
    else:
        remark(f"error: {error.message}")
        remark(f"hint: {error.hint}")


def remark(line: str) -> None:
    """Say something beside the result."""
    click.echo(printable(line), err=True)


def printable(text: str) -> str:
    """The text without control characters and the like, which could rewrite what the terminal shows."""
    return "".join(character if is_plain(character) else "\N{REPLACEMENT CHARACTER}" for character in text)


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of cells as aligned lines; the last column runs free."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]) - 1)] if rows else []
    return ["  ".join([*(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)), row[-1]]) for row in rows]


def clock(seconds: float) -> str:
    """A time as people read it, to the minute."""
    return f"{datetime.fromtimestamp(seconds, tz=UTC):%Y-%m-%d %H:%M} UTC"


def rfc3339(seconds: float) -> str:
    """A time as programs read it."""
    return f"{datetime.fromtimestamp(seconds, tz=UTC):%Y-%m-%dT%H:%M:%SZ}"
