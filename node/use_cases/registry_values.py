"""What a Party that joins and the Secretariat say to each other, as values (docs/protocol.md, "Joining")."""

from __future__ import annotations

from dataclasses import dataclass

from federation.identity import PartyId
from federation.trust.enrolment import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """All public keys that a Party enrols with.

    Attributes:
        party: who it says it is; compared with the invitation, never trusted.
        party_ca_request: DER of the CSR for the Party CA; the names in it are ignored.
        party_key: Ed25519, 32 bytes.
        next_key_hash: SHA-256 of the key that alone may replace it.
    """

    party: PartyId
    party_ca_request: bytes
    party_key: bytes
    next_key_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """What the Secretariat gives back: the start of the log, and the entry that the Party signs to accept.

    Attributes:
        genesis_leaf: compared with the digest that the Party was given out of band.
        admit_body: exact bytes; they name the Party CA that was issued.
        directory_endpoint: `host:port` of the Secretariat's node.
        secretariat_ca: DER of that node's CA, when it is no longer the one of the genesis entry; else empty.
        secretariat_issuer: DER of the CA between that one and the treaty root; empty likewise.
    """

    genesis_leaf: bytes
    admit_body: bytes
    directory_endpoint: str
    secretariat_ca: bytes = b""
    secretariat_issuer: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentState:
    """How far a Party is, and for how many founders, and then witnesses, it waits.

    Attributes:
        witnesses_cosigned, witnesses_needed: under the checkpoint that holds the admission; both 0 while none waits.
    """

    step: Step
    founders_signed: int
    founders_needed: int
    witnesses_cosigned: int = 0
    witnesses_needed: int = 0

    @property
    def words(self) -> str:
        """What it waits for."""
        if self.step is Step.APPROVED:
            return f"the directory waits for witnesses: {self.witnesses_cosigned} of {self.witnesses_needed}"
        return f"waiting for founders: {self.founders_signed} of {self.founders_needed} have signed"
