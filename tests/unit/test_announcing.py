"""What a Party says of itself, brought into the directory: from its files, by itself or by a region that administers for it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from federation.boundary.directory import join_signatures, sign_body
from federation.errors import Forbidden, InvalidConfiguration, Malformed, NotFound
from federation.identity import PartyId
from federation.trust.entries import Administrator, AdministratorKind, Authority, AuthorityKind, Contact, EntryKind, MandateScope
from federation.v1 import directory_pb2
from federation.wire.directory import decode_entry_body, encode_entry_body
from node.config import AuthorityLine, ContactLine
from node.formats.particulars import member_particulars, own_particulars
from node.formats.patterns import read_own_set
from node.formats.trace_profile import read_trace_profile
from node.resources import patterns_folder
from node.use_cases.announcing import NOTHING, Particulars, Pin, check_administers, end_mandate, offer_mandate, wanted_update
from node.use_cases.announcing import accept_mandate as accept
from tests.support.treaty import DAY, NOW, Treaty
from tests.unit.test_config import settings

QM = PartyId("qm")
QR = PartyId("qr")
SAYS = Particulars(
    name="Mirandia",
    region=False,
    pilot=True,
    authorities=(Authority(kind=AuthorityKind.TAX, name="Revenue"),),
    contacts=(Contact(name="Desk", address="desk@qm.example"),),
    administrators=(Administrator(kind=AdministratorKind.NATIONAL, name="Ministry", address="it@qm.example"),),
    patterns=Pin(version=3, digest=bytes(32)),
    profile=NOTHING,
)


@pytest.fixture
def treaty() -> Treaty:
    made = Treaty.make(seed=91)
    made.announce(made.admit("qr"), region=True)
    made.announce(made.admit("qm"), pattern_set=b"a set")
    return made


def administered(treaty: Treaty, scope: MandateScope) -> None:
    region, member = treaty.parties[QR], treaty.parties[QM]
    offered = offer_mandate(treaty.roster, region=QR, member=QM, days=30, now=NOW, signer=region.key, scope=scope)
    treaty.append(accept(offered, treaty.roster, member=QM, now=NOW, signer=member.key)[1])


def test_everything_that_is_said_stands_in_the_update_and_is_said_once(treaty):
    update = wanted_update(treaty.roster, QM, SAYS, now=NOW + 5)
    treaty.enter(update, treaty.parties[QM].key)

    stands = treaty.roster.party(QM).update
    assert (stands.display_name, stands.pilot, stands.serial) == ("Mirandia", True, 2)
    assert (stands.authorities, stands.contacts, stands.administrators) == (
        SAYS.authorities,
        SAYS.contacts,
        SAYS.administrators,
    )
    assert (stands.pattern_set_version, stands.profile_version) == (3, 0)
    assert not treaty.roster.alarms
    assert wanted_update(treaty.roster, QM, SAYS, now=NOW + 500) is None


def test_what_is_not_named_stays_for_a_member_and_goes_for_the_party_itself(treaty):
    before = treaty.roster.party(QM).update
    kept = wanted_update(treaty.roster, QM, Particulars(name="M", region=False), now=NOW)
    gone = wanted_update(treaty.roster, QM, Particulars(name="M", region=False, patterns=NOTHING, profile=NOTHING), now=NOW)

    assert kept.pattern_set_digest == before.pattern_set_digest != b""
    assert (gone.pattern_set_version, gone.pattern_set_digest) == (0, b"")


@pytest.mark.parametrize("scope", [MandateScope.ADMINISTER, MandateScope.BOTH])
def test_a_region_that_administers_writes_what_a_member_says(treaty, scope):
    administered(treaty, scope)
    check_administers(treaty.roster, QR, QM, now=NOW)

    treaty.enter(wanted_update(treaty.roster, QM, SAYS, now=NOW), treaty.parties[QR].key)

    assert treaty.roster.party(QM).name == "Mirandia"
    assert not treaty.roster.alarms


def test_a_region_that_answers_does_not_administer(treaty):
    administered(treaty, MandateScope.ANSWER)

    with pytest.raises(Forbidden, match="no mandate to administer") as refused:
        check_administers(treaty.roster, QR, QM, now=NOW)
    assert "--scope" in refused.value.hint
    treaty.enter(wanted_update(treaty.roster, QM, SAYS, now=NOW), treaty.parties[QR].key)
    assert len(treaty.roster.alarms) == 1
    assert treaty.roster.party(QM).name != "Mirandia"


@pytest.mark.parametrize(("own", "other"), [(QR, QM), (QM, QR)], ids=["region", "member"])
def test_either_side_ends_a_mandate_and_no_administrator_is_left(treaty, own, other):
    administered(treaty, MandateScope.BOTH)

    mandate, revoke = end_mandate(treaty.roster, own, other, reason="the member has a node now", now=NOW + DAY)
    treaty.enter(revoke, treaty.parties[own].key)

    assert (mandate.region, mandate.member) == (QR, QM)
    assert not treaty.roster.alarms
    assert treaty.roster.mandate_for(QM, now=NOW + DAY) is None
    with pytest.raises(Forbidden):
        check_administers(treaty.roster, QR, QM, now=NOW + DAY)
    with pytest.raises(NotFound, match="no mandate"):
        end_mandate(treaty.roster, own, other, reason="again", now=NOW + DAY)


def test_an_authority_of_a_kind_that_nobody_knows_is_refused_on_the_wire_and_in_the_log(treaty):
    """There are six kinds and none is the industry's; the seventh number means nothing to anybody."""
    message = directory_pb2.Update.FromString(encode_entry_body(wanted_update(treaty.roster, QM, SAYS, now=NOW)))
    message.authorities.add(kind=7, name="Tobacco industry")
    body = message.SerializeToString(deterministic=True)

    with pytest.raises(Malformed, match="7 is no AuthorityKind"):
        decode_entry_body(EntryKind.UPDATE, body)
    treaty.append(join_signatures(EntryKind.UPDATE, body, [sign_body(EntryKind.UPDATE, body, treaty.parties[QM].key)]))
    assert len(treaty.roster.alarms) == 1
    assert treaty.roster.party(QM).name != "Mirandia"
    assert not any(word in kind for kind in AuthorityKind for word in ("industry", "tobacco", "manufactur", "trade", "other"))


