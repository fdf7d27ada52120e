"""Patterns for tests: small ones made on the spot, and those that the project ships."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from federation.identity import party_id
from federation.uim.codes import Label
from federation.uim.library import Library
from federation.uim.pattern import Pattern, PatternSet
from federation.uim.segments import CharacterSegment, Charset, LiteralSegment
from node.formats.patterns import read_pattern_folder

SHIPPED = Path(__file__).resolve().parents[2] / "config" / "patterns"
NOW = 1_763_942_400
"""24 November 2025, 00:00 UTC."""

PREFIX = LiteralSegment(name="issuer", text="QX")
SERIAL = CharacterSegment(name="serial", charset=Charset.DIGITS, shortest=6, longest=6)


def pattern(**changes) -> Pattern:
    """`QX` and six digits, of the Party qx, with whatever the test changes."""
    given = {
        "pattern_id": "qx-pack",
        "version": 1,
        "owner": party_id("qx"),
        "title": "a pack",
        "source": "made for this test",
        "label": Label.INVENTED,
        "segments": (PREFIX, SERIAL),
        "examples": ("QX123456",),
    }
    return Pattern(**(given | changes))


def pattern_set(*patterns: Pattern, party: str = "qx", **changes) -> PatternSet:
    """One Party's set."""
    return PatternSet(**({"party": party_id(party), "version": 1, "patterns": patterns} | changes))


@cache
def shipped_sets() -> tuple[PatternSet, ...]:
    """What `config/patterns` holds."""
    return read_pattern_folder(SHIPPED)


@cache
def shipped_library() -> Library:
    """All shipped patterns as one library."""
    return Library.build(shipped_sets())
