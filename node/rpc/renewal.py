"""A node's TLS certificate: made at each start by the own CA, and made anew at half life while traffic flows.

The key never leaves memory. Servers take the new pair at the next handshake, clients by swapping channels.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from federation import limits
from federation.identity import NodeName, PartyId
from federation.trust.chain import load_certificate, window_of
from federation.trust.issuing import Authority, key_from_seed, key_to_pem
from federation.trust.roster import Roster
from node.rpc.channels import Channels
from node.rpc.tls import NodeCredential, ServerTls, TlsSnapshot
from node.use_cases.founding import make_node_certificate
from node.use_cases.world import World

LOOK_S: Final = 60.0
"""How often the clock is compared with the certificate: a machine that slept is back within a minute."""


def new_credential(world: World, ca: Authority, name: NodeName) -> NodeCredential:
    """A fresh key with a certificate of the own CA."""
    seed, certificate = make_node_certificate(world, ca, name)
    return NodeCredential(private_key=key_to_pem(key_from_seed(seed)), certificate=certificate)


class Identity:
    """What this node shows in handshakes and whom it believes there, kept up to date with the roster and the clock."""

    def __init__(
        self,
        *,
        world: World,
        ca: Authority,
        name: NodeName,
        anchors: Mapping[PartyId | None, Sequence[bytes]],
    ) -> None:
        self._world = world
        self._ca = ca
        self._name = name
        self._anchors = anchors
        self.credential = new_credential(world, ca, name)
        self.tls = ServerTls(self._snapshot())

    def _snapshot(self) -> TlsSnapshot:
        return TlsSnapshot(credential=self.credential, anchors=self._anchors, domain=self._name.domain)

    @property
    def not_after(self) -> float:
        """Unix seconds at which the certificate in use ends."""
        return window_of(load_certificate(self.credential.certificate)).not_after

    def trust(self, roster: Roster) -> None:
        """From the next handshake and the next call on, the Party CAs of this roster are the anchors."""
        self._anchors = roster.anchors()
        self.tls.update(self._snapshot())

    async def run(self, channels: Channels | None) -> None:
        """Renew at half life, with up to a tenth of it as jitter, for ever.

        Certificates end by the wall clock, which goes on while a machine sleeps and is set right after it was wrong; timers know
        nothing of either. So the clock is looked at again and again.
        """
        while True:
            jitter = self._world.entropy(1)[0] / 255 * 0.1
            begins = self._world.clock.now() - limits.CERTIFICATE_BACKDATE_S
            renew_at = self._world.clock.now() + limits.NODE_CERTIFICATE_LIFE_S * (0.5 - jitter)
            while begins <= self._world.clock.now() < renew_at:  # noqa: ASYNC110  # nobody tells when a wall clock is set
                await asyncio.sleep(LOOK_S)
            self.credential = new_credential(self._world, self._ca, self._name)
            self.tls.update(self._snapshot())
            if channels is not None:
                await channels.renew(self.credential)
