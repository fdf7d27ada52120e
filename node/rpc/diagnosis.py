"""Why a connection did not come about, as far as gRPC's words show it.

All failures of TLS look like an unavailable server, so that nodes retry in the dark and operators look in the wrong place
(docs/threat-model.md, pitfall 6). gRPC's text is no interface: what is not recognised here gets the general words and loses
nothing else.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from federation.errors import Unreachable

_CLOCK: Final = (
    "this node's clock says {clock}: compare it with the other node's, and ask there whether the certificate was renewed"
)
_CAUSES: Final = (
    (
        "hostname verification check failed",
        "the certificate at that address names another node",
        "the directory has another address for it than where it runs",
    ),
    ("certificate has expired", "the other node's certificate has expired", _CLOCK),
    ("certificate is not yet valid", "the other node's certificate is not valid yet", _CLOCK),
    (
        "certificate_verify_failed",
        "the certificate at that address was not signed by the CA that the directory pins",
        "somebody else answers there, or the Party has changed its CA and the directory here is old: `gsp doctor` shows its age",
    ),
    ("handshake failed", "TLS with the other node failed", _CLOCK),
    ("errors resolving", "the address of the other node has no entry in DNS", "check the name server of this machine"),
    ("connection refused", "nothing listens at the address of the other node", None),
    ("no route to host", "there is no route to the other node", "check the network and the firewalls between"),
    ("network is unreachable", "the network of the other node is out of reach", "check the network of this machine"),
    ("timed out", "the address of the other node does not answer", "check the network and the firewalls between"),
    ("deadline", "the other node did not answer in time", None),
    (
        "failed to connect to all addresses",
        "the other node ends each connection at once",
        "it may not accept our certificate: its directory may be old, or " + _CLOCK,
    ),
)
"""Words of gRPC in small letters, what they mean, and what to do (None: the outbox repeats). The first that occurs counts."""


def may_be_the_clock(details: str) -> bool:
    """Whether a wrong clock can be the reason, so that the other end's is worth a look.

    Args:
        details: gRPC's own text.
    """
    found = next((hint for words, _, hint in _CAUSES if words in details.lower()), None)
    return found is not None and "{clock}" in found


def diagnosed(details: str, *, now: float) -> Unreachable:
    """Make the error for a call without an answer.

    Args:
        details: gRPC's own text.
        now: Unix seconds; shown where a wrong clock can be the reason.
    """
    for words, message, hint in _CAUSES:
        if words in details.lower():
            clock = f"{datetime.fromtimestamp(now, tz=UTC):%Y-%m-%d %H:%M:%S} UTC"
            return Unreachable(message, hint=hint.format(clock=clock) if hint is not None else None)
    return Unreachable("the connection to the other node broke")
