"""Do two patterns have a code in common, and which one? A witness shows it, and whoever publishes can look at it.

Two rows of segments are walked together, character by character: a place in both rows is a state, and a pair of states is visited
once, so the work is bounded by the product of two lengths. That finds a row of character sets that both allow; dates and check
characters are then filled in, and what comes out is tried with both matchers. So a witness is always a real code of both patterns.
Where the characters agree and no witness was found in a bounded number of tries, that is said, and nothing is claimed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice
from typing import Final, TypeAlias

from federation import limits
from federation.identity import PartyId
from federation.uim import bounds
from federation.uim.check import DIGITS, check_characters
from federation.uim.expression import compile_fits
from federation.uim.index import fixed_start
from federation.uim.pattern import Pattern, PatternSet
from federation.uim.segments import (
    CHARACTERS,
    CharacterSegment,
    CheckedSegment,
    DateForm,
    DateSegment,
    Segment,
)

_Segments: TypeAlias = tuple[Segment, ...]
_State: TypeAlias = tuple[int, int]
"""Which segment, and how many of its characters are behind."""

_EXAMPLE_DATES: Final = ("24030914", "21111221", "22020203", "20123123")
"""Year, month, day and hour of dates to fill in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Two patterns that some code may fit.

    Attributes:
        party, pattern_id: the first; `other_party`, `other_id` the second.
        witness: a code that fits both; empty when the characters agree and none was found.
        sure: both patterns say that they name the issuer, so that one of them is wrong.
    """

    party: PartyId
    pattern_id: str
    other_party: PartyId
    other_id: str
    witness: str
    sure: bool


def overlaps(own: PatternSet, others: Iterable[PatternSet]) -> Iterator[Overlap]:
    """Hold every pattern of a set against every pattern of other sets, and against the others of its own set.

    World-wide shapes that name no issuer are no conflict among Parties: there the company prefixes decide.
    """
    within = ((one, other) for place, one in enumerate(own.patterns) for other in own.patterns[place + 1 :])
    foreign = [pattern for other_set in others for pattern in other_set.patterns]
    across = ((one, other) for one, other in _meeting(own.patterns, foreign) if one.names_issuer or other.names_issuer)
    for one, other in chain(within, across):
        if (found := _overlap(one, other)) is not None:
            yield found


def conflicts(sets: Sequence[PatternSet]) -> tuple[Overlap, ...]:
    """Codes that two Parties both say only they issue, as far as CONFLICTS_SHOWN_MAX."""
    naming = [pattern for one in sets for pattern in one.patterns if pattern.names_issuer]
    index = _by_start(naming)
    pairs = ((other, one) for one in naming for other in _beginning_alike(index, one) if other.owner != one.owner)
    distinct = {(id(one), id(other)) if id(one) < id(other) else (id(other), id(one)): (one, other) for one, other in pairs}
    found = (overlap for one, other in distinct.values() if (overlap := _overlap(one, other)) is not None)
    return tuple(islice(found, bounds.CONFLICTS_SHOWN_MAX))


_Starts: TypeAlias = Mapping[tuple[str, str], Sequence[Pattern]]


def _by_start(patterns: Iterable[Pattern]) -> _Starts:
    index: dict[tuple[str, str], list[Pattern]] = {}
    for pattern in patterns:
        index.setdefault((pattern.form, fixed_start(pattern.segments)), []).append(pattern)
    return index


def _beginning_alike(index: _Starts, pattern: Pattern) -> Iterator[Pattern]:
    """Those whose beginning is that of the pattern or the start of it."""
    start = fixed_start(pattern.segments)
    for length in range(len(start) + 1):
        yield from index.get((pattern.form, start[:length]), ())


def _meeting(own: Sequence[Pattern], foreign: Sequence[Pattern]) -> Iterator[tuple[Pattern, Pattern]]:
    """The pairs whose beginnings agree, each once: found from the longer one."""
    index, foreign_index = _by_start(own), _by_start(foreign)
    for other in foreign:
        yield from ((one, other) for one in _beginning_alike(index, other))
    for one in own:
        longer = len(fixed_start(one.segments))
        alike = _beginning_alike(foreign_index, one)
        yield from ((one, other) for other in alike if len(fixed_start(other.segments)) < longer)


def _overlap(pattern: Pattern, other: Pattern) -> Overlap | None:
    if pattern.form is not other.form or not _may_meet(pattern.segments, other.segments):
        return None
    path = _common_path(pattern.segments, other.segments)
    if path is None:
        return None
    return Overlap(
        party=pattern.owner,
        pattern_id=pattern.pattern_id,
        other_party=other.owner,
        other_id=other.pattern_id,
        witness=_witness(path, pattern.segments, other.segments),
        sure=pattern.names_issuer and other.names_issuer,
    )


def _may_meet(first: _Segments, second: _Segments) -> bool:
    """Cheaply: the beginnings agree, and there is a length that both have."""
    one, two = fixed_start(first), fixed_start(second)
    if not (one.startswith(two) or two.startswith(one)):
        return False
    (shortest, longest), (other_shortest, other_longest) = _bounds(first), _bounds(second)
    return shortest <= other_longest and other_shortest <= longest


@lru_cache(maxsize=limits.PATTERNS_PER_PARTY_MAX)
def _bounds(segments: _Segments) -> tuple[int, int]:
    return sum(segment.shortest for segment in segments), sum(segment.longest for segment in segments)


@dataclass(frozen=True, slots=True)
class _Step:
    """One character of a common path: what both allow, and the states behind it."""

    allowed: frozenset[str]
    first: _State
    second: _State


def _common_path(first: _Segments, second: _Segments) -> list[_Step] | None:
    """A row of character sets from the start of both to their ends; None when there is none."""
    start: tuple[_State, _State] = ((0, 0), (0, 0))
    seen = {start}
    stack: list[tuple[tuple[_State, _State], list[_Step]]] = [(start, [])]
    while stack:
        (one, two), path = stack.pop()
        if _may_end(first, one) and _may_end(second, two):
            return path
        for step in _steps(first, one, second, two):
            pair = (step.first, step.second)
            if pair not in seen:
                seen.add(pair)
                stack.append((pair, [*path, step]))
    return None


def _steps(first: _Segments, one: _State, second: _Segments, two: _State) -> Iterator[_Step]:
    for allowed, following in _next(first, one):
        for other_allowed, other_following in _next(second, two):
            both = allowed & other_allowed
            if both:
                yield _Step(both, following, other_following)


def _next(segments: _Segments, state: _State) -> Iterator[tuple[frozenset[str], _State]]:
    """What may stand next, and the state behind it: in the segment, or in the next one when this one may end."""
    place, behind = state
    if place < len(segments) and behind < segments[place].longest:
        yield _allowed(segments[place], behind), (place, behind + 1)
    if place + 1 < len(segments) and behind >= segments[place].shortest:
        yield _allowed(segments[place + 1], 0), (place + 1, 1)


def _may_end(segments: _Segments, state: _State) -> bool:
    return state[0] == len(segments) - 1 and state[1] >= segments[-1].shortest


def _allowed(segment: Segment, place: int) -> frozenset[str]:
    match segment:
        case CharacterSegment():
            return segment.characters
        case CheckedSegment(method=method):
            return CHARACTERS[segment.charset] if place < segment.length else method.check_alphabet
        case DateSegment():
            return DIGITS
        case _:
            return frozenset(segment.text[place])


def _witness(path: Sequence[_Step], first: _Segments, second: _Segments) -> str:
    """Fill the path in, with dates and check characters, until both fit; empty when none did."""
    fits, other_fits = compile_fits(first), compile_fits(second)
    for attempt in range(bounds.WITNESS_TRIES_MAX):
        characters = [_choice(step.allowed, attempt, place) for place, step in enumerate(path)]
        for segments, states in ((first, [step.first for step in path]), (second, [step.second for step in path])):
            _fill_in(characters, path, segments, states, attempt)
        text = "".join(characters)
        if fits(text, 0) and other_fits(text, 0):
            return text
    return ""


def _choice(allowed: frozenset[str], attempt: int, place: int) -> str:
    """Another one with each attempt, the same on every machine: capitals and digits first, for people to read."""
    ordered = sorted(allowed, key=lambda character: (not character.isalnum(), character))
    return ordered[(attempt * (2 * place + 1) + place + attempt // 7) % len(ordered)]


def _fill_in(characters: list[str], path: Sequence[_Step], segments: _Segments, states: Sequence[_State], attempt: int) -> None:
    """Put a date into each date segment and check characters into each checked one, where the other pattern allows them."""
    lengths = Counter(place for place, _ in states)
    start = 0
    for place, segment in enumerate(segments):
        end = start + lengths[place]
        wanted = ""
        if isinstance(segment, DateSegment):
            wanted = _date(segment.form, _EXAMPLE_DATES[attempt % len(_EXAMPLE_DATES)])
        elif isinstance(segment, CheckedSegment):
            payload = "".join(characters[start : end - segment.method.characters])
            wanted = payload + check_characters(segment.method, payload)
        for position, character in zip(range(start, end), wanted, strict=False):
            if character in path[position].allowed:
                characters[position] = character
        start = end


def _date(form: DateForm, example: str) -> str:
    """An example date in a form."""
    year, month, day, hour = (example[place : place + 2] for place in (0, 2, 4, 6))
    text = form.replace("YYYY", f"20{year}").replace("YY", year).replace("DDD", f"{int(day):03}")
    return text.replace("MM", month).replace("DD", day).replace("hh", hour).replace("mm", "30")
