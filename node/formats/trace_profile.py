"""A Party's track-and-trace profile: a TOML file whose digest and version the Party puts into the directory.

What stands in it is the Party's own matter; here it is read, bounded, and brought into its one encoding, so that whoever has the
file can tell whether it is the one that the directory names. The encoding is that of RFC 8785 (canonical JSON). So that it has one
spelling in every language, a profile holds tables with plain keys, lists, texts, whole numbers and yes or no, and nothing else: a
date is written as text.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from federation import limits
from federation.errors import FederationError, InvalidConfiguration
from federation.text import check_plain

_KEY: Final = re.compile(r"[a-z0-9_-]{1,64}\Z")
_NUMBER_MAX: Final = 2**53 - 1
"""What every reader of JSON holds exactly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceProfile:
    """A profile that was read.

    Attributes:
        version: the Party counts it up with each change.
        encoded: the one encoding.
    """

    version: int
    encoded: bytes

    @property
    def digest(self) -> bytes:
        """How the directory names it."""
        return sha256(self.encoded).digest()


def read_trace_profile(path: Path) -> TraceProfile:
    """Read a profile.

    Raises:
        InvalidConfiguration: it cannot be read, is too large, or holds what has no one spelling; the message names the place.
    """
    try:
        with path.open("rb") as file:
            content = file.read(limits.PROFILE_BYTES_MAX + 1)
    except OSError as error:
        raise InvalidConfiguration(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > limits.PROFILE_BYTES_MAX:
        raise InvalidConfiguration(f"{path.name} has more than {limits.PROFILE_BYTES_MAX} bytes")
    try:
        return parse_trace_profile(content)
    except FederationError as error:
        raise InvalidConfiguration(f"{path.name}: {error.message}", hint=error.hint) from error


def parse_trace_profile(content: bytes) -> TraceProfile:
    """Read the bytes of a profile.

    Raises:
        InvalidConfiguration: as `read_trace_profile`.
    """
    try:
        table = tomllib.loads(content.decode())
        version = table.get("version")
        if not isinstance(version, int) or isinstance(version, bool) or not 1 <= version <= _NUMBER_MAX:
            raise InvalidConfiguration(
                "a profile begins with its version", hint="write `version = 1`, and count it up with each change"
            )
        _check(table, "the profile")
        encoded = json.dumps(table, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidConfiguration(f"the profile is not TOML: {error}") from error
    except RecursionError as error:
        raise InvalidConfiguration("the profile is nested deeper than anybody reads") from error
    return TraceProfile(version=version, encoded=encoded)


def _check(value: Any, place: str) -> None:
    """See that a value has one spelling."""
    match value:
        case bool():
            return
        case int() if -_NUMBER_MAX <= value <= _NUMBER_MAX:
            return
        case str():
            check_plain(value, place, characters_max=limits.PROFILE_BYTES_MAX, lines=True)
        case list():
            for number, one in enumerate(value, start=1):
                _check(one, f"{place}, number {number}")
        case dict():
            _check_table(value, place)
        case _:
            raise InvalidConfiguration(
                f"{place} holds a {type(value).__name__} that has no one spelling",
                hint="write dates, times and numbers with a point as text, between quotation marks",
            )


def _check_table(table: dict[str, Any], place: str) -> None:
    for key, one in table.items():
        if _KEY.match(key) is None:
            raise InvalidConfiguration(f"{place} has the key {key!r}", hint="keys have small letters, digits, - and _")
        _check(one, f"`{key}`")
