"""How a command ends, for scripts: the numbers of sysexits.h, so that they mean the same in every program that uses them."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from federation import errors
from federation.errors import FederationError


class ExitCode(IntEnum):
    FINE = 0
    WARNING = 1
    BAD = 2
    USAGE = 64
    DATA = 65
    NOT_FOUND = 66
    UNAVAILABLE = 69
    INTERNAL = 70
    LATER = 75
    MISBEHAVIOUR = 76
    FORBIDDEN = 77
    CONFIGURATION = 78
    INTERRUPTED = 130


MEANINGS: Final[dict[ExitCode, str]] = {
    ExitCode.FINE: "done; an answer that says no is an answer",
    ExitCode.WARNING: (
        "gsp doctor, gsp directory verify, gsp inbox import, gsp outbox export: something needs attention; "
        "gsp audit: the file is not all of it"
    ),
    ExitCode.BAD: "gsp doctor: something is broken",
    ExitCode.USAGE: "the command makes no sense like this",
    ExitCode.DATA: "a code, a file or a message that cannot be read",
    ExitCode.NOT_FOUND: "nothing here has that name, or no pattern knows the code",
    ExitCode.UNAVAILABLE: "a node could not be reached, or cannot work now; this is never the same as not found",
    ExitCode.INTERNAL: "a defect of this program",
    ExitCode.LATER: "not yet: the query is on its way, the answer is to come, or a budget is used up",
    ExitCode.MISBEHAVIOUR: "the other side broke the protocol, or is not who it says",
    ExitCode.FORBIDDEN: "a right is missing",
    ExitCode.CONFIGURATION: "a configuration or an officer's profile cannot be used",
    ExitCode.INTERRUPTED: "stopped by the user",
}

_BY_ERROR: Final[dict[type[FederationError], ExitCode]] = {
    errors.FederationError: ExitCode.INTERNAL,
    errors.PeerMisbehaviour: ExitCode.MISBEHAVIOUR,
    errors.Malformed: ExitCode.DATA,
    errors.Forbidden: ExitCode.FORBIDDEN,
    errors.Unavailable: ExitCode.UNAVAILABLE,
    errors.Overloaded: ExitCode.LATER,
    errors.DeadlinePassed: ExitCode.LATER,
    errors.OperatorMistake: ExitCode.USAGE,
    errors.InvalidScan: ExitCode.DATA,
    errors.InvalidConfiguration: ExitCode.CONFIGURATION,
    errors.NotFound: ExitCode.NOT_FOUND,
    errors.UnknownParty: ExitCode.NOT_FOUND,
}
"""A class that is not listed ends like its nearest ancestor."""


def exit_code(error: FederationError) -> ExitCode:
    """How a command ends that failed like this."""
    return next(_BY_ERROR[ancestor] for ancestor in type(error).__mro__ if ancestor in _BY_ERROR)
