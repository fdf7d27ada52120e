"""Any bytes as a file of a ceremony, of the tray or of the status are a value or one of our errors."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.errors import FederationError, InvalidInput
from federation.identity import PartyId
from federation.trust.entries import EntryKind, Signature
from node.formats.ceremony import (
    FounderFile,
    IssuingFile,
    PlanFile,
    RecoveryFile,
    RootRequestFile,
    SignatureFile,
    encode_file,
    parse_file,
    read_entry,
)
from node.formats.standing import read_status
from node.joining_state import STATE_FILE, read_state
from node.store.tray import Approval, Cosignature, Invite, Signed, Tray

HEX32 = st.binary(min_size=32, max_size=32).map(bytes.hex)
HEX = st.binary(min_size=1, max_size=80).map(bytes.hex)
ADDRESS = st.from_regex(r"[a-z0-9.]{1,20}:[0-9]{1,5}", fullmatch=True)
FILES = st.one_of(
    st.builds(FounderFile, public_key=HEX32),
    st.builds(RootRequestFile, domain=st.text(max_size=20), request=HEX),
    st.builds(IssuingFile, domain=st.text(max_size=20), root=HEX, issuing_ca=HEX),
    st.builds(
        SignatureFile,
        kind=st.sampled_from(EntryKind),
        entry=HEX32,
        public_key=HEX32,
        signature=st.binary(min_size=64, max_size=64).map(bytes.hex),
    ),
    st.builds(
        PlanFile,
        domain=st.text(max_size=20),
        founders=st.lists(HEX32, max_size=3).map(tuple),
        threshold=st.integers(-2, 20),
        first_witnesses=st.lists(st.text(max_size=3), max_size=3).map(tuple),
        confirmations=st.integers(-2, 20),
        listen=ADDRESS,
        join=ADDRESS,
        public=st.none() | ADDRESS,
        public_join=st.none() | ADDRESS,
    ),
    st.builds(
        RecoveryFile,
        party=st.text(max_size=3),
        party_key=HEX32,
        next_key_hash=HEX32,
        party_ca=st.binary(max_size=40).map(bytes.hex),
        reason=st.text(min_size=1, max_size=40),
    ),
)
KINDS = (FounderFile, RootRequestFile, IssuingFile, SignatureFile, PlanFile, RecoveryFile)
SIGNATURES = st.builds(Signature, public_key=st.binary(min_size=32, max_size=32), signature=st.binary(min_size=64, max_size=64))
PARTIES = st.text("abcdefghijklmnopqrstuvwxyz", min_size=2, max_size=2).map(PartyId)
REQUESTS = st.one_of(
    st.builds(
        Invite, party=PARTIES, token_hash=st.binary(min_size=32, max_size=32), created=st.integers(0, 10**9), anew=st.booleans()
    ),
    st.builds(Approval, party=PARTIES, signature=SIGNATURES),
    st.builds(Signed, kind=st.sampled_from(EntryKind), entry=st.binary(min_size=32, max_size=32), signature=SIGNATURES),
    st.builds(Cosignature, note=st.text("abc — \n", max_size=400).map(str.encode)),
)


@settings(max_examples=150, deadline=None)
@given(FILES)
def test_a_file_is_read_back_and_has_one_spelling(file):
    raw = encode_file(file)

    assert parse_file(raw, type(file)) == file
    assert encode_file(parse_file(raw, type(file))) == raw


@settings(max_examples=150, deadline=None)
@given(FILES, st.sampled_from(KINDS))
def test_a_file_of_one_kind_is_no_file_of_another(file, kind):
    if type(file) is not kind:
        with pytest.raises(InvalidInput):
            parse_file(encode_file(file), kind)


@settings(max_examples=150, deadline=None)
@given(FILES, st.data())
def test_a_field_that_is_not_known_is_refused(file, data):
    raw = encode_file(file)
    name = data.draw(st.sampled_from([b"x", b"Public_key", b"signatures"]))

    with pytest.raises(InvalidInput):
        parse_file(raw.replace(b"{", b'{"' + name + b'": 1,', 1), type(file))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300) | FILES.map(encode_file), st.sampled_from(KINDS), st.data())
def test_any_bytes_are_a_file_or_our_error(raw, kind, data):
    if raw:
        place = data.draw(st.integers(0, len(raw) - 1))
        raw = raw[:place] + data.draw(st.binary(max_size=3)) + raw[place + data.draw(st.integers(0, 3)) :]
    with contextlib.suppress(InvalidInput):
        parse_file(raw, kind)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([*EntryKind, "exe", ""]))
def test_any_bytes_are_an_entry_or_our_error(tmp_path_factory, raw, kind):
    path = tmp_path_factory.mktemp("entries") / f"x.{kind}"
    path.write_bytes(raw)
    with contextlib.suppress(FederationError):
        read_entry(path)


@settings(max_examples=100, deadline=None)
@given(REQUESTS)
def test_what_is_laid_into_the_tray_is_taken_from_it(tmp_path_factory, request_):
    tray = Tray(tmp_path_factory.mktemp("tray"))
    tray.put(request_)

    assert [taken for _, taken in tray.take()] == [request_]


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200) | st.just(b"[" * 5_000))
def test_any_bytes_in_the_tray_hide_nothing(tmp_path_factory, raw):
    folder = tmp_path_factory.mktemp("tray")
    Tray(folder).put(Invite(party=PartyId("qm"), token_hash=bytes(32), created=1))
    (folder / "aaa.json").write_bytes(raw)

    assert len(list(Tray(folder).take())) >= 1


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300) | st.just(b"[" * 100_000))
def test_any_bytes_are_a_status_or_our_error(tmp_path_factory, raw):
    folder: Path = tmp_path_factory.mktemp("status")
    (folder / "status.json").write_bytes(raw)
    (folder / STATE_FILE).write_bytes(raw)
    with contextlib.suppress(FederationError):
        read_status(folder / "status.json")
    with contextlib.suppress(FederationError):
        read_state(folder)
