"""What a Secretariat's node last knew of everybody it waits for, as a file: `gsp secretariat status` reads it, the node running or not.

Written by the node alone; nothing is decided by it except which number the next proposal gets, and the log refuses a wrong one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from federation import limits
from federation.errors import InvalidConfiguration, NotFound
from federation.identity import party_id
from federation.trust.enrolment import Step
from federation.trust.roster import Status
from node import limits as node_limits
from node.use_cases.standing import Standing

Hex32 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
Seconds = Annotated[int, msgspec.Meta(ge=0, le=limits.TIME_S_MAX)]


class PartyLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One Party; `since` is when it came to this step, in Unix seconds. The rest as in `node.use_cases.standing.Standing`."""

    party: str
    step: Step
    since: Seconds
    status: Status | None = None
    fingerprint: str = ""
    founders_signed: int = 0
    founders_needed: int = 0
    confirmed_by: tuple[str, ...] = ()
    confirmations: int = 0
    expires: Seconds = 0


class ProposalLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An entry that waits in `pending/`, other than an admission.

    Attributes:
        file: its name there.
        digits: for reading aloud.
        signed: founders' keys that have signed, in hexadecimal, and others that have to.
        problem: why it is not in the log yet, in the words of its rule.
    """

    file: str
    kind: str
    since: Seconds
    digits: str
    signed: tuple[Hex32, ...] = ()
    needed: int
    problem: str = ""


class StatusFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`status.json`. `serial` is the treaty's; `at` is when the node last wrote it, in Unix seconds. The CAs are DER, the newest.
    `waiting` entries are logged and wait until so many witnesses have cosigned.
    """

    format: Literal["gsp-secretariat-status"] = "gsp-secretariat-status"
    version: Literal[1] = 1
    at: Seconds
    domain: str
    genesis: Hex32
    size: int
    waiting: int = 0
    witnesses_cosigned: int = 0
    witnesses_needed: int = 0
    serial: int
    founders: tuple[Hex32, ...]
    threshold: int
    witness_wait_s: int
    recovery_wait_s: int
    confirmations: int
    log_key: Hex32
    issuing_ca: str
    secretariat_ca: str
    parties: tuple[PartyLine, ...] = ()
    proposals: tuple[ProposalLine, ...] = ()


def read_status(path: Path) -> StatusFile:
    """Read what the node last wrote.

    Raises:
        NotFound: it has never run.
        InvalidConfiguration: the file is damaged.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(node_limits.STATUS_FILE_BYTES_MAX + 1)
        if len(raw) > node_limits.STATUS_FILE_BYTES_MAX:
            raise InvalidConfiguration(f"{path} is larger than the node writes it")
        return msgspec.json.decode(raw, type=StatusFile)
    except FileNotFoundError as error:
        raise NotFound("the Secretariat's node has not run yet", hint="start it: `gsp secretariat run`") from error
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidConfiguration(
            f"{path} cannot be read", hint="delete it; the running node writes it again within a minute"
        ) from error


def encode_status(status: StatusFile) -> bytes:
    """The bytes of the file."""
    return msgspec.json.format(msgspec.json.encode(status), indent=2) + b"\n"


def line_of(standing: Standing, *, since: int) -> PartyLine:
    """A Party's line."""
    return PartyLine(
        party=standing.party,
        step=standing.step,
        since=since,
        status=standing.status,
        fingerprint=standing.fingerprint,
        founders_signed=standing.founders_signed,
        founders_needed=standing.founders_needed,
        confirmed_by=tuple(standing.confirmed_by),
        confirmations=standing.confirmations,
        expires=standing.expires,
    )


def standing_of(line: PartyLine) -> Standing:
    """The value in a line.

    Raises:
        Malformed: it names something that is no Party.
    """
    return Standing(
        party=party_id(line.party),
        step=line.step,
        status=line.status,
        fingerprint=line.fingerprint,
        founders_signed=line.founders_signed,
        founders_needed=line.founders_needed,
        confirmed_by=tuple(party_id(one) for one in line.confirmed_by),
        confirmations=line.confirmations,
        expires=line.expires,
    )
