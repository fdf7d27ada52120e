"""Which node a connection belongs to, from its properties alone."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from federation.errors import InvalidConfiguration, Malformed, Unauthentic
from federation.trust.certificate import to_pem
from node.rpc.tls import NodeCredential, ServerTls
from tests.support.rpc import QM, QN, QO, Treaty, node_name, snapshot_of


@pytest.fixture(scope="module")
def treaty() -> Treaty:
    return Treaty()


@pytest.fixture(scope="module")
def caller(treaty) -> NodeCredential:
    return treaty.credential(node_name(QN))


@pytest.fixture
def tls(treaty) -> ServerTls:
    return ServerTls(snapshot_of(treaty, treaty.credential(node_name(QM)), (QM, QN)))


def connection(certificate: bytes, **changes: tuple[bytes, ...]) -> Mapping[str, tuple[bytes, ...]]:
    properties = {
        "ssl_tls_version": (b"TLSv1.3",),
        "ssl_negotiated_key_exchange_group": (b"X25519MLKEM768",),
        "x509_pem_cert": (to_pem(certificate),),
    }
    return properties | changes


def test_a_node_is_known_by_the_certificate_of_its_connection(treaty, tls, caller):
    assert tls.identify(connection(caller.certificate), now=treaty.now) == node_name(QN)


@pytest.mark.parametrize(
    "weaker",
    [{"ssl_tls_version": (b"TLSv1.2",)}, {"ssl_negotiated_key_exchange_group": (b"X25519",)}, {"ssl_tls_version": ()}],
)
def test_a_weaker_connection_identifies_nobody(treaty, tls, caller, weaker):
    with pytest.raises(Unauthentic, match="post-quantum"):
        tls.identify(connection(caller.certificate, **weaker), now=treaty.now)


@pytest.mark.parametrize("certificates", [(), (b"",), (b"no certificate",)])
def test_a_connection_without_a_certificate_identifies_nobody(treaty, tls, caller, certificates):
    with pytest.raises(Malformed):
        tls.identify(connection(caller.certificate, x509_pem_cert=certificates), now=treaty.now)


def test_names_beside_the_certificate_are_not_believed(treaty, tls, caller):
    properties = connection(
        caller.certificate, peer_spiffe_id=(node_name(QO).uri.encode(),), peer_dns=(node_name(QO).dns.encode(),)
    )

    assert tls.identify(properties, now=treaty.now) == node_name(QN)


def test_an_update_holds_from_the_next_identification_on(treaty, tls, caller):
    tls.identify(connection(caller.certificate), now=treaty.now)
    tls.update(snapshot_of(treaty, treaty.credential(node_name(QM)), (QM,)))

    with pytest.raises(Unauthentic, match="pins no CA"):
        tls.identify(connection(caller.certificate), now=treaty.now)


def test_a_key_and_a_certificate_that_do_not_belong_together_are_refused(treaty, caller):
    with pytest.raises(InvalidConfiguration, match="do not belong together"):
        NodeCredential(private_key=caller.private_key, certificate=treaty.credential(node_name(QN)).certificate)


def test_a_key_that_is_none_is_refused(caller):
    with pytest.raises(Malformed, match="cannot be read"):
        NodeCredential(private_key=b"no key", certificate=caller.certificate)


def test_a_credential_does_not_show_its_key(caller):
    assert "PRIVATE" not in repr(caller)
