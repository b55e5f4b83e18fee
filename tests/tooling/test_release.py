# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A release of a version that there never will be, in a clone; and releases that are refused."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import typing as t
from pathlib import Path

import pytest
import yaml
from tools.paths import ROOT, work_tree_files
from tools.release import Release

VERSION = "98.7.6"
FOLDER = f".cache/release/{VERSION}"
ARTIFACT = f"community-infisical-{VERSION}.tar.gz"
BILL = f"community-infisical-{VERSION}.cdx.json"
FRAGMENT = "release_summary: A release that is made to test how releases are made.\n"

Change = t.Callable[["Clone"], object]


class Clone:
    """A repository with the files of the work tree, of which one version is released."""

    def __init__(self, path: Path) -> None:
        self.path = path
        for file in work_tree_files():
            (path / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / file, path / file, follow_symlinks=False)
        self.version: str = self.yaml("galaxy.yml")["version"]
        for fragment in path.glob("changelogs/fragments/*"):
            fragment.unlink()
        self.write("changelogs/fragments/pretended.yml", FRAGMENT)
        changelog = self.yaml("changelogs/changelog.yaml")
        changelog["releases"].setdefault(self.version, {"release_date": "2026-01-01"})
        self.write("changelogs/changelog.yaml", yaml.safe_dump(changelog))
        self.git("init", "--quiet", "--initial-branch", "main")
        self.git("config", "user.name", "A tester")
        self.git("config", "user.email", "tester@example.com")
        self.commit()

    def git(self, *arguments: str) -> str:
        run = subprocess.run(
            ["git", *arguments], cwd=self.path, check=True, capture_output=True, text=True
        )
        return run.stdout.strip()

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "All there is")

    def yaml(self, name: str) -> dict[str, t.Any]:
        content: dict[str, t.Any] = yaml.safe_load((self.path / name).read_text(encoding="utf-8"))
        return content

    def write(self, name: str, text: str) -> None:
        (self.path / name).write_text(text, encoding="utf-8")

    def state(self) -> list[str]:
        """Everything that a release must not change: commits, branches, tags, files."""
        references = self.git("for-each-ref", "--format=%(refname) %(objectname)")
        status = self.git("status", "--porcelain", "--branch")
        return [references, self.git("rev-parse", "HEAD"), status, self.git("worktree", "list")]

    def command(self, *arguments: str) -> list[str]:
        return [
            *(sys.executable, "-m", "tools.release", "--repository", str(self.path)),
            *("--skip-importer", *arguments),
        ]

    def release(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments), cwd=ROOT, check=False, capture_output=True, text=True
        )


