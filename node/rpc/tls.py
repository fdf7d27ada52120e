"""TLS as the servers and the channels use it: whose certificates are trusted, and which node is at the other end.

The trust store of a node's server is the CAs of the Parties in the accepted directory and the Secretariat's node CA; a channel's
is the one CA of the Party it dials. The treaty root is in neither: whoever holds it could stand in for any Party
(docs/threat-model.md, pitfall 1).

TLS only keeps strangers out. Which node calls is decided by `ServerTls.identify`, at every call, from the certificate that the
connection was made with and the anchors of this moment; so trust that was removed ends at the next call, not with the connection.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import grpc
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from federation import limits
from federation.errors import InvalidConfiguration, Unauthentic
from federation.identity import NodeName, PartyId
from federation.trust.certificate import from_pem, identify_peer, to_pem
from federation.trust.chain import foreign_bytes, load_certificate, window_of

_VERSION: Final = (b"TLSv1.3",)
_KEY_EXCHANGE: Final = (b"X25519MLKEM768",)
"""What both ends of ours agree on by themselves: nobody who records the traffic reads it with a later quantum computer."""

_to_der = functools.lru_cache(maxsize=limits.VERIFIED_CERTIFICATES_MAX)(from_pem)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeCredential:
    """A node's TLS certificate with its key.

    Attributes:
        private_key: unencrypted PKCS #8 in PEM; it lives in memory only.
        certificate: DER.
    """

    private_key: bytes = field(repr=False)
    certificate: bytes

    def __post_init__(self) -> None:
        """Refuse a pair that does not belong together here: gRPC would tell nobody and go on with the old one."""
        with foreign_bytes("the TLS key of this node cannot be read"):
            key = load_pem_private_key(self.private_key, None)
        if key.public_key() != load_certificate(self.certificate).public_key():
            raise InvalidConfiguration(
                "the TLS key and the TLS certificate of this node do not belong together",
                hint="let the node renew its certificate",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsSnapshot:
    """All that a server's handshakes and identification depend on, at one moment.

    Attributes:
        credential: what the server shows.
        anchors: for each Party in the accepted directory (None: the Secretariat) its CAs in DER, two during a change of CA.
        domain: the treaty's domain.
    """

    credential: NodeCredential
    anchors: Mapping[PartyId | None, Sequence[bytes]]
    domain: str


class ServerTls:
    """The present snapshot, shared by the servers of one node. An update holds from the next handshake and the next call on."""

    def __init__(self, snapshot: TlsSnapshot) -> None:
        self.update(snapshot)

    def update(self, snapshot: TlsSnapshot) -> None:
        """Replace the snapshot, after the roster or our own certificate has changed."""
        self.certificate_ends = window_of(load_certificate(snapshot.credential.certificate)).not_after
        pair = (snapshot.credential.private_key, to_pem(snapshot.credential.certificate))
        roots = b"".join(to_pem(anchor) for anchors in snapshot.anchors.values() for anchor in anchors)
        self._for_guests = grpc.ssl_server_certificate_configuration([pair])
        self._for_nodes = grpc.ssl_server_certificate_configuration([pair], roots) if roots else self._for_guests
        self._snapshot = snapshot

    def node_credentials(self) -> grpc.ServerCredentials:
        """For a port where both ends show certificates."""
        return _dynamic(lambda: self._for_nodes, client_certificate=True)

    def guest_credentials(self) -> grpc.ServerCredentials:
        """For a port where callers have no certificate of a node: joining, and the desk."""
        return _dynamic(lambda: self._for_guests, client_certificate=False)

    def identify(self, connection: Mapping[str, Sequence[bytes]], *, now: float) -> NodeName:
        """Say which node made a connection.

        Args:
            connection: its properties, as gRPC gives them.
            now: Unix seconds.

        Raises:
            Malformed: its certificate is none.
            Unauthentic: no pinned CA verifies the certificate, or the connection is weaker than ours are.
        """
        if connection.get("ssl_tls_version") != _VERSION or connection.get("ssl_negotiated_key_exchange_group") != _KEY_EXCHANGE:
            raise Unauthentic("nodes speak TLS 1.3 with a post-quantum key exchange", hint="update the program at the other end")
        certificate = next(iter(connection.get("x509_pem_cert", ())), b"")
        snapshot = self._snapshot
        return identify_peer(_to_der(certificate), anchors=snapshot.anchors, domain=snapshot.domain, now=now)


def channel_credentials(*, anchors: Sequence[bytes], own: NodeCredential | None) -> grpc.ChannelCredentials:
    """For a channel that trusts the CAs of one Party and nothing else.

    Args:
        anchors: DER of the only certificates that may verify the server's, or of the server's own; at least one.
        own: what we show; None where nobody asks for it.
    """
    if not anchors:  # gRPC would fall back on the roots of the system
        raise Unauthentic("the directory pins no CA for the other node")
    roots = b"".join(map(to_pem, anchors))
    if own is None:
        return grpc.ssl_channel_credentials(roots)
    return grpc.ssl_channel_credentials(roots, own.private_key, to_pem(own.certificate))


def _dynamic(current: Callable[[], grpc.ServerCertificateConfiguration], *, client_certificate: bool) -> grpc.ServerCredentials:
    """Credentials that follow `current`.

    gRPC asks at each handshake, on threads of its own and under a lock, so nothing is built here. None says that nothing has
    changed, and spares it to parse all anchors again.
    """
    given = current()

    def fetch() -> grpc.ServerCertificateConfiguration | None:
        nonlocal given
        latest = current()
        if latest is given:
            return None
        given = latest
        return latest

    return grpc.dynamic_ssl_server_credentials(
        given,
        fetch,  # type: ignore[arg-type]  # the stubs do not know that None is allowed; gRPC's documentation says so
        require_client_authentication=client_certificate,
    )
