"""Parsed names: once a value of these types exists, its spelling is right and nobody checks it again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NewType

from federation.errors import InvalidInput, Malformed

PartyId = NewType("PartyId", str)
"""ISO 3166-1 alpha-2 in lower case, `eu` for the European Union; user-assigned codes for demonstrations and tests."""

MessageId = NewType("MessageId", bytes)
"""Sixteen random bytes, made by the sender, remembered by the receiver for the whole retention."""

MESSAGE_ID_BYTES: Final = 16

_PARTY: Final = re.compile(r"[a-z]{2}\Z")
_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?\Z")
_OFFICER: Final = re.compile(r"[a-z0-9]{8,32}\Z")
_DOMAIN: Final = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]\Z")

SECRETARIAT: Final = "secretariat"
"""The node name of the Secretariat; longer than two letters, so that it can never be a Party."""


def party_id(text: str) -> PartyId:
    """Read a Party's code.

    Raises:
        Malformed: not two lower-case letters.
    """
    if _PARTY.match(text) is None:
        raise Malformed("a Party is named by two lower-case letters", hint="for example `qm`; see the list of Parties")
    return PartyId(text)


def message_id(raw: bytes) -> MessageId:
    """Take sixteen bytes as a message id.

    Raises:
        Malformed: another length.
    """
    if len(raw) != MESSAGE_ID_BYTES:
        raise Malformed(f"a message id has {MESSAGE_ID_BYTES} bytes, not {len(raw)}")
    return MessageId(bytes(raw))


def message_id_from_text(text: str) -> MessageId:
    """Read the 32 hexadecimal digits that people copy from a screen.

    Raises:
        InvalidInput: anything else.
    """
    try:
        return message_id(bytes.fromhex(text))
    except (ValueError, Malformed):
        raise InvalidInput("this is not an id of a query", hint="copy the 32 characters that `gsp queries` shows") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeName:
    """One node of one Party. Its DNS name is the one in its certificate, and the only name that is ever dialled.

    Attributes:
        party: whose node it is; None for the Secretariat's.
        node_id: a DNS label, unique within the Party.
        domain: the treaty's domain, given by the genesis entry.
    """

    party: PartyId | None
    node_id: str
    domain: str

    def __post_init__(self) -> None:
        if _LABEL.match(self.node_id) is None:
            raise Malformed("a node id is a short DNS label")
        check_domain(self.domain)

    @property
    def trust_domain(self) -> str:
        """`<party>.nodes.<domain>`: the subtree that the Party CA's name constraint allows."""
        return trust_domain(self.party, self.domain)

    @property
    def dns(self) -> str:
        """The one DNS name in the node's certificate."""
        return f"{self.node_id}.{self.trust_domain}"

    @property
    def uri(self) -> str:
        """The one URI name in the node's certificate (SPIFFE ID form)."""
        return f"spiffe://{self.trust_domain}/node/{self.node_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficerName:
    """An officer as other Parties see one: an opaque id, never a person's name (Article 5, data minimisation)."""

    party: PartyId
    officer_id: str
    domain: str

    def __post_init__(self) -> None:
        if _OFFICER.match(self.officer_id) is None:
            raise Malformed("an officer id has 8 to 32 small letters and digits")
        check_domain(self.domain)

    @property
    def uri(self) -> str:
        """The one URI name in the officer's certificate."""
        return f"spiffe://{trust_domain(self.party, self.domain)}/officer/{self.officer_id}"


def trust_domain(party: PartyId | None, domain: str) -> str:
    """The DNS subtree of one Party, or of the Secretariat when there is no Party."""
    return f"{party if party is not None else SECRETARIAT}.nodes.{domain}"


def check_domain(domain: str) -> str:
    """Give the domain back when it is a DNS name in lower case.

    Raises:
        Malformed: it is not, or it is longer than leaves room for our labels.
    """
    if len(domain) > 180 or _DOMAIN.match(domain) is None:
        raise Malformed("the treaty's domain is not a DNS name in lower case")
    return domain


def parse_officer_uri(uri: str, *, party: PartyId, domain: str) -> OfficerName:
    """Read an officer's URI, which has to lie in the trust domain of the Party whose CA verified it.

    Raises:
        Malformed: another shape, or the trust domain of somebody else.
    """
    prefix = f"spiffe://{trust_domain(party, domain)}/officer/"
    if not uri.startswith(prefix):
        raise Malformed("an officer's certificate names another trust domain")
    return OfficerName(party=party, officer_id=uri.removeprefix(prefix), domain=domain)


def parse_node_uri(uri: str, *, party: PartyId | None, domain: str) -> NodeName:
    """Read a node's URI, which has to lie in the trust domain of the CA that verified it.

    Raises:
        Malformed: another shape, or the trust domain of somebody else.
    """
    prefix = f"spiffe://{trust_domain(party, domain)}/node/"
    if not uri.startswith(prefix):
        raise Malformed("a node's certificate names another trust domain")
    return NodeName(party=party, node_id=uri.removeprefix(prefix), domain=domain)