Made = tuple[Clone, list[str], str]


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone that no test changes."""
    return Clone(tmp_path_factory.mktemp("pristine"))


@pytest.fixture
def clone(pristine: Clone, tmp_path: Path) -> Clone:
    """A clone of one's own."""
    shutil.copytree(pristine.path, tmp_path / "clone", symlinks=True)
    copy = object.__new__(Clone)
    copy.__dict__.update(vars(pristine), path=tmp_path / "clone")
    return copy


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A clone in which a release was made, its state before that, and what was printed."""
    clone = Clone(tmp_path_factory.mktemp("made"))
    before = clone.state()
    run = clone.release(VERSION)
    assert run.returncode == 0, run.stdout + run.stderr
    return clone, before, run.stdout


def test_release_changes_nothing_but_the_branch_that_it_makes(made: Made) -> None:
    clone, before, _printed = made
    branch = f"release-{VERSION}"
    assert clone.git("branch", "--list", branch)
    references, *rest = clone.state()
    others = [line for line in references.splitlines() if not line.split()[0].endswith(branch)]
    assert ["\n".join(others), *rest] == before


def test_commit_of_the_release_has_version_and_changelog_and_nothing_else(made: Made) -> None:
    clone, _before, _printed = made
    branch = f"release-{VERSION}"
    assert clone.git("rev-parse", f"{branch}^") == clone.git("rev-parse", "HEAD")
    changed = clone.git("diff", "--name-only", "HEAD", branch).splitlines()
    assert changed == [
        "CHANGELOG.md",
        "CHANGELOG.rst",
        "changelogs/changelog.yaml",
        "changelogs/fragments/pretended.yml",
        "docs/docsite/rst/guide_install.rst",
        "extensions/awx/execution-environment.yml",
        "galaxy.yml",
    ]
    assert f"version: {VERSION}\n" in clone.git("show", f"{branch}:galaxy.yml")
    image = clone.git("show", f"{branch}:extensions/awx/execution-environment.yml")
    assert f"        version: {VERSION}\n" in image
    guide = clone.git("show", f"{branch}:docs/docsite/rst/guide_install.rst")
    assert f"community-infisical-{VERSION}.tar.gz" in guide
    assert "made to test how releases" in clone.git("show", f"{branch}:CHANGELOG.rst")


def test_artifact_is_what_the_commit_has(made: Made) -> None:
    clone, _before, _printed = made
    artifact = clone.path / FOLDER / ARTIFACT
    with tarfile.open(artifact) as archive:
        names = {member.name for member in archive.getmembers() if member.isfile()}
        manifest = json.load(t.cast("t.IO[bytes]", archive.extractfile("MANIFEST.json")))
        readme = t.cast("t.IO[bytes]", archive.extractfile("README.md")).read().decode()
    assert manifest["collection_info"]["version"] == VERSION
    assert readme.strip() == clone.git("show", f"release-{VERSION}:README.md")
    committed = set(clone.git("ls-tree", "-r", "--name-only", f"release-{VERSION}").splitlines())
    assert names - committed == {"FILES.json", "MANIFEST.json"}
    assert not [name for name in names if name.startswith((".github", ".cache", ".ci"))]


def test_checksums_are_those_of_artifact_and_bill(made: Made) -> None:
    clone, _before, _printed = made
    folder = clone.path / FOLDER
    sums = [
        f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n"
        for name in (ARTIFACT, BILL)
    ]
    assert (folder / "SHA256SUMS").read_text(encoding="utf-8") == "".join(sums)


def test_bill_of_materials_names_the_artifact_and_all_that_it_needs(made: Made) -> None:
    """That it is CycloneDX, the release has checked."""
    clone, _before, _printed = made
    folder = clone.path / FOLDER
    bill = json.loads((folder / BILL).read_text(encoding="utf-8"))
    collection = bill["metadata"]["component"]
    digest = hashlib.sha256((folder / ARTIFACT).read_bytes()).hexdigest()
    assert (collection["group"], collection["name"]) == ("community", "infisical")
    assert collection["version"] == VERSION
    assert collection["hashes"] == [{"alg": "SHA-256", "content": digest}]
    assert collection["licenses"] == [{"license": {"id": "GPL-3.0-or-later"}}]
    needed = {
        component["purl"]: component["properties"][0]["value"] for component in bill["components"]
    }
    assert needed == {
        "pkg:pypi/ansible-core": clone.yaml("meta/runtime.yml")["requires_ansible"],
        "pkg:pypi/netaddr": ">=0.10.1",
        "pkg:pypi/requests": ">=2.28",
    }
    (needs,) = (one["dependsOn"] for one in bill["dependencies"] if one["ref"] == "collection")
    assert sorted(needs) == sorted(component["bom-ref"] for component in bill["components"])


def test_what_is_published_of_the_tag_is_what_was_released(made: Made, tmp_path: Path) -> None:
    """Another clone, of the commit that was made, builds the same bytes."""
    clone, _before, _printed = made
    other = tmp_path / "elsewhere"
    clone.git("clone", "--quiet", "--branch", f"release-{VERSION}", str(clone.path), str(other))
    subprocess.run(["git", "tag", VERSION], cwd=other, check=True)
    release = Release(other, VERSION, tagged=True)
    release.refuse_untagged()
    release.export()
    release.build()
    assert release.artifact.read_bytes() == (clone.path / FOLDER / ARTIFACT).read_bytes()


def test_notes_are_those_of_the_version(made: Made) -> None:
    clone, _before, _printed = made
    notes = (clone.path / FOLDER / "NOTES.md").read_text(encoding="utf-8")
    assert "made to test how releases" in notes
    assert clone.version not in notes


def test_release_says_what_is_left_to_do(made: Made) -> None:
    _clone, _before, printed = made
    assert f"git merge --ff-only release-{VERSION}" in printed
    assert f"git push origin HEAD {VERSION}" in printed
    assert "galaxy-importer was left out" in printed


def dirty(clone: Clone) -> None:
    clone.write("stray.txt", "")


def tagged(clone: Clone) -> None:
    clone.git("tag", VERSION)


def without_a_fragment(clone: Clone) -> None:
    (clone.path / "changelogs/fragments/pretended.yml").unlink()
    clone.commit()


def with_two_summaries(clone: Clone) -> None:
    clone.write("changelogs/fragments/second.yml", FRAGMENT)
    clone.commit()


def with_a_bad_fragment(clone: Clone) -> None:
    clone.write("changelogs/fragments/bad.yml", "no_such_section:\n  - something\n")
    clone.commit()


def with_a_version_of_its_own(clone: Clone) -> None:
    path = "plugins/modules/infisical_login.py"
    text = (clone.path / path).read_text(encoding="utf-8")
    clone.write(path, text.replace("\nversion_added: ", "\nversion_added: 55."))
    clone.commit()


def as_it_is(clone: Clone) -> None:
    del clone


@pytest.mark.parametrize(
    ("arguments", "change", "reason"),
    [
        pytest.param(["1.2"], as_it_is, "is not a version", id="two numbers"),
        pytest.param(["1.02.0"], as_it_is, "is not a version", id="leading zero"),
        pytest.param(["v98.7.6"], as_it_is, "is not a version", id="with a letter"),
        pytest.param(["0.0.1"], as_it_is, "is not above", id="lower than the released one"),
        pytest.param([VERSION], tagged, "is not above", id="tagged already"),
        pytest.param([VERSION], dirty, "is not clean", id="a file that is not committed"),
        pytest.param([VERSION], without_a_fragment, "release_summary", id="no fragment"),
        pytest.param([VERSION], with_two_summaries, "; 2 have", id="two summaries"),
        pytest.param([VERSION], with_a_bad_fragment, "no_such_section", id="unknown section"),
        pytest.param(
            [VERSION],
            with_a_version_of_its_own,
            "version_added: 55.",
            id="version_added of no version",
        ),
        pytest.param(["--tagged", VERSION], as_it_is, "not have the tag", id="untagged commit"),
        pytest.param(["--tagged", VERSION], tagged, "galaxy.yml has", id="tag on another version"),
    ],
)
def test_release_is_refused_and_nothing_is_changed(
    clone: Clone, arguments: list[str], change: Change, reason: str
) -> None:
    change(clone)
    before = clone.state()
    run = clone.release(*arguments)
    assert run.returncode == 1
    assert reason in run.stderr
    assert "Not released" in run.stderr
    assert clone.state() == before


def test_release_that_is_killed_on_the_way_changes_nothing(clone: Clone) -> None:
    before = clone.state()
    process = subprocess.Popen(
        clone.command(VERSION),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    with process:
        for line in process.stdout:
            if line.startswith("Writing"):
                process.kill()
    assert process.returncode != 0
    assert clone.state() == before
