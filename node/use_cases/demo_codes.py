"""Codes for the demonstration: drawn from a seed, in the form that each Party's pattern describes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, TypeVar

from federation.errors import InvalidConfiguration
from federation.uim.check import CheckMethod, check_characters
from federation.uim.codes import Level

_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without the letters that people confuse with digits."""
_DRAWS_MAX: Final = 100
"""Draws for one new serial: when so many are taken, the form is too small for the plan."""

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

    def text(self, alphabet: str, length: int) -> str:
        """Characters of the alphabet."""
        return "".join(self.choice(alphabet) for _ in range(length))


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeForm:
    """How one Party's codes of one level look.

    Attributes:
        text: fixed text with `{serial}`, `{product}`, `{machine}` and `{hour}`.
        check: method of the check characters that follow; they protect all digits before them.
        readable_length: characters that are also printed for people, who may type only these.
    """

    text: str
    serial_length: int
    alphabet: str = _ALPHABET
    check: CheckMethod | None = None
    readable_length: int | None = None


@dataclass(slots=True, kw_only=True)
class CodeMaker:
    """Makes each code once."""

    forms: Mapping[Level, CodeForm]
    draw: Draw
    _made: set[str] = field(default_factory=set)

    def make(self, level: Level, *, product: int = 0, machine: int = 0, time: int = 0) -> str:
        """A new code.

        Args:
            level: one that has a form.
            product: number of the product, as it stands in the code.
            machine: number of the machine, as it stands in the code.
            time: of manufacture, Unix seconds, UTC.

        Raises:
            InvalidConfiguration: the form has too few serials.
        """
        form = self.forms[level]
        parts = {
            "{product}": f"P{product:02}",
            "{machine}": f"M{machine:02}",
            "{hour}": datetime.fromtimestamp(time, UTC).strftime("%y%m%d%H"),
        }
        for _ in range(_DRAWS_MAX):
            code = form.text.replace("{serial}", self.draw.text(form.alphabet, form.serial_length))
            for name, part in parts.items():
                code = code.replace(name, part)
            if form.check is not None:
                code += check_characters(form.check, "".join(filter(str.isdigit, code)))
            if code not in self._made:
                self._made.add(code)
                return code
        raise InvalidConfiguration(f"the form {form.text} has too few serials", hint="make `serial_length` larger")
