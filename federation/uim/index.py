"""Where a library finds the patterns that a code may fit: by its form, its length, and the fixed text it begins with.

For each length there is a tree of beginnings. A node looks at as many characters as its shortest beginning has, so a code takes one
step for each beginning it really has; what is left at the end is matched. Patterns that describe the same texts are one shape,
whoever published them, and a shape is tried once. Where many shapes have the same beginning and length, a sieve leaves those that
allow each single character of the code: one operation on whole numbers for each place, whatever the number of shapes. So the work
for one code grows with what shares its beginning, not with the number of Parties, and no choice of patterns makes it grow faster
than in proportion.

Expressions, trees and sieves are made when a code first needs them, so that a changed set costs no more than putting its entries in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, Generic, TypeAlias, TypeVar

from federation import limits
from federation.uim.check import DIGITS
from federation.uim.codes import KeyForm
from federation.uim.expression import Fits, compile_fits
from federation.uim.matcher import Match, Matcher, Mismatch
from federation.uim.scan import Key
from federation.uim.segments import (
    CHARACTERS,
    CharacterSegment,
    CheckedSegment,
    DateSegment,
    LiteralSegment,
    Segment,
    SeparatorSegment,
)

_INDEXED_CHARACTERS: Final = 32
"""Of a longer beginning only so much is looked up; the rest is matched."""
_FEW: Final = 2
"""So few entries are tried at once, without looking at more of their beginnings."""
_CROWD: Final = 4
"""From so many shapes of one beginning and length on, a sieve is quicker than trying each."""
_SIEVE_PLACES_MAX: Final = 12
"""Places of a code that a sieve looks at: the most telling ones. Whatever passes is matched."""

_ALPHABET: Final = 94
"""Characters that a key can have."""

ShapeKey: TypeAlias = tuple[object, ...]
Owner = TypeVar("Owner")
"""Whatever is kept beside a shape."""


class Body:
    """What follows the fixed beginning, compiled once for all shapes that share it: kinds of marking are few, beginnings many."""

    __slots__ = ("fits", "segments")

    def __init__(self, segments: tuple[Segment, ...]) -> None:
        """Nothing is compiled yet."""
        self.segments = segments
        self.fits: Fits = self._fits_first

    def _fits_first(self, text: str, start: int) -> object:
        self.fits = compile_fits(self.segments)
        return self.fits(text, start)


class Shape:
    """What a row of segments allows, whatever its segments are called: one for all patterns that allow the same."""

    __slots__ = ("body", "longest", "matcher", "segments", "shortest", "start")

    def __init__(self, segments: tuple[Segment, ...], bodies: dict[ShapeKey, Body]) -> None:
        """Take the bodies that are there, and add one when it is new."""
        self.segments = segments
        self.shortest = sum(segment.shortest for segment in segments)
        self.longest = sum(segment.longest for segment in segments)
        self.start, rest = split_start(segments)
        key = shape_key(rest)
        body = bodies.get(key)
        if body is None:
            body = bodies[key] = Body(rest)
        self.body = body
        self.matcher: Matcher | None = None

    def cut(self, text: str) -> Match | Mismatch:
        """Cut a text into the segments."""
        if self.matcher is None:
            self.matcher = Matcher(self.segments)
        return self.matcher.match(text)


def shape_key(segments: Iterable[Segment]) -> ShapeKey:
    """Equal exactly for rows that allow the same characters in the same segments."""
    return tuple(_shape_part(segment) for segment in segments)


def _shape_part(segment: Segment) -> object:
    match segment:
        case CharacterSegment():
            return segment.charset, segment.excluded, segment.shortest, segment.longest
        case CheckedSegment():
            return segment.charset, segment.length, segment.method
        case DateSegment():
            return segment.form
        case _:
            return segment.text


def split_start(segments: tuple[Segment, ...]) -> tuple[str, tuple[Segment, ...]]:
    """The fixed text that all codes start with, which may be empty, and the segments behind it."""
    start = ""
    for place, segment in enumerate(segments):
        if not isinstance(segment, LiteralSegment | SeparatorSegment):
            return start, segments[place:]
        start += segment.text
    return start, ()


def fixed_start(segments: tuple[Segment, ...]) -> str:
    """The fixed text that all codes start with; may be empty."""
    return split_start(segments)[0]


class Entry(Generic[Owner]):
    """One shape of one form, and whose it is. The rest is what a look-up needs at hand.

    Attributes:
        owners: whose it is, whatever the code.
        narrow: gives the owners of one text instead, when they depend on it.
    """

    __slots__ = ("body", "indexed", "narrow", "offset", "owners", "shape", "start")

    def __init__(self, shape: Shape, owners: tuple[Owner, ...], narrow: Callable[[str], tuple[Owner, ...]] | None = None) -> None:
        """Take the shape apart."""
        self.shape = shape
        self.owners = owners
        self.narrow = narrow
        self.body = shape.body
        self.start = shape.start
        self.offset = len(shape.start)
        self.indexed = min(self.offset, _INDEXED_CHARACTERS)

    def owners_of(self, text: str) -> tuple[Owner, ...]:
        """Whose a text is that has this shape."""
        return self.owners if self.narrow is None else self.narrow(text)


class Sieve(Generic[Owner]):
    """Many shapes at one length, as bits: each place of the code clears the bits of the shapes that do not allow its character."""

    __slots__ = ("_all", "_entries", "_places")

    def __init__(self, entries: tuple[Entry[Owner], ...], length: int) -> None:
        """Take entries whose shapes all have codes of that length."""
        self._entries = entries
        self._all = (1 << len(entries)) - 1
        rows = [_allowed_at(entry.shape.segments, length) for entry in entries]
        tables = [(place, *_table([row[place] for row in rows])) for place in range(length)]
        telling = sorted((table for table in tables if table[3] < len(entries)), key=lambda table: table[3])
        self._places = [(place, table, rest) for place, table, rest, _ in telling[:_SIEVE_PLACES_MAX]]

    def sift(self, text: str) -> list[Entry[Owner]]:
        """The entries whose shapes allow every character of a text of this length; they are still to be matched."""
        bits = self._all
        for place, table, rest in self._places:
            bits &= table.get(text[place], rest)
            if not bits:
                return []
        found = []
        while bits:
            lowest = bits & -bits
            found.append(self._entries[lowest.bit_length() - 1])
            bits ^= lowest
        return found


def _table(allowed: list[frozenset[str] | None]) -> tuple[dict[str, int], int, float]:
    """For one place: from a character to the shapes that allow it; those that allow any; how many pass on the average."""
    groups: dict[frozenset[str] | None, list[int]] = {}
    for number, characters in enumerate(allowed):
        groups.setdefault(characters, []).append(number)
    rest = _bits(groups.pop(None, []))
    table: dict[str, int] = {}
    for characters, numbers in groups.items():
        bits = _bits(numbers)
        for character in characters or ():
            table[character] = table.get(character, rest) | bits
    passing = sum(bits.bit_count() for bits in table.values()) + rest.bit_count() * (_ALPHABET - len(table))
    return table, rest, passing / _ALPHABET


def _bits(numbers: list[int]) -> int:
    if not numbers:
        return 0
    raw = bytearray(numbers[-1] // 8 + 1)
    for number in numbers:
        raw[number // 8] |= 1 << number % 8
    return int.from_bytes(raw, "little")


def _allowed_at(segments: tuple[Segment, ...], length: int) -> list[frozenset[str] | None]:
    """What may stand at each place of a code of that length; None where the place belongs to no one segment."""
    spare = length - sum(segment.shortest for segment in segments)
    varying = sum(segment.shortest != segment.longest for segment in segments)
    front: list[frozenset[str] | None] = []
    for segment in segments:
        if segment.shortest == segment.longest:
            front += _places(segment, segment.longest)
        elif varying == 1:
            front += _places(segment, segment.shortest + spare)
        else:
            break
    return front + [None] * (length - len(front))


def _places(segment: Segment, length: int) -> list[frozenset[str]]:
    match segment:
        case CharacterSegment():
            return [segment.characters] * length
        case CheckedSegment(method=method):
            return [CHARACTERS[segment.charset]] * segment.length + [method.check_alphabet] * method.characters
        case DateSegment():
            return [DIGITS] * length
        case _:
            return [frozenset(character) for character in segment.text]


class Node(Generic[Owner]):
    """The entries of one length whose beginnings agree so far.

    Attributes:
        here: those to try, because nothing more of their beginnings can be looked up.
        crowd: the same when they are many.
        depth: how many characters the next step looks at.
        below: from those characters to the next node.
    """

    __slots__ = ("below", "crowd", "depth", "here")

    def __init__(self, entries: list[Entry[Owner]], length: int, looked_at: int = 0) -> None:
        """Take entries of codes of that length whose beginnings agree in the characters that were looked at."""
        longer = [one for one in entries if one.indexed > looked_at] if len(entries) > _FEW else []
        left = tuple(one for one in entries if one.indexed <= looked_at) if longer else tuple(entries)
        self.crowd = Sieve(left, length) if len(left) >= _CROWD else None
        self.here = () if self.crowd is not None else left
        self.depth = min((one.indexed for one in longer), default=0)
        grouped: dict[str, list[Entry[Owner]]] = {}
        for one in longer:
            grouped.setdefault(one.shape.start[: self.depth], []).append(one)
        self.below = {start: Node(group, length, self.depth) for start, group in grouped.items()}


class Index(Generic[Owner]):
    """All entries of all forms. Filled first, then only read."""

    __slots__ = ("_entries", "_trees")

    def __init__(self) -> None:
        """An empty one."""
        self._entries: dict[KeyForm, dict[tuple[int, int], list[Entry[Owner]]]] = {form: {} for form in KeyForm}
        self._trees: dict[KeyForm, list[Node[Owner] | None]] = {
            form: [None] * (limits.KEY_CHARACTERS_MAX + 1) for form in KeyForm
        }

    def add(self, form: KeyForm, entry: Entry[Owner]) -> None:
        """Put an entry in."""
        self._entries[form].setdefault((entry.shape.shortest, entry.shape.longest), []).append(entry)

    def owners(self, keys: Iterable[Key]) -> list[tuple[Owner, ...]]:
        """Whose shapes each key fits."""
        trees = self._trees
        result: list[tuple[Owner, ...]] = []
        for key in keys:
            text = key.text
            found: tuple[Owner, ...] = ()
            node: Node[Owner] | None = trees[key.form][len(text)] or self._tree(key.form, len(text))
            while node is not None:
                for entry in node.here if node.crowd is None else node.crowd.sift(text):
                    if text.startswith(entry.start) and entry.body.fits(text, entry.offset):
                        found += entry.owners if entry.narrow is None else entry.narrow(text)
                node = node.below.get(text[: node.depth])
            result.append(found)
        return result

    def _tree(self, form: KeyForm, length: int) -> Node[Owner]:
        """Make the tree of a length."""
        there = self._entries[form].items()
        fitting = [one for (shortest, longest), entries in there if shortest <= length <= longest for one in entries]
        tree = self._trees[form][length] = Node(fitting, length)
        return tree

    def on_the_way(self, key: Key) -> Iterator[Entry[Owner]]:
        """Every entry whose beginning the key has, of any length: for saying why a code does not fit."""
        return (one for entries in self._entries[key.form].values() for one in entries if key.text.startswith(one.start))
