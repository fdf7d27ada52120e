"""Any bytes are a certificate of ours or `Malformed` or `Unauthentic`; nothing of cryptography's own comes out."""

from __future__ import annotations

import contextlib

import pytest
from cryptography import x509
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from federation.errors import Malformed, Unauthentic
from federation.trust.certificate import (
    from_pem,
    identify_peer,
    read_party_ca,
    read_pinned_ca,
    read_successor_ca,
    to_pem,
    verify_node_certificate,
    verify_officer,
)
from federation.trust.issuing import make_request, read_request
from tests.support import pki
from tests.support.pki import DOMAIN, NOW, QM

REFUSED = (Malformed, Unauthentic)
CA = pki.party_ca(QM).certificate
ISSUING, ROOT = pki.issuing_ca().certificate, pki.root().certificate
CHECKING = [
    read_request,
    lambda der: identify_peer(der, anchors={QM: [CA]}, domain=DOMAIN, now=NOW),
    lambda der: verify_node_certificate(der, ca=CA, party=QM, domain=DOMAIN, now=NOW),
    lambda der: verify_officer(der, ca=CA, party=QM, domain=DOMAIN, at=NOW),
    lambda der: read_party_ca(der, party=QM, domain=DOMAIN, issuing_ca=ISSUING, root=ROOT, now=NOW),
    lambda der: read_party_ca(CA, party=QM, domain=DOMAIN, issuing_ca=der, root=ROOT, now=NOW),
    lambda der: read_party_ca(CA, party=QM, domain=DOMAIN, issuing_ca=ISSUING, root=der, now=NOW),
    lambda der: read_successor_ca(der, party=QM, domain=DOMAIN, now=NOW),
]
"""They check a signature over every byte they are given."""
TRUSTING = [
    from_pem,
    to_pem,
    lambda der: read_pinned_ca(der, party=QM, domain=DOMAIN),
    lambda der: verify_node_certificate(pki.node_certificate(), ca=der, party=QM, domain=DOMAIN, now=NOW),
]
"""They take bytes that are pinned or only carried."""
OURS = [pki.node_certificate(), pki.officer_certificate(), CA, ISSUING, ROOT, make_request(pki.key("request"))]


@pytest.mark.parametrize("read", CHECKING + TRUSTING)
@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=600) | st.binary(max_size=600).map(lambda body: b"\x30\x82" + len(body).to_bytes(2) + body))
def test_any_bytes_are_refused_in_our_words(read, content):
    with pytest.raises(REFUSED):
        read(content)


def see(changed):
    """Every reader refuses the bytes, or takes them as they are where nobody promised more."""
    for read in CHECKING:
        with pytest.raises(REFUSED):
            read(changed)
    for read in TRUSTING:
        with contextlib.suppress(*REFUSED):
            read(changed)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(OURS), st.data())
def test_a_changed_byte_is_seen(original, data):
    """Except in the count of unused bits before the signature, which means nothing: see `certificate_hash`."""
    parsed = x509.load_der_x509_csr(original) if original is OURS[-1] else x509.load_der_x509_certificate(original)
    position = data.draw(st.integers(0, len(original) - 1))
    assume(position != len(original) - len(parsed.signature) - 1)
    changed = bytearray(original)
    changed[position] ^= data.draw(st.integers(1, 255))

    see(bytes(changed))


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(OURS), st.sampled_from(OURS), st.data())
def test_pieces_of_certificates_put_together_are_refused(first, second, data):
    cut, seam = data.draw(st.integers(1, len(first) - 1)), data.draw(st.integers(1, len(second) - 1))
    spliced = first[:cut] + second[seam:]
    assume(spliced not in OURS)

    see(spliced)
