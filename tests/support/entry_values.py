"""Hypothesis strategies for the entries of the directory log, one for each kind. Whatever they give can be encoded."""

from __future__ import annotations

from hypothesis import strategies as st

from federation import limits
from federation.identity import NodeName
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
    Signature,
    SignedEntry,
    Suspend,
    TreatyPolicy,
    Update,
    Veto,
    Withdraw,
    Witnessed,
    mandate_id,
)
from federation.trust.split import SplitView
from tests.support.values import (
    DIGESTS,
    DOMAINS,
    PARTIES,
    PATHS,
    SIGNATURES,
    TIMES,
    UINT32,
    UINT64,
    Strategy,
    distinct,
    some,
    texts,
)

CERTIFICATES = st.binary(max_size=40)
CONFIRMATIONS = st.integers(0, limits.CONFIRMATIONS_MAX)
ENTRY_SIGNATURES = distinct(st.builds(Signature, public_key=DIGESTS, signature=SIGNATURES), by=lambda one: one.public_key).map(
    lambda signatures: tuple(sorted(signatures, key=lambda one: one.public_key))
)
SIGNED_ENTRIES = st.builds(SignedEntry, kind=st.sampled_from(EntryKind), body=st.binary(max_size=40), signatures=ENTRY_SIGNATURES)
GENESES = distinct(DIGESTS, least=1, most=5).flatmap(
    lambda founders: st.builds(
        Genesis,
        created=TIMES,
        origin=texts(),
        domain=DOMAINS,
        log_key=DIGESTS,
        root_certificate=CERTIFICATES,
        issuing_ca=CERTIFICATES,
        secretariat_ca=CERTIFICATES,
        founders=st.just(tuple(sorted(founders))),
        founders_threshold=st.integers(1, len(founders)),
        witness_wait_s=TIMES,
        recovery_wait_s=TIMES,
        first_witnesses=distinct(PARTIES).map(sorted).map(tuple),
        confirmations=CONFIRMATIONS,
    )
)
ADMITS = st.builds(
    Admit,
    created=TIMES,
    party=PARTIES,
    party_key=DIGESTS,
    next_key_hash=DIGESTS,
    party_ca=CERTIFICATES,
    issuing_ca=CERTIFICATES,
)
PINNED = st.tuples(st.integers(1, 2**64 - 1), DIGESTS) | st.just((0, b""))
UPDATES = st.tuples(PINNED, PINNED).flatmap(
    lambda pinned: st.builds(
        Update,
        created=TIMES,
        party=PARTIES,
        serial=UINT64,
        display_name=texts(),
        region=st.booleans(),
        authorities=some(st.builds(Authority, kind=st.sampled_from(AuthorityKind), name=texts())),
        contacts=some(st.builds(Contact, name=texts(), address=texts())),
        pattern_set_version=st.just(pinned[0][0]),
        pattern_set_digest=st.just(pinned[0][1]),
        administrators=some(st.builds(Administrator, kind=st.sampled_from(AdministratorKind), name=texts(), address=texts())),
        pilot=st.booleans(),
        profile_version=st.just(pinned[1][0]),
        profile_digest=st.just(pinned[1][1]),
    )
)
NODE_ENTRIES = st.tuples(PARTIES, distinct(UINT32, least=1)).flatmap(
    lambda given: st.builds(
        NodeEntry,
        created=TIMES,
        party=st.just(given[0]),
        serial=UINT64,
        node=st.builds(NodeName, party=st.just(given[0]), node_id=st.just("one"), domain=DOMAINS),
        endpoint=st.integers(1, 65_535).map(lambda port: f"one.{given[0]}.nodes.gsp.example:{port}"),
        signing_key=DIGESTS,
        suites=st.just(tuple(sorted(given[1]))),
        min_suite=st.sampled_from(given[1]),
    )
)
TWO_PARTIES = distinct(PARTIES, least=2, most=2)
MANDATES = TWO_PARTIES.flatmap(
    lambda two: st.builds(
        Mandate,
        created=TIMES,
        region=st.just(two[0]),
        member=st.just(two[1]),
        serial=UINT64,
        not_after=TIMES,
        scope=st.sampled_from(MandateScope),
    )
)
CONFIRMS = TWO_PARTIES.flatmap(
    lambda two: st.builds(Confirm, created=TIMES, party=st.just(two[0]), subject=st.just(two[1]), admit_digest=DIGESTS)
)
CAS = st.builds(Ca, created=TIMES, party=PARTIES, serial=UINT64, party_ca=CERTIFICATES)
ROTATES = st.builds(Rotate, created=TIMES, party=PARTIES, party_key=DIGESTS, next_key_hash=DIGESTS)
INDEXES = st.integers(0, limits.TREE_SIZE_MAX)
VETOES = st.builds(Veto, created=TIMES, party=PARTIES, recover_index=INDEXES)
OVERRIDES = st.builds(Override, created=TIMES, party=PARTIES, recover_index=INDEXES)
REVOKES = st.sampled_from(RevokedKind).flatmap(
    lambda kind: st.builds(
        Revoke,
        created=TIMES,
        party=PARTIES,
        kind=st.just(kind),
        id=MANDATES.map(mandate_id) if kind is RevokedKind.MANDATE else DIGESTS,
        reason=texts(),
    )
)
WITHDRAWS = st.builds(Withdraw, created=TIMES, party=PARTIES, admit_digest=DIGESTS)
RECOVERS = st.builds(
    Recover,
    created=TIMES,
    serial=UINT64,
    party=PARTIES,
    party_key=DIGESTS,
    next_key_hash=DIGESTS,
    party_ca=CERTIFICATES,
    reason=texts(),
)
SUSPENDS = st.builds(Suspend, created=TIMES, serial=UINT64, party=PARTIES, reason=texts())
REINSTATES = st.builds(Reinstate, created=TIMES, serial=UINT64, party=PARTIES)
DUTIES = st.builds(Duty, created=TIMES, serial=UINT64, party=PARTIES, on=st.booleans())
POLICIES = st.builds(
    TreatyPolicy, created=TIMES, serial=UINT64, witness_wait_s=TIMES, recovery_wait_s=TIMES, confirmations=CONFIRMATIONS
)
FOUNDERS = distinct(DIGESTS, least=1, most=5).flatmap(
    lambda founders: st.builds(
        Founders,
        created=TIMES,
        serial=UINT64,
        founders=st.just(tuple(sorted(founders))),
        threshold=st.integers(1, len(founders)),
    )
)
LOG_ROTATIONS = st.builds(RotateLog, created=TIMES, serial=UINT64, log_key=DIGESTS)
ISSUER_ROTATIONS = st.builds(
    RotateIssuer,
    created=TIMES,
    serial=UINT64,
    issuing_ca=CERTIFICATES,
    secretariat_ca=CERTIFICATES,
    retire_former=st.booleans(),
)
WITNESSED = st.builds(Witnessed, created=TIMES, checkpoint=st.binary(max_size=40))
SPLIT_VIEWS = st.builds(SplitView, older=st.binary(max_size=40), newer=st.binary(max_size=40), root=DIGESTS, hashes=PATHS)
BODIES: dict[EntryKind, Strategy[EntryBody]] = {
    EntryKind.GENESIS: GENESES,
    EntryKind.ADMIT: ADMITS,
    EntryKind.UPDATE: UPDATES,
    EntryKind.NODE: NODE_ENTRIES,
    EntryKind.MANDATE: MANDATES,
    EntryKind.CONFIRM: CONFIRMS,
    EntryKind.CA: CAS,
    EntryKind.ROTATE: ROTATES,
    EntryKind.RECOVER: RECOVERS,
    EntryKind.VETO: VETOES,
    EntryKind.OVERRIDE: OVERRIDES,
    EntryKind.REVOKE: REVOKES,
    EntryKind.SUSPEND: SUSPENDS,
    EntryKind.REINSTATE: REINSTATES,
    EntryKind.WITHDRAW: WITHDRAWS,
    EntryKind.DUTY: DUTIES,
    EntryKind.POLICY: POLICIES,
    EntryKind.FOUNDERS: FOUNDERS,
    EntryKind.ROTATE_LOG: LOG_ROTATIONS,
    EntryKind.ROTATE_ISSUER: ISSUER_ROTATIONS,
    EntryKind.WITNESSED: WITNESSED,
}
"""What the body of each kind can hold."""
