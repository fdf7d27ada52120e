"""Codes that people copy: how bytes become groups of capitals and digits, and back, with every slip of the pen found.

    GSP-xxxxxxxc-xxxxxxxc-...-xxxc      a prefix, then groups of seven symbols (Crockford's base32) and one check character

The check characters find a slip and name its group; four bytes of checksum at the end find the rest. What a code says is left to
`join_code` and `desk_code`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from federation import limits
from federation.errors import InvalidInput
from federation.trust.keys import digest

_CHECKSUM_BYTES: Final = 4
_GROUP: Final = 7
_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_STANDARD: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_FROM_CROCKFORD: Final = str.maketrans(_CROCKFORD, _STANDARD)
_TO_CROCKFORD: Final = str.maketrans(_STANDARD, _CROCKFORD)
_READ_AS: Final = str.maketrans({"O": "0", "I": "1", "L": "1"})
"""What people write for what they see (Crockford)."""
_SEPARATORS: Final = re.compile(r"[\s\-_.]+")
_ADDRESS: Final = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\]):([0-9]{1,5})\Z")


def check_address(text: str) -> str:
    """Give `host:port` back when it can be one; an IPv6 address stands in brackets.

    Raises:
        InvalidInput: it cannot.
    """
    match = _ADDRESS.match(text)
    if match is None or not 0 < int(match[1]) < 65_536:
        raise InvalidInput("this is not an address", hint="write it as host:port, for example join.gsp.example.org:8443")
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeText:
    """One kind of code.

    Attributes:
        title: what it is called.
        prefix: what it begins with; holds none of the letters that are read as another one.
        checksum_label: of the hash at the end of the content.
        group_label: of the hash behind the check characters.
        version: first byte of the content.
        shortest: bytes of the smallest content that makes sense.
    """

    title: str
    prefix: str
    checksum_label: str
    group_label: str
    version: int
    shortest: int

    def write(self, content: bytes) -> str:
        """Write it for people: capitals and digits in groups, without the characters that look alike."""
        whole = bytes([self.version]) + content
        symbols = base64.b32encode(whole + self._checksum(whole)).decode().rstrip("=").translate(_TO_CROCKFORD)
        groups = [symbols[start : start + _GROUP] for start in range(0, len(symbols), _GROUP)]
        return "-".join([self.prefix, *(group + self._check(number, group) for number, group in enumerate(groups, 1))])

    def read(self, text: str) -> bytes:
        """Read what people copy or type: case, spaces and dashes do not matter, nor O for 0 or I and L for 1.

        Raises:
            InvalidInput: it is no such code; for a slip the hint names the group.
        """
        if len(text) > limits.JOIN_CODE_CHARACTERS_MAX:
            raise self.refusal("it is too long")
        written = _SEPARATORS.sub("", text).upper()
        if not written.startswith(self.prefix):
            raise self.refusal(f"it begins with {self.prefix}")
        content = self._unpack("".join(self._checked(written.removeprefix(self.prefix).translate(_READ_AS))))
        if content[0] != self.version:
            raise InvalidInput(
                f"the {self.title} was made by another version of gsp", hint="update gsp-node, or ask for a new code"
            )
        return content[1:]

    def refusal(self, reason: str) -> InvalidInput:
        """The error for what is no such code."""
        return InvalidInput(
            f"this is not a {self.title}: {reason}", hint=f"copy the whole code again, from {self.prefix} to its last group"
        )

    def _checked(self, written: str) -> Iterator[str]:
        """Each group without its check character."""
        for number, start in enumerate(range(0, len(written), _GROUP + 1), 1):
            group = written[start : start + _GROUP + 1]
            if len(group) < 2 or not set(group) <= set(_CROCKFORD) or self._check(number, group[:-1]) != group[-1]:
                raise InvalidInput(
                    f"there is a slip in the {self.title}",
                    hint=f"look at group {number} after {self.prefix}: it has {_GROUP + 1} characters, the last group may have "
                    "fewer",
                )
            yield group[:-1]

    def _unpack(self, symbols: str) -> bytes:
        """Symbols to content, with the one spelling that it has."""
        padding = "=" * (-len(symbols) % 8)
        try:
            packed = base64.b32decode(symbols.translate(_FROM_CROCKFORD) + padding)
        except ValueError as reason:
            raise self.refusal("a part is missing") from reason
        content, checksum = packed[:-_CHECKSUM_BYTES], packed[-_CHECKSUM_BYTES:]
        one_spelling = base64.b32encode(packed).decode().rstrip("=").translate(_TO_CROCKFORD) == symbols
        if len(content) <= self.shortest or checksum != self._checksum(content) or not one_spelling:
            raise self.refusal("a part is missing or was changed")
        return content

    def _checksum(self, content: bytes) -> bytes:
        return digest(self.checksum_label, content)[:_CHECKSUM_BYTES]

    def _check(self, number: int, group: str) -> str:
        """Depends on the position too, so that groups in another order are found."""
        return _CROCKFORD[digest(self.group_label, str(number).encode(), group.encode())[0] % len(_CROCKFORD)]
