# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the bill of materials of an artifact, as CycloneDX in JSON.

`python -m tools.sbom <artifact> <file> <seconds>` takes everything from the artifact: what it is,
and what it needs from elsewhere. The artifact has no code of others in it, so what it needs are the
only components. `seconds` is the time that the bill says it is of.
"""

from __future__ import annotations

import hashlib
import re
import sys
import tarfile
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import yaml
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashType, Property, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from .artifact import MANIFEST, read_json

REFERENCES = {
    "repository": ExternalReferenceType.VCS,
    "documentation": ExternalReferenceType.DOCUMENTATION,
    "homepage": ExternalReferenceType.WEBSITE,
    "issues": ExternalReferenceType.ISSUE_TRACKER,
}


def _text(archive: tarfile.TarFile, name: str) -> str:
    file = archive.extractfile(name)
    assert file is not None
    return file.read().decode()


def _needed(archive: tarfile.TarFile) -> Iterator[tuple[str, str]]:
    """Yield each package that the collection needs, with the versions that will do."""
    yield "ansible-core", yaml.safe_load(_text(archive, "meta/runtime.yml"))["requires_ansible"]
    listed = _text(archive, "meta/ee-requirements.txt")
    for name, versions in re.findall(r"^([\w.-]+) *(.*)$", listed, re.MULTILINE):
        yield name, versions.replace(" ", "")


def _package(name: str, versions: str) -> Component:
    """A package of PyPI. Which version it is, whoever installs it decides."""
    return Component(
        type=ComponentType.LIBRARY,
        name=name,
        bom_ref=f"pypi:{name}",
        purl=PackageURL("pypi", name=name),
        properties=[Property(name="community.infisical:versions", value=versions)],
    )


def bill(artifact: Path, seconds: int) -> str:
    """Return the bill of materials of an artifact as JSON. Raises ValueError."""
    digest = hashlib.sha256(artifact.read_bytes()).hexdigest()
    with tarfile.open(artifact) as archive:
        about = read_json(archive, MANIFEST)["collection_info"]
        packages = [_package(name, versions) for name, versions in _needed(archive)]
    collection = Component(
        type=ComponentType.LIBRARY,
        group=about["namespace"],
        name=about["name"],
        version=about["version"],
        description=about["description"],
        bom_ref="collection",
        hashes=[HashType.from_composite_str(f"sha256:{digest}")],
        licenses=[DisjunctiveLicense(id=name) for name in about["license"]],
        purl=PackageURL(
            "generic",
            namespace=about["namespace"],
            name=about["name"],
            version=about["version"],
            qualifiers={"vcs_url": f"git+{about['repository']}"},
        ),
        external_references=[
            ExternalReference(type=kind, url=XsUri(about[name]))
            for name, kind in REFERENCES.items()
        ],
    )
    document = Bom(
        components=packages,
        # Of the artifact, so that the same artifact has the same bill.
        serial_number=uuid5(NAMESPACE_URL, f"sha256:{digest}"),
    )
    document.metadata.timestamp = datetime.fromtimestamp(seconds, timezone.utc)
    document.metadata.component = collection
    document.register_dependency(collection, packages)
    written: str = JsonV1Dot6(document).output_as_string(indent=2)
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(written)
    if error:
        raise ValueError(f"The bill of materials is not CycloneDX 1.6: {error}")
    return f"{written}\n"


def main(arguments: Sequence[str]) -> int:
    """Write the bill of materials of an artifact."""
    artifact, file, seconds = arguments
    Path(file).write_text(bill(Path(artifact), int(seconds)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
