"""The join code: what the Secretariat hands to a Party that it invites, on paper, on a screen or over the telephone.

It names the address of the join port and the hash of the certificate that answers there, so that the Party knows whom it talks
to, and it holds a token that is good once, for that Party, for a few days (docs/protocol.md, "Joining").

    GSP-xxxxxxxc-xxxxxxxc-...-xxxc      groups of seven symbols of content (Crockford's base32) and one check character

The check characters find a slip of the pen and name its group; four bytes of checksum at the end find the rest.
What becomes of the token is in `enrolment`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from federation import limits
from federation.errors import InvalidInput, Malformed
from federation.identity import PartyId, party_id
from federation.trust.keys import digest

_PREFIX: Final = "GSP"
_VERSION: Final = 1
_CHECKSUM_BYTES: Final = 4
_HASH_BYTES: Final = 32
_GROUP: Final = 7
_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_STANDARD: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_FROM_CROCKFORD: Final = str.maketrans(_CROCKFORD, _STANDARD)
_TO_CROCKFORD: Final = str.maketrans(_STANDARD, _CROCKFORD)
_READ_AS: Final = str.maketrans({"O": "0", "I": "1", "L": "1"})
"""What people write for what they see (Crockford)."""
_SEPARATORS: Final = re.compile(r"[\s\-_.]+")
_ADDRESS: Final = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\]):([0-9]{1,5})\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinCode:
    """What the Secretariat hands to a Party that it invites.

    Attributes:
        address: `host:port` of the join port.
        party: who is invited.
        token: sixteen random bytes, good once.
        leaf_sha256: hash of the certificate that answers at the address.
    """

    address: str
    party: PartyId
    token: bytes
    leaf_sha256: bytes

    def __post_init__(self) -> None:
        check_address(self.address)
        if len(self.token) != limits.JOIN_TOKEN_BYTES or len(self.leaf_sha256) != _HASH_BYTES:
            raise InvalidInput("a join code holds a token of 16 bytes and a hash of 32")

    def __repr__(self) -> str:
        """Without the token: whoever has it can join in the Party's place."""
        return f"JoinCode(address={self.address!r}, party={self.party!r})"


def check_address(text: str) -> str:
    """Give `host:port` back when it can be one; an IPv6 address stands in brackets.

    Raises:
        InvalidInput: it cannot.
    """
    match = _ADDRESS.match(text)
    if match is None or not 0 < int(match[1]) < 65_536:
        raise InvalidInput("this is not an address", hint="write it as host:port, for example join.gsp.example.org:8443")
    return text


def encode_join_code(code: JoinCode) -> str:
    """Write a code for people: capitals and digits in groups, without the characters that look alike."""
    content = bytes([_VERSION]) + code.party.encode() + code.token + code.leaf_sha256 + code.address.encode()
    symbols = base64.b32encode(content + _checksum(content)).decode().rstrip("=").translate(_TO_CROCKFORD)
    groups = [symbols[start : start + _GROUP] for start in range(0, len(symbols), _GROUP)]
    return "-".join([_PREFIX, *(group + _check_character(number, group) for number, group in enumerate(groups, 1))])


def decode_join_code(text: str) -> JoinCode:
    """Read a code as people copy or type it: case, spaces and dashes do not matter, nor O for 0 or I and L for 1.

    Raises:
        InvalidInput: it is no join code; for a slip the hint names the group.
    """
    if len(text) > limits.JOIN_CODE_CHARACTERS_MAX:
        raise _no_code("it is too long")
    written = _SEPARATORS.sub("", text).upper()
    if not written.startswith(_PREFIX):
        raise _no_code(f"it begins with {_PREFIX}")
    content = _unpack("".join(_checked_groups(written.removeprefix(_PREFIX).translate(_READ_AS))))
    if content[0] != _VERSION:
        raise InvalidInput("the join code was made by another version of gsp", hint="update gsp-node, or ask for a new code")
    token_end = 3 + limits.JOIN_TOKEN_BYTES
    leaf_end = token_end + _HASH_BYTES
    try:
        return JoinCode(
            party=party_id(content[1:3].decode("ascii")),
            token=content[3:token_end],
            leaf_sha256=content[token_end:leaf_end],
            address=content[leaf_end:].decode("ascii"),
        )
    except (UnicodeDecodeError, Malformed) as reason:
        raise _no_code("its content makes no sense") from reason


def _checked_groups(written: str) -> Iterator[str]:
    """Each group without its check character."""
    for number, start in enumerate(range(0, len(written), _GROUP + 1), 1):
        group = written[start : start + _GROUP + 1]
        if len(group) < 2 or not set(group) <= set(_CROCKFORD) or _check_character(number, group[:-1]) != group[-1]:
            raise InvalidInput(
                "there is a slip in the join code",
                hint=f"look at group {number} after {_PREFIX}: it has {_GROUP + 1} characters, the last group may have fewer",
            )
        yield group[:-1]


def _unpack(symbols: str) -> bytes:
    """Symbols to content, with the one spelling that it has."""
    padding = "=" * (-len(symbols) % 8)
    try:
        packed = base64.b32decode(symbols.translate(_FROM_CROCKFORD) + padding)
    except ValueError as reason:
        raise _no_code("a part is missing") from reason
    content, checksum = packed[:-_CHECKSUM_BYTES], packed[-_CHECKSUM_BYTES:]
    shortest = 3 + limits.JOIN_TOKEN_BYTES + _HASH_BYTES
    one_spelling = base64.b32encode(packed).decode().rstrip("=").translate(_TO_CROCKFORD) == symbols
    if len(content) <= shortest or checksum != _checksum(content) or not one_spelling:
        raise _no_code("a part is missing or was changed")
    return content


def _no_code(reason: str) -> InvalidInput:
    return InvalidInput(f"this is not a join code: {reason}", hint="copy the whole code again, from GSP to its last group")


def _checksum(content: bytes) -> bytes:
    return digest("gsp/v1/join-code", content)[:_CHECKSUM_BYTES]


def _check_character(number: int, group: str) -> str:
    """Depends on the position too, so that groups in another order are found."""
    return _CROCKFORD[digest("gsp/v1/join-group", str(number).encode(), group.encode())[0] % len(_CROCKFORD)]
