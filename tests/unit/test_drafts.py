"""Drafts that wait for signatures: one officer fills up neither the table nor the memory for the others."""

from __future__ import annotations

from federation import limits
from federation.envelope.header import MessageKind, Statement
from federation.identity import MessageId, OfficerName, PartyId
from node.use_cases.desk_values import Prepared
from node.use_cases.drafts import Draft, Drafts
from node.use_cases.world import World
from tests.support.treaty import DOMAIN, NOW, entropy

QM = PartyId("qm")
BUSY, CALM = (OfficerName(party=QM, officer_id=officer_id, domain=DOMAIN) for officer_id in ("busybusy", "calmcalm"))


class Clock:
    def now(self) -> float:
        return NOW


def draft_of(officer: OfficerName, number: int, *, size: int = 10) -> Draft:
    message_id = MessageId(officer.officer_id.encode() + number.to_bytes(8))
    statement = Statement(
        message_id=message_id,
        kind=MessageKind.QUERY,
        conversation=message_id,
        in_reply_to=None,
        sender=QM,
        recipient=PartyId("qn"),
        officer_id=officer.officer_id,
        certificate_hash=bytes(32),
        policy_digest=b"",
        created=NOW,
        deadline=NOW + 3_600,
        body_digest=bytes(32),
    )
    return Draft(prepared=Prepared(message_id=message_id, statement=b"", body=bytes(size)), statement=statement, public_key=b"")


def kept(drafts: Drafts[Draft], officer: OfficerName, numbers: range) -> list[int]:
    return [number for number in numbers if drafts.of(officer, draft_of(officer, number).prepared.message_id) is not None]


def test_an_officer_who_prepares_without_end_is_in_nobody_elses_way():
    drafts = Drafts[Draft](World(clock=Clock(), entropy=entropy(1, "drafts")))
    drafts.keep(draft_of(CALM, 0))
    many = range(2 * limits.DRAFTS_MAX)

    for number in many:
        drafts.keep(draft_of(BUSY, number))
    drafts.keep(draft_of(CALM, 1))

    assert kept(drafts, CALM, range(2)) == [0, 1]
    assert kept(drafts, BUSY, many) == list(many[-limits.DRAFTS_PER_OFFICER_MAX :])


def test_large_drafts_of_one_officer_do_not_fill_the_memory():
    drafts = Drafts[Draft](World(clock=Clock(), entropy=entropy(1, "drafts")))
    for number in range(10):
        drafts.keep(draft_of(BUSY, number, size=limits.BODY_BYTES_MAX))

    assert kept(drafts, BUSY, range(10)) == [5, 6, 7, 8, 9]


def test_another_officer_does_not_get_at_a_draft():
    drafts = Drafts[Draft](World(clock=Clock(), entropy=entropy(1, "drafts")))
    drafts.keep(draft_of(BUSY, 1))

    assert drafts.of(CALM, draft_of(BUSY, 1).prepared.message_id) is None
