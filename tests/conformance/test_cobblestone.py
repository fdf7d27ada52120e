"""Cobblestone-256 against Wycheproof. Ciphertexts in the file are compressed with zlib, to save room."""

from __future__ import annotations

import zlib
from hashlib import sha512

import pytest

from federation.envelope.suite import open_stream
from federation.errors import Malformed, Unauthentic
from tests.support.reference import reference_json

CASES = reference_json("crypto/c2sp_chunked_encryption_aes_256_gcm_test.json")["testGroups"][0]["tests"]
VALID = [case for case in CASES if case["result"] == "valid"]
INVALID = [case for case in CASES if case["result"] == "invalid"]


def label(case):
    return f"{case['tcId']}-{case['comment'].replace(' ', '-')}"


def open_case(case):
    return open_stream(bytes.fromhex(case["key"]), bytes.fromhex(case["ctx"]), zlib.decompress(bytes.fromhex(case["ct"])))


def test_all_published_streams_are_here():
    assert (len(VALID), len(INVALID)) == (10, 25)


@pytest.mark.parametrize("case", VALID, ids=label)
def test_a_valid_stream_opens(case):
    plaintext = open_case(case)

    assert len(plaintext) == case["msgLength"]
    assert sha512(plaintext).hexdigest() == case["msgSha512"]


@pytest.mark.parametrize("case", INVALID, ids=label)
def test_an_invalid_stream_gives_nothing_away(case):
    with pytest.raises((Unauthentic, Malformed)):
        open_case(case)
