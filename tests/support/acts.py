"""Every entry that a treaty can log, each with the authors that it takes.

A maker gives an `Act`: the body and those who have to sign it. `log` enters it; a test that wants a wrong author changes the
signers, a test that wants a wrong entry the body. New keys follow from the treaty's seed and a label, so two calls with one label
name the same key.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import sha256

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from federation.boundary.directory import compose_entry
from federation.identity import PartyId
from federation.trust import note
from federation.trust.entries import (
    Ca,
    Confirm,
    Duty,
    EntryBody,
    Founders,
    Mandate,
    MandateScope,
    Override,
    Recover,
    Reinstate,
    Revoke,
    RevokedKind,
    Rotate,
    RotateIssuer,
    RotateLog,
    Suspend,
    TreatyPolicy,
    Veto,
    Withdraw,
    Witnessed,
    mandate_id,
)
from federation.trust.issuing import Authority, issue_party_ca, key_from_seed, make_issuing_ca, make_request, make_successor_ca
from federation.trust.keys import Signer, SoftwareSigner
from federation.trust.note import Note
from federation.trust.witness import founder_name
from tests.support.treaty import DAY, PartyMaterial, Treaty, entropy, secret


@dataclass(frozen=True, kw_only=True)
class Act:
    """What is to be logged, and the signers that its rule asks for."""

    body: EntryBody
    signers: tuple[Signer, ...]

    @property
    def leaf(self) -> bytes:
        return compose_entry(self.body, self.signers)

    def by(self, *signers: Signer) -> Act:
        """The same by others."""
        return replace(self, signers=signers)


def log(treaty: Treaty, *acts: Act) -> int:
    """Enter acts, whether they keep the rules or not; gives the index of the last one."""
    return [treaty.append(act.leaf) for act in acts][-1]


def signer(treaty: Treaty, label: str) -> SoftwareSigner:
    """A key that nobody has yet."""
    return SoftwareSigner(secret(treaty.seed, f"act {label}"))


def hash_of(one: Signer) -> bytes:
    """How a key is committed to."""
    return sha256(one.public_key).digest()


def k_founders(treaty: Treaty) -> tuple[Signer, ...]:
    """As many founders as have to sign."""
    return treaty.founders[: treaty.genesis.founders_threshold]


# --- by Parties ---


def admission(treaty: Treaty, material: PartyMaterial) -> Act:
    return Act(body=treaty.admission(material), signers=(*k_founders(treaty), material.key))


def update(treaty: Treaty, material: PartyMaterial, *, serial: int = 1) -> Act:
    return Act(body=treaty.update(material, serial=serial), signers=(material.key,))


def node(treaty: Treaty, material: PartyMaterial, *, serial: int = 2) -> Act:
    return Act(body=treaty.node_entry(material, serial=serial), signers=(material.key,))


def mandate(
    treaty: Treaty, *, region: PartyMaterial, member: PartyMaterial, serial: int = 1, scope: MandateScope = MandateScope.BOTH
) -> Act:
    body = replace(treaty.mandate(region=region.party, member=member.party, serial=serial), scope=scope)
    return Act(body=body, signers=(region.key, member.key))


def confirm(treaty: Treaty, *, by: PartyMaterial, subject: PartyMaterial) -> Act:
    """What a Party says of the admission, or recovery, that stands."""
    digest = treaty.roster.party(subject.party).admit_digest
    return Act(body=Confirm(created=treaty.now, party=by.party, subject=subject.party, admit_digest=digest), signers=(by.key,))


def with_ca(treaty: Treaty, material: PartyMaterial, label: str = "second") -> PartyMaterial:
    """The Party with a further CA of its own making."""
    stream = f"ca {label} {material.party}"
    key = key_from_seed(secret(treaty.seed, stream))
    certificate = make_successor_ca(
        key=key, party=material.party, domain=treaty.domain, now=treaty.now, entropy=entropy(treaty.seed, stream)
    )
    return replace(material, ca=Authority(certificate=certificate, key=key))


def ca(treaty: Treaty, material: PartyMaterial, *, serial: int = 1) -> Act:
    """The CA that the material holds, put beside the earlier ones."""
    body = Ca(created=treaty.now, party=material.party, serial=serial, party_ca=material.ca.certificate)
    return Act(body=body, signers=(material.key,))


def rotated(treaty: Treaty, material: PartyMaterial, label: str = "after") -> PartyMaterial:
    """The Party as it is when its next key is in use and another one is in the safe."""
    return replace(material, key=material.next_key, next_key=signer(treaty, f"{label} {material.party}"))


def rotate(treaty: Treaty, new: PartyMaterial) -> Act:
    """By the key that was committed to; `new` is what `rotated` gives."""
    body = Rotate(created=treaty.now, party=new.party, party_key=new.key.public_key, next_key_hash=hash_of(new.next_key))
    return Act(body=body, signers=(new.key,))


def revoke(treaty: Treaty, material: PartyMaterial, kind: RevokedKind, name: bytes | None = None) -> Act:
    """What the material holds of that kind, unless another name is given."""
    own = {
        RevokedKind.SIGNING_KEY: lambda: material.signer.public_key,
        RevokedKind.PARTY_KEY: lambda: material.key.public_key,
        RevokedKind.PARTY_CA: lambda: sha256(ca_key(material)).digest(),
    }
    body = Revoke(created=treaty.now, party=material.party, kind=kind, id=name or own[kind](), reason="A disk was stolen.")
    return Act(body=body, signers=(material.key,))


def ca_key(material: PartyMaterial) -> bytes:
    """DER of the SubjectPublicKeyInfo of the material's CA."""
    return material.ca.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def end_mandate(treaty: Treaty, by: PartyMaterial, ended: Mandate) -> Act:
    return revoke(treaty, by, RevokedKind.MANDATE, mandate_id(ended))


