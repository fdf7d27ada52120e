"""Rights: the table is whole, and what it does not list nobody may."""

from __future__ import annotations

import inspect
import re
from dataclasses import replace

import pytest

from federation import limits
from federation.errors import Conflict, DeadlinePassed, Forbidden, InvalidInput, Oversized
from federation.query.codes import Purpose
from federation.trust.entries import Authority, AuthorityKind
from node import limits as node_limits
from node.use_cases.administration import Administration
from node.use_cases.attachment_desk import AttachmentDesk, OwnAttachmentDesk
from node.use_cases.auditing import Auditing
from node.use_cases.desk import OwnDesk
from node.use_cases.desk_values import Desk
from node.use_cases.held import Held
from node.use_cases.library_reads import LibraryReads
from node.use_cases.officers import (
    Officer,
    OfficerInvitation,
    OfficerState,
    all_rights,
    check_enrolment,
    granted,
    invited,
    used_code,
    withdrawn,
    without_right,
)
from node.use_cases.parcels import Parcels
from node.use_cases.rights import EVERY_OFFICER, NEEDS, PURPOSEFUL, Grant, Right, add_grant, right_for

CUSTOMS = Authority(kind=AuthorityKind.CUSTOMS, name="Customs")
POLICE = Authority(kind=AuthorityKind.POLICE, name="Police")


def holding(right: Right, *purposes: Purpose, authority: Authority = CUSTOMS) -> Grant:
    wanted = frozenset(purposes) or frozenset(Purpose)
    return Grant(right=right, authority=authority, purposes=wanted if right in PURPOSEFUL else frozenset())


def officer(**fields) -> Officer:
    values = {
        "officer_id": "abcdefgh",
        "name": "Ada Example",
        "authority": CUSTOMS,
        "state": OfficerState.INVITED,
        "created": 0,
        "life_s": limits.OFFICER_CERTIFICATE_LIFE_S,
    }
    return Officer(**{**values, **fields})


