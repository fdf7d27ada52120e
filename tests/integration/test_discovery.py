"""Discovery over real multicast on this machine's loopback: what is announced is found, and what is found is nothing but a hint."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import FederationError, InvalidConfiguration, Unauthentic
from federation.trust.join_code import JoinCode
from node.cli.serving import world
from node.discovery import Hint, announcing, hints_of, nearby
from node.joining import join
from tests.support.centre import a_centre, joining

LOOPBACK = ["127.0.0.1"]


async def announced_in_time(wanted: set[str]) -> set[str]:
    """The addresses that are announced for the treaty, looked for until the wanted ones are among them. On one machine the first reply,
    which goes to one receiver, may go to another socket of the same port; the next question, a second later, is answered to all.
    """
    found: set[str] = set()
    for _ in range(4):
        found |= {hint.address for hint in await nearby(2.5, interfaces=LOOPBACK) if hint.domain == "gsp.example"}
        if wanted <= found:
            break
    return found


async def test_what_is_announced_is_found_and_gone_when_it_ends() -> None:
    async with announcing("gsp.example", "127.0.0.1:4711", interfaces=LOOPBACK):
        assert "127.0.0.1:4711" in await announced_in_time({"127.0.0.1:4711"})

    assert Hint(domain="gsp.example", address="127.0.0.1:4711") not in await nearby(0.5, interfaces=LOOPBACK)


async def test_two_secretariats_of_one_name_are_both_shown_because_nobody_here_can_tell_which_is_true() -> None:
    async with (
        announcing("gsp.example", "127.0.0.1:4712", interfaces=LOOPBACK),
        announcing("gsp.example", "127.0.0.1:4713", interfaces=LOOPBACK),
    ):
        found = await announced_in_time({"127.0.0.1:4712", "127.0.0.1:4713"})

    assert {"127.0.0.1:4712", "127.0.0.1:4713"} <= found


async def test_a_false_hint_leads_to_nobody_whom_the_code_does_not_name(tmp_path: Path) -> None:
    async with a_centre(tmp_path / "true") as true, a_centre(tmp_path / "false") as false:
        code, elsewhere = await true.invite("qm"), await false.invite("qm")
        led_astray: JoinCode = replace(code, address=elsewhere.address)

        with pytest.raises(Unauthentic):
            await join(joining(tmp_path / "qm", led_astray, true.genesis), world())


async def test_an_address_that_says_nothing_is_not_announced() -> None:
    with pytest.raises(InvalidConfiguration, match="says no address"):
        async with announcing("gsp.example", "0.0.0.0:4711", interfaces=LOOPBACK):
            pass


def test_a_hint_has_no_place_for_a_key() -> None:
    assert [field.name for field in fields(Hint)] == ["domain", "address"]


@given(
    st.dictionaries(st.sampled_from([b"domain", b"key"]), st.none() | st.binary(max_size=255)),
    st.lists(st.text(max_size=40) | st.ip_addresses().map(str), max_size=4),
    st.none() | st.integers(-1, 70_000),
)
def test_whatever_is_announced_gives_hints_or_nothing(
    properties: dict[bytes, bytes | None], addresses: list[str], port: int | None
) -> None:
    try:
        found = hints_of(properties, addresses, port)
    except FederationError as error:  # not even ours
        pytest.fail(str(error))
    assert all(hint.domain.encode() == properties[b"domain"] for hint in found)
