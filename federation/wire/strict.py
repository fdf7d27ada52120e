"""The rules that every decoder here shares."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import wraps
from itertools import pairwise
from typing import Any, Generic, ParamSpec, TypeVar

from google.protobuf.message import DecodeError, EncodeError, Message

from federation import limits
from federation.errors import FederationError, Malformed, Misuse, OperatorMistake, Oversized
from federation.identity import NodeName, PartyId, party_id
from federation.text import is_plain
from federation.v1 import exchange_pb2

MessageType = TypeVar("MessageType", bound=Message)
EnumType = TypeVar("EnumType", bound=StrEnum)
Ordered = TypeVar("Ordered", int, str, bytes)
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def parse(message_type: type[MessageType], raw: bytes, *, bytes_max: int) -> MessageType:
    """Parse bytes that are exactly the deterministic encoding of a message without unknown fields.

    Raises:
        Oversized: more than `bytes_max` bytes.
        Malformed: anything else that is not that encoding.
    """
    name = message_type.DESCRIPTOR.name
    if len(raw) > bytes_max:
        raise Oversized(f"a {name} of {len(raw)} bytes; at most {bytes_max} are taken")
    try:
        message = message_type.FromString(raw)
        message.DiscardUnknownFields()  # recursive, and in C: cheaper than looking for them
        same = message.SerializeToString(deterministic=True) == raw
    except (DecodeError, EncodeError, ValueError, RecursionError) as error:
        raise Malformed(f"these bytes are no {name}") from error
    if not same:
        raise Malformed(f"a {name} holds an unknown field or is not in its one permitted encoding")
    return message


def encode(message: Message) -> bytes:
    """The one permitted encoding."""
    return message.SerializeToString(deterministic=True)


def total(decoder: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Values refuse what is wrong in themselves as the operator's mistake; over the wire it is the peer's."""

    @wraps(decoder)
    def decode(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        try:
            return decoder(*args, **kwargs)
        except OperatorMistake as error:
            raise Malformed(error.message) from error
        except FederationError:
            raise
        except (ValueError, TypeError, OverflowError, KeyError) as error:
            raise Malformed("a message holds a value that cannot be") from error

    return decode


class EnumMap(Generic[EnumType]):
    """A closed vocabulary and its numbers. It cannot be built when either side has a member that the other lacks."""

    def __init__(self, numbers: Any, prefix: str, members: type[EnumType]) -> None:
        names = {member.name: member for member in members}
        wire = {name.removeprefix(prefix): number for name, number in numbers.items() if number != 0}
        if names.keys() != wire.keys():
            raise Misuse(f"{members.__name__} and its protobuf enum differ: {sorted(names.keys() ^ wire.keys())}")
        self._name = members.__name__
        self._values = {wire[name]: member for name, member in names.items()}
        self._numbers = {member: number for number, member in self._values.items()}

    def number(self, member: EnumType) -> Any:
        """The number on the wire; each generated stub has a number type of its own, hence Any."""
        return self._numbers[member]

    def value(self, number: int) -> EnumType:
        """The member; the unset and every unknown number are refused."""
        try:
            return self._values[number]
        except KeyError:
            raise Malformed(f"{number} is no {self._name} that this version knows") from None

    def ascending(self, numbers: Iterable[int]) -> frozenset[EnumType]:
        """A set, which travels in ascending order without repetition."""
        return frozenset(self.value(number) for number in ascending(numbers, self._name))

    def numbers(self, members: Iterable[EnumType]) -> Any:
        """The same the other way round."""
        return sorted(self._numbers[member] for member in members)


def ascending(given: Iterable[Ordered], what: str) -> list[Ordered]:
    """What travels in ascending order without repetition, so that a set has one spelling."""
    ordered = list(given)
    if any(left >= right for left, right in pairwise(ordered)):
        raise Malformed(f"a set of {what} is not in order")
    return ordered


def exactly(raw: bytes, size: int, what: str) -> bytes:
    """Bytes of one size."""
    if len(raw) != size:
        raise Malformed(f"{what} has {len(raw)} bytes instead of {size}")
    return raw


def at_most(count: int, maximum: int, what: str) -> None:
    """A bound on repetition."""
    if count > maximum:
        raise Oversized(f"{count} {what}; at most {maximum} are taken")


def text(value: str, maximum: int, what: str, *, lines: bool = False) -> str:
    """Text of bounded length that can be shown; line ends where they make sense."""
    if len(value) > maximum:
        raise Oversized(f"{what} has more than {maximum} characters")
    if not is_plain(value, lines=lines):
        raise Malformed(f"{what} holds control characters")
    return value


def seconds(value: int) -> int:
    """A time that a calendar can show."""
    if value > limits.TIME_S_MAX:
        raise Malformed("a time is beyond the year 9999")
    return value


def encode_node(name: NodeName) -> exchange_pb2.NodeName:
    return exchange_pb2.NodeName(party=name.party or "", node_id=name.node_id, domain=name.domain)


def decode_node(message: exchange_pb2.NodeName) -> NodeName:
    party: PartyId | None = party_id(message.party) if message.party else None
    return NodeName(party=party, node_id=message.node_id, domain=message.domain)
