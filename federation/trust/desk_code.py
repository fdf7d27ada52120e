"""The desk code: what an administrator hands to an officer who is to enrol, on paper, on a screen or over the telephone.

It names the desk, the Party and the key of the Party's CA, so that the officer's program sends nothing before it knows the own
node, and it holds a token that is good once, for one officer, for a few days (docs/protocol.md, "Officers").

The key of the CA, and not its certificate: that is what the keystore of the own node can always tell, and a certificate over that
key which the CA did not make verifies no node that the CA did not name.

How it is spelled is in `code_text`.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from federation import limits
from federation.errors import InvalidInput, Malformed
from federation.identity import PartyId, party_id
from federation.trust.code_text import CodeText, check_address
from federation.trust.keys import digest

_HASH_BYTES: Final = 32
_TEXT: Final = CodeText(
    title="desk code",
    prefix="DESK",
    checksum_label="gsp/v1/desk-code",
    group_label="gsp/v1/desk-group",
    version=1,
    shortest=3 + limits.JOIN_TOKEN_BYTES + _HASH_BYTES,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskCode:
    """What an administrator hands to an officer.

    Attributes:
        address: `host:port` of the desk.
        party: whose officer it will be.
        token: sixteen random bytes, good once.
        ca_key_sha256: hash of the SubjectPublicKeyInfo of the Party's CA (`ca_key_hash`).
    """

    address: str
    party: PartyId
    token: bytes
    ca_key_sha256: bytes

    def __post_init__(self) -> None:
        check_address(self.address)
        if len(self.token) != limits.JOIN_TOKEN_BYTES or len(self.ca_key_sha256) != _HASH_BYTES:
            raise InvalidInput("a desk code holds a token of 16 bytes and a hash of 32")

    def __repr__(self) -> str:
        """Without the token: whoever has it can enrol in the officer's place."""
        return f"DeskCode(address={self.address!r}, party={self.party!r})"


def ca_key_hash(public_key_info: bytes) -> bytes:
    """What a code holds of a CA: SHA-256 over DER of its SubjectPublicKeyInfo."""
    return sha256(public_key_info).digest()


def desk_token_hash(token: bytes, party: PartyId) -> bytes:
    """The stored form of a token. A plain hash is enough for sixteen random bytes; the record it stands in names the officer."""
    return digest("gsp/v1/desk-token", party.encode(), token)


def encode_desk_code(code: DeskCode) -> str:
    """Write a code for people."""
    return _TEXT.write(code.party.encode() + code.token + code.ca_key_sha256 + code.address.encode())


def decode_desk_code(text: str) -> DeskCode:
    """Read a code as people copy or type it.

    Raises:
        InvalidInput: it is no desk code; for a slip the hint names the group.
    """
    content = _TEXT.read(text)
    token_end = 2 + limits.JOIN_TOKEN_BYTES
    hash_end = token_end + _HASH_BYTES
    try:
        return DeskCode(
            party=party_id(content[:2].decode("ascii")),
            token=content[2:token_end],
            ca_key_sha256=content[token_end:hash_end],
            address=content[hash_end:].decode("ascii"),
        )
    except (UnicodeDecodeError, Malformed) as reason:
        raise _TEXT.refusal("its content makes no sense") from reason