def public_methods(kind: type) -> set[str]:
    return {name for name, _ in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_")}


def test_every_method_of_the_desk_the_administration_and_the_library_stands_in_the_table():
    served = (Desk, AttachmentDesk, Administration, LibraryReads, Parcels, Auditing, Held)
    assert set().union(*map(public_methods, served)) == NEEDS.keys() - {"self", "renew"}


def test_every_method_of_the_desk_the_administration_and_the_library_asks_for_its_own_right():
    """And for no other one's, by the name under which the table has it."""
    asked = re.compile(r'(?:_may|_entitlement\.require)\((?:officer|actor), "(\w+)"')
    for kind in (OwnDesk, OwnAttachmentDesk, Administration, LibraryReads, Parcels, Auditing, Held):
        for name in public_methods(kind) & NEEDS.keys():
            found = set(asked.findall(inspect.getsource(getattr(kind, name))))
            assert found in ({name}, {name, "self"}), name


@pytest.mark.parametrize("act", ["", "Resolve", "erase", "prepare", "queries "])
def test_what_the_table_does_not_list_nobody_may(act):
    with pytest.raises(Forbidden, match="nobody"):
        right_for(act, all_rights(CUSTOMS), purpose=None)


@pytest.mark.parametrize("act", NEEDS)
def test_without_a_grant_only_what_every_officer_may_is_possible(act):
    if NEEDS[act] is EVERY_OFFICER:
        assert right_for(act, (), purpose=None) is None
    else:
        with pytest.raises(Forbidden):
            right_for(act, (), purpose=None)


@pytest.mark.parametrize("right", Right)
@pytest.mark.parametrize("act", NEEDS)
def test_one_right_opens_what_the_table_says_and_nothing_else(act, right):
    grants = (holding(right),)
    if NEEDS[act] is EVERY_OFFICER or right in NEEDS[act]:
        assert right_for(act, grants, purpose=None) in {right, None}
    else:
        with pytest.raises(Forbidden):
            right_for(act, grants, purpose=None)


def test_a_purpose_that_was_not_granted_is_refused():
    grants = (holding(Right.ASK, Purpose.DETECTION), holding(Right.ANSWER, Purpose.INVESTIGATION))
    assert right_for("prepare_query", grants, purpose=Purpose.DETECTION) is Right.ASK
    assert right_for("submit_answer", grants, purpose=Purpose.INVESTIGATION) is Right.ANSWER
    with pytest.raises(Forbidden, match="for the purpose investigation"):
        right_for("prepare_query", grants, purpose=Purpose.INVESTIGATION)
    with pytest.raises(Forbidden):
        right_for("submit_answer", grants, purpose=Purpose.DETECTION)


def test_nobody_who_only_reports_or_approves_can_do_anything_in_this_version():
    for right in (Right.REPORT, Right.APPROVE):
        assert not any(right in needed for needed in NEEDS.values())


@pytest.mark.parametrize(
    ("right", "purposes"), [(Right.ASK, ()), (Right.ANSWER, ()), (Right.AUDIT, (Purpose.DETECTION,)), (Right.ADMINISTER, Purpose)]
)
def test_purposes_belong_to_asking_and_answering(right, purposes):
    with pytest.raises(InvalidInput):
        Grant(right=right, authority=CUSTOMS, purposes=frozenset(purposes))


@pytest.mark.parametrize("name", ["", "   ", "a\x1b[2J", "x" * (limits.NAME_CHARACTERS_MAX + 1)])
def test_names_that_cannot_be_shown_are_refused(name):
    with pytest.raises((InvalidInput, Oversized)):
        Grant(right=Right.AUDIT, authority=Authority(kind=AuthorityKind.TAX, name=name))
    with pytest.raises((InvalidInput, Oversized)):
        officer(name=name)


def test_grants_come_together_by_right_and_authority_in_one_order():
    one, other = holding(Right.ASK, Purpose.DETECTION), holding(Right.ASK, Purpose.INVESTIGATION)
    there = holding(Right.ASK, Purpose.DETECTION, authority=POLICE)
    assert add_grant(add_grant((), one), other) == (holding(Right.ASK),)
    assert add_grant((there,), one) == add_grant((one,), there) == (one, there)


def test_grants_are_bounded():
    many = tuple(
        holding(Right.AUDIT, authority=Authority(kind=AuthorityKind.TAX, name=f"Office {number:03}"))
        for number in range(node_limits.GRANTS_PER_OFFICER_MAX)
    )
    with pytest.raises(InvalidInput, match="at most"):
        add_grant(many, holding(Right.ASK))


def test_a_right_is_taken_for_one_authority_or_for_all():
    held = granted(officer(), [holding(Right.AUDIT), holding(Right.AUDIT, authority=POLICE), holding(Right.ASK)])
    assert without_right(held, Right.AUDIT, POLICE).grants == (holding(Right.ASK), holding(Right.AUDIT))
    assert without_right(held, Right.AUDIT, None).grants == (holding(Right.ASK),)
    with pytest.raises(Conflict):
        without_right(held, Right.REPORT, None)


def test_withdrawn_is_for_ever():
    gone = withdrawn(officer(), now=5)
    invitation = OfficerInvitation(token_hash=bytes(32), expires=100)
    for step in (lambda: invited(gone, invitation, now=6), lambda: granted(gone, [holding(Right.ASK)])):
        with pytest.raises(Conflict, match="withdrawn"):
            step()


def test_a_code_is_good_until_it_expires_and_for_one_key():
    invitation = OfficerInvitation(token_hash=b"h" * 32, expires=100)
    waiting = invited(officer(), invitation, now=1)
    used = used_code(waiting, b"k" * 32)
    assert check_enrolment(waiting, token_hash=b"h" * 32, public_key=b"k" * 32, now=99) == waiting
    assert check_enrolment(used, token_hash=b"h" * 32, public_key=b"k" * 32, now=10_000) == used
    with pytest.raises(DeadlinePassed):
        check_enrolment(waiting, token_hash=b"h" * 32, public_key=b"k" * 32, now=100)
    with pytest.raises(Conflict):
        check_enrolment(used, token_hash=b"h" * 32, public_key=b"o" * 32, now=10)
    for nothing in (None, officer(), replace(waiting, invitation=replace(invitation, token_hash=b"o" * 32))):
        with pytest.raises(Forbidden):
            check_enrolment(nothing, token_hash=b"h" * 32, public_key=b"k" * 32, now=10)


def test_a_persons_name_is_in_no_representation():
    assert "Ada Example" not in repr(officer())
