"""A look at the certificate that somebody shows, without believing it and without saying a word."""

from __future__ import annotations

import asyncio
import ssl

from federation import limits
from federation.errors import Unreachable


async def fetch_certificate(address: str) -> bytes:
    """Look at the certificate that a server shows, in DER. Nothing about it is verified.

    Raises:
        Unreachable: nobody answers there with TLS 1.3.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # the caller compares the hash; no other word is exchanged here
    context.set_alpn_protocols(["h2"])
    host, _, port = address.rpartition(":")
    try:
        async with asyncio.timeout(limits.RPC_TIMEOUT_S):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port), ssl=context)
    except (OSError, TimeoutError) as reason:
        raise Unreachable(
            "no node answers at that address", hint="check the address in the join code and the network"
        ) from reason
    try:
        return writer.get_extra_info("ssl_object").getpeercert(binary_form=True) or b""
    finally:
        writer.transport.abort()
