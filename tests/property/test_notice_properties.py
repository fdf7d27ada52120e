"""Notices from anybody: any bytes, and any bent true one, are refused in our words and change nothing."""

from __future__ import annotations

import asyncio
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from federation.boundary.revocation import read_kept_revocation, read_revocation
from federation.errors import FederationError, PeerMisbehaviour
from federation.ports import Notice, NoticeKind
from federation.trust.entries import RevokedKind
from federation.wire.directory import decode_split_view
from tests.support import acts
from tests.support.directory_bench import Bench, Member, treaty_with


@cache
def stage() -> tuple[Bench, Member, bytes]:
    """A node, and a true revocation that it has not heard of."""
    bench = asyncio.run(Bench.make(treaty_with("qm", "qn")))
    leaf = acts.revoke(bench.treaty, bench["qn"].material, RevokedKind.SIGNING_KEY).leaf
    return bench, bench["qm"], leaf


def taken(notice: Notice) -> bool:
    _, member, _ = stage()
    try:
        asyncio.run(member.notices.learn(notice))
    except PeerMisbehaviour:
        return False
    return True


@given(st.sampled_from(NoticeKind), st.binary(max_size=400))
def test_any_bytes_are_refused(kind, raw):
    assert not taken(Notice(kind=kind, raw=raw))
    _, member, _ = stage()
    assert not member.registry.equivocating
    assert not member.notices.revocations


@settings(max_examples=200)
@given(st.data())
def test_a_revocation_of_which_one_byte_differs_is_refused(data):
    _, member, leaf = stage()
    index = data.draw(st.integers(0, len(leaf) - 1))
    bent = bytearray(leaf)
    bent[index] ^= data.draw(st.integers(1, 255))

    assert not taken(Notice(kind=NoticeKind.REVOCATION, raw=bytes(bent)))
    assert member.registry.roster.parties["qn"].node is not None


@given(st.binary(max_size=400))
def test_readers_of_notices_raise_our_errors_alone(raw):
    _, member, _ = stage()
    for read in (
        decode_split_view,
        read_kept_revocation,
        lambda given: read_revocation(given, member.registry.replica.roster),
    ):
        try:
            read(raw)
        except FederationError:
            continue
        raise AssertionError(raw)
