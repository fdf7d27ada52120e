"""What a pack and its finding tell beside the code: for codes that several Parties may have issued.

Clues only rank. A brand is sold in many countries, a pack is seldom found where it should be, and a warning in the right language
is what a forger prints first; so each adds a few points with its reason, none leaves anybody out,
and all together weigh less than a code that names its issuer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from federation import limits
from federation.errors import InvalidInput
from federation.text import check_plain

_LANGUAGE: Final = re.compile(r"(?:[a-z]{2})?\Z")
_COUNTRY: Final = re.compile(r"(?:[a-z]{2})?\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clues:
    """Each may be empty.

    Attributes:
        brand: as it stands on the pack; capitals do not matter.
        language: of the health warning, ISO 639-1, small letters.
        place: the country of finding, ISO 3166-1 alpha-2, small letters.
    """

    brand: str = ""
    language: str = ""
    place: str = ""

    def __post_init__(self) -> None:
        check_plain(self.brand, "the brand", characters_max=limits.CLUE_CHARACTERS_MAX)
        if _LANGUAGE.match(self.language) is None:
            raise InvalidInput("a language has two small letters", hint="write es, not Spanish: ISO 639-1")
        if _COUNTRY.match(self.place) is None:
            raise InvalidInput("a country has two small letters", hint="write at, not Austria: ISO 3166-1")


NO_CLUES: Final = Clues()
