from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import stat

import pytest

from federation.errors import Conflict, InvalidConfiguration, InvalidInput, NotFound, StoreUnavailable, Unauthentic
from node import limits
from node.keystore import Cost, Keystore, read_passphrase
from node.keystore import file as keystore_module

PASSPHRASE = b"correct horse battery"


def entropy(size):
    return hashlib.shake_256(b"salt").digest(size)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "node.keystore"


@pytest.fixture
def keystore(path):
    return Keystore.create(path, PASSPHRASE, entropy, cost=Cost.MINIMAL)


def header(path):
    return json.loads(path.read_bytes().partition(b"\n")[0])


def write_header(path, **changes):
    head, _, sealed = path.read_bytes().partition(b"\n")
    path.write_bytes(json.dumps(json.loads(head) | changes).encode() + b"\n" + sealed)


def test_secrets_are_there_after_a_restart(keystore, path):
    keystore.put("party-key", b"seed" * 8)
    keystore.put("log-key", bytes(32))

    again = Keystore.open(path, PASSPHRASE)

    assert again.names() == ("log-key", "party-key")
    assert again.get("party-key") == b"seed" * 8
    assert again.get("log-key") == bytes(32)


def test_a_new_keystore_is_empty(keystore, path):
    assert keystore.names() == Keystore.open(path, PASSPHRASE).names() == ()


def test_nothing_of_a_secret_is_in_the_file_or_in_a_traceback(keystore, path):
    keystore.put("party-key", b"a very secret seed")

    assert b"secret" not in path.read_bytes()
    assert b"party-key" not in path.read_bytes()
    assert "secret seed" not in repr(keystore)


def test_only_the_owner_may_read_the_file(keystore, path):
    keystore.put("party-key", bytes(32))

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610, 0o777])
def test_a_file_that_others_may_touch_is_refused(keystore, path, mode):
    path.chmod(mode)

    with pytest.raises(InvalidConfiguration, match="others may read") as refusal:
        Keystore.open(path, PASSPHRASE)

    assert "chmod 600" in refusal.value.hint


def test_a_wrong_passphrase_is_told_from_a_damaged_file(keystore, path):
    with pytest.raises(InvalidInput, match="does not open"):
        Keystore.open(path, PASSPHRASE + b"!")

    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(Unauthentic, match="damaged or changed"):
        Keystore.open(path, PASSPHRASE)


@pytest.mark.parametrize(
    "changes",
    [
        {"passes": limits.ARGON2_PASSES_MAX + 1},
        {"memory_bytes": limits.ARGON2_MEMORY_BYTES_MAX + 1},
        {"memory_bytes": 2**62},
        {"memory_bytes": 1},
        {"passes": 0},
        {"passes": -1},
        {"passes": 1.5},
        {"salt": ""},
        {"salt": "AAAA"},
        {"key_check": ""},
        {"version": 2},
        {"kdf": "scrypt"},
        {"format": "other"},
        {"extra": 1},
    ],
)
def test_a_hostile_header_is_refused_before_it_costs_anything(keystore, path, changes, monkeypatch):
    write_header(path, **changes)
    monkeypatch.setattr(keystore_module.argon2id, "kdf", None)

    with pytest.raises(InvalidConfiguration):
        Keystore.open(path, PASSPHRASE)


def test_a_header_that_was_only_written_differently_is_seen(keystore, path):
    head, _, sealed = path.read_bytes().partition(b"\n")
    path.write_bytes(head.replace(b":", b": ", 1) + b"\n" + sealed)

    with pytest.raises(Unauthentic):
        Keystore.open(path, PASSPHRASE)


def test_the_header_says_what_it_takes_to_open_the_file(keystore, path):
    assert header(path) == {
        "format": "gsp-keystore",
        "version": 1,
        "kdf": "argon2id",
        "passes": 1,
        "memory_bytes": 8_192,
        "salt": header(path)["salt"],
        "key_check": header(path)["key_check"],
    }


@pytest.mark.parametrize("cost", list(Cost))
def test_every_cost_that_we_write_is_within_the_limits_on_reading(cost):
    passes, memory_bytes = cost.value

    assert passes <= limits.ARGON2_PASSES_MAX
    assert memory_bytes <= limits.ARGON2_MEMORY_BYTES_MAX


def test_the_key_is_derived_once_for_each_process(keystore, monkeypatch):
    monkeypatch.setattr(keystore_module.argon2id, "kdf", None)

    keystore.put("party-key", bytes(32))
    assert keystore.get("party-key") == bytes(32)


def test_an_existing_keystore_is_never_overwritten(keystore, path):
    keystore.put("party-key", bytes(32))

    with pytest.raises(Conflict):
        Keystore.create(path, PASSPHRASE, entropy, cost=Cost.MINIMAL)
    assert Keystore.open(path, PASSPHRASE).names() == ("party-key",)


def test_a_secret_is_not_replaced_by_accident(keystore, path):
    keystore.put("party-key", b"old")
    keystore.put("party-key", b"old")

    with pytest.raises(Conflict):
        keystore.put("party-key", b"new")
    keystore.put("party-key", b"new", replace=True)

    assert keystore.get("party-key") == Keystore.open(path, PASSPHRASE).get("party-key") == b"new"


def test_two_writes_never_share_a_nonce(keystore, path):
    keystore.put("party-key", b"same", replace=True)
    first = path.read_bytes()
    keystore.put("party-key", b"same", replace=True)

    assert path.read_bytes() != first


def test_what_another_process_put_is_kept(keystore, path):
    other = Keystore.open(path, PASSPHRASE)
    other.put("node-key", b"other")
    keystore.put("party-key", b"ours")

    assert keystore.names() == Keystore.open(path, PASSPHRASE).names() == ("node-key", "party-key")


