"""The folder in which the Secretariat's node lays out what waits for founders."""

from __future__ import annotations

from node.office import _lay_out


def test_the_folder_holds_exactly_what_waits(tmp_path):
    _lay_out(tmp_path, {"qn.admit": b"first", "qo.admit": b"second"}, kind="admit")
    _lay_out(tmp_path, {"qo.admit": b"second", "qp.admit": b"third"}, kind="admit")

    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"qo.admit": b"second", "qp.admit": b"third"}


def test_a_file_that_is_right_is_not_written_again_so_that_nobody_reads_half_of_it(tmp_path):
    _lay_out(tmp_path, {"qn.admit": b"first"}, kind="admit")
    written = (tmp_path / "qn.admit").stat()
    _lay_out(tmp_path, {"qn.admit": b"first"}, kind="admit")

    assert (tmp_path / "qn.admit").stat() == written


def test_a_file_that_is_wrong_is_replaced_by_a_whole_one(tmp_path):
    (tmp_path / "qn.admit").write_bytes(b"")
    _lay_out(tmp_path, {"qn.admit": b"first"}, kind="admit")

    assert (tmp_path / "qn.admit").read_bytes() == b"first"
