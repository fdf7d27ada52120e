"""What a scanner or a hand gave, and the keys under which it may be stored."""

from __future__ import annotations

from dataclasses import dataclass

from federation import limits
from federation.errors import InvalidScan
from federation.uim.codes import KeyForm


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """One canonical spelling of a code: what repositories store and queries carry.

    Attributes:
        text: 1 to `KEY_CHARACTERS_MAX` printable ASCII characters without spaces, capitals and small letters as scanned.
        form: how the text was won from the scan.
    """

    text: str
    form: KeyForm

    def __post_init__(self) -> None:
        if not 0 < len(self.text) <= limits.KEY_CHARACTERS_MAX:
            raise InvalidScan(f"a code has 1 to {limits.KEY_CHARACTERS_MAX} characters, not {len(self.text)}")
        if not all("!" <= character <= "~" for character in self.text):
            raise InvalidScan("the code has a space or a character that no marking has")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """A reading with all the keys that it may mean.

    Attributes:
        raw: exactly what came in; it is kept as evidence.
        keys: 1 to `SCAN_KEYS_MAX` different keys, the likeliest first.
        qualifiers: the application or data identifiers that were read beside the data, in their order: `("01", "235")`, `("25S",)`.
    """

    raw: str
    keys: tuple[Key, ...]
    qualifiers: tuple[str, ...] = ()
