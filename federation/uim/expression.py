"""A row of segments as expressions of our own, so that one call decides whether a code fits.

No expression is ever received: Parties send segments, and what is compiled here is written here. The matcher's rule that every
segment's end is known beforehand holds here too, in two ways. A varying segment that fixed text ends takes all it can and gives
nothing back (`{a,b}+`), because that text begins with a character that it cannot have. The last varying segment ends where the
fixed rest begins, so the text is cut there first and each half is matched by itself. So nothing is tried twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeAlias

from federation.uim.check import CheckMethod, check_characters
from federation.uim.dates import date_expression
from federation.uim.segments import (
    CHARACTERS,
    CharacterSegment,
    CheckedSegment,
    DateSegment,
    Segment,
)

Fits: TypeAlias = Callable[[str], object]
"""Gives something true exactly for the texts that fit, however long they are."""



def compile_fits(segments: Sequence[Segment]) -> Fits:
    """Compile segments whose ends are known (`federation.uim.matcher.check_ends`)."""
    varying = [place for place, segment in enumerate(segments) if segment.shortest != segment.longest]
    cut = varying[-1] + 1 if varying else len(segments)
    tail = sum(segment.longest for segment in segments[cut:])
    head = _compile(segments[:cut])
    return _two(head, _compile(segments[cut:]), tail) if tail else head


def _two(head: Fits, rest: Fits, tail: int) -> Fits:
    def fits(text: str) -> object:
        return head(text[:-tail]) and rest(text[-tail:])

    return fits


def _compile(segments: Sequence[Segment]) -> Fits:
    match = re.compile("".join(_part(segment) for segment in segments)).fullmatch
    checks = [segment.method for segment in segments if isinstance(segment, CheckedSegment)]
    if not checks:
        return match
    return _checked(match, checks)


def _checked(match: Callable[[str], re.Match[str] | None], methods: Sequence[CheckMethod]) -> Fits:
    """Each checked segment gives two groups: what is protected, and its check characters."""
    if len(methods) == 1:
        (method,) = methods

        def fits(text: str) -> object:
            found = match(text)
            return found is not None and check_characters(method, found[1]) == found[2]

        return fits

    def all_fit(text: str) -> object:
        found = match(text)
        if found is None:
            return False
        groups = found.groups()
        pairs = zip(methods, groups[::2], groups[1::2], strict=True)
        return all(check_characters(method, payload) == given for method, payload, given in pairs)

    return all_fit


def _part(segment: Segment) -> str:
    match segment:
        case CharacterSegment():
            return f"{_set(segment.characters)}{_times(segment.shortest, segment.longest)}"
        case CheckedSegment(method=method):
            payload = f"{_set(CHARACTERS[segment.charset])}{_times(segment.length, segment.length)}"
            return f"({payload})({_set(method.check_alphabet)}{_times(method.characters, method.characters)})"
        case DateSegment(form=form):
            return date_expression(form)
        case _:
            return re.escape(segment.text)


def _set(characters: frozenset[str]) -> str:
    return f"[{re.escape(''.join(sorted(characters)))}]"


def _times(shortest: int, longest: int) -> str:
    return f"{{{shortest}}}" if shortest == longest else f"{{{shortest},{longest}}}+"
