"""Every kind of entry against every wrong author, twice over, out of order, and with keys that nobody honest has.

`ACTS` is the table: for each kind the state in which it may be logged, and the entry with its right authors. A kind that is not in it
fails a test here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import pytest

from federation import limits
from federation.boundary.directory import (
    KIND_OF,
    Replica,
    compose_entry,
    fold,
    genesis_digest,
    join_signatures,
    open_genesis,
    sign_body,
)
from federation.identity import PartyId
from federation.trust import directory
from federation.trust.entries import EntryKind, Genesis, MandateScope, RevokedKind, Signature, SignedEntry
from federation.trust.keys import SoftwareSigner
from federation.wire.directory import encode_entry_body
from tests.support import acts
from tests.support.acts import Act, log
from tests.support.checkout import ROOT
from tests.support.mutation import UNKNOWN_FIELD, varint
from tests.support.treaty import NOW, PartyMaterial, Treaty

QM, QN, QO, QP, QX = (PartyId(code) for code in ("qm", "qn", "qo", "qp", "qx"))
IDENTITY = b"\x01" + bytes(31)
ODD_KEYS = {
    "low order": bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    "identity": IDENTITY,
    "not canonical": bytes.fromhex("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    "off the curve": b"\x02" + bytes(31),
    "mixed order": bytes.fromhex("cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d"),
}
"""Keys about which verifiers disagree: one accepts signatures under them that another refuses, or that nobody made."""


@dataclass(frozen=True)
class Scene:
    """A treaty in some state, and its Parties as they are there. `qx` came last and has nothing to do with anything."""

    treaty: Treaty
    qm: PartyMaterial
    qn: PartyMaterial
    qo: PartyMaterial
    qp: PartyMaterial

    @property
    def witnesses(self) -> list[PartyMaterial]:
        return [self.qm, self.qn, self.qo, self.qp]


def scene(*, pending: bool = False, vetoed: bool = False, suspended: bool = False) -> Scene:
    treaty = Treaty.make(seed=21, first_witnesses=["qm", "qn", "qo", "qp"])
    made = Scene(treaty, *(treaty.admit(code) for code in ("qm", "qn", "qo", "qp")))
    if pending or vetoed:
        index = log(treaty, acts.recover(treaty, acts.recovered(treaty, made.qm)))
        if vetoed:
            log(treaty, acts.veto(treaty, made.qm, index))
    if suspended:
        log(treaty, acts.suspend(treaty, QM))
    treaty.admit("qx")
    return made


def pending_index(made: Scene) -> int:
    return made.treaty.roster.recoveries[0].index


SCENES: dict[str, Callable[[], Scene]] = {
    "quiet": scene,
    "pending": lambda: scene(pending=True),
    "vetoed": lambda: scene(vetoed=True),
    "suspended": lambda: scene(suspended=True),
}
ACTS: dict[str, tuple[str, Callable[[Scene], Act]]] = {
    "admit": ("quiet", lambda it: acts.admission(it.treaty, it.treaty.material("qw"))),
    "update": ("quiet", lambda it: acts.update(it.treaty, it.qm)),
    "node": ("quiet", lambda it: acts.node(it.treaty, replace(it.qm, signer=acts.signer(it.treaty, "signing")))),
    "mandate": ("quiet", lambda it: acts.mandate(it.treaty, region=it.qn, member=it.qm)),
    "confirm": ("quiet", lambda it: acts.confirm(it.treaty, by=it.qn, subject=it.qm)),
    "ca": ("quiet", lambda it: acts.ca(it.treaty, acts.with_ca(it.treaty, it.qm))),
    "rotate": ("quiet", lambda it: acts.rotate(it.treaty, acts.rotated(it.treaty, it.qm))),
    "recover": ("quiet", lambda it: acts.recover(it.treaty, acts.recovered(it.treaty, it.qm))),
    "veto": ("pending", lambda it: acts.veto(it.treaty, it.qm, pending_index(it))),
    "override": ("vetoed", lambda it: acts.override(it.treaty, QM, pending_index(it), [it.qn, it.qo])),
    "revoke": ("quiet", lambda it: acts.revoke(it.treaty, it.qm, RevokedKind.SIGNING_KEY)),
    "suspend": ("quiet", lambda it: acts.suspend(it.treaty, QM)),
    "reinstate": ("suspended", lambda it: acts.reinstate(it.treaty, QM)),
    "withdraw": ("quiet", lambda it: acts.withdraw(it.treaty, it.qm)),
    "duty": ("quiet", lambda it: acts.duty(it.treaty, QX)),
    "policy": ("quiet", lambda it: acts.policy(it.treaty)),
    "founders": (
        "quiet",
        lambda it: acts.hand_over(it.treaty, [acts.signer(it.treaty, "founder"), acts.signer(it.treaty, "founder two")]),
    ),
    "rotate-log": ("quiet", lambda it: acts.rotate_log(it.treaty, acts.signer(it.treaty, "log"))),
    "rotate-issuer": ("quiet", lambda it: acts.rotate_issuer(it.treaty, acts.next_issuer(it.treaty))),
    "witnessed": ("quiet", lambda it: acts.witnessed(it.treaty, it.witnesses, at=NOW)),
}
SAID_TWICE = {"confirm", "revoke", "override"}
"""They say what is so: to log them again is no offence, and changes nothing."""
every_kind = pytest.mark.parametrize("kind", ACTS)


@cache
def prepared(kind: str) -> tuple[Scene, Act]:
    state, make = ACTS[kind]
    made = SCENES[state]()
    return made, make(made)


def at(kind: str) -> tuple[Scene, Act]:
    made, act = prepared(kind)
    return replace(made, treaty=made.treaty.copy()), act


@cache
def folded(leaves: tuple[bytes, ...]) -> Replica:
    *earlier, newest = leaves
    return fold(folded(tuple(earlier)), newest) if earlier else open_genesis(newest, genesis_digest(newest))


def refused(treaty: Treaty, leaf: bytes) -> str:
    """The leaf stands in the log, leaves one alarm and changes nothing; gives the words of the alarm."""
    before = folded(tuple(treaty.log))
    after = fold(before, leaf)

    (alarm,) = after.roster.alarms
    assert replace(after.roster, size=before.roster.size, alarms=()) == before.roster
    return alarm.words


def test_every_kind_is_here():
    assert set(ACTS) | {"genesis"} == set(EntryKind)
    assert set(directory._RULES) | directory._WITH_MORE == set(KIND_OF) - {Genesis}


def test_the_document_and_the_code_name_the_same_authors():
    """Two tables for two readers; who may write what is the same in both."""
    document = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8").split("## The directory log")[1].split("\n\n")
    rows = next(part for part in document if part.startswith("| kind | body | authors |")).splitlines()[2:]
    told = {cells[0]: cells[2] for cells in ([cell.strip() for cell in row.strip("|").split("|")] for row in rows)}
    lines = [re.split(r"\s{2,}", line.strip()) for line in directory.__doc__.splitlines() if line.startswith("    ")]

    assert {line[0]: line[1] for line in lines} == told
    assert {kind for kinds in told for kind in kinds.split(", ")} == set(EntryKind)


@every_kind
def test_its_own_authors_may_log_it(kind):
    made, act = at(kind)
    before = made.treaty.roster
    log(made.treaty, act)

    after = made.treaty.roster

    assert not after.alarms
    assert replace(after, size=before.size) != before


@every_kind
def test_logged_a_second_time_it_changes_nothing(kind):
    made, act = at(kind)
    log(made.treaty, act)
    once = made.treaty.replica()

    twice = fold(once, act.leaf).roster

    assert replace(twice, size=once.roster.size, alarms=()) == once.roster
    assert len(twice.alarms) == (0 if kind in SAID_TWICE else 1)


@every_kind
def test_with_one_author_missing_it_is_refused(kind):
    made, act = at(kind)
    for missing in range(len(act.signers)):
        refused(made.treaty, act.by(*act.signers[:missing], *act.signers[missing + 1 :]).leaf)


@every_kind
def test_with_somebody_else_beside_its_authors_it_is_refused(kind):
    made, act = at(kind)
    treaty, present = made.treaty, {one.public_key for one in act.signers}
    others = (acts.signer(treaty, "stranger"), treaty.parties[QX].key, made.qm.signer, treaty.log_signer)
    for other in others:
        if other.public_key not in present:
            refused(treaty, act.by(*act.signers, other).leaf)


@every_kind
def test_by_somebody_else_instead_it_is_refused(kind):
    """The Secretariat alone, a founder alone, all founders, another Party, the Party's node, nobody at all."""
    made, act = at(kind)
    treaty, rightful = made.treaty, {one.public_key for one in act.signers}
    attempts = [
        (treaty.log_signer,),
        treaty.founders[:1],
        treaty.founders,
        (treaty.log_signer, *treaty.founders),
        (treaty.parties[QX].key,),
        (made.qm.signer,),
        (),
    ]
    for signers in attempts:
        if not rightful <= {one.public_key for one in signers}:
            refused(treaty, act.by(*signers).leaf)


