import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import Misuse, StoreUnavailable
from node.store.vault import Vault

VAULT = Vault(b"k" * 32, entropy=os.urandom)


@given(secret=st.binary(max_size=300), column=st.sampled_from(["asked.sealed", "crossing.sealed"]), row=st.binary(max_size=40))
def test_what_is_sealed_for_a_place_opens_there(secret, column, row):
    sealed = VAULT.seal(secret, column=column, row=row)

    assert VAULT.open(sealed, column=column, row=row) == secret
    assert len(sealed) == len(secret) + 40


@given(sealed=st.binary(max_size=200))
def test_what_nobody_sealed_does_not_open(sealed):
    with pytest.raises(StoreUnavailable):
        VAULT.open(sealed, column="a.b", row=b"row")


@pytest.mark.parametrize(
    ("vault", "column", "row"),
    [
        pytest.param(VAULT, "table.other", b"row", id="another column"),
        pytest.param(VAULT, "table.column", b"other", id="another row"),
        pytest.param(VAULT, "table.column\0row", b"", id="a column that spells the row"),
        pytest.param(Vault(b"x" * 32, entropy=os.urandom), "table.column", b"row", id="another key"),
    ],
)
def test_it_opens_nowhere_else(vault, column, row):
    sealed = VAULT.seal(b"secret", column="table.column", row=b"row")
    with pytest.raises(StoreUnavailable):
        vault.open(sealed, column=column, row=row)


def test_every_bit_counts():
    sealed = VAULT.seal(b"secret", column="table.column", row=b"row")
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(StoreUnavailable):
            VAULT.open(bytes(changed), column="table.column", row=b"row")


def test_one_secret_sealed_twice_looks_different():
    assert VAULT.seal(b"secret", column="c", row=b"") != VAULT.seal(b"secret", column="c", row=b"")


def test_a_key_of_another_length_is_refused():
    with pytest.raises(Misuse):
        Vault(b"short", entropy=os.urandom)