# --- files -----------------------------------------------------------------------------------------------------------------


PROFILE = """
version = 4
system = "national"
in_force_since = "2019-05-20"
items = ["a", "b", "f"]

[shifts]
recorded = false
"""


def test_a_profile_is_named_by_the_hash_of_its_one_encoding(tmp_path: Path):
    path = tmp_path / "profile.toml"
    path.write_text(PROFILE)
    read = read_trace_profile(path)

    assert read.version == 4
    assert read.encoded == (
        b'{"in_force_since":"2019-05-20","items":["a","b","f"],"shifts":{"recorded":false},"system":"national","version":4}'
    )
    assert json.loads(read.encoded)["shifts"] == {"recorded": False}
    assert read.digest == hashlib.sha256(read.encoded).digest()

    path.write_text("# a comment and another order change nothing\n" + PROFILE.replace("\nsystem", "\n\nsystem"))
    assert read_trace_profile(path) == read


@pytest.mark.parametrize(
    "text",
    [
        "",
        "version = 0",
        "version = true",
        "version = 1\nrate = 0.5",
        "version = 1\nsince = 2019-05-20",
        "version = 1\nBig = 1",
        f"version = 1\nnumber = {2**53}",
        'version = 1\nbell = "\\u0007"',
        "version = ",
        "version = 1\nlist = " + "[" * 2_000 + "]" * 2_000,
        "version = 1\ntext = '" + "x" * 70_000 + "'",
    ],
)
def test_a_profile_without_one_spelling_is_refused_with_a_hint(tmp_path: Path, text: str):
    (tmp_path / "profile.toml").write_text(text)

    with pytest.raises(InvalidConfiguration) as refused:
        read_trace_profile(tmp_path / "profile.toml")
    assert refused.value.hint


def test_the_settings_of_a_node_say_everything(tmp_path: Path):
    (tmp_path / "profile.toml").write_text(PROFILE)
    sets = tuple(read_own_set(patterns_folder() / f"demo-{party}.toml") for party in ("qn", "qm"))
    says = own_particulars(
        tmp_path,
        settings(
            profile="profile.toml",
            region=True,
            authorities=(AuthorityLine(kind=AuthorityKind.POLICE, name="Police"),),
            contacts=(ContactLine(name="Desk", address="desk@qm.example"),),
        ),
        sets,
    )

    assert says.patterns.version == sets[1].version
    assert says.profile == Pin(version=4, digest=read_trace_profile(tmp_path / "profile.toml").digest)
    assert (says.region, says.authorities) == (True, (Authority(kind=AuthorityKind.POLICE, name="Police"),))
    assert own_particulars(tmp_path, settings(), ()).profile == NOTHING


def test_a_file_about_a_member_names_what_changes(tmp_path: Path):
    path = tmp_path / "member.toml"
    path.write_text('name = "Orsenna"\n[[contacts]]\nname = "Desk"\naddress = "desk@qo.example"\n')
    says = member_particulars(path, PartyId("qo"))

    assert (says.name, says.region, says.patterns, says.profile) == ("Orsenna", False, None, None)
    assert says.contacts == (Contact(name="Desk", address="desk@qo.example"),)


def test_a_file_about_a_member_with_another_partys_patterns_is_refused(tmp_path: Path):
    path = tmp_path / "member.toml"
    path.write_text(f'name = "Orsenna"\npatterns = "{patterns_folder() / "demo-qn.toml"}"\n')

    with pytest.raises(InvalidConfiguration, match="set of qn"):
        member_particulars(path, PartyId("qo"))
