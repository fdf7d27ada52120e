"""A wheel is built from what is committed, offline, and runs without the checkout."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

import node
from tests.support.checkout import ROOT, files


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built in a copy: the build makes the generated code anew, and nobody should lose it while tests run."""
    copy, made = tmp_path_factory.mktemp("checkout"), tmp_path_factory.mktemp("dist")
    for path in files():
        (copy / path.parent).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, copy / path)
    run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", made, folder=copy)
    (built,) = made.iterdir()
    return built


def run(*command: str | Path, folder: Path) -> str:
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def archive(wheel):
    with zipfile.ZipFile(wheel) as opened:
        yield opened


def test_it_has_the_name_and_the_version_of_the_program(wheel):
    assert wheel.name == f"gsp_node-{node.__version__}-py3-none-any.whl"


def test_it_holds_both_packages_with_their_generated_code_their_scripts_and_their_settings(archive):
    names = set(archive.namelist())
    code = {str(path) for path in files() if path.parts[0] in {"federation", "node"}}
    settings = {f"node/config_data/{path.relative_to('config')}" for path in files() if path.parts[0] == "config"}
    generated = {
        f"{package}/v1/{name}{kind}"
        for package, name in (("federation", "common"), ("federation", "directory"), ("federation", "exchange"), ("node", "desk"))
        for kind in ("_pb2.py", "_pb2.pyi")
    }

    assert names >= code | settings | generated | {"federation/v1/__init__.py", "node/v1/__init__.py"}


def test_it_holds_nothing_else(archive):
    tops = {name.partition("/")[0] for name in archive.namelist()}

    assert tops == {"federation", "node", f"gsp_node-{node.__version__}.dist-info"}


def test_it_names_the_program_and_its_licence(archive):
    about = f"gsp_node-{node.__version__}.dist-info"

    assert "gsp = node.__main__:main" in archive.read(f"{about}/entry_points.txt").decode()
    assert "License-Expression: Apache-2.0" in archive.read(f"{about}/METADATA").decode()
    assert f"{about}/licenses/LICENSE" in archive.namelist()


def test_it_runs_where_there_is_no_checkout(wheel, archive, tmp_path):
    venv.create(tmp_path / "fresh", with_pip=False)
    python = tmp_path / "fresh" / "bin" / "python"
    site = Path(run(python, "-Ic", "import sysconfig; print(sysconfig.get_path('purelib'))", folder=tmp_path).strip())
    archive.extractall(site)
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")

    tell = "from node.resources import patterns_folder; import federation; print(patterns_folder(), federation.__file__)"
    patterns, protocol = run(python, "-Ic", tell, folder=tmp_path).split()
    shown = run(
        *(python, "-Im", "node", "resolve", "LEAT1xK7mP2qRA1bZ9c19052014", "--json", "--library", patterns), folder=tmp_path
    )

    assert Path(patterns).is_relative_to(site)
    assert Path(protocol).is_relative_to(site)
    (resolution,) = json.loads(shown)["resolutions"]
    assert resolution["parties"][0]["party"] == "at"