def test_a_party_alone_changes_nothing_that_needs_others():
    for kind in set(ACTS) - {"update", "node", "ca", "revoke", "withdraw"}:
        made, act = at(kind)
        if act.signers != (made.qm.key,):
            refused(made.treaty, act.by(made.qm.key).leaf)


@every_kind
def test_its_signatures_are_good_for_no_other_kind(kind):
    made, act = at(kind)
    body = encode_entry_body(act.body)
    for other in EntryKind:
        if other != kind:
            signatures = [sign_body(other, body, one) for one in act.signers]
            refused(made.treaty, join_signatures(EntryKind(kind), body, signatures))


@every_kind
def test_an_unknown_field_in_what_was_signed_is_refused(kind):
    """A later reader might give it a meaning; today's signers never saw one (pitfall 7)."""
    made, act = at(kind)
    body = encode_entry_body(act.body) + varint(UNKNOWN_FIELD << 3) + b"\x01"
    signatures = [sign_body(EntryKind(kind), body, one) for one in act.signers]

    assert "unknown field" in refused(made.treaty, join_signatures(EntryKind(kind), body, signatures))


@every_kind
def test_an_unknown_field_beside_what_was_signed_is_refused(kind):
    made, act = at(kind)

    assert "unknown field" in refused(made.treaty, act.leaf + varint(UNKNOWN_FIELD << 3) + b"\x01")


