from __future__ import annotations

import pytest

from federation import limits
from federation.errors import InvalidInput
from federation.identity import PartyId
from federation.trust.join_code import JoinCode, check_address, decode_join_code, encode_join_code

CODE = JoinCode(
    address="join.gsp.example.org:8443",
    party=PartyId("qm"),
    token=bytes(range(16)),
    leaf_sha256=bytes(range(100, 132)),
)
TEXT = encode_join_code(CODE)
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def test_a_code_is_groups_of_eight_without_characters_that_look_alike():
    prefix, *groups = TEXT.split("-")

    assert prefix == "GSP"
    assert {len(group) for group in groups[:-1]} == {8}
    assert 2 <= len(groups[-1]) <= 8
    assert set("".join(groups)) <= set(CROCKFORD)


@pytest.mark.parametrize(
    "written",
    [
        TEXT,
        TEXT.lower(),
        TEXT.replace("-", ""),
        TEXT.replace("-", " - "),
        f"  {TEXT}\r\n",
        "\n".join(TEXT.split("-")),
        TEXT.replace("0", "o").replace("1", "l"),
        TEXT.replace("0", "O").replace("1", "I"),
    ],
)
def test_a_code_is_read_as_people_write_it(written):
    assert decode_join_code(written) == CODE


def test_every_single_slip_is_found():
    for position in range(len("GSP-"), len(TEXT)):
        if TEXT[position] != "-":
            other = CROCKFORD[(CROCKFORD.index(TEXT[position]) + 1) % len(CROCKFORD)]
            with pytest.raises(InvalidInput):
                decode_join_code(TEXT[:position] + other + TEXT[position + 1 :])


def test_a_slip_is_found_in_its_group():
    groups = TEXT.split("-")
    groups[5] = groups[5][:3] + ("X" if groups[5][3] != "X" else "Y") + groups[5][4:]

    with pytest.raises(InvalidInput) as refusal:
        decode_join_code("-".join(groups))

    assert "group 5 " in refusal.value.hint


def test_groups_in_another_order_are_found():
    groups = TEXT.split("-")
    groups[2], groups[3] = groups[3], groups[2]

    with pytest.raises(InvalidInput):
        decode_join_code("-".join(groups))


@pytest.mark.parametrize("count", range(1, len(TEXT.split("-"))))
def test_a_missing_end_is_found(count):
    with pytest.raises(InvalidInput):
        decode_join_code("-".join(TEXT.split("-")[:count]))


@pytest.mark.parametrize(
    "written", ["", "-", "GSP", "GSP-", "hello", "GSP-U", "GSP-00", "GSPÄÖ", "x" * 100_000, "GSP" + " " * 2_000]
)
def test_what_is_no_code_is_refused_with_a_hint(written):
    with pytest.raises(InvalidInput) as refusal:
        decode_join_code(written)

    assert refusal.value.hint


def test_the_token_is_not_in_logs():
    assert "token" not in repr(CODE)
    assert str(CODE.token) not in repr(CODE)


@pytest.mark.parametrize("address", ["a:1", "join.example.org:65535", "192.0.2.1:443", "[2001:db8::1]:8443"])
def test_an_address_is_host_and_port(address):
    assert check_address(address) == address
    assert decode_join_code(
        encode_join_code(JoinCode(address=address, party=CODE.party, token=CODE.token, leaf_sha256=CODE.leaf_sha256))
    )


@pytest.mark.parametrize(
    "address", ["", "host", "host:", ":1", "host:0", "host:65536", "ho st:1", "2001:db8::1:1", "host:1\n", "hôst:1"]
)
def test_an_address_of_another_form_is_refused(address):
    with pytest.raises(InvalidInput):
        check_address(address)


@pytest.mark.parametrize(("token", "leaf"), [(b"", bytes(32)), (bytes(15), bytes(32)), (bytes(16), bytes(31))])
def test_a_token_and_a_hash_have_their_lengths(token, leaf):
    with pytest.raises(InvalidInput):
        JoinCode(address="a:1", party=CODE.party, token=token, leaf_sha256=leaf)


def test_the_longest_code_is_below_the_limit():
    longest = JoinCode(address="a" * 253 + ":65535", party=CODE.party, token=CODE.token, leaf_sha256=CODE.leaf_sha256)

    assert len(encode_join_code(longest)) < limits.JOIN_CODE_CHARACTERS_MAX
    assert decode_join_code(encode_join_code(longest)) == longest
