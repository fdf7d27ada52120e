"""The file that is carried: what one proves, and everything that is none, is not for us, is not theirs or is too old."""

from __future__ import annotations

from dataclasses import replace

import pytest

from federation import limits
from federation.boundary.parcels import compose_parcel, first_line, open_parcel, verify_parcel
from federation.delivery.parcel import LogTail, Parcel, RefusedEnvelope
from federation.errors import Forbidden, Incompatible, Malformed, Misuse, Oversized, Stale, Unauthentic, UnknownParty
from federation.identity import MessageId, PartyId
from federation.trust import keys
from federation.trust.entries import RevokedKind
from federation.wire.parcel import encode_parcel, encode_signed_parcel
from tests.support.acts import log, revoke, signer
from tests.support.treaty import DAY, NOW, Treaty

REFUSED = RefusedEnvelope(message_id=MessageId(bytes(16)), digest=bytes(32), code="unauthentic")
QM, QN, QO = PartyId("qm"), PartyId("qn"), PartyId("qo")


@pytest.fixture
def treaty() -> Treaty:
    made = Treaty.make(seed=32)
    for party in ("qm", "qn", "qo"):
        made.admit(party)
    return made


def parcel(treaty: Treaty, **changes) -> Parcel:
    given = Parcel(
        parcel_id=bytes(range(16)),
        sender=treaty.parties[QM].name,
        recipient=treaty.parties[QN].name,
        created=NOW,
        receipts=(b"a receipt",),
        envelopes=(b"an envelope", b"another"),
        bundles=(b"a bundle",),
        log=LogTail(first=3, checkpoint=b"a note", leaves=(b"a leaf",)),
        refusals=(REFUSED,),
    )
    return replace(given, **changes)


def file_of(treaty: Treaty, **changes) -> bytes:
    return compose_parcel(parcel(treaty, **changes), treaty.parties[QM].signer)


def read(treaty: Treaty, raw: bytes, *, own: PartyId = QN, now: float = NOW) -> Parcel:
    return verify_parcel(open_parcel(raw), roster=treaty.roster, own=treaty.parties[own].name, now=now)


def test_a_parcel_comes_back_as_it_was_and_says_on_its_first_line_what_it_is(treaty):
    raw = file_of(treaty)

    assert read(treaty, raw) == parcel(treaty)
    line = raw.partition(b"\n")[0].decode()
    assert line == f"gsp parcel 1: sealed messages from qm to qn, made 2027-01-15 08:00:00 UTC, file {bytes(range(16)).hex()}"


def test_the_same_content_is_the_same_file(treaty):
    assert file_of(treaty) == file_of(treaty)


def test_a_parcel_for_somebody_else_is_refused_with_both_names(treaty):
    with pytest.raises(Forbidden, match=r"for one\.qn.*this node is one\.qo") as caught:
        read(treaty, file_of(treaty), own=QO)

    assert "carry it" in caught.value.hint


def test_a_parcel_of_our_own_is_refused(treaty):
    mine = compose_parcel(parcel(treaty, recipient=treaty.parties[QM].name), treaty.parties[QM].signer)

    with pytest.raises(Forbidden, match="made this parcel itself"):
        read(treaty, mine, own=QM)


def test_a_parcel_under_another_key_than_the_directorys_is_forged(treaty):
    for other in (signer(treaty, "stranger"), treaty.parties[QO].signer, treaty.parties[QM].key):
        with pytest.raises(Unauthentic, match="as the directory here lists it") as caught:
            read(treaty, compose_parcel(parcel(treaty), other))
        assert "gsp doctor" in caught.value.hint


def test_a_signature_of_another_kind_over_the_same_bytes_is_none(treaty):
    content = encode_parcel(parcel(treaty))
    for message in (content, keys.pae("parcel", content), keys.pae("bundle", keys.digest("gsp/v1/parcel", content))):
        raw = first_line(parcel(treaty)) + encode_signed_parcel(content, treaty.parties[QM].signer.sign(message))
        with pytest.raises(Unauthentic):
            read(treaty, raw)


def test_a_node_that_the_directory_does_not_list_sends_no_parcels(treaty):
    for name in (replace(treaty.parties[QM].name, node_id="node2"), replace(treaty.parties[QM].name, party=PartyId("qz"))):
        with pytest.raises(UnknownParty):
            read(treaty, file_of(treaty, sender=name))
    with pytest.raises(UnknownParty):
        read(treaty, file_of(treaty, sender=replace(treaty.parties[QM].name, party=None)))


def test_a_parcel_under_a_key_that_was_revoked_since_is_refused(treaty):
    raw = file_of(treaty)
    log(treaty, revoke(treaty, treaty.parties[QM], RevokedKind.SIGNING_KEY))

    with pytest.raises(UnknownParty):
        read(treaty, raw)


def test_an_old_parcel_and_one_from_the_future_are_refused_with_both_clocks(treaty):
    raw = file_of(treaty)
    assert read(treaty, raw, now=NOW + 21 * DAY) == parcel(treaty)
    assert read(treaty, raw, now=NOW - 299) == parcel(treaty)

    with pytest.raises(Stale, match="here it is") as old:
        read(treaty, raw, now=NOW + 21 * DAY + 301)
    with pytest.raises(Unauthentic, match="from the future") as early:
        read(treaty, raw, now=NOW - 301)

    assert "new one" in old.value.hint
    assert "clocks" in early.value.hint


