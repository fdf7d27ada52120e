"""Matching a code against a row of segments, in linear time by construction.

Where each segment ends is known before it is read: from its own length, from the fixed text that follows it, or from the length
of the whole code (`check_ends` refuses every other row). So nothing is tried twice, and one match reads each character a small,
constant number of times, whatever a foreign Party wrote into its patterns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from federation.errors import Malformed
from federation.uim.check import check_holds
from federation.uim.dates import DateStamp, read_date
from federation.uim.segments import (
    CHARACTERS,
    CharacterSegment,
    CheckedSegment,
    DateSegment,
    LiteralSegment,
    Segment,
    SeparatorSegment,
)


class Fault(StrEnum):
    """Why a code does not fit a pattern."""

    LENGTH = "length"
    TEXT = "text"
    CHARACTER = "character"
    CHECK = "check"
    DATE = "date"


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Where a code stops to fit: the name of the segment, empty when the whole code has a wrong length."""

    segment: str
    fault: Fault


@dataclass(frozen=True, slots=True)
class Match:
    """A code cut into its segments, in their order, with the first date among them."""

    pieces: tuple[str, ...]
    stamp: DateStamp | None


@dataclass(frozen=True, slots=True)
class _Step:
    """One segment with what the matcher needs of it: the allowed set, and what tells where it ends."""

    segment: Segment
    allowed: frozenset[str]
    stopper: str
    """The character that ends it, when it varies and another varying segment follows."""
    tail: int
    """Characters after it, when it is the last one that varies; -1 when it does not vary."""


class Matcher:
    """Segments made ready. It keeps nothing between matches.

    Attributes:
        prefix: the fixed text that all codes start with; may be empty.
        shortest, longest: characters of a whole code.
    """

    __slots__ = ("_steps", "longest", "prefix", "shortest")

    def __init__(self, segments: Sequence[Segment]) -> None:
        """Take segments whose ends are known (`check_ends`)."""
        varying = [place for place, segment in enumerate(segments) if segment.shortest != segment.longest]
        last = varying[-1] if varying else -1
        self._steps = tuple(
            _Step(
                segment=segment,
                allowed=_allowed(segment),
                stopper=_first_character(segments, place + 1) if place in varying and place != last else "",
                tail=sum(later.longest for later in segments[place + 1 :]) if place == last else -1,
            )
            for place, segment in enumerate(segments)
        )
        self.shortest = sum(segment.shortest for segment in segments)
        self.longest = sum(segment.longest for segment in segments)
        self.prefix = _fixed_start(segments)

    def match(self, text: str) -> Match | Mismatch:
        """Cut the text into segments, or say where it stops to fit. Time is linear in the length of the text."""
        if not self.shortest <= len(text) <= self.longest:
            return Mismatch("", Fault.LENGTH)
        pieces: list[str] = []
        stamp: DateStamp | None = None
        start = 0
        for step in self._steps:
            end = _end(step, text, start)
            piece = text[start:end]
            if isinstance(step.segment, DateSegment):
                read = read_date(step.segment.form, piece)
                stamp = stamp or read
                fault = Fault.DATE if read is None else None
            else:
                fault = _fault(step, piece)
            if fault is not None:
                return Mismatch(step.segment.name, fault)
            pieces.append(piece)
            start = end
        return Match(tuple(pieces), stamp)


def check_ends(segments: Sequence[Segment]) -> None:
    """Refuse a row of segments that could be cut in more than one way.

    The last varying segment ends where the fixed rest begins. Every earlier one has to be followed by fixed text whose first
    character it cannot contain.

    Raises:
        Malformed: with the name of the segment.
    """
    varying = [place for place, segment in enumerate(segments) if segment.shortest != segment.longest]
    for place in varying[:-1]:
        if not ends_at_text(segments, place):
            raise Malformed(
                f"nobody can tell where the segment {segments[place].name} ends",
                hint="give it one length, or put fixed text behind it that begins with a character it cannot have",
            )


def ends_at_text(segments: Sequence[Segment], place: int) -> bool:
    """Say whether fixed text follows a segment, and begins with a character that it cannot have."""
    stopper = _first_character(segments, place + 1)
    return bool(stopper) and stopper not in _allowed(segments[place])


def _end(step: _Step, text: str, start: int) -> int:
    if step.stopper:
        found = text.find(step.stopper, start)
        return found if found >= 0 else len(text)
    if step.tail >= 0:
        return max(start, len(text) - step.tail)
    return start + step.segment.longest


def _fault(step: _Step, piece: str) -> Fault | None:
    segment = step.segment
    if isinstance(segment, LiteralSegment | SeparatorSegment):
        return None if piece == segment.text else Fault.TEXT
    if not segment.shortest <= len(piece) <= segment.longest:
        return Fault.LENGTH
    if isinstance(segment, CheckedSegment):
        payload, given = piece[: segment.length], piece[segment.length :]
        if step.allowed.issuperset(payload) and segment.method.check_alphabet.issuperset(given):
            return None if check_holds(segment.method, piece) else Fault.CHECK
        return Fault.CHARACTER
    return None if step.allowed.issuperset(piece) else Fault.CHARACTER


def _allowed(segment: Segment) -> frozenset[str]:
    if isinstance(segment, CharacterSegment):
        return segment.characters
    return CHARACTERS[segment.charset] if isinstance(segment, CheckedSegment) else frozenset()


def _first_character(segments: Sequence[Segment], place: int) -> str:
    """The first character of the fixed text at that place; empty when something else stands there."""
    following = segments[place] if place < len(segments) else None
    return following.text[0] if isinstance(following, LiteralSegment | SeparatorSegment) else ""


def _fixed_start(segments: Sequence[Segment]) -> str:
    start = ""
    for segment in segments:
        if not isinstance(segment, LiteralSegment | SeparatorSegment):
            break
        start += segment.text
    return start
