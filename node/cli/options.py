"""What several verbs take on the command line, read into values at once so that nobody checks a spelling later."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import click

from federation import limits
from federation.errors import FederationError
from federation.identity import MessageId, PartyId, message_id_from_text, party_id
from federation.query.items import ALL_ITEMS, Item

WordType = TypeVar("WordType", bound=StrEnum)
CommandType = TypeVar("CommandType", bound=Callable[..., Any])

_DIGEST_BYTES: Final = 32
_UNITS_S: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


class Sentence(click.ParamType[str]):
    """Words that can cross: a terminal with another encoding gives bytes that are no text."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if any("\ud800" <= character <= "\udfff" for character in value):
            self.fail("this holds bytes that are no text; set the terminal to UTF-8", param, ctx)
        return str(value)


class Duration(click.ParamType[int]):
    """A number and a unit: 30s, 15m, 8h, 7d. Gives seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        number, unit = value[:-1], value[-1:]
        if unit not in _UNITS_S or not (number.isascii() and number.isdigit() and len(number) <= 7):
            self.fail(f"{value!r} is no duration; write 30s, 15m, 8h or 7d", param, ctx)
        return int(number) * _UNITS_S[unit]


class Moment(click.ParamType[int]):
    """A day, 2026-01-31, which is its beginning; or a time, 2026-01-31T12:00:00Z. Both are UTC. Gives Unix seconds."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            moment = datetime.fromisoformat(value)
            seconds = int((moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp())
        except (ValueError, OverflowError):
            seconds = -1
        if not 0 <= seconds <= limits.TIME_S_MAX:
            self.fail(f"{value!r} is no time; write 2026-01-31 or 2026-01-31T12:00:00Z", param, ctx)
        return seconds


class Hexadecimal(click.ParamType[bytes]):
    """A key or a digest: 64 hexadecimal digits."""

    name = "hex"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        try:
            raw = bytes.fromhex(value)
        except ValueError:
            raw = b""
        if len(raw) != _DIGEST_BYTES:
            self.fail("this takes 64 hexadecimal digits", param, ctx)
        return raw


class Items(click.ParamType[frozenset[Item]]):
    """Letters of Article 8.4.1 with commas between, or `all`; `none` asks only whether the code is known."""

    name = "items"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> frozenset[Item]:
        if isinstance(value, frozenset):
            return value
        if value == "all":
            return ALL_ITEMS
        if value == "none":
            return frozenset()
        try:
            return frozenset(Item(letter.strip()) for letter in value.split(","))
        except ValueError:
            self.fail(f"{value!r} names no items; write letters from a to j with commas between, all, or none", param, ctx)


class Word(click.Choice[str], Generic[WordType]):
    """One of a closed vocabulary, by the words that stand everywhere else too."""

    def __init__(self, vocabulary: type[WordType], *, without: frozenset[WordType] = frozenset()) -> None:
        super().__init__([str(word) for word in vocabulary if word not in without])
        self._vocabulary = vocabulary

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return self._vocabulary(super().convert(value, param, ctx))


class QueryId(click.ParamType[MessageId]):
    """The id of a query, as the lists show it."""

    name = "id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> MessageId:
        if isinstance(value, bytes):
            return MessageId(value)
        try:
            return message_id_from_text(value)
        except FederationError as error:
            self.fail(f"{error.message}; {error.hint}", param, ctx)


class PartyParameter(click.ParamType[PartyId]):
    """A Party's two letters."""

    name = "party"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> PartyId:
        try:
            return party_id(value)
        except FederationError as error:
            self.fail(f"{error.message}, {error.hint}", param, ctx)


class Recipient(click.ParamType[PartyId | None]):
    """A Party's code, or `auto`, which gives None."""

    name = "party"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> PartyId | None:
        if value == "auto":
            return None
        try:
            return party_id(value)
        except FederationError as error:
            self.fail(f"{error.message}, {error.hint}", param, ctx)


FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)

json_option: Final = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
rows_option: Final = click.option(
    "--rows", type=click.IntRange(1, 200), default=20, show_default=True, help="How many rows to list."
)


def desk_options(command: CommandType) -> CommandType:
    """What every verb takes that goes to the desk."""
    profile = click.option(
        "--officer",
        "profile_folder",
        metavar="DIR",
        envvar="GSP_OFFICER",
        type=click.Path(file_okay=False, path_type=Path),
        help="The officer's profile; or set GSP_OFFICER.",
    )
    return profile(json_option(command))
