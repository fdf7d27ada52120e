"""A node's TLS certificate: made at each start by the own CA, and made anew at half life while traffic flows.

The key never leaves memory. Servers take the new pair at the next handshake, clients by swapping channels. When the CA changes, a
certificate of the new one is made at once. When none can be made (the module that holds the CA's key is gone, the CA has ended), the
present one stays, and `problem` says why.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final

from federation import limits
from federation.errors import FederationError
from federation.identity import NodeName, PartyId
from federation.trust.chain import Window, load_certificate, window_of
from federation.trust.issuing import Authority, key_from_seed, key_to_pem
from federation.trust.roster import Roster
from node.rpc.channels import Channels
from node.rpc.tls import NodeCredential, ServerTls, TlsSnapshot
from node.use_cases.founding import make_node_certificate
from node.use_cases.world import World

logger = logging.getLogger(__name__)

LOOK_S: Final = 60.0
"""How often the clock is compared with the certificate: a machine that slept is back within a minute."""


def new_credential(world: World, ca: Authority, name: NodeName) -> NodeCredential:
    """A fresh key with a certificate of the own CA."""
    seed, certificate = make_node_certificate(world, ca, name)
    return NodeCredential(private_key=key_to_pem(key_from_seed(seed)), certificate=certificate)


class Identity:
    """What this node shows in handshakes and whom it believes there, kept up to date with the roster and the clock.

    Args:
        world: clock and entropy.
        ca: gives the CA that issues now; it may raise any of our errors.
        name: this node's.
        anchors: whom the directory lists.

    Raises:
        FederationError: what `ca` raises; without any certificate there is no node.
    """

    def __init__(
        self,
        *,
        world: World,
        ca: Callable[[], Authority],
        name: NodeName,
        anchors: Mapping[PartyId | None, Sequence[bytes]],
    ) -> None:
        self._world = world
        self._ca = ca
        self._name = name
        self._anchors = anchors
        self._news = asyncio.Event()
        self._begin(ca())
        self.problem: FederationError | None = None
        self.tls = ServerTls(self._snapshot())

    def _begin(self, ca: Authority) -> None:
        """Show a fresh certificate of this CA."""
        self.credential = new_credential(self._world, ca, self._name)
        self.issuer = ca.certificate

    def _snapshot(self) -> TlsSnapshot:
        return TlsSnapshot(credential=self.credential, anchors=self._anchors, domain=self._name.domain)

    @property
    def window(self) -> Window:
        """When the certificate in use is valid."""
        return window_of(load_certificate(self.credential.certificate))

    def trust(self, roster: Roster) -> None:
        """From the next handshake and the next call on, the Party CAs of this roster are the anchors."""
        self._anchors = roster.anchors()
        self.tls.update(self._snapshot())
        self._news.set()

    async def run(self, channels: Channels | None) -> None:
        """Renew at half life, with up to a tenth of it as jitter, and when the CA has changed, for ever.

        Certificates end by the wall clock, which goes on while a machine sleeps and is set right after it was wrong; timers know
        nothing of either. So the clock is looked at again and again.
        """
        while True:
            jitter = self._world.entropy(1)[0] / 255 * 0.1
            begins = self._world.clock.now() - limits.CERTIFICATE_BACKDATE_S
            renew_at = self._world.clock.now() + limits.NODE_CERTIFICATE_LIFE_S * (0.5 - jitter)
            while begins <= self._world.clock.now() < renew_at and not self._has_another_ca():
                await self._rest()
            while not await self._renewed(channels):
                await self._rest()

    async def _rest(self) -> None:
        """Until it is time to look again, or the directory has news: another CA may issue now."""
        self._news.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_S):
                await self._news.wait()

    def _has_another_ca(self) -> bool:
        """Whether the certificate in use was issued by a CA that issues no more."""
        try:
            changed = self._ca().certificate != self.issuer
        except FederationError as error:
            self._note(error)
            return False
        self.problem = None
        return changed

    async def _renewed(self, channels: Channels | None) -> bool:
        """Show another certificate from now on; False when none can be made."""
        try:
            self._begin(self._ca())
        except FederationError as error:
            self._note(error)
            return False
        self.problem = None
        self.tls.update(self._snapshot())
        if channels is not None:
            await channels.renew(self.credential)
        return True

    def _note(self, error: FederationError) -> None:
        if self.problem is None:
            logger.warning("no node certificate can be made; the present one stays", extra={"problem": error.code})
        self.problem = error
