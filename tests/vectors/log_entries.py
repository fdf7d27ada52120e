"""One entry of each kind for the vectors, with its authors. Certificates are opaque here, so short stand-ins serve."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

from federation.identity import NodeName, PartyId
from federation.trust import note
from federation.trust.entries import (
    Administrator,
    AdministratorKind,
    Admit,
    Authority,
    AuthorityKind,
    Ca,
    Confirm,
    Contact,
    Duty,
    EntryBody,
    EntryKind,
    Founders,
    Genesis,
    Mandate,
    MandateScope,
    NodeEntry,
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
    Update,
    Veto,
    Withdraw,
    Witnessed,
)
from federation.trust.keys import SoftwareSigner
from federation.trust.note import Checkpoint, Note
from tests.vectors.primitives import NODE

QM, QN = PartyId("qm"), PartyId("qn")
NOW = 1_800_000_000
PARTY_KEY, FOUNDER, LOG, NEXT_KEY, LATER_KEY = (SoftwareSigner(bytes([number]) * 32) for number in (1, 2, 3, 4, 5))
COMMITMENT = sha256(LATER_KEY.public_key).digest()
"""To the key after the next one."""


def _cosigned() -> bytes:
    text = Checkpoint(origin="directory.gsp.example", size=9, root=bytes(range(32))).text()
    lines = (note.sign_note(text, "directory.gsp.example", LOG), note.cosign(text, "one.qm.nodes.gsp.example", NODE, NOW))
    return note.format_note(Note(text=text, signatures=lines))


ENTRIES: dict[EntryKind, tuple[EntryBody, tuple[SoftwareSigner, ...]]] = {
    EntryKind.GENESIS: (
        Genesis(
            created=NOW,
            origin="directory.gsp.example",
            domain="gsp.example",
            log_key=LOG.public_key,
            root_certificate=b"the treaty root",
            issuing_ca=b"the issuing CA",
            secretariat_ca=b"the CA of the Secretariat's node",
            founders=(FOUNDER.public_key,),
            founders_threshold=1,
            witness_wait_s=604_800,
            recovery_wait_s=1_209_600,
        ),
        (FOUNDER, LOG),
    ),
    EntryKind.ADMIT: (
        Admit(
            created=NOW,
            party=QM,
            party_key=PARTY_KEY.public_key,
            next_key_hash=bytes(range(32)),
            party_ca=b"the CA of qm",
            issuing_ca=b"the issuing CA",
        ),
        (FOUNDER, PARTY_KEY),
    ),
    EntryKind.UPDATE: (
        Update(
            created=NOW,
            party=QM,
            serial=7,
            display_name="Qumérie",
            region=False,
            authorities=(Authority(kind=AuthorityKind.CUSTOMS, name="Douanes"),),
            contacts=(Contact(name="Focal point", address="focal-point@qm.example"),),
            pattern_set_version=3,
            pattern_set_digest=bytes(range(32)),
        ),
        (PARTY_KEY,),
    ),
    EntryKind.NODE: (
        NodeEntry(
            created=NOW,
            party=QM,
            serial=1,
            node=NodeName(party=QM, node_id="one", domain="gsp.example"),
            endpoint="one.qm.nodes.gsp.example:443",
            signing_key=NODE.public_key,
            suites=(1,),
            min_suite=1,
        ),
        (PARTY_KEY,),
    ),
    EntryKind.MANDATE: (
        Mandate(created=NOW, region=QN, member=QM, serial=1, not_after=NOW + 31_536_000),
        (PARTY_KEY, FOUNDER),
    ),
    EntryKind.CONFIRM: (Confirm(created=NOW, party=QN, subject=QM, admit_digest=bytes(range(32))), (FOUNDER,)),
    EntryKind.CA: (Ca(created=NOW, party=QM, serial=1, party_ca=b"the next CA of qm"), (PARTY_KEY,)),
    EntryKind.ROTATE: (
        Rotate(created=NOW, party=QM, party_key=NEXT_KEY.public_key, next_key_hash=COMMITMENT),
        (PARTY_KEY, NEXT_KEY),
    ),
    EntryKind.RECOVER: (
        Recover(
            created=NOW,
            serial=1,
            party=QM,
            party_key=LATER_KEY.public_key,
            next_key_hash=bytes(range(32)),
            party_ca=b"a new CA of qm",
            reason="The ministry burnt down.",
        ),
        (FOUNDER, LOG, LATER_KEY),
    ),
    EntryKind.VETO: (Veto(created=NOW, party=QM, recover_index=9), (NEXT_KEY,)),
    EntryKind.OVERRIDE: (Override(created=NOW, party=QM, recover_index=9), (FOUNDER, LATER_KEY)),
    EntryKind.REVOKE: (
        Revoke(created=NOW, party=QM, kind=RevokedKind.SIGNING_KEY, id=NODE.public_key, reason="A disk was stolen."),
        (PARTY_KEY,),
    ),
    EntryKind.SUSPEND: (Suspend(created=NOW, serial=2, party=QM, reason="Decision 7 of the Meeting of the Parties"), (FOUNDER,)),
    EntryKind.REINSTATE: (Reinstate(created=NOW, serial=3, party=QM), (FOUNDER,)),
    EntryKind.WITHDRAW: (Withdraw(created=NOW, party=QM, admit_digest=bytes(range(32))), (PARTY_KEY,)),
    EntryKind.DUTY: (Duty(created=NOW, serial=4, party=QM, on=True), (FOUNDER,)),
    EntryKind.POLICY: (
        TreatyPolicy(created=NOW, serial=5, witness_wait_s=604_800, recovery_wait_s=2_419_200, confirmations=2),
        (FOUNDER,),
    ),
    EntryKind.FOUNDERS: (
        Founders(created=NOW, serial=6, founders=tuple(sorted((FOUNDER.public_key, LATER_KEY.public_key))), threshold=2),
        (FOUNDER, LATER_KEY),
    ),
    EntryKind.ROTATE_LOG: (RotateLog(created=NOW, serial=7, log_key=NEXT_KEY.public_key), (FOUNDER, NEXT_KEY)),
    EntryKind.ROTATE_ISSUER: (
        RotateIssuer(
            created=NOW, serial=8, issuing_ca=b"the next issuing CA", secretariat_ca=b"its node's CA", retire_former=True
        ),
        (FOUNDER,),
    ),
    EntryKind.WITNESSED: (Witnessed(created=NOW, checkpoint=_cosigned()), (LOG,)),
}
LATER_FIELDS: dict[EntryKind, EntryBody] = {
    EntryKind.GENESIS: replace(ENTRIES[EntryKind.GENESIS][0], first_witnesses=(QM, QN), confirmations=2),
    EntryKind.UPDATE: replace(
        ENTRIES[EntryKind.UPDATE][0],
        administrators=(Administrator(kind=AdministratorKind.NATIONAL, name="Ministry", address="pki@qm.example"),),
        pilot=True,
        profile_version=1,
        profile_digest=bytes(range(32)),
    ),
    EntryKind.MANDATE: replace(ENTRIES[EntryKind.MANDATE][0], scope=MandateScope.BOTH),
}
"""Fields that version 0.1.0 did not have. Left out they take up no bytes, so that what was logged before keeps its encoding."""