def put_many(path, mark):
    keystore = Keystore.open(path, PASSPHRASE)
    for number in range(8):
        keystore.put(f"{mark}-{number}", bytes(32))


def test_processes_that_write_at_the_same_time_lose_nothing(keystore, path):
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=put_many, args=(path, mark)) for mark in ("a", "b")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert [writer.exitcode for writer in writers] == [0, 0]
    assert len(Keystore.open(path, PASSPHRASE).names()) == 16


def test_the_passphrase_can_be_changed(keystore, path):
    keystore.put("party-key", b"seed")
    other = Keystore.open(path, PASSPHRASE)

    keystore.change_passphrase(b"another passphrase", lambda size: b"s" * size, cost=Cost.MINIMAL)
    keystore.put("node-key", b"later")

    assert Keystore.open(path, b"another passphrase").names() == ("node-key", "party-key")
    with pytest.raises(InvalidInput):
        Keystore.open(path, PASSPHRASE)
    with pytest.raises(Conflict, match="another passphrase"):
        other.put("log-key", b"late")


def test_a_secret_that_is_not_there_is_named(keystore):
    with pytest.raises(NotFound, match="`party-key`"):
        keystore.get("party-key")


@pytest.mark.parametrize("name", ["", "Party", "party key", "-party", "../x", "p" * 65, "party\n"])
def test_a_name_of_another_form_is_refused(keystore, name):
    with pytest.raises(InvalidInput):
        keystore.put(name, b"value")


def test_sizes_are_bounded(keystore):
    with pytest.raises(InvalidInput):
        keystore.put("large", bytes(limits.SECRET_BYTES_MAX + 1))
    for number in range(limits.KEYSTORE_SECRETS_MAX):
        keystore.put(f"key-{number}", b"x")
    with pytest.raises(InvalidInput, match="full"):
        keystore.put("one-more", b"x")


def test_a_full_keystore_fits_its_limit(path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    keystore = Keystore.create(path, PASSPHRASE, entropy, cost=Cost.MINIMAL)
    for number in range(limits.KEYSTORE_SECRETS_MAX):
        keystore.put("k" * 60 + f"{number:04d}", os.urandom(limits.SECRET_BYTES_MAX))

    assert len(Keystore.open(path, PASSPHRASE).names()) == limits.KEYSTORE_SECRETS_MAX


@pytest.mark.parametrize("passphrase", [b"", b"short", b"x" * (limits.PASSPHRASE_BYTES_MAX + 1)])
def test_a_passphrase_has_a_length(path, passphrase):
    with pytest.raises(InvalidInput):
        Keystore.create(path, passphrase, entropy, cost=Cost.MINIMAL)
    assert not path.exists()


def test_a_missing_file_is_said_to_be_missing(path):
    with pytest.raises(NotFound):
        Keystore.open(path, PASSPHRASE)


def test_a_pipe_or_a_folder_in_the_place_of_the_file_is_refused(path, tmp_path):
    os.mkfifo(path, 0o600)

    for place in (path, tmp_path):
        with pytest.raises(InvalidConfiguration):
            Keystore.open(place, PASSPHRASE)


def test_a_file_that_is_too_large_is_not_read(path):
    path.touch(0o600)
    os.truncate(path, limits.KEYSTORE_BYTES_MAX + 1)

    with pytest.raises(InvalidConfiguration, match="too large"):
        Keystore.open(path, PASSPHRASE)


def test_a_missing_folder_is_a_failing_store(tmp_path):
    with pytest.raises(StoreUnavailable):
        Keystore.create(tmp_path / "missing" / "keystore", PASSPHRASE, entropy, cost=Cost.MINIMAL)


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_disk_that_fails_leaves_the_old_file(keystore, path, monkeypatch, step):
    keystore.put("party-key", b"old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, step, fail)
        with pytest.raises(StoreUnavailable, match="No space left"):
            keystore.put("party-key", b"new", replace=True)

    assert keystore.get("party-key") == Keystore.open(path, PASSPHRASE).get("party-key") == b"old"
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_a_passphrase_comes_from_a_file_or_a_descriptor(tmp_path):
    file = tmp_path / "passphrase"
    file.write_bytes(PASSPHRASE + b"\n")

    assert read_passphrase(file) == PASSPHRASE
    assert read_passphrase(os.open(file, os.O_RDONLY)) == PASSPHRASE
    reader, writer = os.pipe()
    os.write(writer, PASSPHRASE + b"\r\n")
    os.close(writer)
    assert read_passphrase(reader) == PASSPHRASE


@pytest.mark.parametrize("content", [b"", b"\n", b"\r\n", b"x" * (limits.PASSPHRASE_BYTES_MAX + 1), b"x" * 1_000_000])
def test_a_passphrase_that_is_empty_or_too_long_is_refused(tmp_path, content):
    file = tmp_path / "passphrase"
    file.write_bytes(content)

    with pytest.raises(InvalidInput):
        read_passphrase(file)


def test_a_passphrase_that_cannot_be_read_is_refused(tmp_path):
    for source in (tmp_path / "missing", tmp_path, 1_000_000):
        with pytest.raises(InvalidInput):
            read_passphrase(source)


def test_the_longest_passphrase_may_end_in_a_line_end(tmp_path):
    file = tmp_path / "passphrase"
    file.write_bytes(b"x" * limits.PASSPHRASE_BYTES_MAX + b"\r\n")

    assert read_passphrase(file) == b"x" * limits.PASSPHRASE_BYTES_MAX