def test_an_entry_of_an_unknown_kind_leaves_an_alarm_and_nothing_else():
    made, act = at("update")

    for number in (0, len(EntryKind) + 1, 99):
        leaf = bytes([0x08, number]) * bool(number) + act.leaf[2:]
        assert f"{number} is no EntryKind" in refused(made.treaty, leaf)


NUMBERED_BY_THE_TREATY = ("recover", "suspend", "reinstate", "duty", "policy", "founders", "rotate-log", "rotate-issuer")


@pytest.mark.parametrize("kind", NUMBERED_BY_THE_TREATY)
@pytest.mark.parametrize("step", [0, -1, limits.SERIAL_STEP_MAX + 1])
def test_the_founders_entries_share_one_serial_that_grows_and_never_by_much(kind, step):
    made, act = at(kind)
    serial = made.treaty.roster.governance.serial + step
    if serial < 0:
        log(made.treaty, acts.policy(made.treaty))
        serial += 1

    words = refused(made.treaty, replace(act, body=replace(act.body, serial=serial)).leaf)

    assert "serial of the founders' entries has to grow" in words


@pytest.mark.parametrize("kind", NUMBERED_BY_THE_TREATY)
def test_what_founders_signed_before_another_entry_was_logged_is_void(kind):
    """An entry that was withheld, and is logged when it suits somebody, is not what the founders want any more."""
    made, act = at(kind)
    log(made.treaty, acts.policy(made.treaty, confirmations=3))

    assert "serial" in refused(made.treaty, act.leaf)


@pytest.mark.parametrize("kind", ["update", "node", "ca", "mandate"])
def test_nobody_with_a_stolen_key_uses_up_the_numbers(kind):
    made, act = at(kind)

    words = refused(made.treaty, replace(act, body=replace(act.body, serial=2**64 - 1)).leaf)

    assert "has to grow, and by 4294967296 at most" in words


KEY_FIELDS = {
    "admit": "party_key",
    "node": "signing_key",
    "rotate": "party_key",
    "recover": "party_key",
    "rotate-log": "log_key",
    "founders": "founders",
}


@pytest.mark.parametrize("odd", ODD_KEYS)
@pytest.mark.parametrize("kind", KEY_FIELDS)
def test_keys_on_which_two_verifiers_differ_are_listed_nowhere(kind, odd):
    """Where the key has to sign as well, with a signature that a lenient verifier takes for one; and without it."""
    made, act = at(kind)
    key, field = ODD_KEYS[odd], KEY_FIELDS[kind]
    replaced = tuple(sorted((key, act.body.founders[0]))) if field == "founders" else key
    body = replace(act.body, **{field: replaced})
    kept = tuple(one for one in act.signers if one.public_key != getattr(act.body, field))

    refused(made.treaty, compose_entry(body, kept))
    if kind != "node":
        encoded = encode_entry_body(body)
        signatures = [sign_body(EntryKind(kind), encoded, one) for one in kept]
        forged = Signature(public_key=key, signature=IDENTITY + bytes(32))
        assert "not well formed" in refused(made.treaty, join_signatures(EntryKind(kind), encoded, [*signatures, forged]))


