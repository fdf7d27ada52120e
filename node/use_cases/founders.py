"""What a founder, or a Party, signs by hand: which entries, after which check, and how enough signatures become a leaf.

Nobody signs what was not read aloud: the digits of an entry go from the person who laid it out to the one who signs by another way
than the file. For an admission they are the fingerprint that the Party reads from its own screen; for everything else they also
cover the kind, because two entries of different kinds can have the same bytes (`duty` off and `reinstate`).
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Final

from federation.boundary.directory import join_signatures, sign_body
from federation.errors import Forbidden, Unauthentic
from federation.trust import directory, keys
from federation.trust.certificate import read_issuing_ca, read_party_ca
from federation.trust.entries import EntryBody, EntryKind, Founders, Genesis, Override, Recover, RotateLog, Signature
from federation.trust.fingerprint import digits_of, fingerprint, same_fingerprint
from federation.trust.keys import Signer
from federation.trust.roster import Roster

FOUNDERS_SIGN: Final = frozenset(
    {
        EntryKind.GENESIS,
        EntryKind.ADMIT,
        EntryKind.RECOVER,
        EntryKind.SUSPEND,
        EntryKind.REINSTATE,
        EntryKind.DUTY,
        EntryKind.POLICY,
        EntryKind.FOUNDERS,
        EntryKind.ROTATE_LOG,
        EntryKind.ROTATE_ISSUER,
    }
)
PARTIES_SIGN: Final = frozenset({EntryKind.OVERRIDE, EntryKind.RECOVER})
"""What a Party signs by hand: that a veto is set aside, and its own recovery, with the new key."""


def read_aloud(kind: EntryKind, body: bytes) -> str:
    """The twelve groups of digits by which people compare an entry before they sign it."""
    return fingerprint(body) if kind is EntryKind.ADMIT else fingerprint(directory.entry_message(kind, body))


def digits_of_file(content: bytes) -> str:
    """The same for a file that is no entry, such as a request to the root."""
    return digits_of(sha256(content).digest())


def require_same(seen: str, claimed: str) -> None:
    """See that what lies here is what was read aloud.

    Raises:
        Unauthentic: it is not.
    """
    if not same_fingerprint(seen, claimed):
        raise Unauthentic(
            f"the digits of what lies here are {seen}",
            hint="they are not the ones that were read aloud: do not sign, and ask by telephone who laid this out",
        )


def sign_as_founder(kind: EntryKind, body: bytes, value: EntryBody, *, claimed: str, signer: Signer) -> Signature:
    """A founder's signature over an entry whose digits were read aloud.

    Args:
        kind: of the entry.
        body: the exact bytes that are signed.
        value: what they say.
        claimed: the digits, as heard.
        signer: the founder's key.

    Raises:
        Unauthentic: the digits are others, or a genesis holds certificates that do not lead to its root.
        Forbidden: founders do not sign such an entry, or this founder is not among those that it names.
    """
    if kind not in FOUNDERS_SIGN:
        raise Forbidden(f"founders do not sign an entry of the kind `{kind}`", hint="a Party writes it with its own key")
    require_same(read_aloud(kind, body), claimed)
    if isinstance(value, Genesis):
        _check_genesis(value, signer.public_key)
    return sign_body(kind, body, signer)


def _check_genesis(genesis: Genesis, own_key: bytes) -> None:
    """What a founder cannot see from the digits: that the entry holds together, and names the own key."""
    if own_key not in genesis.founders:
        raise Forbidden("this founder's key is not among the founders in the entry", hint="the treaty was prepared without it")
    read_issuing_ca(genesis.issuing_ca, root=genesis.root_certificate, domain=genesis.domain, now=genesis.created)
    read_party_ca(
        genesis.secretariat_ca,
        party=None,
        domain=genesis.domain,
        issuing_ca=genesis.issuing_ca,
        root=genesis.root_certificate,
        now=genesis.created,
    )


def sign_as_party(kind: EntryKind, body: bytes, value: EntryBody, *, claimed: str, signer: Signer) -> Signature:
    """A Party's signature over an entry that somebody else laid out.

    Raises:
        Unauthentic: the digits are others.
        Forbidden: Parties do not sign such an entry by hand, or a recovery is for another key.
    """
    if kind not in PARTIES_SIGN:
        raise Forbidden(f"a Party does not sign an entry of the kind `{kind}` by hand")
    require_same(read_aloud(kind, body), claimed)
    if isinstance(value, Recover) and value.party_key != signer.public_key:
        raise Forbidden("the recovery is for another new Party key than the one that lies here")
    return sign_body(kind, body, signer)


def entitled(roster: Roster, body: EntryBody) -> frozenset[bytes]:
    """Whose signatures have a place under an entry that founders, or Parties together, write. Whether they are enough is the rule's
    to say (`federation.trust.directory`).
    """
    founders = set(roster.governance.founders)
    match body:
        case Override():
            return frozenset(record.party_key for record in roster.parties.values() if record.party_key is not None)
        case Founders():
            return frozenset(founders | set(body.founders))
        case RotateLog():
            return frozenset(founders | {body.log_key})
        case Recover():
            return frozenset(founders | {roster.governance.log_key, body.party_key})
        case _:
            return frozenset(founders)


def require_entitled(roster: Roster, kind: EntryKind, body: bytes, value: EntryBody, signature: Signature) -> None:
    """See that a signature has a place under an entry, before it is kept.

    Raises:
        Forbidden: it is of somebody who has no say.
        Unauthentic: it does not verify.
    """
    if signature.public_key not in entitled(roster, value):
        raise Forbidden("this signature is of nobody who has a say about the entry")
    message = directory.entry_message(kind, body)
    keys.verify(public_key=signature.public_key, message=message, signature=signature.signature)


def make_leaf(kind: EntryKind, body: bytes, signatures: Iterable[Signature]) -> bytes:
    """The leaf with everything that was collected, each key once."""
    return join_signatures(kind, body, {one.public_key: one for one in signatures}.values())
