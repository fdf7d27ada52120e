"""What a node says of itself beside its calls and behind its replies: the version of its program, and when its certificate ends.

For people's eyes (`gsp peers`), and for no rule: it is read leniently where it is missing, because version 0.1.0 says nothing, and
strictly where it is there; what is not right counts as not said. Who calls is verified elsewhere and never by this.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Final

from federation import limits
from federation.errors import FederationError
from federation.trust.certificate import from_pem
from federation.trust.chain import load_certificate, window_of
from node import limits as node_limits
from node.rpc.calls import Call
from node.use_cases.peer_book import Introduction

VERSION_KEY: Final = "gsp-version-bin"
"""Metadata of a call, and behind a reply: the version of the node's program, in ASCII."""
CERTIFICATE_KEY: Final = "gsp-certificate-end-bin"
"""Metadata behind a reply: when the node's TLS certificate ends, in Unix seconds as 8 bytes. A caller shows its certificate itself."""
_END_BYTES: Final = 8
_VERSION: Final = re.compile(rb"[0-9A-Za-z][0-9A-Za-z.+-]{0,31}\Z")


def introduction(version: str, certificate_ends: int = 0) -> tuple[tuple[str, bytes], ...]:
    """As metadata; nothing for what is empty."""
    said = (
        (VERSION_KEY, version.encode()),
        (CERTIFICATE_KEY, certificate_ends.to_bytes(_END_BYTES) if certificate_ends else b""),
    )
    return tuple((key, value) for key, value in said if value)


def read_introduction(metadata: Mapping[str, str | bytes]) -> Introduction:
    """From metadata as it came: total, and blank where it is wrong."""
    version, end = metadata.get(VERSION_KEY), metadata.get(CERTIFICATE_KEY)
    ends = int.from_bytes(end) if isinstance(end, bytes) and len(end) == _END_BYTES else 0
    return Introduction(
        version=version.decode() if isinstance(version, bytes) and _VERSION.match(version) else "",
        certificate_ends=ends if ends <= limits.TIME_S_MAX else 0,
    )


def introduction_of(call: Call) -> Introduction:
    """Of a caller that was verified: what it says, and the certificate that it shows."""
    shown = next(iter(call.connection().get("x509_pem_cert", ())), b"")
    return Introduction(version=read_introduction(call.metadata()).version, certificate_ends=_end_of(shown))


@functools.lru_cache(maxsize=node_limits.CHANNELS_MAX)
def _end_of(pem: bytes) -> int:
    try:
        return window_of(load_certificate(from_pem(pem))).not_after
    except FederationError:
        return 0
