"""All Parties' patterns together: from a scan to the ranked Parties that may know it, each with the reasons.

A key is looked up by its form and by every fixed text that patterns of that form start with, then by its length; only what is
left is matched. So the work for one scan grows with the patterns that share its beginning and length, not with the library.

Whether a candidate is a Party, and who answers under a mandate, stands in the roster and is decided later. Nobody's word decides
whose code it is: a pattern is a claim, and several claims are several candidates.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from federation import limits
from federation.uim.candidate import Candidate, Claim, Fact, NearMiss, Reason, ReasonCode, make_claim, weigh
from federation.uim.codes import KeyForm
from federation.uim.matcher import Fault, Match
from federation.uim.pattern import PatternSet
from federation.uim.scan import Key, Scan

__all__ = ["Candidate", "Fact", "Library", "NearMiss", "Reason", "ReasonCode"]
"""What a library gives is imported from here."""

_NEAR_PREFIX_CHARACTERS: Final = 2
"""So much fixed text makes a code that does not match a near miss."""


@dataclass(slots=True)
class _Bucket:
    """Patterns of one form with one fixed beginning."""

    of_length: dict[int, list[Claim]] = field(default_factory=dict)
    varying: list[Claim] = field(default_factory=list)

    def add(self, claim: Claim) -> None:
        matcher = claim.matcher
        if matcher.shortest == matcher.longest:
            self.of_length.setdefault(matcher.longest, []).append(claim)
        else:
            self.varying.append(claim)

    def fitting(self, length: int) -> Iterator[Claim]:
        yield from self.of_length.get(length, ())
        yield from (claim for claim in self.varying if claim.matcher.shortest <= length <= claim.matcher.longest)

    def __iter__(self) -> Iterator[Claim]:
        for claims in self.of_length.values():
            yield from claims
        yield from self.varying


class Library:
    """Immutable once built: a changed set means a new library."""

    __slots__ = ("_buckets", "_starts")

    def __init__(self, buckets: dict[tuple[KeyForm, str], _Bucket]) -> None:
        """Take the index; `build` makes it."""
        self._buckets = buckets
        lengths = sorted({(form, len(start)) for form, start in buckets}, reverse=True)
        self._starts = {form: tuple(length for other, length in lengths if other is form) for form in KeyForm}

    @classmethod
    def build(cls, sets: Iterable[PatternSet]) -> Library:
        """Index the accepted sets, one for each publishing Party."""
        buckets: dict[tuple[KeyForm, str], _Bucket] = {}
        for pattern_set in sets:
            prefixes = frozenset(pattern_set.company_prefixes)
            for pattern in pattern_set.patterns:
                claim = make_claim(pattern_set.party, pattern, prefixes)
                buckets.setdefault((pattern.form, claim.matcher.prefix), _Bucket()).add(claim)
        return cls(buckets)

    def resolve(self, scan: Scan, *, now: float) -> tuple[Candidate, ...]:
        """Rank the Parties that may know this code, the likeliest first.

        Args:
            scan: what was read.
            now: Unix seconds, UTC; a code's own date is held against it.

        Returns:
            At most `CANDIDATES_MAX`, of one Party at most `CANDIDATES_PER_PARTY_MAX`; none when no pattern fits. The order is
            the same on every machine.
        """
        found = [
            candidate
            for key in scan.keys
            for bucket in self._of(key)
            for claim in bucket.fitting(len(key.text))
            if (candidate := weigh(claim, key, scan, now)) is not None
        ]
        found.sort(key=lambda candidate: (-candidate.score, candidate.party, candidate.published_by, candidate.pattern_id))
        return _distinct(found)

    def near_misses(self, scan: Scan) -> tuple[NearMiss, ...]:
        """Say which patterns almost fit: same beginning, or same shape with a wrong check digit or an impossible date."""
        found = (
            NearMiss(
                party=claim.pattern.owner,
                pattern_id=claim.pattern.pattern_id,
                key=key,
                segment=result.segment,
                fault=result.fault,
            )
            for key in scan.keys
            for bucket in self._of(key)
            for claim in bucket
            if not isinstance(result := claim.matcher.match(key.text), Match)
            if len(claim.matcher.prefix) >= _NEAR_PREFIX_CHARACTERS or result.fault in {Fault.CHECK, Fault.DATE}
        )
        return tuple(sorted(found, key=lambda miss: (miss.party, miss.pattern_id, miss.key)))[: limits.CANDIDATES_MAX]

    def _of(self, key: Key) -> Iterator[_Bucket]:
        for length in self._starts[key.form]:
            bucket = self._buckets.get((key.form, key.text[:length]))
            if bucket is not None:
                yield bucket


def _distinct(ranked: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Leave out what a better candidate of the same Party says already: the same key, or a part of it."""
    kept: list[Candidate] = []
    for candidate in ranked:
        same_party = [other for other in kept if other.party == candidate.party]
        is_said = any(candidate.key.text in other.key.text for other in same_party)
        if not is_said and len(same_party) < limits.CANDIDATES_PER_PARTY_MAX:
            kept.append(candidate)
    return tuple(kept[: limits.CANDIDATES_MAX])
