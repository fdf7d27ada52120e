"""Settings: what a person writes is read strictly, and what is wrong is named."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import InvalidConfiguration
from federation.identity import PartyId
from federation.query.codes import Automation, Purpose
from federation.query.items import Item, ItemState
from federation.trust.entries import AdministratorKind, AuthorityKind
from node.config import (
    AdministratorLine,
    AuthorityLine,
    ContactLine,
    NodeSettings,
    read_member_file,
    read_node_settings,
    read_policy,
    read_secretariat_settings,
    write_settings,
)

GENESIS = "0" * 64


def settings(**changes: object) -> NodeSettings:
    given_settings = {
        "party": "qm",
        "name": "Party qm",
        "domain": "gsp.example",
        "genesis": GENESIS,
        "secretariat": "127.0.0.1:4430",
        "listen": "127.0.0.1:4431",
        "desk": "127.0.0.1:4432",
    }
    return NodeSettings(**given_settings | changes)


def test_settings_come_back_as_they_were_written(tmp_path: Path) -> None:
    written = settings(public="node.qm.example:443", patterns=("own.toml", 'with "quotes".toml'), region=True)
    write_settings(tmp_path / "node.toml", written)

    assert read_node_settings(tmp_path / "node.toml") == written


def test_what_a_party_says_of_itself_comes_back_as_it_was_written(tmp_path: Path) -> None:
    written = settings(
        pilot=True,
        profile="profile.toml",
        authorities=(
            AuthorityLine(kind=AuthorityKind.CUSTOMS, name='Customs, "Nord"'),
            AuthorityLine(kind=AuthorityKind.MARKET_SURVEILLANCE, name="Inspection"),
        ),
        contacts=(ContactLine(name="Focal point", address="focal-point@qm.example"),),
        administrators=(AdministratorLine(kind=AdministratorKind.REGIONAL, name="Union", address="it@qu.example"),),
    )
    write_settings(tmp_path / "node.toml", written)

    assert read_node_settings(tmp_path / "node.toml") == written
    assert "[[authorities]]" in (tmp_path / "node.toml").read_text()


@pytest.mark.parametrize("kind", ["tobacco-industry", "industry", "manufacturer", "Customs", ""])
def test_there_is_no_kind_of_authority_for_the_industry(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "node.toml"
    write_settings(path, settings())
    path.write_text(path.read_text() + f'[[authorities]]\nkind = "{kind}"\nname = "Somebody"\n')

    with pytest.raises(InvalidConfiguration, match=r"authorities\[0\]\.kind") as refused:
        read_node_settings(path)
    assert "Article 8.12" in refused.value.hint
    assert "market-surveillance" in refused.value.hint


@pytest.mark.parametrize(
    "lines",
    [
        '[[contacts]]\nname = "bell \\u0007"\naddress = "a@b.example"',
        '[[administrators]]\nkind = "global"\nname = "A"\naddress = "a@b.example"',
        '[[contacts]]\nname = ""\naddress = "a@b.example"',
        '[[contacts]]\nname = "A"\naddress = "a@b.example"\nphone = "1"',
        "\n".join('[[authorities]]\nkind = "tax"\nname = "' + "\u5c0f" * 190 + '"' for _ in range(110)),
    ],
    ids=["a control character", "an unknown kind", "an empty name", "an unknown field", "more than an entry holds"],
)
def test_what_the_directory_would_refuse_is_refused_at_home(tmp_path: Path, lines: str) -> None:
    path = tmp_path / "node.toml"
    write_settings(path, settings())
    path.write_text(path.read_text() + lines)

    with pytest.raises(InvalidConfiguration, match=r"node\.toml"):
        read_node_settings(path)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("lissten = '127.0.0.1:1'", "lissten"),
        ("log_level = 'loud'", "log_level"),
        ("genesis = 'abc'", "genesis"),
        ("region = 'yes'", "region"),
        ("desk = 'nowhere'", "desk"),
    ],
)
def test_a_wrong_key_or_value_is_named_with_a_hint(tmp_path: Path, line: str, named: str) -> None:
    path = tmp_path / "node.toml"
    write_settings(path, settings())
    kept = [one for one in path.read_text().splitlines() if not one.startswith(f"{named} ")]
    path.write_text("\n".join([*kept, line]))

    with pytest.raises(InvalidConfiguration, match=named) as refused:
        read_node_settings(path)
    assert str(path) in refused.value.hint


def test_a_missing_field_is_named(tmp_path: Path) -> None:
    path = tmp_path / "node.toml"
    path.write_text('party = "qm"\n')

    with pytest.raises(InvalidConfiguration, match="name"):
        read_node_settings(path)


def test_a_party_that_is_none_is_refused(tmp_path: Path) -> None:
    write_settings(tmp_path / "node.toml", settings(party="Q1"))

    with pytest.raises(InvalidConfiguration, match="two lower-case letters"):
        read_node_settings(tmp_path / "node.toml")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfiguration, match=r"secretariat\.toml"):
        read_secretariat_settings(tmp_path / "secretariat.toml")


def test_without_rules_everything_is_answered_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text("")

    assert read_policy(path).standard is Automation.MANUAL
    assert read_policy(path).rules == ()


def test_a_policy_is_read_rule_by_rule(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(
        """
        [[rules]]
        parties = ["qm", "qn"]
        purposes = ["investigation"]
        automation = "automatic"
        items = [{ item = "e", state = "withheld-legal" }]
        codes_max = 10
        """
    )

    (rule,) = read_policy(path).rules

    assert rule.parties == {PartyId("qm"), PartyId("qn")}
    assert rule.purposes == {Purpose.INVESTIGATION}
    assert rule.automation is Automation.AUTOMATIC
    assert [(one.item, one.state) for one in rule.items] == [(Item.E, ItemState.WITHHELD_LEGAL)]


@pytest.mark.parametrize("text", ["[[rules]]", "standard = 'sometimes'", "[[rules]]\nautomation = 'manual'\ncodes_max = 0"])
def test_a_policy_that_cannot_be_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(text)

    with pytest.raises(InvalidConfiguration):
        read_policy(path)


@given(content=st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_any_bytes_are_settings_or_our_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("settings") / "node.toml"
    path.write_bytes(content)
    for read in (read_node_settings, read_member_file, read_secretariat_settings, read_policy):
        with suppress(InvalidConfiguration):
            read(path)
