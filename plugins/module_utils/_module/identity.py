# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module does to manage one identity with its auth methods."""

from __future__ import annotations

import typing as t

from .._errors import InfisicalError, ManyProblemsError, Problem
from .._state.auth_method import AuthMethod
from .._state.creations import Creations
from .._state.entry import EntryReconciler
from .._state.warnings import Warnings
from .entries import entry_spec, read_entry
from .entry_results import difference_of, result_of, warn_of_changes
from .module import Module, logged_in
from .results import Result, failure


def manage_identity(methods: t.Sequence[AuthMethod]) -> None:
    """Run the module that manages one identity, with its auth methods."""
    module = Module(entry_spec(methods))
    result: Result = {}
    problem = ""
    warnings = Warnings()
    work: EntryReconciler | None = None
    try:
        entry, problems = read_entry(module.options, methods, warnings)
        if problems or entry is None:
            raise ManyProblemsError([Problem(sentence) for sentence in problems])
        after = Warnings()
        with logged_in(module, warnings) as (api, login):
            work = EntryReconciler(
                api,
                login,
                methods,
                entry.reference,
                entry.desired,
                Creations(api, after),
                check=module.check_mode,
            )
            work.run()
    except InfisicalError as error:
        result.update(failure(error))
        problem = str(error)
        if work:
            work.failure = error
    if work and not (problem and not work.changed):
        result["identity"] = result_of(work, methods, after)
        if module._diff:
            result["diff"] = difference_of(work, methods)
        warn_of_changes(work, after)
        module.warn_of(after)
    module.end({**result, "changed": bool(work and work.changed)}, problem)
