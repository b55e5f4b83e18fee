# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make demo`: the tour of playbooks/first_identity.yml, on the emulator or one's own Infisical.

Arguments go to ansible-playbook.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

from .environments import project_environ
from .infisical import VARIABLES, IncompleteError, opted_for
from .paths import ROOT, link_collection

PLAYBOOK = "community.infisical.first_identity"
# The playbook does without the organization.
NEEDED = VARIABLES[:3]

NEXT = """
What to try next

  Read what you have just seen: playbooks/first_identity.yml, and the guide that begins where
  it ends: docs/docsite/rst/guide_first_identity.rst

  Keep the emulator running, and play:
    make emulator                   in one terminal; it prints lines that start with "export"
    make demo                       in another one, after pasting those lines

  Take the tour on your own Infisical. It creates an identity, and deletes it in the end:
    export TEST_INFISICAL_URL=https://infisical.example.com
    export TEST_INFISICAL_UNIVERSAL_AUTH_CLIENT_ID=...
    export TEST_INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET=...
    make demo

  See that everything holds: make test. Everything else: make help.
"""


def play(arguments: Sequence[str], infisical: dict[str, str]) -> int:
    """Run the playbook; the result is its exit status."""
    environ = project_environ()
    # What runs is what an installed collection would run: modules get no help from the work tree.
    del environ["PYTHONPATH"]
    environ.update(
        infisical,
        ANSIBLE_CALLBACK_RESULT_FORMAT="yaml",
        ANSIBLE_FORCE_COLOR=str(sys.stdout.isatty()),
        ANSIBLE_INVENTORY_UNPARSED_WARNING="False",
        ANSIBLE_LOCALHOST_WARNING="False",
        ANSIBLE_NOCOWS="True",
    )
    return subprocess.call(["ansible-playbook", PLAYBOOK, *arguments], cwd=ROOT, env=environ)


def main(arguments: Sequence[str]) -> int:
    """Take the tour; the result is the exit status."""
    link_collection()
    try:
        given = opted_for(NEEDED)
    except IncompleteError as error:
        print(error, file=sys.stderr)
        return 1
    if given:
        print(f"Infisical: {given['INFISICAL_URL']}", flush=True)
        status = play(arguments, given)
    else:
        # Imported here: a tour of one's own Infisical does without the emulator.
        from emulator import running

        with running() as emulator:
            print(f"Infisical: an emulator at {emulator.url}", flush=True)
            credentials = {
                "INFISICAL_URL": emulator.url,
                "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID": emulator.client_id,
                "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET": emulator.client_secret,
            }
            status = play(arguments, credentials)
    if status == 0:
        print(NEXT, end="")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
