"""Codes that were typed: which other code may have been meant.

Codes are case-sensitive and most have no check digit, so nothing is ever put right silently. What is offered here is a spelling
that fits a pattern when the typed one does not; only the Party that issues such codes can say whether it exists.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, combinations, islice
from typing import Final

from federation import limits
from federation.identity import PartyId
from federation.uim import bounds
from federation.uim.codes import KeyForm
from federation.uim.gs1 import FORMATS
from federation.uim.library import Claim, Library
from federation.uim.scan import Key
from federation.uim.segments import CheckedSegment, LiteralSegment

_LIKELY_GROUPS: Final = ("0O", "1Il", "8B", "5S", "2Z")
"""Characters that people and cameras take for each other again and again."""
_GROUPS: Final = (*_LIKELY_GROUPS, "0oQD", "1i|", "6Gb", "uv", "nh", "cC", "sS", "xX", "zZ", "wW", "pP", "kK", "vV", "gq9")


def _others(groups: Iterable[str]) -> dict[str, str]:
    """From a character to those that it is taken for."""
    others: dict[str, str] = {}
    for group in groups:
        for character in group:
            others[character] = others.get(character, "") + group.replace(character, "")
    return others


_LIKELY_OTHERS: Final = _others(_LIKELY_GROUPS)
_OTHERS: Final = _others(_GROUPS)
_LIKELY: Final = frozenset((character, other) for character, others in _LIKELY_OTHERS.items() for other in others)
_INSERTIONS_MAX: Final = 4
"""A left-out character is offered only where few can stand: of an opaque serial any could be missing anywhere."""


class Change(StrEnum):
    """What would have gone wrong."""

    CONFUSED = "confused"
    """One or two characters look like others."""
    SWAPPED = "swapped"
    """Two neighbours stand in the wrong order."""
    MISSING = "missing"
    """One character was left out, and few can stand there."""
    DOUBLED = "doubled"
    """One character was typed twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A spelling that fits. It is a guess, and no fact about the pack.

    Attributes:
        key: what would have to be asked for.
        party: whose pattern it fits.
    """

    key: Key
    party: PartyId
    pattern_id: str
    change: Change


def suggest(library: Library, text: str) -> tuple[Suggestion, ...]:
    """Spellings near a typed text that fit a pattern which names its issuer or has a check character; the likeliest first.

    A pattern that allows nearly everything would turn every mistake into a suggestion, and is passed over.
    """
    if len(text) > limits.KEY_CHARACTERS_MAX or not all("!" <= character <= "~" for character in text):
        return ()
    changes = list(islice(_changes(text), bounds.SUGGESTIONS_TRIED_MAX))
    keys = [Key(other, form) for other, _ in changes for form in _forms(other)]
    change_of = dict(reversed(changes))
    found: dict[tuple[str, PartyId], Suggestion] = {}
    for key, claims in zip(keys, library.claims(keys), strict=True):
        for claim in claims:
            if _tells(claim):
                change = change_of[key.text]
                one = Suggestion(key=key, party=claim.pattern.owner, pattern_id=claim.pattern.pattern_id, change=change)
                found.setdefault((key.text, claim.pattern.owner), one)
    missing = Counter(one.pattern_id for one in found.values() if one.change is Change.MISSING)
    sure = (one for one in found.values() if one.change is not Change.MISSING or missing[one.pattern_id] <= _INSERTIONS_MAX)
    order = {text: place for place, (text, _) in enumerate(changes)}
    return tuple(sorted(sure, key=lambda one: (order[one.key.text], one.party))[: bounds.SUGGESTIONS_MAX])


def _changes(text: str) -> Iterator[tuple[str, Change]]:
    """From the likeliest mistake to the least likely one; none of them is the text itself."""
    seen = {text}
    for other, change in chain(_confused(text), _slips(text), _confused_twice(text)):
        if 0 < len(other) <= limits.KEY_CHARACTERS_MAX and other not in seen:
            seen.add(other)
            yield other, change


def _confused(text: str) -> Iterator[tuple[str, Change]]:
    for is_likely in (True, False):
        for place, character in enumerate(text):
            others = (other for other in _OTHERS.get(character, "") if ((character, other) in _LIKELY) == is_likely)
            yield from ((text[:place] + other + text[place + 1 :], Change.CONFUSED) for other in others)


def _slips(text: str) -> Iterator[tuple[str, Change]]:
    for place in range(len(text) - 1):
        yield text[:place] + text[place + 1] + text[place] + text[place + 2 :], Change.SWAPPED
    for place in range(1, len(text)):
        if text[place] == text[place - 1]:
            yield text[:place] + text[place + 1 :], Change.DOUBLED
    for place in range(len(text) + 1):
        yield from ((text[:place] + other + text[place:], Change.MISSING) for other in _INSERTED)


def _confused_twice(text: str) -> Iterator[tuple[str, Change]]:
    for first, second in combinations(range(len(text)), 2):
        for one in _LIKELY_OTHERS.get(text[first], ""):
            for two in _LIKELY_OTHERS.get(text[second], ""):
                yield text[:first] + one + text[first + 1 : second] + two + text[second + 1 :], Change.CONFUSED


_INSERTED: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-"


def _forms(text: str) -> tuple[KeyForm, ...]:
    """What a typed text may be."""
    forms = [KeyForm.PLAIN]
    if len(text) == 18:
        forms.append(KeyForm.SSCC)
    if 14 < len(text) <= 14 + FORMATS["21"][0].longest:
        forms.append(KeyForm.SGTIN)
    return tuple(forms)


def _tells(claim: Claim) -> bool:
    """Whether fitting this pattern says anything: it has a check character, or fixed text that is more than a letter."""
    segments = claim.pattern.segments
    fixed = sum(len(segment.text) for segment in segments if isinstance(segment, LiteralSegment))
    return fixed > 1 or any(isinstance(segment, CheckedSegment) for segment in segments)