def test_a_parcel_that_was_cut_off_anywhere_is_none(treaty):
    raw = file_of(treaty)
    for end in range(len(raw)):
        with pytest.raises(Malformed) as caught:
            open_parcel(raw[:end])
        assert caught.value.hint


def test_a_byte_that_was_changed_anywhere_is_noticed(treaty):
    raw = file_of(treaty)
    for place in range(len(raw)):
        changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        with pytest.raises((Malformed, Incompatible, Unauthentic, Forbidden, UnknownParty)):
            read(treaty, changed)


def test_another_version_is_told_from_a_damaged_file(treaty):
    raw = file_of(treaty)
    with pytest.raises(Incompatible, match="another version"):
        open_parcel(raw.replace(b"gsp parcel 1:", b"gsp parcel 2:"))

    content = encode_parcel(parcel(treaty))
    assert content.startswith(b"\x08\x01")
    inside = first_line(parcel(treaty)) + encode_signed_parcel(b"\x08\x02" + content[2:], bytes(64))
    with pytest.raises(Incompatible, match="version 2"):
        open_parcel(inside)


def test_what_is_no_parcel_at_all_is_told_so(treaty):
    for raw in (b"", b"\n", b"PK\x03\x04 a zip file", b"gsp parcel 1: without an end" + b"x" * 2_000, file_of(treaty)[1:]):
        with pytest.raises(Malformed, match="no parcel") as caught:
            open_parcel(raw)
        assert "gsp outbox export" in caught.value.hint


def test_a_first_line_that_says_something_else_is_refused(treaty):
    raw = file_of(treaty)
    for wrong in (
        raw.replace(b"from qm to qn", b"from qm to qo", 1),
        raw.replace(b"\n", b" \n", 1),
        raw.replace(b"UTC", b"CET", 1),
    ):
        with pytest.raises(Malformed, match="first line"):
            open_parcel(wrong)


def test_a_file_is_taken_up_to_the_last_byte_and_not_with_one_more(treaty):
    room = limits.PARCEL_BYTES_MAX - len(file_of(treaty, envelopes=(b"",) * 1))
    largest = file_of(treaty, envelopes=(bytes(room - 6),))
    while len(largest) < limits.PARCEL_BYTES_MAX:
        room += limits.PARCEL_BYTES_MAX - len(largest)
        largest = file_of(treaty, envelopes=(bytes(room - 6),))

    assert len(largest) == limits.PARCEL_BYTES_MAX
    assert read(treaty, largest).envelopes == (bytes(room - 6),)
    with pytest.raises(Oversized, match=f"{limits.PARCEL_BYTES_MAX + 1} bytes") as caught:
        open_parcel(largest + b"\0")
    assert caught.value.hint
    with pytest.raises(Oversized):
        file_of(treaty, envelopes=(bytes(room - 5),))


@pytest.mark.parametrize(
    "changes",
    [
        {"receipts": (b"r",) * (limits.PARCEL_RECEIPTS_MAX + 1)},
        {"envelopes": (b"e",) * (limits.PARCEL_MESSAGES_MAX + 1)},
        {"bundles": (b"b",) * (limits.PARCEL_BUNDLES_MAX + 1)},
        {"refusals": (REFUSED,) * (limits.PARCEL_MESSAGES_MAX + 1)},
        {"log": LogTail(first=0, checkpoint=bytes(limits.CHECKPOINT_BYTES_MAX + 1), leaves=(b"l",))},
        {"log": LogTail(first=0, checkpoint=b"c", leaves=(bytes(limits.ENTRY_BYTES_MAX + 1),))},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_more_of_anything_than_the_limits_allow_is_refused(treaty, changes):
    with pytest.raises(Oversized):
        open_parcel(file_of(treaty, **changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"receipts": (b"",)},
        {"envelopes": (b"an envelope", b"")},
        {"bundles": (b"",)},
        {"log": LogTail(first=0, checkpoint=b"c", leaves=())},
        {"log": LogTail(first=0, checkpoint=b"c", leaves=(b"",))},
        {"log": LogTail(first=2**64 - 1, checkpoint=b"c", leaves=(b"l",))},
        {"parcel_id": bytes(15)},
        {"created": 2**63},
    ],
    ids=str,
)
def test_what_cannot_be_is_refused(treaty, changes):
    content = encode_parcel(parcel(treaty, **changes))

    with pytest.raises(Malformed):
        open_parcel(first_line(parcel(treaty)) + encode_signed_parcel(content, bytes(64)))


def test_a_refusal_for_a_reason_that_nobody_knows_is_refused(treaty):
    content = encode_parcel(parcel(treaty))
    assert content.count(b"unauthentic") == 1
    for word in (b"unavailable", b"UNAUTHENTIC"):
        with pytest.raises(Malformed, match="reason"):
            open_parcel(first_line(parcel(treaty)) + encode_signed_parcel(content.replace(b"unauthentic", word), bytes(64)))


def test_a_refusal_is_the_error_that_the_network_would_have_brought():
    assert type(REFUSED.error()) is Unauthentic
    with pytest.raises(Misuse):
        replace(REFUSED, code="unreachable")
