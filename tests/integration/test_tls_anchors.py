"""The certificates in real handshakes: a node's trust store holds Party CAs, and the treaty root is not in it."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager, contextmanager

import grpc
import pytest

from federation.trust.certificate import from_pem, identify_peer, to_pem
from federation.trust.issuing import Authority, issue_join_certificate, key_to_pem, make_request, make_successor_ca
from federation.trust.profile import officer_profile
from tests.support import pki
from tests.support.pki import DOMAIN, QM, QN

NOW = time.time()
"""Handshakes read the machine's clock, so everything here is issued at its time."""
METHOD = "/test.Peers/Name"
QM_CA, QN_CA = pki.party_ca(QM, now=NOW), pki.party_ca(QN, now=NOW)
ROGUE_QM_CA = pki.party_ca(QM, label="rogue", now=NOW)
"""Minted under the real root by whoever holds the issuing CA."""


def anchors(*authorities):
    return b"".join(to_pem(authority.certificate) for authority in authorities)


def end(party, ca):
    """Private key and certificate of a node, in PEM."""
    name = pki.node(party)
    return key_to_pem(pki.key(f"node {name.dns}")), to_pem(pki.node_certificate(name, ca=ca, now=NOW))


class Answer(grpc.GenericRpcHandler):
    """Says who called."""

    def service(self, call):
        async def name(request, context):
            der = from_pem(context.auth_context()["x509_pem_cert"][0])
            pinned = {QM: [QM_CA.certificate], QN: [QN_CA.certificate]}
            return identify_peer(der, anchors=pinned, domain=DOMAIN, now=NOW).dns.encode()

        return grpc.unary_unary_rpc_method_handler(name)


@asynccontextmanager
async def serving(pair, trusted):
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((Answer(),))
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair], trusted, require_client_auth=True))
    await server.start()
    try:
        yield port
    finally:
        await server.stop(None)


async def call(port, pair, trusted, *, expected):
    private_key, certificate = pair
    credentials = grpc.ssl_channel_credentials(trusted, private_key, certificate)
    options = [("grpc.ssl_target_name_override", expected.dns)]
    async with grpc.aio.secure_channel(f"127.0.0.1:{port}", credentials, options) as channel:
        return (await channel.unary_unary(METHOD)(b"", timeout=10)).decode()


@contextmanager
def no_connection():
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        yield
    assert refusal.value.code() is grpc.StatusCode.UNAVAILABLE  # what gRPC makes of every failed handshake


async def test_two_nodes_meet_over_their_pinned_cas():
    async with serving(end(QM, QM_CA), anchors(QN_CA)) as port:
        assert await call(port, end(QN, QN_CA), anchors(QM_CA), expected=pki.node(QM)) == pki.node(QN).dns


async def test_a_rogue_ca_under_the_real_root_calls_nobody():
    async with serving(end(QN, QN_CA), anchors(QM_CA)) as port:
        with no_connection():
            await call(port, end(QM, ROGUE_QM_CA), anchors(QN_CA), expected=pki.node(QN))


async def test_a_rogue_ca_under_the_real_root_answers_nobody():
    async with serving(end(QM, ROGUE_QM_CA), anchors(QN_CA)) as port:
        with no_connection():
            await call(port, end(QN, QN_CA), anchors(QM_CA), expected=pki.node(QM))


async def test_a_party_cannot_answer_in_the_name_of_another():
    async with serving(end(QN, QN_CA), anchors(QN_CA)) as port:
        with no_connection():
            await call(port, end(QN, QN_CA), anchors(QM_CA, QN_CA), expected=pki.node(QM))


async def test_an_officer_certificate_opens_no_connection():
    key = pki.key("officer in tls")
    certificate = pki.forge(
        officer_profile(pki.officer()), QM_CA, public_key=key.public_key(), not_before=int(NOW) - 60, not_after=int(NOW) + 3_600
    )
    async with serving(end(QN, QN_CA), anchors(QM_CA)) as port:
        with no_connection():
            await call(port, (key_to_pem(key), to_pem(certificate)), anchors(QN_CA), expected=pki.node(QN))


async def test_old_and_new_ca_of_a_party_are_trusted_side_by_side():
    key = pki.key("successor")
    successor = Authority(certificate=make_successor_ca(key=key, party=QM, domain=DOMAIN, now=NOW, entropy=pki.entropy), key=key)
    for ca in (QM_CA, successor):
        async with serving(end(QM, ca), anchors(QN_CA)) as port:
            assert await call(port, end(QN, QN_CA), anchors(QM_CA, successor), expected=pki.node(QM)) == pki.node(QN).dns


async def test_the_join_port_is_known_by_its_certificate_alone():
    """Who joins has the hash of this certificate in the join code, and no anchor yet."""
    name, key = pki.node(None, "join"), pki.key("join")
    certificate = to_pem(
        issue_join_certificate(make_request(key), name=name, ca=pki.party_ca(None, now=NOW), now=NOW, entropy=pki.entropy)
    )
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(key_to_pem(key), certificate)]))
    await server.start()
    options = [("grpc.ssl_target_name_override", name.dns)]
    async with grpc.aio.secure_channel(f"127.0.0.1:{port}", grpc.ssl_channel_credentials(certificate), options) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as answer:
            await channel.unary_unary(METHOD)(b"", timeout=10)
    await server.stop(None)

    assert answer.value.code() is grpc.StatusCode.UNIMPLEMENTED  # the handshake went well; nobody serves the method
