"""`gsp resolve --library`: with no node, no directory and no network."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from node.__main__ import main
from node.resources import patterns_folder

AUSTRIA = "LEAT1abcdefghP01M0124031509"


def resolve(code: str, *options: str) -> Result:
    return CliRunner().invoke(main, ["resolve", "--library", str(patterns_folder()), code, *options], standalone_mode=False)


def test_an_austrian_pack_is_austrias_and_answered_by_the_european_union() -> None:
    result = resolve(AUSTRIA)

    assert result.return_value == 0
    assert "at may be a Party: there is no directory here to say" in result.output
    assert "eu answers for at, the pattern says" in result.output


@pytest.mark.parametrize("code", ["00000046198488X?io+qCABm8wAYa", "04780101164394TF&csaNNW1kK0tL"])
def test_a_cis_pack_has_several_candidates_and_claims_none_as_its_owner(code: str) -> None:
    result = resolve(code, "--json")

    (resolution,) = json.loads(result.output)["resolutions"]
    parties = {one["party"] for one in resolution["parties"]}
    assert {"ru", "uz"} <= parties
    assert {one["membership"] for one in resolution["parties"]} == {"unknown"}
    assert not any(one["names_issuer"] for one in resolution["parties"])