def withdraw(treaty: Treaty, material: PartyMaterial) -> Act:
    digest = treaty.roster.party(material.party).admit_digest
    return Act(body=Withdraw(created=treaty.now, party=material.party, admit_digest=digest), signers=(material.key,))


# --- recovery ---


def recovered(treaty: Treaty, material: PartyMaterial, label: str = "recovered") -> PartyMaterial:
    """The Party with new keys for all that it lost, but for its CA."""
    return replace(
        material,
        key=signer(treaty, f"{label} key {material.party}"),
        next_key=signer(treaty, f"{label} next {material.party}"),
        signer=signer(treaty, f"{label} signing {material.party}"),
    )


def recover(treaty: Treaty, new: PartyMaterial, *, serial: int | None = None, ca: bool = False) -> Act:
    """By founders and the Secretariat, for the keys in `new`; with its CA when it has another one."""
    body = Recover(
        created=treaty.now,
        serial=_serial(treaty, serial),
        party=new.party,
        party_key=new.key.public_key,
        next_key_hash=hash_of(new.next_key),
        party_ca=new.ca.certificate if ca else b"",
        reason="The ministry burnt down.",
    )
    return Act(body=body, signers=(*k_founders(treaty), treaty.log_signer, new.key))


def veto(treaty: Treaty, material: PartyMaterial, index: int) -> Act:
    return Act(body=Veto(created=treaty.now, party=material.party, recover_index=index), signers=(material.next_key,))


def override(treaty: Treaty, party: PartyId, index: int, others: Iterable[PartyMaterial]) -> Act:
    body = Override(created=treaty.now, party=party, recover_index=index)
    return Act(body=body, signers=tuple(one.key for one in others))


# --- by founders ---


def suspend(treaty: Treaty, party: PartyId, *, serial: int | None = None) -> Act:
    body = Suspend(created=treaty.now, serial=_serial(treaty, serial), party=party, reason="Decision 7")
    return Act(body=body, signers=k_founders(treaty))


def reinstate(treaty: Treaty, party: PartyId, *, serial: int | None = None) -> Act:
    body = Reinstate(created=treaty.now, serial=_serial(treaty, serial), party=party)
    return Act(body=body, signers=k_founders(treaty))


