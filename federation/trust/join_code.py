"""The join code: what the Secretariat hands to a Party that it invites, on paper, on a screen or over the telephone.

It names the address of the join port and the hash of the certificate that answers there, so that the Party knows whom it talks
to, and it holds a token that is good once, for that Party, for a few days (docs/protocol.md, "Joining").

How it is spelled is in `code_text`; what becomes of the token is in `enrolment`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from federation import limits
from federation.errors import InvalidInput, Malformed
from federation.identity import PartyId, party_id
from federation.trust.code_text import CodeText, check_address

_HASH_BYTES: Final = 32
_TEXT: Final = CodeText(
    title="join code",
    prefix="GSP",
    checksum_label="gsp/v1/join-code",
    group_label="gsp/v1/join-group",
    version=1,
    shortest=3 + limits.JOIN_TOKEN_BYTES + _HASH_BYTES,
)


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


def encode_join_code(code: JoinCode) -> str:
    """Write a code for people: capitals and digits in groups, without the characters that look alike."""
    return _TEXT.write(code.party.encode() + code.token + code.leaf_sha256 + code.address.encode())


def decode_join_code(text: str) -> JoinCode:
    """Read a code as people copy or type it: case, spaces and dashes do not matter, nor O for 0 or I and L for 1.

    Raises:
        InvalidInput: it is no join code; for a slip the hint names the group.
    """
    content = _TEXT.read(text)
    token_end = 2 + limits.JOIN_TOKEN_BYTES
    leaf_end = token_end + _HASH_BYTES
    try:
        return JoinCode(
            party=party_id(content[:2].decode("ascii")),
            token=content[2:token_end],
            leaf_sha256=content[token_end:leaf_end],
            address=content[leaf_end:].decode("ascii"),
        )
    except (UnicodeDecodeError, Malformed) as reason:
        raise _TEXT.refusal("its content makes no sense") from reason
