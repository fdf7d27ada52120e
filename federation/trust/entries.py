"""Statements of the directory log, as values. Who may author which is decided in `directory`; bytes are read in `federation.wire`.

The leaf of the log is the exact encoding of a signed entry; each signature stands over PAE(kind, body bytes), so the kind
cannot be swapped and nothing is ever encoded again to verify it (docs/protocol.md, "The directory log").
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from federation.trust.party_entries import (
    Administrator,
    AdministratorKind,
    Admit,
    Authority,
    AuthorityKind,
    Ca,
    Confirm,
    Contact,
    Mandate,
    MandateScope,
    NodeEntry,
    Override,
    Revoke,
    RevokedKind,
    Rotate,
    Update,
    Veto,
    Withdraw,
    mandate_id,
    read_mandate_id,
)
from federation.trust.treaty_entries import (
    Duty,
    Founders,
    Genesis,
    Recover,
    Reinstate,
    RotateIssuer,
    RotateLog,
    Suspend,
    TreatyPolicy,
    Witnessed,
)

__all__ = [
    "Administrator",
    "AdministratorKind",
    "Admit",
    "Authority",
    "AuthorityKind",
    "Ca",
    "Confirm",
    "Contact",
    "Duty",
    "EntryBody",
    "EntryKind",
    "Founders",
    "Genesis",
    "Mandate",
    "MandateScope",
    "NodeEntry",
    "Override",
    "Recover",
    "Reinstate",
    "Revoke",
    "RevokedKind",
    "Rotate",
    "RotateIssuer",
    "RotateLog",
    "Signature",
    "SignedEntry",
    "Suspend",
    "TreatyPolicy",
    "Update",
    "Veto",
    "Withdraw",
    "Witnessed",
    "mandate_id",
    "read_mandate_id",
]


class EntryKind(StrEnum):
    """Every kind this version knows. A node refuses the others even when they are logged, and alarms."""

    GENESIS = "genesis"
    ADMIT = "admit"
    UPDATE = "update"
    NODE = "node"
    MANDATE = "mandate"
    CONFIRM = "confirm"
    CA = "ca"
    ROTATE = "rotate"
    RECOVER = "recover"
    VETO = "veto"
    OVERRIDE = "override"
    REVOKE = "revoke"
    SUSPEND = "suspend"
    REINSTATE = "reinstate"
    WITHDRAW = "withdraw"
    DUTY = "duty"
    POLICY = "policy"
    FOUNDERS = "founders"
    ROTATE_LOG = "rotate-log"
    ROTATE_ISSUER = "rotate-issuer"
    WITNESSED = "witnessed"


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


EntryBody = (
    Genesis
    | Admit
    | Update
    | NodeEntry
    | Mandate
    | Confirm
    | Ca
    | Rotate
    | Recover
    | Veto
    | Override
    | Revoke
    | Suspend
    | Reinstate
    | Withdraw
    | Duty
    | TreatyPolicy
    | Founders
    | RotateLog
    | RotateIssuer
    | Witnessed
)
"""What an entry's body can be."""
