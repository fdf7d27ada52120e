"""A row of segments as expressions of our own, so that one call decides whether a code fits.

No expression is ever received: Parties send segments, and what is compiled here is written here. The matcher's rule that every
segment's end is known beforehand holds here too, in two ways. A varying segment that fixed text ends takes all it can and gives
nothing back (`{a,b}+`), because that text begins with a character that it cannot have. Where nothing of the kind follows the last
varying segment, it ends where the fixed rest begins, so the text is cut there first and each half is matched by itself. So nothing
is tried twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeAlias

from federation.uim.check import HOLDS, CheckMethod
from federation.uim.dates import date_expression
from federation.uim.matcher import ends_at_text
from federation.uim.segments import (
    CHARACTERS,
    CharacterSegment,
    CheckedSegment,
    DateSegment,
    Segment,
)

Fits: TypeAlias = Callable[[str, int], object]
"""Gives something true exactly when a text fits from a place on to its end."""


def compile_fits(segments: Sequence[Segment]) -> Fits:
    """Compile segments whose ends are known (`federation.uim.matcher.check_ends`)."""
    varying = [place for place, segment in enumerate(segments) if segment.shortest != segment.longest]
    cut = varying[-1] + 1 if varying else len(segments)
    if cut == len(segments) or ends_at_text(segments, cut - 1):
        return _whole(segments)
    tail = sum(segment.longest for segment in segments[cut:])
    head, rest = _between(segments[:cut]), _between(segments[cut:])

    def fits(text: str, start: int) -> object:
        end = len(text) - tail
        return end >= start and head(text, start, end) and rest(text, end, end + tail)

    return fits


def _whole(segments: Sequence[Segment]) -> Fits:
    match = _compile(segments)
    methods = _methods(segments)
    if not methods:
        return match
    if len(methods) == 1:
        holds = HOLDS[methods[0]]

        def fits(text: str, start: int) -> object:
            found = match(text, start)
            return found is not None and holds(found[1])

        return fits
    between = _between(segments)
    return lambda text, start: between(text, start, len(text))


def _between(segments: Sequence[Segment]) -> Callable[[str, int, int], object]:
    """Each checked segment is a group, with its check characters."""
    match = _compile(segments)
    holds = [HOLDS[method] for method in _methods(segments)]
    if not holds:
        return match

    def fits(text: str, start: int, end: int) -> object:
        found = match(text, start, end)
        return found is not None and all(one(piece) for one, piece in zip(holds, found.groups(), strict=True))

    return fits


def _compile(segments: Sequence[Segment]) -> Callable[..., re.Match[str] | None]:
    return re.compile("".join(_part(segment) for segment in segments)).fullmatch


def _methods(segments: Sequence[Segment]) -> list[CheckMethod]:
    return [segment.method for segment in segments if isinstance(segment, CheckedSegment)]


def _part(segment: Segment) -> str:
    match segment:
        case CharacterSegment():
            return f"{_set(segment.characters)}{_times(segment.shortest, segment.longest)}"
        case CheckedSegment(method=method):
            payload = f"{_set(CHARACTERS[segment.charset])}{_times(segment.length, segment.length)}"
            return f"({payload}{_set(method.check_alphabet)}{_times(method.characters, method.characters)})"
        case DateSegment(form=form):
            return date_expression(form)
        case _:
            return re.escape(segment.text)


def _set(characters: frozenset[str]) -> str:
    return f"[{re.escape(''.join(sorted(characters)))}]"


def _times(shortest: int, longest: int) -> str:
    return f"{{{shortest}}}" if shortest == longest else f"{{{shortest},{longest}}}+"
