"""What a member signs when a region offers to answer for it."""

from __future__ import annotations

from typing import Any

import pytest

from federation import limits
from federation.boundary.directory import compose_entry
from federation.errors import Forbidden
from node.use_cases.announcing import accept_mandate, offer_mandate
from tests.support.treaty import DAY, NOW, Treaty


@pytest.fixture
def treaty() -> Treaty:
    made = Treaty.make(seed=81)
    made.admit("qr")
    made.admit("qm")
    return made


def accepted(treaty: Treaty, **changes: Any) -> bytes:
    region, member = treaty.parties.values()
    fields = {"region": "qr", "member": "qm", "serial": NOW, "not_after": NOW + DAY} | changes
    offered = compose_entry(treaty.mandate(**fields), [region.key])
    return accept_mandate(offered, treaty.roster, member=member.party, now=NOW, signer=member.key)[1]


def test_an_offer_of_the_program_is_accepted_and_stands_in_the_directory(treaty):
    region, member = treaty.parties.values()
    offered = offer_mandate(treaty.roster, region=region.party, member=member.party, days=3_650, now=NOW, signer=region.key)

    treaty.append(accept_mandate(offered, treaty.roster, member=member.party, now=NOW + DAY, signer=member.key)[1])

    assert treaty.roster.responder(member.party, now=NOW + DAY) == region.party


@pytest.mark.parametrize(
    "changes", [{"not_after": limits.TIME_S_MAX}, {"serial": 2**63}], ids=["for ever", "with a serial that nothing follows"]
)
def test_a_member_does_not_sign_a_mandate_that_it_would_never_get_rid_of(treaty, changes):
    with pytest.raises(Forbidden):
        accepted(treaty, **changes)


def test_a_mandate_for_ever_changes_nothing_although_both_signed_it(treaty):
    region, member = treaty.parties.values()
    treaty.give_mandate(region=region, member=member, not_after=limits.TIME_S_MAX)

    assert treaty.roster.responder(member.party, now=NOW) == member.party
    assert len(treaty.roster.alarms) == 1


def test_two_mandates_of_one_second_follow_each_other(treaty):
    region, member = treaty.parties.values()
    for _ in range(2):
        offered = offer_mandate(treaty.roster, region=region.party, member=member.party, days=1, now=NOW, signer=region.key)
        treaty.append(accept_mandate(offered, treaty.roster, member=member.party, now=NOW, signer=member.key)[1])

    assert not treaty.roster.alarms
    assert [one.mandate.serial for one in treaty.roster.mandates] == [NOW + 1]
