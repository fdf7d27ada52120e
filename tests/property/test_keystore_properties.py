"""Any bytes as a keystore file give only our errors."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.errors import InvalidConfiguration, InvalidInput, Unauthentic
from node.keystore import Cost, Keystore

PASSPHRASE = b"correct horse battery"
REFUSED = (InvalidConfiguration, InvalidInput, Unauthentic)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("keystores") / "keystore"


@pytest.fixture(scope="module")
def honest(path):
    keystore = Keystore.create(path, PASSPHRASE, bytes, cost=Cost.MINIMAL)
    keystore.put("party-key", bytes(32))
    return path.read_bytes()


@settings(max_examples=150, deadline=None)
@given(content=st.binary(max_size=400) | st.binary(max_size=200).map(lambda tail: b'{"format":"gsp-keystore"}\n' + tail))
def test_any_bytes_are_refused_in_our_words(path, honest, content):
    path.write_bytes(content)

    with pytest.raises(REFUSED):
        Keystore.open(path, PASSPHRASE)


@settings(max_examples=250, deadline=None)
@given(data=st.data())
def test_any_changed_byte_is_seen(path, honest, data):
    position = data.draw(st.integers(0, len(honest) - 1))
    changed = bytearray(honest)
    changed[position] ^= data.draw(st.integers(1, 255))
    path.write_bytes(changed)

    with pytest.raises(REFUSED):
        Keystore.open(path, PASSPHRASE)


@settings(max_examples=50, deadline=None)
@given(cut=st.integers(0, 10_000))
def test_any_missing_end_is_seen(path, honest, cut):
    path.write_bytes(honest[: cut % len(honest)])

    with pytest.raises(REFUSED):
        Keystore.open(path, PASSPHRASE)


@settings(max_examples=30, deadline=None)
@given(secrets=st.dictionaries(st.from_regex(r"[a-z0-9][a-z0-9-]{0,63}", fullmatch=True), st.binary(max_size=64), max_size=4))
def test_what_is_put_is_found_again(path, honest, secrets):
    path.write_bytes(honest)
    keystore = Keystore.open(path, PASSPHRASE)
    for name, value in secrets.items():
        keystore.put(name, value, replace=True)

    again = Keystore.open(path, PASSPHRASE)
    assert {name: again.get(name) for name in secrets} == secrets
