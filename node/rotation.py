"""Changing keys: each change is made here, announced in the directory, and found again when it was interrupted.

The order is always the same: read the directory, make the new key where its role has its keys, write down what this node alone can
know, and only then submit the entry. What was made and is not listed yet is taken up by the next try; what is listed is not made twice.
What the running node does with it is in `node.use_cases.own_keys`.

A revocation is told to every node besides, whether the Secretariat answers or not; where another key has to come first, so that nothing
stands still between the two, it is told even when that one could not be announced.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

from federation import limits
from federation.errors import Conflict, InvalidInput, NotFound
from federation.trust.entries import Ca, NodeEntry, Revoke, RevokedKind, Rotate, Veto
from federation.trust.issuing import make_successor_ca
from federation.trust.keys import SEED_BYTES, SoftwareSigner
from federation.trust.roster import LoggedCa
from node.errand import Errand
from node.use_cases.own_keys import ca_key_hash

_COMMITTED: Final = "the paper or stick with the next Party key was written when the Party key before it was made"


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What became of a key.

    Attributes:
        key: what `gsp keys show` calls it.
        id: the first characters of the new key, or of the one that was taken back.
        counts_from: Unix seconds from which the new one is used.
        repeated: it stood in the directory already, and nothing was done.
    """

    key: str
    id: str
    counts_from: int
    repeated: bool = False


def short_id(identifier: bytes) -> str:
    """The first characters of a key or of its hash: enough to tell two of one Party apart."""
    return identifier.hex()[:16]


async def rotate_ca(party: Errand) -> Changed:
    """Make the next Party CA and announce it. Both stand side by side until the old one ends.

    Raises:
        Unreachable: the Secretariat does not answer; do it again.
        Forbidden: more CAs stand than may.
    """
    await party.follow()
    begun = _begun_ca(party)
    if begun is not None:
        return Changed(
            key="Party CA", id=short_id(begun.key_hash), counts_from=party.own_keys.counts_from(begun.der), repeated=True
        )
    return await _announce_ca(party)


def _begun_ca(party: Errand) -> LoggedCa | None:
    """A successor that stands and does not issue yet."""
    now, record = party.world.now(), party.record
    held = {ca_key_hash(one.key) for one in party.custody.cas()}
    young = (one for one in record.cas[1:] if one.key_hash not in record.revoked and one.key_hash in held)
    return next((one for one in young if now < party.own_keys.counts_from(one.der)), None)


async def _announce_ca(party: Errand) -> Changed:
    author, record, now = party.author(), party.record, party.world.now()
    listed = {one.key_hash for one in record.cas}
    unlisted = [one.name for one in party.custody.cas() if ca_key_hash(one.key) not in listed]
    name = unlisted[-1] if unlisted else party.custody.next_name("ca")
    party.custody.make(name, party.world.entropy)
    key = party.custody.authority_key(name)
    certificate = make_successor_ca(
        key=key, party=party.settings.party_id, domain=party.settings.domain, now=now, entropy=party.world.entropy
    )
    party.custody.put_certificate(name, certificate)
    party.own_keys.refresh()
    body = Ca(created=now, party=party.settings.party_id, serial=record.ca_serial + 1, party_ca=certificate)
    await party.submit(body, [author])
    return Changed(key="Party CA", id=short_id(ca_key_hash(key)), counts_from=party.own_keys.counts_from(certificate))


async def rotate_signing(party: Errand) -> Changed:
    """Give the node another signing key. What it signed before counts, for what was sealed before.

    Raises:
        Conflict: the directory lists no node of this Party.
        Unreachable: the Secretariat does not answer; do it again.
    """
    await party.follow()
    standing, now = _last_node(party), party.world.now()
    own = [signer.public_key for signer in party.custody.signers("signing")]
    if standing.signing_key in own[1:] and now < standing.created + limits.ROTATION_REPEATED_S:
        counts_from = standing.created + int(party.own_keys.stands.signing_s)
        return Changed(key="signing key", id=short_id(standing.signing_key), counts_from=counts_from, repeated=True)
    return await _announce_signing(party, standing)