def duty(treaty: Treaty, party: PartyId, *, on: bool = True, serial: int | None = None) -> Act:
    body = Duty(created=treaty.now, serial=_serial(treaty, serial), party=party, on=on)
    return Act(body=body, signers=k_founders(treaty))


def policy(treaty: Treaty, *, recovery_wait_s: int = 28 * DAY, confirmations: int = 2, serial: int | None = None) -> Act:
    body = TreatyPolicy(
        created=treaty.now,
        serial=_serial(treaty, serial),
        witness_wait_s=7 * DAY,
        recovery_wait_s=recovery_wait_s,
        confirmations=confirmations,
    )
    return Act(body=body, signers=k_founders(treaty))


def hand_over(treaty: Treaty, new: Iterable[Signer], *, threshold: int = 2, serial: int | None = None) -> Act:
    """From as many of the old founders as have to sign, to others, who all sign."""
    signers = {one.public_key: one for one in (*k_founders(treaty), *new)}
    keys = tuple(sorted(one.public_key for one in new))
    body = Founders(created=treaty.now, serial=_serial(treaty, serial), founders=keys, threshold=threshold)
    return Act(body=body, signers=tuple(signers.values()))


def rotate_log(treaty: Treaty, new: Signer, *, serial: int | None = None) -> Act:
    body = RotateLog(created=treaty.now, serial=_serial(treaty, serial), log_key=new.public_key)
    return Act(body=body, signers=(*k_founders(treaty), new))


def next_issuer(treaty: Treaty, label: str = "next issuing") -> Authority:
    """A further issuing CA under the treaty root."""
    key = key_from_seed(secret(treaty.seed, label))
    certificate = make_issuing_ca(
        make_request(key), root=treaty.root, domain=treaty.domain, now=treaty.now, entropy=entropy(treaty.seed, label)
    )
    return Authority(certificate=certificate, key=key)


def secretariat_ca(treaty: Treaty, issuer: Authority, label: str = "next secretariat") -> bytes:
    """A further CA of the Secretariat's node."""
    key = key_from_seed(secret(treaty.seed, label))
    return issue_party_ca(
        make_request(key), party=None, issuer=issuer, domain=treaty.domain, now=treaty.now, entropy=entropy(treaty.seed, label)
    )


def rotate_issuer(
    treaty: Treaty, issuer: Authority, *, node_ca: bytes = b"", retire: bool = False, serial: int | None = None
) -> Act:
    body = RotateIssuer(
        created=treaty.now,
        serial=_serial(treaty, serial),
        issuing_ca=issuer.certificate,
        secretariat_ca=node_ca,
        retire_former=retire,
    )
    return Act(body=body, signers=k_founders(treaty))


# --- by the Secretariat ---


def witnessed(treaty: Treaty, witnesses: Iterable[PartyMaterial], *, at: int, founders: Iterable[Signer] = ()) -> Act:
    """The log as it stands, cosigned by these Parties' nodes, all at one time; and by founders, when they stand in."""
    checkpoint = cosigned(treaty, [(one, at) for one in witnesses], founders=[(one, at) for one in founders])
    return Act(body=Witnessed(created=treaty.now, checkpoint=checkpoint), signers=(treaty.log_signer,))


def cosigned(
    treaty: Treaty,
    witnesses: Iterable[tuple[PartyMaterial, int]],
    *,
    founders: Iterable[tuple[Signer, int]] = (),
    size: int | None = None,
) -> bytes:
    """The checkpoint of the log, of its first `size` entries if that is given, with cosignatures at these times."""
    parsed = note.parse_note(treaty.checkpoint(size))
    lines = [note.cosign(parsed.text, one.name.dns, one.signer, at) for one, at in witnesses]
    lines += [note.cosign(parsed.text, founder_name(treaty.genesis), one, at) for one, at in founders]
    return note.format_note(Note(text=parsed.text, signatures=(*parsed.signatures, *lines)))


def _serial(treaty: Treaty, given: int | None) -> int:
    """The next of the treaty's serials, unless another one is given."""
    return given if given is not None else treaty.roster.governance.serial + 1
