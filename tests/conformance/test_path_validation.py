"""The certificates of x509-limbo: none of them is ours, as a leaf or as an anchor, and every refusal is in our words."""

from __future__ import annotations

import functools

import pytest

from federation.errors import Malformed, Unauthentic
from federation.trust import certificate as reading
from tests.support import pki
from tests.support.pki import DOMAIN, NOW, QM
from tests.support.reference import reference_json

CA, ISSUING, ROOT = pki.party_ca(QM).certificate, pki.issuing_ca().certificate, pki.root().certificate
READERS = [
    functools.partial(reading.identify_peer, anchors={QM: [CA]}, domain=DOMAIN, now=NOW),
    functools.partial(reading.verify_node_certificate, ca=CA, party=QM, domain=DOMAIN, now=NOW),
    functools.partial(reading.verify_officer, ca=CA, party=QM, domain=DOMAIN, at=NOW),
    functools.partial(reading.read_party_ca, party=QM, domain=DOMAIN, issuing_ca=ISSUING, root=ROOT, now=NOW),
    functools.partial(reading.read_pinned_ca, party=QM, domain=DOMAIN),
    functools.partial(reading.read_successor_ca, party=QM, domain=DOMAIN, now=NOW),
]


def published_certificates():
    for case in reference_json("crypto/limbo-generated.json")["testcases"]:
        for pem in (case["peer_certificate"], *case["untrusted_intermediates"], *case["trusted_certs"]):
            yield pem.encode()


def test_no_published_certificate_is_ours_and_none_breaks_a_reader():
    read = 0
    for pem in published_certificates():
        try:
            der = reading.from_pem(pem)
        except Malformed:
            continue
        read += 1
        for reader in READERS:
            with pytest.raises((Malformed, Unauthentic)):
                reader(der)

    assert read > 400
