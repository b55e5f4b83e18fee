# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make release VERSION=x.y.z`: all of a release that can be done before it is published.

It works on an export of the last commit in `.cache/release/<version>`: writes the changelog and the
version there, builds the artifact, lets galaxy-importer check it, installs it into an empty place
and tries it there. Only when all of that went well it makes the commit, as the branch
`release-<version>`. The work tree and its branch stay as they are, whatever happens.

With `--tagged` nothing is written: the artifact is that of the last commit, which has the tag of
the version. That is what the release workflow publishes. It has the same checksum as the artifact
from which the commit was made: the times in either are the time of the commit.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from .artifact import commit_time
from .environments import (
    INTERPRETER,
    Environment,
    InstallError,
    environment,
    usable_uv,
)
from .importer import bare_environ, complaints
from .paths import COLLECTION, REQUIREMENTS, ROOT

NAME = "community.infisical"
MODULE = f"{NAME}.infisical_azure_auth"
AUDIT = f"{NAME}.identities_audit"
REPORT = "identities_audit.html"
# Made up.
IDENTITY = "release-check"
AZURE_AUTH = {
    "identity_name": IDENTITY,
    "tenant_id": "3f6c1b52-9d0e-4a87-8c21-5b7e0f4d9a16",
    "resource": "https://management.azure.com/",
    "allow_all_service_principals": True,
}
# What a collection has to work with when all else is deleted.
USED = {"meta", "playbooks", "plugins", "roles", "MANIFEST.json", "FILES.json"}

_VERSION = re.compile(r"(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)")

NEXT = """
{version} is ready: {folder}
  {artifact}
  {bill}
  SHA256SUMS
  NOTES.md

The commit is the branch {branch}; nothing else has changed. What is left:

  git merge --ff-only {branch}
  git tag --annotate --message "{name} {version}" {version}
  git push origin HEAD {version}

The tag starts .github/workflows/release.yml, which builds and checks the same again and publishes.
To start anew: git branch --delete --force {branch}
"""


class ReleaseError(Exception):
    """The release is not made. The message says why and what to do."""


def _say(text: str) -> None:
    print(text, flush=True)


def parsed(version: str) -> tuple[int, ...]:
    """The numbers of a version `x.y.z`, in which versions are ordered. Raises ReleaseError."""
    if not _VERSION.fullmatch(version):
        raise ReleaseError(f"{version!r} is not a version; write three numbers, such as 1.2.0.")
    return tuple(map(int, version.split(".")))


