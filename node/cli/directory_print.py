"""The list of competent authorities (Article 8.8) for paper: as text, and as a page that needs nothing else.

Size, root and date of the directory stand on it. Whoever has the same log, at any node, finds the same root at that size, so a print
can be checked years later.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby
from typing import Final

from node.cli.directory_entries import counted
from node.cli.directory_words import quorum_words, seen_words
from node.cli.output import clock, columns, printable
from node.use_cases.directory_view import ListedAuthority
from node.use_cases.verified_log import DirectoryView

TITLE: Final = "Competent authorities of the Parties"
_STYLE: Final = """
body { font: 11pt/1.4 serif; margin: 2em auto; max-width: 48em; color: #000; background: #fff }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .25em .75em .25em 0; border-bottom: 1px solid #999 }
thead { display: table-header-group }
tr { break-inside: avoid }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1em 1em; font-size: 9pt }
dd { margin: 0; overflow-wrap: anywhere }
@page { size: A4; margin: 2cm }
@media print { body { margin: 0; max-width: none } }
"""


def list_lines(view: DirectoryView, listed: Sequence[ListedAuthority], *, now: float) -> Iterator[str]:
    """The list as text."""
    yield f"{TITLE} (Article 8.8 of the Protocol)"
    yield ""
    rows = [(one.party, one.party_name, str(one.authority.kind), one.authority.name) for one in listed]
    yield from columns([("PARTY", "NAME", "KIND", "AUTHORITY"), *rows]) if rows else ["No authority is listed."]
    yield ""
    yield from (f"{name:<10} {value}" for name, value in check_facts(view, len(listed), now=now))


def check_facts(view: DirectoryView, count: int, *, now: float) -> tuple[tuple[str, str], ...]:
    """What stands below the list, so that it can be checked."""
    return (
        ("Listed", counted(count, "authority", "authorities")),
        ("Directory", view.roster.genesis.domain),
        ("Size", counted(len(view.entries), "entry", "entries")),
        ("Root", view.root.hex()),
        ("Date", seen_words(view)),
        ("Witnesses", quorum_words(view.quorum)),
        ("Printed", clock(now)),
        ("To check", "`gsp directory verify --size` with the size above shows the same root on every true copy of the log"),
    )


def list_page(view: DirectoryView, listed: Sequence[ListedAuthority], *, now: float) -> str:
    """The list as one HTML page: no script, nothing from elsewhere."""
    rows = "".join(_group(list(group)) for _, group in groupby(listed, key=lambda one: one.party))
    facts = "".join(f"<dt>{_cell(name)}</dt><dd>{_cell(value)}</dd>\n" for name, value in check_facts(view, len(listed), now=now))
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{_cell(TITLE)}</title>\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{_cell(TITLE)}</h1>\n<p>Article 8.8 of the Protocol</p>\n"
        f"<table>\n<thead><tr><th>Party</th><th>Kind</th><th>Authority</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n"
        f"<dl>\n{facts}</dl>\n</body>\n</html>\n"
    )


def _group(group: Sequence[ListedAuthority]) -> str:
    first = group[0]
    head = f'<th scope="rowgroup" rowspan="{len(group)}">{_cell(first.party_name)} ({_cell(first.party)})</th>'
    cells = [f"<td>{_cell(one.authority.kind)}</td><td>{_cell(one.authority.name)}</td>" for one in group]
    return "".join(f"<tr>{head if number == 0 else ''}{cell}</tr>\n" for number, cell in enumerate(cells))


def _cell(text: str) -> str:
    """Whatever a Party wrote is text here, and nothing else."""
    return escape(printable(text))
