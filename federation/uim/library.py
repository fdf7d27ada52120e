"""All Parties' patterns together: from a scan to the ranked Parties that may know it, each with the reasons.

`federation.uim.index` finds the shapes that a key fits; here is whose shapes they are, and in which order they are told. One Party
has a few claims on a shape at most, and a shape that everybody claims has a bounded number of claims, so that no Party crowds the
others out or makes a code slow.

Whether a candidate is a Party, and who answers under a mandate, stands in the roster and is decided later. Nobody's word decides
whose code it is: a pattern is a claim, and several claims are several candidates.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final

from federation import limits
from federation.uim import bounds
from federation.uim.candidate import (
    Background,
    Candidate,
    Claim,
    Fact,
    NearMiss,
    Reason,
    ReasonCode,
    needs_prefix,
    weigh,
)
from federation.uim.clues import NO_CLUES, Clues
from federation.uim.codes import KeyForm
from federation.uim.index import Body, Entry, Index, Shape, ShapeKey, shape_key
from federation.uim.matcher import Fault, Match, Matcher
from federation.uim.pattern import PREFIX_START, PatternSet
from federation.uim.scan import Key, Scan

__all__ = ["Candidate", "Claim", "Fact", "Library", "NearMiss", "Reason", "ReasonCode"]
"""What a library gives is imported from here."""

_NEAR_PREFIX_CHARACTERS: Final = 2
"""So much fixed text makes a code that does not match a near miss."""


class _Prepared:
    """One set made ready: its claims."""

    __slots__ = ("claims", "pattern_set")

    def __init__(self, pattern_set: PatternSet, shapes: dict[ShapeKey, Shape], bodies: dict[ShapeKey, Body]) -> None:
        """Reuse the shapes and bodies that are known; they may be compiled already."""
        self.pattern_set = pattern_set
        background = Background(pattern_set)
        self.claims: list[Claim] = []
        for pattern in pattern_set.patterns:
            key = shape_key(pattern.segments)
            shape = shapes.get(key)
            if shape is None:
                shape = shapes[key] = Shape(pattern.segments, bodies)
            self.claims.append(Claim(pattern_set.party, pattern, background, shape))


class Library:
    """Immutable once built: a changed set means a new library."""

    __slots__ = ("_bodies", "_index", "_prepared", "_shapes")

    def __init__(self, prepared: Iterable[_Prepared], shapes: dict[ShapeKey, Shape], bodies: dict[ShapeKey, Body]) -> None:
        """Take the sets made ready; `build` does it."""
        self._prepared = {id(one.pattern_set): one for one in prepared}
        self._shapes = shapes
        self._bodies = bodies
        self._index: Index[Claim] = Index()
        gathered: dict[tuple[KeyForm, int], list[Claim]] = {}
        for one in self._prepared.values():
            for claim in one.claims:
                gathered.setdefault((claim.pattern.form, id(claim.shape)), []).append(claim)
        for (form, _), claims in gathered.items():
            self._index.add(form, _entry(form, claims))

    @classmethod
    def build(cls, sets: Iterable[PatternSet]) -> Library:
        """Index the accepted sets, one for each publishing Party."""
        return cls((), {}, {}).rebuilt(sets)

    def rebuilt(self, sets: Iterable[PatternSet]) -> Library:
        """Index other sets; what this library has made ready for the same ones is taken over."""
        shapes, bodies = dict(self._shapes), dict(self._bodies)
        prepared = [self._prepared.get(id(one)) or _Prepared(one, shapes, bodies) for one in sets]
        in_use = {id(claim.shape) for one in prepared for claim in one.claims}
        needed = {id(claim.shape.body) for one in prepared for claim in one.claims}
        return Library(
            prepared,
            {key: shape for key, shape in shapes.items() if id(shape) in in_use},
            {key: body for key, body in bodies.items() if id(body) in needed},
        )

    def claims(self, keys: Iterable[Key]) -> list[tuple[Claim, ...]]:
        """Whose patterns each of many keys fits, in no order that means anything: for sorting a container's codes by Party.

        What is shown to a person is ranked and has reasons: see `resolve`.
        """
        return self._index.owners(keys)

    def resolve(self, scan: Scan, *, now: float, clues: Clues = NO_CLUES) -> tuple[Candidate, ...]:
        """Rank the Parties that may know this code, the likeliest first.

        Args:
            scan: what was read.
            now: Unix seconds, UTC; a code's own date is held against it.
            clues: what else the pack and its finding tell.

        Returns:
            At most `CANDIDATES_MAX`, of one Party at most `CANDIDATES_PER_PARTY_MAX`; none when no pattern fits. The order is
            the same on every machine.
        """
        found = [
            candidate
            for key, claims in zip(scan.keys, self.claims(scan.keys), strict=True)
            for claim in claims
            if (candidate := weigh(claim, key, scan, now, clues)) is not None
        ]
        found.sort(key=lambda candidate: (-candidate.score, candidate.party, candidate.published_by, candidate.pattern_id))
        return _distinct(found)

    def near_misses(self, scan: Scan) -> tuple[NearMiss, ...]:
        """Say which patterns almost fit: same beginning, or same shape with a wrong check digit or an impossible date."""
        found = islice((miss for key in scan.keys for miss in self._near(key)), bounds.NEAR_MISSES_MAX)
        return tuple(sorted(found, key=lambda miss: (miss.party, miss.pattern_id, miss.key)))[: limits.CANDIDATES_MAX]

    def _near(self, key: Key) -> Iterator[NearMiss]:
        for entry in islice(self._index.on_the_way(key), bounds.NEAR_MISS_SHAPES_MAX):
            for claim in entry.owners_of(key.text):
                pattern = claim.pattern
                result = Matcher(pattern.segments).match(key.text)
                if isinstance(result, Match):
                    continue
                if len(entry.start) >= _NEAR_PREFIX_CHARACTERS or result.fault in {Fault.CHECK, Fault.DATE}:
                    yield NearMiss(
                        party=pattern.owner,
                        pattern_id=pattern.pattern_id,
                        key=key,
                        segment=result.segment,
                        fault=result.fault,
                    )


def _entry(form: KeyForm, claims: list[Claim]) -> Entry[Claim]:
    """Those who claim one shape: the strongest first, few of one Party, and a bounded number of them all."""
    shape = claims[0].shape
    if len(claims) == 1 and not _depends_on_prefix(form, claims[0]):
        return Entry(shape, tuple(claims))
    claims.sort(key=lambda one: (-one.standing_points, one.pattern.owner, one.publisher, one.pattern.pattern_id))
    each: Counter[str] = Counter()
    anyhow: list[Claim] = []
    by_prefix: dict[str, list[Claim]] = {}
    for claim in claims:
        each[claim.pattern.owner] += 1
        if each[claim.pattern.owner] > limits.CANDIDATES_PER_PARTY_MAX:
            continue
        if _depends_on_prefix(form, claim):
            for prefix in claim.background.prefixes:
                by_prefix.setdefault(prefix, []).append(claim)
        elif len(anyhow) < bounds.CLAIMS_ON_SHAPE_MAX:
            anyhow.append(claim)
    return Entry(shape, tuple(anyhow), _narrowing(form, by_prefix, tuple(anyhow)) if by_prefix else None)


def _depends_on_prefix(form: KeyForm, claim: Claim) -> bool:
    return bool(claim.background.prefixes) and needs_prefix(form, claim)


def _narrowing(form: KeyForm, by_prefix: dict[str, list[Claim]], anyhow: tuple[Claim, ...]) -> Callable[[str], tuple[Claim, ...]]:
    """From a text to those who list its company prefix, and those who claim the shape anyhow."""
    start = PREFIX_START[form]
    places = [slice(start, start + length) for length in sorted({len(prefix) for prefix in by_prefix}, reverse=True)]

    def narrow(text: str) -> tuple[Claim, ...]:
        listed = [claim for place in places for claim in by_prefix.get(text[place], ())]
        return (*dict.fromkeys(listed), *anyhow)

    return narrow


def _distinct(ranked: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Leave out what a better candidate of the same Party says already: the same key, or a part of it."""
    kept: list[Candidate] = []
    for candidate in ranked:
        same_party = [other for other in kept if other.party == candidate.party]
        is_said = any(candidate.key.text in other.key.text for other in same_party)
        if not is_said and len(same_party) < limits.CANDIDATES_PER_PARTY_MAX:
            kept.append(candidate)
    return tuple(kept[: limits.CANDIDATES_MAX])
