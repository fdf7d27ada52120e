"""Random entries of all kinds, by their authors and by others, in any order: what may never happen to a directory.

Each step logs one entry, right or wrong, new or logged before; then the roster before and after are compared. At the end the whole
log is folded in one go, and the clock still goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from hashlib import sha256

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from federation.boundary.directory import Replica, compose_entry, fold
from federation.identity import PartyId
from federation.trust.entries import EntryKind, Revoke, RevokedKind, SignedEntry
from federation.trust.keys import Signer
from federation.trust.roster import Recovery, Roster
from federation.trust.witness import counting_witnesses
from federation.wire.directory import decode_entry_body, decode_signed_entry
from tests.support import acts
from tests.support.acts import Act
from tests.support.treaty import DAY, NOW, PartyMaterial, Treaty

CODES = ("qm", "qn", "qo", "qp")
PARTIES = tuple(PartyId(code) for code in CODES)
BY_FOUNDERS = {
    EntryKind.SUSPEND,
    EntryKind.REINSTATE,
    EntryKind.DUTY,
    EntryKind.POLICY,
    EntryKind.FOUNDERS,
    EntryKind.ROTATE_LOG,
    EntryKind.ROTATE_ISSUER,
    EntryKind.RECOVER,
}
PARTY = st.sampled_from(PARTIES)
STALENESS = st.sampled_from([0, 0, 0, 1])
"""How many keys ago: mostly the newest ones."""


@cache
def base() -> tuple[Treaty, Replica]:
    treaty = Treaty.make(seed=61, first_witnesses=CODES)
    for code in CODES:
        treaty.admit(code)
    return treaty, treaty.replica()


class Log(RuleBasedStateMachine):
    """See the module."""

    @initialize()
    def begin(self) -> None:
        treaty, self.replica = base()
        self.treaty = treaty.copy()
        self.known = {party: [material] for party, material in treaty.parties.items()}
        self.founders: list[tuple[Signer, ...]] = [treaty.founders]
        self.count = 0
        self.begun = self.replica

    # --- what is logged ---

    def one(self, party: PartyId, staleness: int) -> PartyMaterial:
        versions = self.known[party]
        return versions[max(0, len(versions) - 1 - staleness)]

    def label(self) -> str:
        self.count += 1
        return f"number {self.count}"

    def enter(self, leaf: bytes) -> bool:
        """Log a leaf and compare; whether it was accepted."""
        before = self.replica
        self.replica = fold(before, leaf)
        self.treaty.append(leaf)
        accepted = self.replica.roster.alarms == before.roster.alarms
        compare(before.roster, self.replica.roster, leaf, accepted=accepted)
        return accepted

    def act(self, act: Act, wrong: int, then: Callable[[], object] = lambda: None) -> None:
        """Log an act by its authors, or by others when `wrong` is not 0; do `then` when it was accepted."""
        signers = act.signers
        if wrong == 1:
            signers = signers[1:]
        elif wrong == 2:
            signers = (*signers, acts.signer(self.treaty, "stranger"))
        elif wrong == 3:
            signers = (*self.treaty.founders, self.treaty.log_signer)
        if self.enter(compose_entry(act.body, signers)):
            then()

    def renew(self, material: PartyMaterial) -> Callable[[], object]:
        return lambda: self.known[material.party].append(material)

    @rule(party=PARTY, old=STALENESS, wrong=st.sampled_from([0, 0, 0, 1, 2, 3]), kind=st.sampled_from(RevokedKind))
    def revoke(self, party, old, wrong, kind):
        if kind is not RevokedKind.MANDATE:
            self.act(acts.revoke(self.treaty, self.one(party, old), kind), wrong)

    @rule(party=PARTY, old=STALENESS, wrong=st.sampled_from([0, 0, 0, 1, 2, 3]))
    def rotate(self, party, old, wrong):
        new = acts.rotated(self.treaty, self.one(party, old), self.label())
        self.act(acts.rotate(self.treaty, new), wrong, self.renew(new))

    @rule(party=PARTY, old=STALENESS, wrong=st.sampled_from([0, 0, 0, 1, 2, 3]), serial=st.integers(0, 30))
    def node(self, party, old, wrong, serial):
        new = replace(self.one(party, old), signer=acts.signer(self.treaty, self.label()))
        self.act(acts.node(self.treaty, new, serial=serial), wrong, self.renew(new))

    @rule(party=PARTY, old=STALENESS, wrong=st.sampled_from([0, 0, 1, 3]), serial=st.integers(0, 30))
    def ca(self, party, old, wrong, serial):
        new = acts.with_ca(self.treaty, self.one(party, old), self.label())
        self.act(acts.ca(self.treaty, new, serial=serial), wrong, self.renew(new))

    @rule(party=PARTY, other=PARTY, old=STALENESS, wrong=st.sampled_from([0, 0, 1, 2]), serial=st.integers(0, 9))
    def mandate(self, party, other, old, wrong, serial):
        if party != other:
            act = acts.mandate(self.treaty, region=self.one(party, old), member=self.one(other, 0), serial=serial)
            self.act(act, wrong)

    @rule(party=PARTY, other=PARTY, wrong=st.sampled_from([0, 0, 1, 2]))
    def confirm(self, party, other, wrong):
        if party != other:
            self.act(acts.confirm(self.treaty, by=self.one(party, 0), subject=self.one(other, 0)), wrong)

    @rule(party=PARTY, wrong=st.sampled_from([0, 0, 1, 2, 3]), ca=st.booleans())
    def recover(self, party, wrong, ca):
        new = acts.recovered(self.treaty, self.one(party, 0), self.label())
        new = acts.with_ca(self.treaty, new, self.label()) if ca else new
        self.act(acts.recover(self.treaty, new, ca=ca), wrong, self.renew(new))

    @rule(party=PARTY, old=st.integers(0, 3), wrong=st.sampled_from([0, 0, 1, 2, 3]))
    def veto(self, party, old, wrong):
        for waiting in self.of(party):
            self.act(acts.veto(self.treaty, self.one(party, old), waiting.index), wrong)

    @rule(party=PARTY, others=st.sets(PARTY), old=STALENESS)
    def override(self, party, others, old):
        for waiting in self.of(party):
            self.act(acts.override(self.treaty, party, waiting.index, [self.one(one, old) for one in sorted(others)]), 0)

    def of(self, party: PartyId) -> list[Recovery]:
        return [one for one in self.replica.roster.recoveries if one.body.party == party]

    @rule(party=PARTY, wrong=st.sampled_from([0, 1, 2]))
    def withdraw_and_come_back(self, party, wrong):
        self.act(acts.withdraw(self.treaty, self.one(party, 0)), wrong)
        self.treaty.now += DAY
        back = replace(self.treaty, seed=100 + self.count).material(party)
        self.count += 1
        self.act(acts.admission(self.treaty, back), wrong, self.renew(back))

    @rule(party=PARTY, wrong=st.sampled_from([0, 0, 1, 2]), what=st.sampled_from(["suspend", "reinstate", "on", "off", "policy"]))
    def founders_decide(self, party, wrong, what):
        makers = {
            "suspend": lambda: acts.suspend(self.treaty, party),
            "reinstate": lambda: acts.reinstate(self.treaty, party),
            "on": lambda: acts.duty(self.treaty, party),
            "off": lambda: acts.duty(self.treaty, party, on=False),
            "policy": lambda: acts.policy(self.treaty),
        }
        self.act(makers[what](), wrong)

    @rule(wrong=st.sampled_from([0, 1, 2]))
    def founders_hand_over(self, wrong):
        new = tuple(acts.signer(self.treaty, self.label()) for _ in range(2))
        act = acts.hand_over(self.treaty, new)
        self.act(act, wrong, lambda: setattr(self.treaty, "founders", new))

    @rule(wrong=st.sampled_from([0, 1, 2]))
    def log_key_changes(self, wrong):
        new = acts.signer(self.treaty, self.label())
        self.act(acts.rotate_log(self.treaty, new), wrong, lambda: setattr(self.treaty, "log_signer", new))

    @rule(days=st.integers(-1, 16), witnesses=st.sets(PARTY), all_of_them=st.booleans())
    def tell(self, days, witnesses, all_of_them):
        at = max(self.replica.roster.witnessed_at, NOW) + days * DAY
        self.act(acts.witnessed(self.treaty, self.witnesses(None if all_of_them else witnesses), at=at), 0)
        self.treaty.now = max(self.treaty.now, self.replica.roster.witnessed_at)

    def witnesses(self, chosen: set[PartyId] | None) -> list[PartyMaterial]:
        """Those of the chosen Parties that have the key which their node is listed with."""
        found = []
        for party, node in counting_witnesses(self.replica.roster).items():
            held = [one for one in self.known[party] if one.signer.public_key == node.signing_key and one.name == node.node]
            found += held[:1] if chosen is None or party in chosen else []
        return found

    @rule(place=st.integers(1, 200))
    def say_again(self, place):
        """Anybody can submit what stands in the log already."""
        self.enter(self.treaty.log[1 + place % (len(self.treaty.log) - 1)])

    @rule(raw=st.binary(max_size=30))
    def rubbish(self, raw):
        assert not self.enter(raw)

    # --- what holds always ---

    @invariant()
    def nobody_serves_two(self) -> None:
        if not hasattr(self, "replica"):
            return
        roster = self.replica.roster
        standing = [record.party_key for record in roster.parties.values() if record.party_key is not None]
        standing += [record.node.signing_key for record in roster.parties.values() if record.node is not None]
        standing += [*roster.governance.founders, roster.governance.log_key]
        assert len(standing) == len(set(standing))
        assert all(sha256(key).digest() in roster.used for key in standing)

    def teardown(self) -> None:
        if not hasattr(self, "replica"):
            return
        whole = self.begun
        for leaf in self.treaty.log[self.begun.frontier.size :]:
            whole = fold(whole, leaf)
        assert whole == self.replica
        assert self.treaty.replica().roster == self.replica.roster
        self.the_clock_goes_on()

    def the_clock_goes_on(self) -> None:
        """Whatever was logged, the witnesses that count can tell a later time, and what waits takes effect."""
        for days in (0, 60):
            if self.witnesses(None) and len(self.witnesses(None)) == len(counting_witnesses(self.replica.roster)):
                at = max(self.replica.roster.witnessed_at, NOW) + days * DAY
                assert self.enter(acts.witnessed(self.treaty, self.witnesses(None), at=at).leaf)
                assert self.replica.roster.witnessed_at == at


def compare(before: Roster, after: Roster, leaf: bytes, *, accepted: bool) -> None:
    """What one entry may have changed."""
    assert after.size == before.size + 1
    if not accepted:
        assert replace(after, size=before.size, alarms=before.alarms) == before
        return
    entry = decode_signed_entry(leaf)
    founders = {one.public_key for one in entry.signatures} & set(before.governance.founders)
    enough = len(founders) >= before.governance.founders_threshold
    assert enough or entry.kind not in BY_FOUNDERS | {EntryKind.ADMIT}
    assert enough or after.governance == before.governance
    assert after.witnessed_at == before.witnessed_at or entry.kind is EntryKind.WITNESSED
    assert after.witnessed_at >= before.witnessed_at
    for party, record in after.parties.items():
        old = before.parties[party]
        assert enough or record.suspended == old.suspended or entry.kind is EntryKind.WITHDRAW
        assert old.revoked <= record.revoked
        if (record.party_key, record.next_key_hash) != (old.party_key, old.next_key_hash):
            explain_keys(before, after, party, entry)


def explain_keys(before: Roster, after: Roster, party: PartyId, entry: SignedEntry) -> None:
    """Nobody's key changes without its commitment, a recovery that waited unvetoed, or a new admission."""
    old, new = before.parties[party], after.parties[party]
    signers = {one.public_key for one in entry.signatures}
    match entry.kind:
        case EntryKind.ROTATE:
            assert new.party_key is not None
            assert sha256(new.party_key).digest() == old.next_key_hash
            assert new.party_key in signers
        case EntryKind.REVOKE:
            body = decode_entry_body(entry.kind, entry.body)
            assert isinstance(body, Revoke)
            assert (new.party_key, new.next_key_hash) == (None, old.next_key_hash)
            assert signers == {old.party_key} == {body.id}
        case EntryKind.WITNESSED:
            (waiting,) = [one for one in before.recoveries if one.body.party == party]
            assert not waiting.stopped
            assert waiting.seen_at is not None
            assert after.witnessed_at - waiting.seen_at >= before.genesis.recovery_wait_s
            assert (new.party_key, new.next_key_hash) == (waiting.body.party_key, waiting.body.next_key_hash)
        case EntryKind.ADMIT:
            assert old.withdrawn
            assert new.party_key in signers
        case _:
            raise AssertionError(f"{entry.kind} changed the keys of {party}")


TestLog = Log.TestCase
TestLog.settings = settings(
    max_examples=60,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)


def test_the_machine_reaches_what_it_is_about():
    """A machine whose every entry is refused holds any invariant."""
    log = Log()
    log.begin()
    log.recover(PARTIES[0], 0, ca=True)
    log.tell(0, set(), all_of_them=True)
    log.tell(16, set(), all_of_them=True)
    log.withdraw_and_come_back(PARTIES[1], 0)
    log.founders_hand_over(0)
    log.log_key_changes(0)
    log.founders_decide(PARTIES[2], 0, "suspend")
    log.rotate(PARTIES[3], 0, 0)

    roster = log.replica.roster
    assert not roster.alarms
    assert roster.party(PARTIES[0]).party_key == log.one(PARTIES[0], 0).key.public_key
    log.teardown()
