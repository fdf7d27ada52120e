"""An officer's profile: what was written is read, and what does not fit is named."""

from __future__ import annotations

import shutil
import stat

import pytest

from federation.errors import InvalidConfiguration, InvalidInput
from federation.trust.certificate import to_pem
from node.cli.profile import keep_authorities, read_profile, write_profile
from tests.support import pki
from tests.support.officers import officer_profile


@pytest.fixture
def folder(tmp_path):
    return officer_profile(tmp_path / "profile")


def test_what_was_written_is_read(folder):
    profile = read_profile(folder)
    assert profile.officer == pki.officer()
    assert profile.node == pki.node()
    assert profile.desk == "127.0.0.1:8443"
    assert profile.certificate == pki.officer_certificate()
    assert profile.party_cas == (pki.party_ca().certificate,)
    assert profile.signer.public_key == pki.officer_key()
    assert profile.window.not_before <= pki.NOW <= profile.window.not_after


def test_the_cas_that_the_node_tells_are_kept_and_others_forgotten(folder):
    first, following = pki.party_ca().certificate, pki.party_ca(pki.QM, label="next").certificate
    keep_authorities(read_profile(folder), (first, following))
    assert read_profile(folder).party_cas == (first, following)
    keep_authorities(read_profile(folder), ())
    assert read_profile(folder).party_cas == (first, following)
    keep_authorities(read_profile(folder), (following,))
    assert read_profile(folder).party_cas == (following,)
    assert stat.S_IMODE((folder / "party-ca.pem").stat().st_mode) == 0o600


def test_a_profile_that_cannot_be_written_serves_all_the_same(folder, caplog):
    profile = read_profile(folder)
    shutil.rmtree(folder)
    keep_authorities(profile, (pki.party_ca(pki.QM, label="next").certificate,))
    assert "cannot be written" in caplog.text


def test_only_the_owner_can_read_it(folder):
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_a_profile_never_replaces_another(folder):
    with pytest.raises(InvalidConfiguration, match="cannot be written"):
        officer_profile(folder)


def test_an_address_that_is_none_is_not_written(tmp_path):
    with pytest.raises(InvalidInput):
        officer_profile(tmp_path / "profile", desk='evil"')


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o777])
def test_a_key_that_others_can_read_is_refused(folder, mode):
    (folder / "key").chmod(mode)
    with pytest.raises(InvalidConfiguration, match="others can read") as caught:
        read_profile(folder)
    assert "chmod 600" in caught.value.hint


@pytest.mark.parametrize("name", ["officer.toml", "certificate.pem", "key", "party-ca.pem"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(InvalidConfiguration, match=name):
        read_profile(folder)


@pytest.mark.parametrize("name", ["officer.toml", "certificate.pem", "key", "party-ca.pem"])
@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"nothing of the kind", b"x" * 20_000])
def test_a_file_with_something_else_in_it_is_refused(folder, name, content):
    (folder / name).write_bytes(content)
    with pytest.raises(InvalidConfiguration):
        read_profile(folder)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('party = "qm"', 'party = "QM"'),
        ('party = "qm"', "party = 7"),
        ('desk = "127.0.0.1:8443"', 'desk = "unix:/tmp/desk"'),
        ('node = "one.qm', 'node = "one.qn'),
        ('officer_id = "k3v9x2mq"', 'officer_id = "K"'),
        ('officer_id = "k3v9x2mq"', 'officer_id = "k3v9x2mq"\nadmin = true'),
        ('domain = "gsp.example.org"\n', ""),
    ],
)
def test_a_wrong_setting_is_refused(folder, old, new):
    path = folder / "officer.toml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(InvalidConfiguration):
        read_profile(folder)


def test_a_misspelt_setting_is_named(folder):
    path = folder / "officer.toml"
    path.write_text(path.read_text().replace("desk =", "dekc ="))
    with pytest.raises(InvalidConfiguration, match="dekc"):
        read_profile(folder)


def test_the_key_of_another_certificate_is_refused(folder):
    (folder / "key").write_text(pki.seed("somebody else").hex())
    with pytest.raises(InvalidConfiguration, match="do not belong together"):
        read_profile(folder)


def test_the_certificate_of_a_node_is_no_officers(folder):
    (folder / "certificate.pem").write_bytes(to_pem(pki.node_certificate()))
    with pytest.raises(InvalidConfiguration, match="do not belong together"):
        read_profile(folder)


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidConfiguration, match="cannot be written"):
        write_profile(
            tmp_path / "file" / "profile",
            officer=pki.officer(),
            desk="127.0.0.1:8443",
            node=pki.node(),
            certificate=pki.officer_certificate(),
            party_cas=(pki.party_ca().certificate,),
            seed=pki.seed("officer"),
        )
