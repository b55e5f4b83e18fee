# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same commit makes the same artifact, wherever and whenever it is built."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path

import pytest
from tools.artifact import FILES, MANIFEST, make_reproducible, read_json
from tools.paths import ROOT, work_tree_files

# Times that are not now.
COMMITTED = 1_700_000_000
LATER = 1_800_000_000


def git(clone: Path, *arguments: str) -> None:
    """Run a git command, which takes it to be another time."""
    date = f"{COMMITTED} +0000"
    subprocess.run(
        ["git", "-c", "user.name=A tester", "-c", "user.email=tester@example.com", *arguments],
        cwd=clone,
        env={**os.environ, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date},
        check=True,
        capture_output=True,
    )


def build(clone: Path, umask: int) -> Path:
    """Build the artifact as the session of nox does, in a clone and with its own tools."""
    tree = clone / ".cache/trees/build/ansible_collections/community/infisical"
    code = "from tools.paths import copy_collection; copy_collection('build')"
    environ = {**os.environ, "PYTHONPATH": str(clone / "tests")}
    environ.pop("SOURCE_DATE_EPOCH", None)
    folder = clone / ".cache/dist"
    for arguments in (["-c", code], ["-m", "tools.artifact", str(tree), str(folder)]):
        run = subprocess.run(
            [sys.executable, *arguments],
            cwd=clone,
            env=environ,
            umask=umask,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert run.returncode == 0, run.stdout
    (artifact,) = folder.glob("*.tar.gz")
    return artifact


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with one commit, which has the files of the work tree."""
    path = tmp_path_factory.mktemp("repository")
    for file in work_tree_files():
        (path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / file, path / file, follow_symlinks=False)
    git(path, "init", "--quiet", "--initial-branch", "main")
    git(path, "add", "--all")
    git(path, "commit", "--quiet", "--message", "All there is")
    return path


def test_two_clones_make_one_artifact(repository: Path, tmp_path: Path) -> None:
    built = []
    for name, umask, time in (("one", 0o022, 1_000_000_000), ("deep/er/two", 0o077, LATER)):
        clone = tmp_path / name
        git(tmp_path, "clone", "--quiet", str(repository), str(clone))
        files = sorted(path for path in clone.rglob("*") if ".git" not in path.parts)
        for path in files:
            os.utime(path, (time, time), follow_symlinks=False)
        built.append(build(clone, umask))
    one, two = built
    assert one.name == two.name
    assert one.read_bytes() == two.read_bytes()
    with tarfile.open(one) as archive:
        members = archive.getmembers()
        listed = [file["name"] for file in read_json(archive, FILES)["files"]]
    assert {member.mtime for member in members} == {COMMITTED}
    assert {(member.uid, member.gid, member.uname, member.gname) for member in members} == {
        (0, 0, "", "")
    }
    assert {member.mode for member in members} <= {0o644, 0o755}
    names = [member.name for member in members]
    assert names == [FILES, MANIFEST, *sorted(names[2:])]
    assert listed == sorted(listed)
    assert {name.rstrip("/") for name in listed} - {"."} == set(names[2:])


def pack(path: Path, names: list[str], contents: dict[str, bytes], seconds: int) -> None:
    """Write an archive as ansible-galaxy does, with folders for the names that have no content."""
    with tarfile.open(path, "w:gz") as archive:
        for name in names:
            entry = tarfile.TarInfo(name)
            entry.type = tarfile.REGTYPE if name in contents else tarfile.DIRTYPE
            entry.size = len(contents.get(name, b""))
            entry.mtime = seconds
            archive.addfile(entry, BytesIO(contents.get(name, b"")))


def test_order_time_and_empty_folders_leave_no_trace(tmp_path: Path) -> None:
    built = []
    texts = {"a/b": b"second", "a/a": b"first"}
    for number, order in enumerate((["a", "a/b", "a/a"], ["empty", "a", "a/a", "a/b"])):
        listed = [{"name": name, "ftype": "file" if name in texts else "dir"} for name in order]
        files = json.dumps({"files": [{"name": ".", "ftype": "dir"}, *listed]}).encode()
        digest = hashlib.sha256(files).hexdigest()
        manifest = {"file_manifest_file": {"name": FILES, "chksum_sha256": digest}}
        contents = {FILES: files, MANIFEST: json.dumps(manifest).encode(), **texts}
        artifact = tmp_path / f"{number}.tar.gz"
        pack(artifact, [MANIFEST, FILES, *order], contents, LATER + number)
        make_reproducible(artifact, COMMITTED)
        built.append(artifact)
    assert built[0].read_bytes() == built[1].read_bytes()
    with tarfile.open(built[0]) as archive:
        assert archive.getnames() == [FILES, MANIFEST, "a", "a/a", "a/b"]
        assert [file["name"] for file in read_json(archive, FILES)["files"]] == [
            *(".", "a", "a/a", "a/b")
        ]
        file = archive.extractfile(FILES)
        assert file is not None
        vouched = read_json(archive, MANIFEST)["file_manifest_file"]["chksum_sha256"]
        assert vouched == hashlib.sha256(file.read()).hexdigest()