def _last_node(party: Errand) -> NodeEntry:
    """The node entry that stands, or stood until its key was revoked."""
    if not party.record.nodes:
        raise Conflict("the directory lists no node of this Party", hint="run it once: `gsp party run` announces it")
    return party.record.nodes[-1].entry


async def _announce_signing(party: Errand, standing: NodeEntry) -> Changed:
    author, now = party.author(), party.world.now()
    listed = {one.entry.signing_key for one in party.record.nodes}
    unlisted = [
        name
        for name in party.custody.names("signing")
        if not party.custody.is_retired(name) and party.custody.signer(name).public_key not in listed
    ]
    name = unlisted[-1] if unlisted else party.custody.next_name("signing")
    party.custody.make(name, party.world.entropy)
    key = party.custody.signer(name).public_key
    await party.submit(replace(standing, created=now, serial=standing.serial + 1, signing_key=key), [author])
    return Changed(key="signing key", id=short_id(key), counts_from=now + int(party.own_keys.stands.signing_s))


async def rotate_party(party: Errand, next_seed: bytes, *, show_next_key: Callable[[str], None]) -> Changed:
    """Put the next Party key in the place of the Party key, and commit to the one after it.

    Args:
        party: whose.
        next_seed: of the next Party key, from its paper.
        show_next_key: called once with the seed of the key after it, in hexadecimal, before anything is committed to it.

    Raises:
        InvalidInput: it is another key than the one that was committed to.
        Unreachable: the Secretariat does not answer; do it again with the same paper.
    """
    await party.follow()
    signer, record, now = SoftwareSigner(next_seed), party.record, party.world.now()
    if signer.public_key == record.party_key:
        return Changed(key="Party key", id=short_id(signer.public_key), counts_from=now, repeated=True)
    _require_committed(party, signer)
    if signer.public_key not in {one.public_key for one in party.custody.signers("party")}:
        party.custody.adopt(party.custody.next_name("party"), next_seed)
    following = party.world.entropy(SEED_BYTES)
    show_next_key(following.hex())
    body = Rotate(
        created=now,
        party=party.settings.party_id,
        party_key=signer.public_key,
        next_key_hash=sha256(SoftwareSigner(following).public_key).digest(),
    )
    await party.submit(body, [signer])
    return Changed(key="Party key", id=short_id(signer.public_key), counts_from=now)


def _require_committed(party: Errand, signer: SoftwareSigner) -> None:
    if sha256(signer.public_key).digest() != party.record.next_key_hash:
        raise InvalidInput("this is not the next Party key that the directory has committed to", hint=_COMMITTED)


async def revoke_party(party: Errand, *, reason: str) -> Changed:
    """Take the Party key back: it writes nothing any more, and only the next one can follow.

    Raises:
        Conflict: it was revoked before.
        Unreachable: the Secretariat does not answer; the other nodes were told, do it again.
    """
    await party.catch_up()
    author, now = party.author(), party.world.now()
    revocation = _revocation(party, RevokedKind.PARTY_KEY, author.public_key, reason)
    await party.tell(revocation, [author])
    await party.submit(revocation, [author])
    return Changed(key="Party key", id=short_id(author.public_key), counts_from=now)


async def revoke_signing(party: Errand, *, reason: str) -> Changed:
    """Give the node another signing key and take the present one back, with everything that it signed and that is still under way.

    Raises:
        Conflict: the directory lists no node of this Party.
        Unreachable: the Secretariat does not answer; the other nodes were told, do it again.
    """
    await party.catch_up()
    stolen = _given_up_signing_key(party) or _last_node(party).signing_key
    for name in party.custody.names("signing"):
        if party.custody.signer(name).public_key == stolen:
            party.custody.retire(name)
    revocation = _revocation(party, RevokedKind.SIGNING_KEY, stolen, reason)
    try:
        if _last_node(party).signing_key == stolen:
            await _announce_signing(party, _last_node(party))
    finally:
        await party.tell(revocation, [party.author()])
    await party.submit(revocation, [party.author()])
    return Changed(key="signing key", id=short_id(stolen), counts_from=party.world.now())