class Release:
    """A version of the collection in a repository, and what is made of it."""

    def __init__(self, repository: Path, version: str, *, tagged: bool) -> None:
        self.repository = repository
        self.version = version
        self.branch = f"release-{version}"
        self.folder = repository / ".cache/release" / version
        self.tree = self.folder / "tree" / COLLECTION
        self.artifact = self.folder / f"{NAME.replace('.', '-')}-{version}.tar.gz"
        self.bill = self.folder / f"{NAME.replace('.', '-')}-{version}.cdx.json"
        # The time of the release's commit, which the times in the artifact are.
        self.seconds = commit_time(repository) if tagged else int(time.time())
        # Not the repository's own, so that what is staged there stays staged.
        self.index = {"GIT_INDEX_FILE": str(self.folder / "index")}
        self.tools = environment(
            "release",
            [
                *("-c", str(REQUIREMENTS / "lint.txt")),
                *("ansible-core", "antsibull-changelog", "cyclonedx-python-lib[json-validation]"),
            ],
        )

    def git(self, *arguments: str, **environ: str) -> str:
        """What a git command prints. Raises ReleaseError."""
        run = subprocess.run(
            ["git", *arguments],
            cwd=self.repository,
            env={**os.environ, **environ},
            check=False,
            capture_output=True,
            text=True,
        )
        if run.returncode != 0:
            raise ReleaseError(f"git {arguments[0]}: {run.stderr.strip()}")
        return run.stdout.strip()

    def call(
        self,
        *command: str | Path,
        cwd: Path | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> str:
        """What a command prints, which is also logged. Raises ReleaseError."""
        run = subprocess.run(
            command,
            cwd=cwd or self.tree,
            env=environ or self.tools.environ(),
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        log = self.folder / "release.log"
        with log.open("a") as output:
            print("$", *command, file=output)
            print(run.stdout, file=output)
        if run.returncode != 0:
            tail = "\n".join(run.stdout.splitlines()[-20:])
            name = Path(command[0]).name
            raise ReleaseError(f"{tail}\n{name} failed; {log} has all of its output.")
        return run.stdout

    # -- what is checked before anything is made ------------------------------------------------

    def refuse_dirty_tree(self) -> None:
        """Raise ReleaseError if there is anything that the last commit does not have."""
        changes = self.git("status", "--porcelain")
        if changes:
            raise ReleaseError(f"The work tree is not clean; commit or remove:\n{changes}")

    def refuse_version(self) -> None:
        """Raise ReleaseError if the version cannot be the next one."""
        wanted = parsed(self.version)
        current = _yaml(self.repository / "galaxy.yml")["version"]
        released = [*self._released(), *filter(_VERSION.fullmatch, self.git("tag").split())]
        highest = max(released, key=parsed, default="")
        if highest and wanted <= parsed(highest):
            raise ReleaseError(f"{self.version} is not above {highest}, which is released.")
        if wanted < parsed(current):
            raise ReleaseError(f"{self.version} is below {current}, which galaxy.yml has.")

    def refuse_fragments(self) -> None:
        """Raise ReleaseError if the changelog's fragments do not make release notes."""
        paths = sorted(self.repository.glob("changelogs/fragments/*.y*ml"))
        fragments = {path.name: _yaml(path) for path in paths}
        summaries = [name for name, fragment in fragments.items() if "release_summary" in fragment]
        if len(summaries) != 1:
            raise ReleaseError(
                "One fragment in changelogs/fragments has to have a release_summary; "
                f"{len(summaries)} have{': ' if summaries else ''}{', '.join(summaries)}."
            )

    def refuse_version_added(self) -> None:
        """Raise ReleaseError if the documentation names versions that there never will be."""
        known = {*self._released(), self.version}
        for path in sorted(self.repository.glob("[pr]*/**/*")):
            if path.suffix not in (".py", ".yml"):
                continue
            text = path.read_text(encoding="utf-8")
            for version in re.findall(r"^ *version_added: *[\"']?([\w.]+)", text, re.MULTILINE):
                if version not in known:
                    raise ReleaseError(
                        f"{path.relative_to(self.repository)} has version_added: {version}, which "
                        f"is neither released nor {self.version}."
                    )

    def refuse_untagged(self) -> None:
        """Raise ReleaseError unless the last commit is that of the version's release."""
        if self.version not in self.git("tag", "--points-at", "HEAD").split():
            raise ReleaseError(f"The last commit does not have the tag {self.version}.")
        current = _yaml(self.repository / "galaxy.yml")["version"]
        if current != self.version:
            raise ReleaseError(f"galaxy.yml has version {current}; the tag is {self.version}.")
        if self.version not in self._released():
            raise ReleaseError(f"changelogs/changelog.yaml does not have {self.version}.")

    def _released(self) -> list[str]:
        return list(_yaml(self.repository / "changelogs/changelog.yaml")["releases"])

    # -- what is made -----------------------------------------------------------------------------

    def export(self) -> None:
        """Start anew with the files of the last commit."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.tree.mkdir(parents=True)
        self.git("read-tree", "HEAD", **self.index)
        self.git("checkout-index", "--all", f"--prefix={self.tree}/", **self.index)
        # Else antsibull-changelog asks the repository around it, which ignores all of this.
        self.call("git", "init", "--quiet")

    def write_version(self) -> None:
        """Put the version where it is named, and make the changelog of the fragments."""
        (current,) = re.findall(
            r"^version: (.+)$", (self.tree / "galaxy.yml").read_text(), re.MULTILINE
        )
        # The second is the definition of an image that has the collection.
        for name in ("galaxy.yml", "extensions/awx/execution-environment.yml"):
            path = self.tree / name
            text = path.read_text(encoding="utf-8")
            path.write_text(text.replace(f"version: {current}\n", f"version: {self.version}\n"))
        guide = self.tree / "docs/docsite/rst/guide_install.rst"
        artifact = NAME.replace(".", "-") + "-{}.tar.gz"
        text = guide.read_text(encoding="utf-8")
        guide.write_text(text.replace(artifact.format(current), artifact.format(self.version)))
        self.call("antsibull-changelog", "release", "--version", self.version)

    def commit(self) -> None:
        """Make the export a commit on top of the last one, and a branch of that."""
        self.git(f"--work-tree={self.tree}", "add", "--all", ".", **self.index)
        tree = self.git("write-tree", **self.index)
        commit = self.git(
            *("commit-tree", "-p", "HEAD", "-m", f"Release {self.version}", tree),
            GIT_COMMITTER_DATE=f"{self.seconds} +0000",
        )
        self.git("branch", "--force", self.branch, commit)

    def write_notes(self) -> None:
        """Write what a page about the release says."""
        self.call(
            *("antsibull-changelog", "generate", "--only-latest", self.version),
            *("--output-format", "md", "--output", self.folder / "NOTES.md"),
        )

    def build(self) -> None:
        """Build the artifact."""
        self.call(
            *(self.tools.python, "-m", "tools.artifact", self.tree, self.folder),
            environ={**self.tools.environ(), "SOURCE_DATE_EPOCH": str(self.seconds)},
        )

    def write_bill(self) -> None:
        """Write the artifact's bill of materials."""
        self.call(
            *(self.tools.python, "-m", "tools.sbom"), self.artifact, self.bill, str(self.seconds)
        )

    def write_checksums(self) -> None:
        """Write down the checksums of what is published, as sha256sum reads them."""
        lines = [
            f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
            for path in (self.artifact, self.bill)
        ]
        (self.folder / "SHA256SUMS").write_text("".join(lines))

    # -- what is checked of the artifact ----------------------------------------------------------

    def check(self) -> None:
        """Let galaxy-importer, which Galaxy runs, look at the artifact. Raises ReleaseError."""
        importer = environment(
            "galaxy-importer",
            ["-c", str(REQUIREMENTS / "lint.txt"), "ansible-core", "galaxy-importer"],
        )
        said = self.call(
            *(importer.python, "-m", "galaxy_importer.main", self.artifact),
            cwd=self.folder,
            environ=bare_environ(importer.environ(), self.folder / "importer"),
        )
        found = complaints(said)
        if found:
            raise ReleaseError("\n".join(["galaxy-importer complains:", *found]))

    def install(self) -> Smoke:
        """Install the artifact into an empty place. Raises ReleaseError."""
        smoke = Smoke(self)
        smoke.install()
        return smoke


class Smoke:
    """An empty place with nothing but an artifact, and what it needs, installed."""

    def __init__(self, release: Release) -> None:
        self.release = release
        self.place = release.folder / "installed"
        self.collections = self.place / "collections"
        self.python = Environment(self.place / "venv")
        self.environ = {
            name: value
            for name, value in self.python.environ().items()
            if not name.startswith(("PYTHON", "INFISICAL_"))
        }
        self.environ.update(
            ANSIBLE_COLLECTIONS_PATH=str(self.collections),
            ANSIBLE_HOME=str(self.place / "ansible"),
            HOME=str(self.place),
        )

    def call(self, *command: str | Path, **environ: str) -> str:
        """What a command prints that runs there. Raises ReleaseError."""
        return self.release.call(*command, cwd=self.place, environ={**self.environ, **environ})

    def install(self) -> None:
        """Install ansible-core, the artifact, and what the artifact says that it needs."""
        shutil.rmtree(self.place, ignore_errors=True)
        self.place.mkdir(parents=True)
        pip: list[str | Path] = [self.python.python, "-m", "pip", "install"]
        uv = usable_uv()
        if uv:
            pip = [uv, "pip", "install", "--python", self.python.python]
        self.call(INTERPRETER, "-m", "venv", *(["--without-pip"] if uv else []), self.python.path)
        constraints = ("-c", REQUIREMENTS / "lint.txt")
        self.call(*pip, "ansible-core", *constraints)
        galaxy = ("ansible-galaxy", "collection")
        where = ("--collections-path", self.collections)
        self.call(*galaxy, "install", "--offline", self.release.artifact, *where)
        installed = self.collections / COLLECTION
        self.call(*pip, "-r", installed / "meta/ee-requirements.txt", *constraints)
        for path in installed.iterdir():
            if path.name not in USED:
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def check_version(self) -> None:
        """Raise ReleaseError unless Ansible says that the version is installed."""
        said = json.loads(
            self.call("ansible-galaxy", "collection", "list", NAME, "--format", "json")
        )
        versions = [found[NAME]["version"] for found in said.values()]
        if versions != [self.release.version]:
            raise ReleaseError(f"ansible-galaxy finds {versions}, not {self.release.version}.")

    def check_documentation(self) -> None:
        """Raise ReleaseError unless ansible-doc shows each module, plugin and role."""
        said = self.call("ansible-doc", "--metadata-dump", "--no-fail-on-errors", NAME)
        documented = json.loads(said)["all"]
        for kind, names in content(self.release.tree).items():
            if sorted(documented[kind]) != names or not all(documented[kind].values()):
                raise ReleaseError(
                    f"ansible-doc shows {list(documented[kind])}; there are {names}."
                )

    def check_use(self) -> None:
        """Raise ReleaseError unless a module and a playbook with the role work on the emulator."""
        # Imported here, because it takes long: most releases that are refused are so before.
        from emulator import running

        with running() as emulator:
            infisical = {
                "INFISICAL_URL": emulator.url,
                "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID": emulator.client_id,
                "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET": emulator.client_secret,
            }
            identity_id = emulator.create_identity(IDENTITY)
            self.call(
                "ansible", "localhost", "-m", MODULE, "-a", json.dumps(AZURE_AUTH), **infisical
            )
            if emulator.azure_auth(identity_id) is None:
                raise ReleaseError(f"{MODULE} attached nothing.")
            self.call(
                "ansible-playbook", AUDIT, "-e", "identities_audit_without_list=true", **infisical
            )
        if IDENTITY not in (self.place / REPORT).read_text(encoding="utf-8"):
            raise ReleaseError(f"{REPORT} does not name the identity that was audited.")


def content(tree: Path) -> dict[str, list[str]]:
    """The full names of what a collection has, by the kind that ansible-doc calls it."""
    found = {
        "module": [path.stem for path in sorted(tree.glob("plugins/modules/*.py"))],
        "filter": [path.stem for path in sorted(tree.glob("plugins/filter/*.yml"))],
        "lookup": [path.stem for path in sorted(tree.glob("plugins/lookup/*.py"))],
        "role": [path.name for path in sorted(tree.glob("roles/*"))],
    }
    return {
        kind: sorted(f"{NAME}.{name}" for name in names if name != "__init__")
        for kind, names in found.items()
        if names
    }


def _yaml(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content


def make(release: Release, *, tagged: bool, importer: bool) -> None:
    """Make and check a release, step by step. Raises ReleaseError and InstallError."""
    _say(f"Looking at the repository for {release.version}")
    release.refuse_dirty_tree()
    if tagged:
        release.refuse_untagged()
    else:
        release.refuse_version()
        release.refuse_fragments()
        release.refuse_version_added()
    release.export()
    if not tagged:
        _say("Writing the changelog and the version")
        release.write_version()
    release.write_notes()
    _say("Building the artifact")
    release.build()
    if importer:
        _say("Letting galaxy-importer check it, which takes minutes")
        release.check()
    _say("Installing it into an empty place")
    smoke = release.install()
    _say("Trying it there")
    smoke.check_version()
    smoke.check_documentation()
    smoke.check_use()
    release.write_bill()
    release.write_checksums()
    if not tagged:
        release.commit()


def main(arguments: Sequence[str]) -> int:
    """Make a release; the exit status says whether it is made."""
    parser = argparse.ArgumentParser(prog="make release VERSION=x.y.z ARGS=...")
    parser.add_argument("version")
    parser.add_argument("--tagged", action="store_true", help="build what the version's tag has")
    parser.add_argument("--skip-importer", action="store_true", help="leave out galaxy-importer")
    parser.add_argument(
        "--repository", type=Path, default=ROOT, help="a clone; this one if not given"
    )
    options = parser.parse_args(arguments)
    try:
        parsed(options.version)
        release = Release(options.repository, options.version, tagged=options.tagged)
        make(release, tagged=options.tagged, importer=not options.skip_importer)
    except (ReleaseError, InstallError) as error:
        print(f"\n{error}\nNot released: {options.version}", file=sys.stderr)
        return 1
    if options.tagged:
        _say(f"\n{release.artifact}")
    else:
        names = {"artifact": release.artifact.name, "bill": release.bill.name}
        _say(NEXT.format(name=NAME, **{**vars(release), **names}))
    if options.skip_importer:
        _say("galaxy-importer was left out.")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("Interrupted; nothing was changed.")
