"""Codes for the demonstration, drawn from a seed in the form of the Party's own patterns, so that every code fits one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, TypeVar

from federation.errors import InvalidConfiguration
from federation.uim.check import check_characters
from federation.uim.codes import Level
from federation.uim.pattern import Pattern, PatternSet
from federation.uim.segments import (
    CHARACTERS,
    CharacterSegment,
    CheckedSegment,
    DateForm,
    DateSegment,
    LiteralSegment,
    Segment,
)

_DATES: Final = {
    DateForm.YYMMDDHH: "%y%m%d%H",
    DateForm.YYMMDD: "%y%m%d",
    DateForm.YYYYMMDD: "%Y%m%d",
    DateForm.YYMM: "%y%m",
}
_DRAWS_MAX: Final = 100
"""Draws for one new code: when so many were made before, the pattern is too small for the plan."""

Choice = TypeVar("Choice")


class Draw:
    """Numbers that look random and are the same for the same seed, on every machine and version."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._count = 0

    def below(self, bound: int) -> int:
        """A whole number from 0 up to and without `bound`."""
        self._count += 1
        digest = hashlib.blake2b(self._count.to_bytes(8, "big"), key=self._seed, digest_size=8).digest()
        return int.from_bytes(digest, "big") % bound

    def choice(self, things: Sequence[Choice]) -> Choice:
        """One of them."""
        return things[self.below(len(things))]

    def text(self, alphabet: Sequence[str], length: int) -> str:
        """Characters of the alphabet."""
        return "".join(self.choice(alphabet) for _ in range(length))


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeForm:
    """How one Party marks one level.

    Attributes:
        pattern: id of the pattern.
        unused: id of the pattern of a code that is on no pack yet, where that is another one.
        fill: text of segments by their names, one for each variant; the last one serves all further variants.
        start: how a drawn segment begins.
        readable_length: characters that are also printed for people, who may type only these.
    """

    pattern: str
    unused: str | None = None
    fill: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    start: Mapping[str, str] = field(default_factory=dict)
    readable_length: int | None = None


class CodeMaker:
    """Makes each code once, as the Party stores it."""

    def __init__(self, patterns: PatternSet, forms: Mapping[Level, CodeForm], draw: Draw) -> None:
        self._patterns = {pattern.pattern_id: pattern for pattern in patterns.patterns}
        self._forms = forms
        self._draw = draw
        self._made: set[str] = set()

    def is_timed(self, level: Level) -> bool:
        """Whether codes of this level say when they were put on."""
        return any(isinstance(segment, DateSegment) for segment in self._pattern(self._forms[level].pattern).segments)

    def make(self, level: Level, *, variant: int = 0, time: int | None) -> str:
        """A new code.

        Args:
            level: one that has a form.
            variant: which of the texts in the form's `fill`.
            time: when it is put on, Unix seconds, UTC; None for a code that is not yet used.

        Raises:
            InvalidConfiguration: the form names no pattern of the Party, or one with too few codes.
        """
        form = self._forms[level]
        pattern = self._pattern(form.unused or form.pattern if time is None else form.pattern)
        for _ in range(_DRAWS_MAX):
            pieces = (self._piece(segment, form, variant, time or 0) for segment in pattern.segments if segment.stored)
            code = "".join(pieces)
            if code not in self._made:
                self._made.add(code)
                return code
        raise InvalidConfiguration(f"the pattern {pattern.pattern_id} has too few codes", hint="shorten `start` or lower `lots`")

    def _pattern(self, pattern_id: str) -> Pattern:
        if pattern_id not in self._patterns:
            raise InvalidConfiguration(f"there is no pattern {pattern_id}", hint="forms name patterns of config/patterns")
        return self._patterns[pattern_id]

    def _piece(self, segment: Segment, form: CodeForm, variant: int, time: int) -> str:
        match segment:
            case LiteralSegment(text=text):
                return text
            case DateSegment(form=date):
                return datetime.fromtimestamp(time, UTC).strftime(_DATES[date])
            case CheckedSegment(length=length, method=method):
                payload = self._drawn(segment.name, form, sorted(CHARACTERS[segment.charset]), length)
                return payload + check_characters(method, payload)
            case CharacterSegment(name=name) if name in form.fill:
                texts = form.fill[name]
                return texts[min(variant, len(texts) - 1)]
            case CharacterSegment(name=name, shortest=length):
                return self._drawn(name, form, sorted(segment.characters), length)
            case _:
                return ""

    def _drawn(self, name: str, form: CodeForm, alphabet: Sequence[str], length: int) -> str:
        start = form.start.get(name, "")
        return start + self._draw.text(alphabet, length - len(start))
