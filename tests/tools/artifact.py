# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the collection's artifact so that the same files always make the same bytes.

`python -m tools.artifact <tree> <folder>` uses the ansible-galaxy of the environment that it runs
in. ansible-galaxy writes files in the order in which the file system lists them, with the time of
the build, and folders that are empty, of which git knows nothing. Here files are sorted, empty
folders left out, and all times are SOURCE_DATE_EPOCH; if that is not set, the time of the last
commit.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Mapping, Sequence
from io import BytesIO
from operator import itemgetter
from pathlib import Path, PurePosixPath
from typing import Any

from .paths import ROOT

# Its name has the version.
PATTERN = "community-infisical-*.tar.gz"
MANIFEST = "MANIFEST.json"
FILES = "FILES.json"


def commit_time(repository: Path) -> int:
    """When the last commit of a repository was made, in seconds."""
    command = ["git", "log", "-1", "--format=%ct"]
    run = subprocess.run(command, cwd=repository, check=True, capture_output=True, text=True)
    return int(run.stdout)


def read_json(archive: tarfile.TarFile, name: str) -> dict[str, Any]:
    """Return an object that an artifact has as a file."""
    content: dict[str, Any] = json.loads(_content(archive, archive.getmember(name)))
    return content


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member) if member.isfile() else None
    return file.read() if file else b""


def _json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, indent=1, sort_keys=True) + "\n").encode()


def make_reproducible(artifact: Path, seconds: int) -> None:
    """Write an artifact anew, so that nothing depends on when and where it was built."""
    with tarfile.open(artifact) as archive:
        members = archive.getmembers()
        contents = {member.name: _content(archive, member) for member in members}
        files = read_json(archive, FILES)
        manifest = read_json(archive, MANIFEST)
    kept = {member.name for member in members if not member.isdir()}
    kept.update(str(folder) for name in tuple(kept) for folder in PurePosixPath(name).parents)
    members = [member for member in members if member.name.rstrip("/") in kept]
    files["files"] = [file for file in files["files"] if file["name"] in kept]
    files["files"].sort(key=itemgetter("name"))
    contents[FILES] = _json(files)
    # The manifest vouches for the list of files, which vouches for each file.
    manifest["file_manifest_file"]["chksum_sha256"] = hashlib.sha256(contents[FILES]).hexdigest()
    contents[MANIFEST] = _json(manifest)
    with (
        artifact.open("wb") as file,
        # Without a name: the header would have it.
        gzip.GzipFile("", "wb", compresslevel=9, fileobj=file, mtime=seconds) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        # First the two that say what the others are, as ansible-galaxy does it.
        for member in sorted(members, key=lambda m: (m.name not in (MANIFEST, FILES), m.name)):
            entry = tarfile.TarInfo(member.name)
            entry.type = member.type
            entry.mode = member.mode
            entry.linkname = member.linkname
            entry.mtime = seconds
            entry.size = len(contents[member.name])
            archive.addfile(entry, BytesIO(contents[member.name]))


def build(tree: Path, folder: Path, seconds: int) -> Path:
    """Build the artifact of a tree into a folder and return its path.

    Raises subprocess.CalledProcessError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for earlier in folder.glob(PATTERN):
        earlier.unlink()
    command = ("ansible-galaxy", "collection", "build", "--output-path", folder, tree)
    subprocess.run(command, check=True)
    (artifact,) = folder.glob(PATTERN)
    make_reproducible(artifact, seconds)
    return artifact


def main(arguments: Sequence[str]) -> int:
    """Build an artifact; the exit status says whether that went well."""
    tree, folder = map(Path, arguments)
    seconds = int(os.environ.get("SOURCE_DATE_EPOCH") or commit_time(ROOT))
    try:
        artifact = build(tree, folder, seconds)
    except subprocess.CalledProcessError as error:
        print(f"{error.cmd[0]} failed.", file=sys.stderr)
        return 1
    print(f"{hashlib.sha256(artifact.read_bytes()).hexdigest()}  {artifact.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
