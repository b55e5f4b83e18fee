# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter that writes the report of an audit in other formats; see identity_audit_output.yml."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.community.infisical.plugins.module_utils._text import quoted
from ansible_collections.community.infisical.plugins.plugin_utils._report.baseline import (
    read_report,
)
from ansible_collections.community.infisical.plugins.plugin_utils._report.outputs.console import (
    console,
)
from ansible_collections.community.infisical.plugins.plugin_utils._report.outputs.csv_table import (
    csv_table,
)
from ansible_collections.community.infisical.plugins.plugin_utils._report.outputs.html_page import (
    html_page,
)
from ansible_collections.community.infisical.plugins.plugin_utils._report.outputs.junit import junit
from ansible_collections.community.infisical.plugins.plugin_utils._report.outputs.markdown import (
    markdown,
)
from ansible_collections.community.infisical.plugins.plugin_utils._report.outputs.sarif import sarif

NAME = "community.infisical.identity_audit_output"

FORMS: dict[str, t.Callable[[t.Mapping[str, t.Any]], t.Any]] = {
    "console": console,
    "junit": junit,
    "sarif": sarif,
    "markdown": markdown,
    "csv": csv_table,
    "html": html_page,
}


def identity_audit_output(report: t.Any, form: t.Any) -> t.Any:
    """Return a report in another format: a list of lines for the console, otherwise a string.

    Raises AnsibleFilterError, with one sentence, for anything that is not a report or not a format.
    """
    if not isinstance(form, str) or form not in FORMS:
        raise AnsibleFilterError(
            f"{NAME}: there is no format {quoted(form)}; the formats are {', '.join(FORMS)}."
        )
    try:
        return FORMS[form](read_report("its input", report))
    except ValueError as why:
        raise AnsibleFilterError(f"{NAME}: {why}") from None
    except (AttributeError, IndexError, KeyError, TypeError) as why:
        raise AnsibleFilterError(
            f"{NAME}: its input is not a report of identity_audit_report"
            f" ({type(why).__name__}: {why})."
        ) from None


class FilterModule:
    """The filters of this file, as Ansible wants them."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters by name."""
        return {"identity_audit_output": identity_audit_output}
