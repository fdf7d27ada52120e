"""Discovery on the local network (mDNS, RFC 6762): a hint where a Secretariat's join port may be, and never more.

Whoever is on the network can announce anything under any name. So a hint is an address and a stranger's word for a domain; it has no
key and no digest, and this module cannot name one. What answers at the address proves itself as always, by the certificate that the
join code pins. zeroconf is an extra (`pip install 'gsp-node[discovery]'`) and is imported when somebody looks or announces.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final

from federation.errors import FederationError, InvalidConfiguration, Unreachable
from federation.identity import check_domain
from node import limits

logger = logging.getLogger(__name__)

SERVICE: Final = "_gsp-join._tcp.local."
_LABEL_BYTES_MAX: Final = 63
"""Of one DNS label: the instance's name is only shown by other programs, the whole domain stands in the text record."""
_ASK_MS: Final = 1_000
_DOMAIN: Final = "domain"


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Hint:
    """What somebody on the network says.

    Attributes:
        domain: of the treaty, as claimed.
        address: host:port of a join port, as claimed.
    """

    domain: str
    address: str


@asynccontextmanager
async def announcing(domain: str, endpoint: str, *, interfaces: Sequence[str] | None = None) -> AsyncIterator[None]:
    """Say on the local network where the join port is, until the block ends. A network that is not there stops nothing.

    Args:
        domain: of the treaty.
        endpoint: host:port under which joining Parties reach it.
        interfaces: addresses of the own network cards; None for all.

    Raises:
        InvalidConfiguration: zeroconf is not installed, or the endpoint names no machine.
    """
    library, addresses = _library(), await _addresses(endpoint)
    port = int(endpoint.rpartition(":")[2])
    info = library.AsyncServiceInfo(
        SERVICE,
        f"{domain[:_LABEL_BYTES_MAX].replace('.', '-')}.{SERVICE}",
        port=port,
        addresses=addresses,
        properties={_DOMAIN: domain},
    )
    try:
        network = _network(library, interfaces)
        await (await network.async_register_service(info, allow_name_change=True))
    except OSError:
        logger.warning("the join port cannot be announced on the local network")
        yield
        return
    try:
        yield
    finally:
        await network.async_close()


async def nearby(seconds: float, *, interfaces: Sequence[str] | None = None) -> tuple[Hint, ...]:
    """What is announced on the local network.

    Raises:
        InvalidConfiguration: zeroconf is not installed.
        Unreachable: there is no network to look at.
    """
    library = _library()
    names: set[str] = set()

    def heard(**change: Any) -> None:  # the library calls it with its own types, of which only the name is used
        if len(names) < limits.HINTS_MAX:
            names.add(str(change["name"]))

    try:
        network = _network(library, interfaces)
    except OSError as error:
        raise Unreachable("this machine has no network to look at", hint="use the address in the join code") from error
    try:
        browser = library.AsyncServiceBrowser(network.zeroconf, [SERVICE], handlers=[heard])
        await asyncio.sleep(seconds)
        await browser.async_cancel()
        infos = [library.AsyncServiceInfo(SERVICE, name) for name in sorted(names)]
        await asyncio.gather(*(info.async_request(network.zeroconf, _ASK_MS) for info in infos))
    finally:
        await network.async_close()
    heard_of = [hints_of(info.properties, info.parsed_addresses(), info.port) for info in infos]
    return tuple(sorted({hint for hints in heard_of for hint in hints})[: limits.HINTS_MAX])


def hints_of(properties: Mapping[bytes, bytes | None], addresses: Sequence[str], port: int | None) -> tuple[Hint, ...]:
    """The hints in one announcement; nothing when it makes no sense, which is no reason to say anything."""
    try:
        domain = check_domain((properties.get(_DOMAIN.encode()) or b"").decode("ascii"))
        hosts = [ip_address(address.partition("%")[0]) for address in addresses[: limits.HINTS_MAX]]
    except (FederationError, ValueError):
        return ()
    if port is None or not 0 < port < 65_536:  # the range of TCP ports
        return ()
    return tuple(
        Hint(domain=domain, address=f"[{host}]:{port}" if host.version == 6 else f"{host}:{port}") for host in hosts
    )  # of IP


async def _addresses(endpoint: str) -> list[bytes]:
    host, _, port = endpoint.rpartition(":")
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
    except (OSError, ValueError) as error:
        raise InvalidConfiguration(f"{endpoint} names no machine that could be announced") from error
    known = {ip_address(str(address[0]).partition("%")[0]) for *_, address in found}
    if any(address.is_unspecified for address in known):
        raise InvalidConfiguration(
            f"{endpoint} cannot be announced: it says no address", hint="set `public_join` to what other machines reach"
        )
    return [address.packed for address in sorted(known, key=lambda one: (one.version, one.packed))]


def _network(library: Any, interfaces: Sequence[str] | None) -> Any:  # the library is an extra, and has no types here
    return library.AsyncZeroconf(**({} if interfaces is None else {"interfaces": list(interfaces)}))


def _library() -> Any:  # as above
    """zeroconf, which not everybody has."""
    try:
        return importlib.import_module("zeroconf.asyncio")
    except ImportError as reason:
        raise InvalidConfiguration(
            "to look around on the local network needs zeroconf, which is not installed", hint="pip install 'gsp-node[discovery]'"
        ) from reason