@pytest.mark.parametrize("kind", KEY_FIELDS)
def test_a_key_that_serves_for_something_serves_for_nothing_else(kind):
    made, act = at(kind)
    treaty, field = made.treaty, KEY_FIELDS[kind]
    used: dict[str, SoftwareSigner] = {
        "another Party's": made.qn.key,
        "another node's": made.qn.signer,
        "the log's": treaty.log_signer,
        "what a Party has in its safe": made.qn.next_key,
    }
    for one in used.values():
        replaced = tuple(sorted((one.public_key, act.body.founders[0]))) if field == "founders" else one.public_key
        body = replace(act.body, **{field: replaced})
        signers = [signer for signer in act.signers if signer.public_key != getattr(act.body, field)]
        refused(treaty, compose_entry(body, signers if kind == "node" or one in signers else [*signers, one]))


def test_a_signature_of_one_key_counts_once_in_whatever_order():
    made, act = at("admit")
    encoded = encode_entry_body(act.body)
    signatures = [sign_body(EntryKind.ADMIT, encoded, one) for one in (*act.signers[:1], *act.signers[:1], act.signers[-1])]
    entry = SignedEntry(kind=EntryKind.ADMIT, body=encoded, signatures=tuple(signatures))
    replica = made.treaty.replica()

    after = directory.apply(replica.roster, entry, act.body, root=replica.frontier.root)

    assert "signed an entry twice" in after.alarms[0].words


def test_admission_without_founders():
    made, act = at("admit")

    assert "0 founders signed" in refused(made.treaty, act.by(act.signers[-1]).leaf)
    assert "1 founders signed" in refused(made.treaty, act.by(*act.signers[1:]).leaf)


def test_forged_rotation():
    """Whoever stole the Party key has not got the one in the safe; and the Secretariat and all founders have not either."""
    made, _ = at("rotate")
    treaty, thief = made.treaty, acts.signer(made.treaty, "thief")
    forged = acts.rotate(treaty, replace(made.qm, key=thief, next_key=acts.signer(treaty, "thief's next")))

    for signers in ((thief,), (made.qm.key,), (made.qm.key, thief), (*treaty.founders, treaty.log_signer, thief)):
        assert "by the key that was committed to" in refused(treaty, forged.by(*signers).leaf)
    true = acts.rotate(treaty, acts.rotated(treaty, made.qm))
    assert "signed by the new Party key" in refused(treaty, true.by(made.qm.key).leaf)


def test_a_log_of_nothing_but_rubbish_fills_nobodys_memory():
    replica = Treaty.make(seed=22).replica()
    for number in range(limits.ALARMS_KEPT_MAX + 20):
        replica = fold(replica, b"rubbish %d" % number)

    assert len(replica.roster.alarms) == limits.ALARMS_KEPT_MAX
    assert replica.roster.alarms[-1].index == limits.ALARMS_KEPT_MAX + 20


def test_a_fork_of_the_directory_is_another_log_from_there_on():
    """Both sides are signed by the log key; whoever accepted the one never takes the other."""
    made, act = at("update")
    log(made.treaty, act)
    other, _ = at("update")
    log(other.treaty, acts.suspend(other.treaty, QM))

    assert made.treaty.log[:-1] == other.treaty.log[:-1]
    assert made.treaty.replica().frontier.root() != other.treaty.replica().frontier.root()
    assert open_genesis(made.treaty.log[0], other.treaty.genesis_digest).genesis == other.treaty.genesis


def test_a_region_with_an_answering_mandate_does_not_administer():
    made, _ = at("update")
    log(made.treaty, acts.mandate(made.treaty, region=made.qn, member=made.qm, scope=MandateScope.ANSWER))

    refused(made.treaty, acts.update(made.treaty, made.qm).by(made.qn.key).leaf)
    refused(made.treaty, acts.node(made.treaty, made.qm).by(made.qn.key).leaf)
