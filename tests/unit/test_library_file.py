"""The library file convinces whoever has the genesis digest and the log key, and nobody can change it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.boundary.library import check_library
from federation.errors import FederationError, Malformed, Unauthentic
from federation.identity import PartyId
from federation.wire.library import LibraryFile, decode_library_file, encode_library_file
from federation.wire.patterns import encode_pattern_set
from tests.support.patterns import pattern, pattern_set
from tests.support.treaty import Treaty


@pytest.fixture(scope="module")
def treaty():
    made = Treaty.make(seed=62)
    for party in ("qm", "qn", "qo"):
        made.admit(PartyId(party))
    return made


SETS = {party: encode_pattern_set(pattern_set(pattern(owner=party), party=party)) for party in ("qm", "qn")}


@pytest.fixture(scope="module")
def file(treaty):
    for party, encoded in SETS.items():
        treaty.announce(treaty.parties[party], serial=1, pattern_set=encoded)
    return LibraryFile(leaves=tuple(treaty.log), checkpoint=treaty.checkpoint(), sets=tuple(SETS.values()))


def check(treaty, file):
    return check_library(encode_library_file(file), genesis_digest=treaty.genesis_digest, log_key=treaty.log_signer.public_key)


def test_every_set_is_the_one_that_its_party_entered(treaty, file):
    checked = check(treaty, file)

    assert [(one.party, one.problem) for one in checked.pinned] == [("qm", ""), ("qn", "")]
    assert [encode_pattern_set(one.pattern_set) for one in checked.pinned] == list(SETS.values())


def test_a_set_that_is_not_there_is_said(treaty, file):
    checked = check(treaty, replace(file, sets=file.sets[:1]))

    assert [one.pattern_set is None for one in checked.pinned] == [False, True]
    assert checked.pinned[1].problem


def test_what_nobody_entered_is_refused(treaty, file):
    foreign = encode_pattern_set(pattern_set(pattern(owner="qo"), party="qo"))

    with pytest.raises(Unauthentic):
        check(treaty, replace(file, sets=(*file.sets, foreign)))
    with pytest.raises(Malformed):
        check(treaty, replace(file, sets=(*file.sets, file.sets[0])))


def test_another_log_key_another_genesis_and_a_shorter_log_are_refused(treaty, file):
    raw = encode_library_file(file)

    with pytest.raises(Unauthentic):
        check_library(raw, genesis_digest=treaty.genesis_digest, log_key=bytes(32))
    with pytest.raises(Unauthentic):
        check_library(raw, genesis_digest=bytes(32), log_key=treaty.log_signer.public_key)
    with pytest.raises(FederationError):
        check(treaty, replace(file, leaves=file.leaves[:-1]))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_library_file_or_malformed(raw):
    try:
        decode_library_file(raw)
    except FederationError:
        return


@given(st.data())
def test_no_byte_can_be_changed(treaty, file, data):
    raw = bytearray(encode_library_file(file))
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))

    with pytest.raises(FederationError):
        check_library(bytes(raw), genesis_digest=treaty.genesis_digest, log_key=treaty.log_signer.public_key)
