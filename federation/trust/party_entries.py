"""Statements of the directory log that Parties write, or at least sign, as values. See `entries`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from federation.identity import NodeName, PartyId, party_id


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


class AdministratorKind(StrEnum):
    """Who the administrator acts for."""

    NATIONAL = "national"
    REGIONAL = "regional"


@dataclass(frozen=True, slots=True, kw_only=True)
class Administrator:
    """Who issues certificates to the Party's officers and grants them rights."""

    kind: AdministratorKind
    name: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What a Party says of itself, signed by its key or by the region that administers for it. The serial only grows.

    Attributes:
        pattern_set_version: version of the pattern set the digest names; 0 when the Party publishes none.
        pattern_set_digest: SHA-256 of the encoded set, or empty.
        pilot: the Party tries it out, and says so.
        profile_version: version of the track-and-trace profile; 0 when the Party publishes none.
        profile_digest: SHA-256 of the profile, or empty.
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
    administrators: tuple[Administrator, ...] = ()
    pilot: bool = False
    profile_version: int = 0
    profile_digest: bytes = b""


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


class MandateScope(StrEnum):
    """What a region does for the member."""

    ANSWER = "answer"
    ADMINISTER = "administer"
    BOTH = "both"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mandate:
    """A region answers or administers for a member; both sign. The newest serial between the two stands.

    Attributes:
        not_after: Unix seconds at which the mandate ends by itself.
    """

    created: int
    region: PartyId
    member: PartyId
    serial: int
    not_after: int
    scope: MandateScope = MandateScope.ANSWER

    @property
    def answers(self) -> bool:
        """Whether questions about the member's codes go to the region."""
        return self.scope is not MandateScope.ADMINISTER

    @property
    def administers(self) -> bool:
        """Whether the region may write the member's update and node entries."""
        return self.scope is not MandateScope.ANSWER


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirm:
    """A Party vouches, after its own check out of band, that another one was admitted with its true keys.

    Attributes:
        party: who confirms.
        subject: whom.
        admit_digest: SHA-256 of the body of the subject's admission, or of the recovery that took effect after it, so that it
            holds for no other keys.
    """

    created: int
    party: PartyId
    subject: PartyId
    admit_digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Ca:
    """A further CA of the Party, signed by itself; the earlier ones stand beside it until they end or are revoked."""

    created: int
    party: PartyId
    serial: int
    party_ca: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotate:
    """The key that was committed to becomes the Party key, and commits to the next one.

    Attributes:
        party_key: its hash is the commitment that stands; it signs this entry. The key before it may sign as well.
        next_key_hash: SHA-256 of the public key that alone may follow.
    """

    created: int
    party: PartyId
    party_key: bytes
    next_key_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Veto:
    """Stops a recovery: signed by the next key, which a Party that has not lost it holds."""

    created: int
    party: PartyId
    recover_index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Two thirds of the other Parties set a veto aside: the next key was stolen too."""

    created: int
    party: PartyId
    recover_index: int


class RevokedKind(StrEnum):
    """What a Party can take back by itself."""

    SIGNING_KEY = "signing-key"
    PARTY_KEY = "party-key"
    PARTY_CA = "party-ca"
    MANDATE = "mandate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoke:
    """A Party takes back a key, a CA or a mandate, for ever; honoured on sight, before it is logged.

    Attributes:
        id: the Ed25519 key, SHA-256 of the CA's SubjectPublicKeyInfo, or `mandate_id`.
    """

    created: int
    party: PartyId
    kind: RevokedKind
    id: bytes
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw:
    """A Party leaves. `admit_digest` is SHA-256 of the body of the admission that ends, or of the recovery after it."""

    created: int
    party: PartyId
    admit_digest: bytes


def mandate_id(mandate: Mandate) -> bytes:
    """How a `Revoke` names a mandate: the letters of region and member, and the serial as 8 bytes."""
    return mandate.region.encode() + mandate.member.encode() + mandate.serial.to_bytes(8)


def read_mandate_id(raw: bytes) -> tuple[PartyId, PartyId, int]:
    """Region, member and serial of the mandate that a `Revoke` names.

    Raises:
        Malformed: the letters are no Parties'.
    """
    letters = raw[:4].decode("ascii", errors="replace")
    return party_id(letters[:2]), party_id(letters[2:]), int.from_bytes(raw[4:])