def _given_up_signing_key(party: Errand) -> bytes | None:
    """The key that an interrupted try gave up and did not take back in the directory."""
    custody, record = party.custody, party.record
    given_up = {custody.signer(name).public_key for name in custody.names("signing") if custody.is_retired(name)}
    return next((one.entry.signing_key for one in record.nodes if one.entry.signing_key in given_up - record.revoked), None)


async def revoke_ca(party: Errand, *, reason: str, key_id: str | None = None) -> Changed:
    """Take a Party CA back, after another one stands: every certificate that it signed ends, officers' too.

    Args:
        party: whose.
        reason: for everybody to read.
        key_id: as `gsp keys show` has it; without it the CA that issues now.

    Raises:
        NotFound: no such CA stands.
        Unreachable: the Secretariat does not answer; the other nodes were told, do it again.
    """
    await party.catch_up()
    revoked = _named_ca(party, key_id)
    stand = [one for one in party.record.cas if one.key_hash not in party.record.revoked and one.key_hash != revoked.key_hash]
    held = {ca_key_hash(one.key) for one in party.custody.cas()}
    revocation = _revocation(party, RevokedKind.PARTY_CA, revoked.key_hash, reason)
    try:
        if not any(one.key_hash in held for one in stand):
            await _announce_ca(party)
    finally:
        await party.tell(revocation, [party.author()])
        _give_up_ca(party, revoked)
    await party.submit(revocation, [party.author()])
    return Changed(key="Party CA", id=short_id(revoked.key_hash), counts_from=party.world.now())


def _give_up_ca(party: Errand, revoked: LoggedCa) -> None:
    for one in party.custody.cas():
        if ca_key_hash(one.key) == revoked.key_hash:
            party.custody.retire(one.name)
    party.own_keys.refresh()


def _named_ca(party: Errand, key_id: str | None) -> LoggedCa:
    custody, record = party.custody, party.record
    standing = [one for one in record.cas if one.key_hash not in record.revoked]
    given_up = {ca_key_hash(custody.authority_key(name)) for name in custody.names("ca") if custody.is_retired(name)}
    if key_id is not None:
        named = [one for one in standing if short_id(one.key_hash) == key_id]
    elif any(one.key_hash in given_up for one in standing):  # an earlier try was interrupted
        named = [one for one in standing if one.key_hash in given_up]
    else:
        issuing = party.own_keys.ca().certificate
        named = [one for one in standing if one.der == issuing]
    if not named:
        raise NotFound("no such CA of this Party stands in the directory", hint="`gsp keys show` lists them with their ids")
    return named[0]


def _revocation(party: Errand, kind: RevokedKind, identifier: bytes, reason: str) -> Revoke:
    return Revoke(created=party.world.now(), party=party.settings.party_id, kind=kind, id=identifier, reason=reason)


async def veto(party: Errand, next_seed: bytes) -> Changed:
    """Stop a recovery of this Party's keys that it did not ask for: signed by the next Party key, from its paper.

    Raises:
        NotFound: no recovery of this Party waits.
        InvalidInput: it is another key than the one that was committed to.
        Unreachable: the Secretariat does not answer; do it again.
    """
    await party.follow()
    signer = SoftwareSigner(next_seed)
    waiting = [one for one in party.registry.roster.recoveries if one.body.party == party.settings.party_id and not one.stopped]
    if not waiting:
        raise NotFound("no recovery of this Party waits in the directory", hint="nothing has to be stopped")
    _require_committed(party, signer)
    now = party.world.now()
    for one in waiting:
        await party.submit(Veto(created=now, party=party.settings.party_id, recover_index=one.index), [signer])
    return Changed(key="recovery", id=str(waiting[-1].index), counts_from=now)
