"""Patterns and codes for measuring: many invented Parties with the kinds of marking that there are, and codes that fit, that
nobody knows, and that are made to be slow.
"""

from __future__ import annotations

import random
import string
from dataclasses import dataclass
from itertools import product

from federation.identity import PartyId, party_id
from federation.uim.check import CheckMethod, check_characters
from federation.uim.codes import KeyForm, Label
from federation.uim.pattern import Pattern, PatternSet
from federation.uim.scan import Key
from federation.uim.segments import (
    CHARACTERS,
    CharacterSegment,
    Charset,
    CheckedSegment,
    DateForm,
    DateSegment,
    LiteralSegment,
    Segment,
    SeparatorSegment,
)

STAMP = DateSegment(name="applied", form=DateForm.YYMMDDHH)
GTIN = CheckedSegment(name="gtin", charset=Charset.DIGITS, length=13, method=CheckMethod.GS1_MOD_10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """The sets of many Parties, and keys to look up."""

    sets: tuple[PatternSet, ...]
    hits: tuple[Key, ...]
    misses: tuple[Key, ...]
    hostile: tuple[Key, ...]


def crowd(parties: int, patterns_each: int, *, keys: int, seed: int = 5) -> Crowd:
    """The same for the same seed."""
    chance = random.Random(seed)
    names = [party_id(first + second) for first, second in product(string.ascii_lowercase, repeat=2)][:parties]
    sets = tuple(_set(name, number, patterns_each, chance) for number, name in enumerate(names))
    everything = [(one, pattern) for one in sets for pattern in one.patterns]
    fitting = [_code(*chance.choice(everything), chance) for _ in range(keys)]
    return Crowd(
        sets=sets,
        hits=tuple(fitting),
        misses=tuple(_unknown(chance) for _ in range(keys)),
        hostile=tuple(_almost(key, chance) for key in fitting),
    )


def _set(party: PartyId, number: int, patterns: int, chance: random.Random) -> PatternSet:
    """All but two kinds of marking begin with their issuer; the two are a world-wide form and a stamp of digits."""
    return PatternSet(
        party=party,
        version=1,
        patterns=tuple(_pattern(party, number, place, chance) for place in range(patterns)),
        company_prefixes=(f"9{number:03}", f"9{number:03}77"),
    )


def _pattern(party: PartyId, number: int, place: int, chance: random.Random) -> Pattern:
    form, segments = _segments(party.upper(), place, chance)
    names_issuer = any(isinstance(segment, LiteralSegment) for segment in segments)
    return Pattern(
        pattern_id=f"kind-{place}",
        version=1,
        owner=party,
        title="a kind of marking",
        source=f"made for measuring, of the Party with the number {number}",
        label=Label.INVENTED,
        form=form,
        segments=segments,
        names_issuer=names_issuer,
        examples=("x",),
    )


def _segments(name: str, place: int, chance: random.Random) -> tuple[KeyForm, tuple[Segment, ...]]:
    """Kind after kind in turn."""
    issuer = LiteralSegment(name="issuer", text=f"LE{name}{place}")
    serial = CharacterSegment(name="serial", charset=Charset.ALPHANUMERIC, shortest=8, longest=8)
    kinds: tuple[tuple[KeyForm, tuple[Segment, ...]], ...] = (
        (KeyForm.PLAIN, (issuer, serial, _characters("product", Charset.INVARIANT, 6), STAMP)),
        (KeyForm.PLAIN, (issuer, serial, _characters("product", Charset.UPPER_DIGITS, chance.randint(3, 9)), STAMP)),
        (KeyForm.PLAIN, (LiteralSegment(name="issuer", text=f"{name}{place:02}"), _checked(chance.randint(8, 14)))),
        (KeyForm.PLAIN, (LiteralSegment(name="issuer", text=f"{name}{place:02}-"), _varying(), _dash(), serial)),
        (KeyForm.PLAIN, (issuer, serial, _characters("machine", Charset.ALPHANUMERIC, 4))),
        (KeyForm.WEB, (LiteralSegment(name="host", text=f"stamp.{name.lower()}.example/{place}/"), serial)),
        (KeyForm.PLAIN, (LiteralSegment(name="issuer", text=f"{name}{place:02}"), _varying(), STAMP)),
        (KeyForm.PLAIN, (issuer, _varying())),
        (KeyForm.SGTIN, (GTIN, CharacterSegment(name="serial", charset=Charset.INVARIANT, shortest=1, longest=20))),
        (KeyForm.PLAIN, (_checked(chance.randint(9, 17)), _characters("series", Charset.UPPER, chance.randint(1, 4)))),
    )
    return kinds[place] if place < len(kinds) else kinds[place % 8]


def _characters(name: str, charset: Charset, length: int) -> CharacterSegment:
    return CharacterSegment(name=name, charset=charset, shortest=length, longest=length)


def _checked(length: int) -> CheckedSegment:
    return CheckedSegment(name="number", charset=Charset.DIGITS, length=length, method=CheckMethod.LUHN)


def _varying() -> CharacterSegment:
    return CharacterSegment(name="series", charset=Charset.UPPER_DIGITS, shortest=4, longest=12)


def _dash() -> SeparatorSegment:
    return SeparatorSegment(name="dash", text="-")


def _code(pattern_set: PatternSet, pattern: Pattern, chance: random.Random) -> Key:
    """A key that fits the pattern."""
    prefix = chance.choice(pattern_set.company_prefixes)
    return Key("".join(_piece(segment, prefix, chance) for segment in pattern.segments), pattern.form)


def _piece(segment: Segment, prefix: str, chance: random.Random) -> str:
    match segment:
        case CharacterSegment():
            length = chance.randint(segment.shortest, segment.longest)
            return "".join(chance.choices(sorted(segment.characters), k=length))
        case CheckedSegment(method=method):
            payload = "".join(chance.choices(sorted(CHARACTERS[segment.charset]), k=segment.length))
            payload = (payload[0] + prefix + payload)[: segment.length] if segment is GTIN else payload
            return payload + check_characters(method, payload)
        case DateSegment():
            return f"{chance.randint(20, 25)}{chance.randint(1, 12):02}{chance.randint(1, 28):02}{chance.randint(0, 23):02}"
        case _:
            return segment.text


def _unknown(chance: random.Random) -> Key:
    """What nobody describes: other systems' codes, and texts of any kind."""
    length = chance.choice((12, 13, 16, 20, 27, 29, 34, 60))
    alphabet = chance.choice((string.digits, string.ascii_uppercase + string.digits, string.ascii_letters + string.digits))
    return Key("".join(chance.choices(alphabet, k=length)), chance.choice((KeyForm.PLAIN, KeyForm.PLAIN, KeyForm.WEB)))


def _almost(key: Key, chance: random.Random) -> Key:
    """A code that is right but for its last character or two: everything before them has to be read."""
    wrong = chance.choice(("~", "#9", "99", "`"))
    return Key(key.text[: -len(wrong)] + wrong, key.form)
