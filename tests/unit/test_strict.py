"""The rules that every decoder shares."""

from __future__ import annotations

from enum import StrEnum

import pytest

from federation import limits
from federation.errors import Conflict, Incompatible, InvalidInput, Malformed, Misuse, NotFound, Oversized
from federation.identity import NodeName, PartyId
from federation.query.items import Item
from federation.v1 import exchange_pb2
from federation.wire.strict import (
    EnumMap,
    ascending,
    at_most,
    decode_node,
    encode,
    encode_node,
    exactly,
    parse,
    seconds,
    text,
    total,
)

ITEMS = EnumMap(exchange_pb2.Item, "ITEM_", Item)


class Short(StrEnum):
    A = "a"


class Renamed(StrEnum):
    NORMAL = "normal"
    HURRIED = "hurried"


@pytest.mark.parametrize(
    ("numbers", "prefix", "members"), [(exchange_pb2.Item, "ITEM_", Short), (exchange_pb2.Urgency, "URGENCY_", Renamed)]
)
def test_a_vocabulary_that_differs_from_its_numbers_stops_the_program(numbers, prefix, members):
    with pytest.raises(Misuse, match="differ"):
        EnumMap(numbers, prefix, members)


@pytest.mark.parametrize("number", [0, 11, 99, -1])
def test_the_unset_and_every_unknown_number_is_refused(number):
    with pytest.raises(Malformed, match="no Item that this version knows"):
        ITEMS.value(number)


def test_a_vocabulary_goes_over_and_back():
    assert [ITEMS.value(ITEMS.number(item)) for item in Item] == list(Item)
    assert ITEMS.ascending(ITEMS.numbers(Item)) == frozenset(Item)
    assert ITEMS.numbers([Item.C, Item.A]) == [1, 3]


@pytest.mark.parametrize("given", [[2, 1], [1, 1], [1, 2, 2]])
def test_a_set_travels_in_order_and_without_repetition(given):
    with pytest.raises(Malformed, match="not in order"):
        ITEMS.ascending(given)
    with pytest.raises(Malformed, match="not in order"):
        ascending(given, "numbers")


def test_what_is_too_long_is_not_even_parsed():
    raw = encode(exchange_pb2.CodeAsked(key="QN1", scan="a" * 100))

    assert parse(exchange_pb2.CodeAsked, raw, bytes_max=len(raw)).key == "QN1"
    with pytest.raises(Oversized, match="a CodeAsked of"):
        parse(exchange_pb2.CodeAsked, raw, bytes_max=len(raw) - 1)


@pytest.mark.parametrize(
    "raw",
    [
        b"\x0a\x03QN1\x12\x00",  # an empty field, spelled out
        b"\x12\x01a\x0a\x03QN1",  # fields in another order
        b"\x0a\x03QN1\x0a\x03QN2",  # a field twice: the last one would win
        b"\x0a\x83\x00QN1",  # a length with a byte too many
        b"\x0a\x03QN1\x18\x01",  # an unknown field
        b"\x0a\x03QN1\x1b\x1c",  # an unknown group
        b"\x0a\x03QN",  # too short
        b"\x0a\x03QN1\x00",  # field number zero
        b"\x0a\x03\xff\xfe\xfd",  # no UTF-8
        b"\x0d\x00\x00\x00\x00",  # another wire type
    ],
)
def test_another_spelling_or_no_message_is_refused(raw):
    with pytest.raises(Malformed):
        parse(exchange_pb2.CodeAsked, raw, bytes_max=1_000)


def test_nesting_without_end_is_refused():
    with pytest.raises(Malformed):
        parse(exchange_pb2.CodeAsked, b"\x1b" * 500, bytes_max=1_000)


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (InvalidInput("a code stands twice"), Malformed),
        (Conflict("no"), Malformed),
        (NotFound("no"), Malformed),
        (ValueError("no"), Malformed),
        (TypeError("no"), Malformed),
        (OverflowError("no"), Malformed),
        (KeyError("no"), Malformed),
        (Oversized("much"), Oversized),
        (Incompatible("new"), Incompatible),
        (Misuse("ours"), Misuse),
    ],
)
def test_what_a_value_refuses_is_the_senders_fault_over_the_wire(raised, expected):
    @total
    def decode():
        raise raised

    with pytest.raises(expected) as refusal:
        decode()
    assert type(refusal.value) is expected


def test_bounds_name_what_is_out_of_bounds():
    with pytest.raises(Malformed, match="a salt has 31 bytes instead of 32"):
        exactly(bytes(31), 32, "a salt")
    with pytest.raises(Oversized, match="3 things; at most 2"):
        at_most(3, 2, "things")
    with pytest.raises(Malformed, match="9999"):
        seconds(limits.TIME_S_MAX + 1)
    assert seconds(limits.TIME_S_MAX) == limits.TIME_S_MAX


@pytest.mark.parametrize("value", ["a\x00b", "\x1b[31m", "a\u202eb", "a\u2028b", "\x85", "\ud800"])
def test_text_has_no_control_characters(value):
    with pytest.raises(Malformed, match="a note holds control characters"):
        text(value, 100, "a note")


@pytest.mark.parametrize(
    "value",
    [
        "\u00ab\u00a0Douanes\u202f\u00bb",
        "\u0645\u06cc\u200c\u062e",
        "\u0915\u094d\u200d\u0937",
        "\u4e2d\u3000\u6587",
        "\u0628\u200f2",
    ],
    ids=["French", "Persian", "Hindi", "Chinese", "Arabic"],
)
def test_text_of_any_script_is_taken(value):
    """With its own spaces, joiners and marks of direction, which Python does not call printable."""
    assert text(value, 100, "a note") == value


def test_text_has_lines_only_where_they_make_sense():
    assert text("a\nb", 3, "a note", lines=True) == "a\nb"
    with pytest.raises(Malformed):
        text("a\nb", 3, "a note")
    with pytest.raises(Malformed):
        text("a\rb", 3, "a note", lines=True)
    with pytest.raises(Oversized):
        text("abcd", 3, "a note")


@pytest.mark.parametrize("party", [None, PartyId("qm")])
def test_a_node_comes_back_as_it_was(party):
    name = NodeName(party=party, node_id="one", domain="gsp.example")

    assert decode_node(encode_node(name)) == name


@pytest.mark.parametrize("changes", [{"party": "QM"}, {"party": "qmm"}, {"node_id": ""}, {"node_id": "a.b"}, {"domain": "local"}])
def test_a_name_that_is_none_is_refused(changes):
    given = {"party": "qm", "node_id": "one", "domain": "gsp.example"} | changes

    with pytest.raises(Malformed):
        decode_node(exchange_pb2.NodeName(**given))
