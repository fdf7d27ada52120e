"""The sheet of paper that ends a founding ceremony: what the directory is known by, whose keys stand behind it, and where they lie.

It holds nothing secret. Signed by hand, it is what a ministry or a court compares a screen with, years later.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from html import escape
from typing import Final

from federation.boundary.directory import genesis_digest
from federation.trust.entries import Genesis
from federation.trust.fingerprint import digits_of
from node.ceremony import key_digits
from node.cli.entry_words import certificate_words
from node.cli.output import Document, clock

_LINE: Final = "_" * 34
_KEYS: Final = (
    ("treaty root", "signs the CA that admits Parties, once in years", "offline, in a safe; it is no anchor for traffic"),
    (
        "a founder's key",
        "admits Parties and changes the treaty, with enough others",
        "with its founder alone, on a stick in a safe",
    ),
    ("log key", "signs the directory's checkpoints", "in the Secretariat's keystore"),
    ("issuing CA", "signs each Party's CA once", "in the Secretariat's keystore"),
    ("Party key", "writes what a Party says of itself", "in the Party's keystore; never at the Secretariat"),
    ("next Party key", "alone replaces the Party key, or vetoes a recovery", "on paper in the Party's safe; on no machine"),
)


@dataclass(frozen=True, slots=True)
class _Section:
    """A heading and its rows."""

    title: str
    rows: tuple[tuple[str, ...], ...]


def sheet_document(leaf: bytes, genesis: Genesis) -> Document:
    """The sheet for programs."""
    digest = genesis_digest(leaf)
    return {
        "domain": genesis.domain,
        "created": clock(genesis.created),
        "genesis": digest.hex(),
        "digits": digits_of(digest),
        "log_key": genesis.log_key.hex(),
        "root": digits_of(sha256(genesis.root_certificate).digest()),
        "founders": [key_digits(key) for key in genesis.founders],
        "threshold": genesis.founders_threshold,
    }


def _sections(leaf: bytes, genesis: Genesis) -> tuple[_Section, ...]:
    digest = genesis_digest(leaf)
    return (
        _Section(
            "What the directory is known by",
            (
                ("genesis digest", digest.hex()),
                ("in digits", digits_of(digest)),
                ("log key", genesis.log_key.hex()),
                ("in digits", key_digits(genesis.log_key)),
                ("treaty root", certificate_words(genesis.root_certificate)),
            ),
        ),
        _Section(
            "What was decided",
            (
                ("founders", f"{genesis.founders_threshold} of {len(genesis.founders)} sign together"),
                ("first witnesses", ", ".join(genesis.first_witnesses) or "none"),
                ("confirmations", f"{genesis.confirmations} other Parties confirm a newcomer"),
                ("waiting", f"witnesses {genesis.witness_wait_s // 86_400} days, recoveries {genesis.recovery_wait_s // 86_400}"),
            ),
        ),
        _Section("Which key is for what, and where it lies", _KEYS),
    )


def sheet_lines(leaf: bytes, genesis: Genesis) -> list[str]:
    """The sheet as text, for a printer that knows nothing else."""
    lines = [f"THE DIRECTORY OF {genesis.domain.upper()}", f"founded {clock(genesis.created)}", ""]
    for section in _sections(leaf, genesis):
        width = max(len(row[0]) for row in section.rows)
        lines += [section.title, "-" * len(section.title)]
        for row in section.rows:
            lines.append(f"  {row[0]:<{width}}  {row[1]}")
            lines += [f"  {'':<{width}}  {more}" for more in row[2:]]
        lines.append("")
    lines += ["Founders, each with the fingerprint of the own key, by hand", "-" * 58]
    for number, key in enumerate(genesis.founders, start=1):
        lines += [f"  {number}  {key_digits(key)}", "", f"     name {_LINE}  signature {_LINE}", ""]
    lines += [f"  for the Secretariat  name {_LINE}  signature {_LINE[:12]}", "", f"  place and date  {_LINE}"]
    return lines


def sheet_html(leaf: bytes, genesis: Genesis) -> str:
    """The sheet as one page of HTML that needs nothing else and prints on A4."""
    parts = [f"<h1>The directory of {escape(genesis.domain)}</h1>", f"<p>Founded {clock(genesis.created)}.</p>"]
    for section in _sections(leaf, genesis):
        rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in section.rows)
        parts.append(f"<h2>{escape(section.title)}</h2><table>{rows}</table>")
    parts.append("<h2>Founders, each with the fingerprint of the own key, by hand</h2>")
    parts += [_signature_html(f"{number}", key_digits(key)) for number, key in enumerate(genesis.founders, start=1)]
    parts.append(_signature_html("For the Secretariat", ""))
    return _PAGE.replace("TITLE", escape(f"The directory of {genesis.domain}")).replace("BODY", "\n".join(parts))


def _signature_html(who: str, digits: str) -> str:
    return (
        f"<div class=hand><p>{escape(who)} <code>{escape(digits)}</code></p>"
        "<p class=lines><span>name</span><span>signature</span><span>place and date</span></p></div>"
    )


_PAGE: Final = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>TITLE</title>
<style>
@page { size: A4; margin: 16mm }
body { font: 10pt/1.35 sans-serif; max-width: 178mm; margin: 0 auto; color: #000 }
h1 { font-size: 16pt; margin: 0 } h2 { font-size: 11pt; margin: 5mm 0 1mm; border-bottom: 0.3mm solid #000 }
table { border-collapse: collapse } td { padding: 0.4mm 4mm 0.4mm 0; vertical-align: top; overflow-wrap: anywhere }
td:first-child { white-space: nowrap } td:nth-child(2), code { font: 9pt monospace }
.hand { break-inside: avoid; margin-top: 2mm } .hand p { margin: 0 }
.lines { display: flex; gap: 6mm } .lines span { flex: 1; margin-top: 9mm; border-top: 0.2mm solid #000; font-size: 8pt }
</style>
BODY
</html>
"""
