"""Pictures of screens for the documents, drawn from the sessions in them. `make docs` writes them, `tests/test_docs.py` compares them.

A picture stands right below the session that it shows: `![words](pictures/name.svg)`. What differs on each machine is shown with one
value of each kind that a run has really printed. Nothing is drawn that the test suite does not type.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from html import escape
from typing import Final

from tests.support.transcript import ANYTHING

_SHOWN: Final = re.compile(
    r"<!-- executed -->\n```console\n(?P<session>(?:(?!^```$).)*)^```\n\n!\[[^\]]*\]\(pictures/(?P<name>[a-z-]+)\.svg\)$",
    re.DOTALL | re.MULTILINE,
)
_DIGITS: Final = re.compile(r"\d{5}(?:[ \xa0]\d{5}){11}")
_COLUMNS: Final = 100
_CHARACTER, _LINE, _MARGIN, _BAR = 8.0, 20, 18, 30

SAMPLES: Final = {
    "genesis": "ac1f26a69b2be3a0af17213ef39c94e135d5099ad123400629606b5d156d70d0",
    "genesis-digits": "66904 20604 82008 61383 13706 50788 80374 71967 49854 41370 28290 11152",
    "code-qn": (
        "GSP-05RPW9X0-SY2MTT0J-PE31TYTE-SBNWXSRC-7V8T45WE-9K9V69WF-4MRGXKS7-GZYMWX4Y-8DQZD3PB-B9Y11YNJ-8MDMQET9-7ZCE0RKB-"
        "4DSE60QF-30BHH789-S38E1G6P-VC42W9H9"
    ),
    "fingerprint-qn": "19072 33518 40266 07781 92630 55149 80012 73364 28905 61147 36520 94483",
    "officer-qn": "qn/officers/9b34e381f7a2c486",
    "since": "2026-11-25 21:59",
    "since-there": "2026-11-25 21:59",
    "as-of": "2026-11-25 21:59",
    "active": "2026-11-25 22:14",
}


def pictures(document: str) -> dict[str, str]:
    """Name and SVG of every picture of a session in a document."""
    return {found["name"]: _drawn(list(_screen(found["session"]))) for found in _SHOWN.finditer(document)}


def _screen(session: str) -> Iterator[tuple[str, str]]:
    """The lines as a terminal of a fixed width shows them, each with what it is."""
    goes_on = False
    for written in session.splitlines():
        if re.fullmatch(r"\[\d+\]", written):
            continue
        is_typed = goes_on or written.startswith("$ ")
        goes_on = is_typed and written.endswith("\\")
        kind = "typed" if is_typed else "left-out" if written == ANYTHING else _kind(written)
        filled = re.sub(r"<([a-z-]+)>", lambda found: SAMPLES[found[1]], written)
        filled = _DIGITS.sub(lambda found: found[0].replace(" ", "\xa0"), filled)  # what is read aloud stays on one line
        for part in textwrap.wrap(filled, _COLUMNS, break_on_hyphens=True, drop_whitespace=False) or [""]:
            yield kind, part


def _kind(line: str) -> str:
    return "problem" if line.startswith("error: ") else "hint" if line.startswith("hint: ") else "said"


def _drawn(lines: list[tuple[str, str]]) -> str:
    width = round(_COLUMNS * _CHARACTER + 2 * _MARGIN)
    height = _BAR + len(lines) * _LINE + 2 * _MARGIN
    body = [_line(kind, words, row) for row, (kind, words) in enumerate(lines)]
    return "\n".join([_HEAD.format(width=width, height=height, bar=_BAR), *(part for part in body if part), "</svg>", ""])


def _line(kind: str, words: str, row: int) -> str:
    """One line of text; digits that are read aloud stand on a ground of their own."""
    if not words.strip():
        return ""
    indent = len(words) - len(words.lstrip())
    words, left = words.strip(), _MARGIN + indent * _CHARACTER
    base = _BAR + _MARGIN + row * _LINE + 14
    parts = []
    for found in _DIGITS.finditer(words):
        start, length = left + found.start() * _CHARACTER, len(found[0]) * _CHARACTER
        parts.append(f'<rect class="digits" x="{start - 3:g}" y="{base - 15}" width="{length + 6:g}" height="20" rx="3"/>')
    text = escape("…" if kind == "left-out" else words.replace(" ", "\xa0"))  # some viewers draw several spaces as one
    length = _CHARACTER if kind == "left-out" else len(words) * _CHARACTER
    parts.append(f'<text class="{kind}" x="{left:g}" y="{base}" textLength="{length:g}">{text}</text>')
    return "".join(parts)


_HEAD: Final = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">
<style>
text {{ font: 13.3px "DejaVu Sans Mono", "Liberation Mono", monospace; fill: #e6e6e6; white-space: pre }}
.typed {{ fill: #ffffff; font-weight: bold }} .problem {{ fill: #ff9a8a }} .hint {{ fill: #ffd28a }} .left-out {{ fill: #9aa5b1 }}
.digits {{ fill: #14532d; stroke: #4ade80 }}
</style>
<rect width="{width}" height="{height}" rx="8" fill="#1b2430"/>
<rect width="{width}" height="{bar}" rx="8" fill="#34404e"/>
<circle cx="20" cy="15" r="5" fill="#ff9a8a"/><circle cx="38" cy="15" r="5" fill="#ffd28a"/><circle cx="56" cy="15" r="5" fill="#4ade80"/>"""
