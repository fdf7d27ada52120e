"""Statements of the directory log, as values. Who may author which is decided in `directory`; bytes are read in `federation.wire`.

The leaf of the log is the exact encoding of a signed entry; each signature stands over PAE(kind, body bytes), so the kind
cannot be swapped and nothing is ever encoded again to verify it (docs/protocol.md, "The directory log").
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from federation.identity import NodeName, PartyId


class EntryKind(StrEnum):
    """Every kind this version knows. A node refuses the others even when they are logged, and alarms."""

    GENESIS = "genesis"
    ADMIT = "admit"
    UPDATE = "update"
    NODE = "node"
    MANDATE = "mandate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """An Ed25519 signature: 32 bytes of public key, 64 bytes of signature."""

    public_key: bytes
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedEntry:
    """What a leaf holds: the body is kept as the bytes that were signed."""

    kind: EntryKind
    body: bytes
    signatures: tuple[Signature, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Genesis:
    """The first entry. It is known by its digest, which is configured at every node and never learnt.

    Attributes:
        created: Unix seconds.
        origin: the log's name, first line of every checkpoint (C2SP tlog-checkpoint).
        domain: DNS domain under which all certificates are named.
        log_key: Ed25519 key that signs checkpoints.
        root_certificate: DER of the treaty root.
        issuing_ca: DER of the CA between the root and the Party CAs.
        secretariat_ca: DER of the CA that anchors the Secretariat's node.
        founders: Ed25519 keys of the people of the treaty body.
        founders_threshold: how many of them have to sign together.
        witness_wait_s: a new witness counts after this time.
        recovery_wait_s: a recovery takes effect after this time.
    """

    created: int
    origin: str
    domain: str
    log_key: bytes
    root_certificate: bytes
    issuing_ca: bytes
    secretariat_ca: bytes
    founders: tuple[bytes, ...]
    founders_threshold: int
    witness_wait_s: int
    recovery_wait_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Admit:
    """A Party enters: signed by k founders over its CA, and by the Party as its acceptance.

    Attributes:
        party_key: Ed25519 key that authors the Party's entries.
        next_key_hash: SHA-256 of the public key that alone may replace it.
        party_ca: DER of the Party CA, the TLS anchor that everybody pins.
        issuing_ca: DER of the Secretariat's issuing CA that signed it.
    """

    created: int
    party: PartyId
    party_key: bytes
    next_key_hash: bytes
    party_ca: bytes
    issuing_ca: bytes


class AuthorityKind(StrEnum):
    """Kinds of competent authority (Article 8.8). There is no kind for industry: Article 8.12."""

    CUSTOMS = "customs"
    TAX = "tax"
    POLICE = "police"
    HEALTH = "health"
    JUSTICE = "justice"
    MARKET_SURVEILLANCE = "market-surveillance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """One competent authority of the list of Article 8.8."""

    kind: AuthorityKind
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """The desk the Secretariat writes to."""

    name: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What a Party says of itself, signed by its key. The serial only grows.

    Attributes:
        pattern_set_version: version of the pattern set the digest names; 0 when the Party publishes none.
        pattern_set_digest: SHA-256 of the encoded set, or empty.
    """

    created: int
    party: PartyId
    serial: int
    display_name: str
    region: bool
    authorities: tuple[Authority, ...]
    contacts: tuple[Contact, ...]
    pattern_set_version: int
    pattern_set_digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeEntry:
    """A Party's node: where it listens, the key it signs with, the suites it opens. The serial only grows.

    Attributes:
        endpoint: host and port to dial; the name to expect there is computed from `node`, never from here.
        signing_key: Ed25519 key for envelopes, receipts, prekey bundles, cosignatures and journal checkpoints.
        suites: whole-suite numbers, ascending.
        min_suite: what is below is refused.
    """

    created: int
    party: PartyId
    serial: int
    node: NodeName
    endpoint: str
    signing_key: bytes
    suites: tuple[int, ...]
    min_suite: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mandate:
    """A region answers for a member; both sign. The newest serial between the two stands.

    Attributes:
        not_after: Unix seconds at which the mandate ends by itself.
    """

    created: int
    region: PartyId
    member: PartyId
    serial: int
    not_after: int


EntryBody = Genesis | Admit | Update | NodeEntry | Mandate
"""What an entry's body can be."""
