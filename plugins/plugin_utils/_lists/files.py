# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which files have lists, and which files have their defaults."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

from ...module_utils._errors import OptionError

ENDINGS = (".yml", ".yaml", ".json")
_DEFAULTS = frozenset(f"defaults{ending}" for ending in ENDINGS)


class ListFile(t.NamedTuple):
    """A file with a list, and the files with its defaults, those of the outermost folder first."""

    path: str
    defaults: tuple[str, ...] = ()


def single(path: str) -> ListFile:
    """Return a file that the user named. It gets the defaults of its own folder.

    Raises OptionError.
    """
    if is_defaults(path):
        raise OptionError(
            f"{path} has defaults and no list; name the file with the list, or the folder."
        )
    folder = os.path.dirname(path)  # noqa: PTH120 as the path was given
    try:
        names = os.listdir(folder)  # noqa: PTH208 as the path was given
    except OSError as why:
        raise _unreadable(why) from None
    return ListFile(path, _defaults_of(folder, names))


def in_folder(folder: str) -> tuple[list[ListFile], list[str]]:
    """Return the files with lists in a folder and below it, and the files that are not read.

    The latter are never ignored silently: an identity that is not listed may lose Azure Auth.
    Raises OptionError.
    """
    read: list[ListFile] = []
    unread: list[str] = []
    hidden: list[Path] = []
    defaults: dict[str, tuple[str, ...]] = {}

    def refuse(why: OSError) -> t.NoReturn:
        raise _unreadable(why)

    # If several links lead to a folder, it is read once.
    seen = set()
    for parent, folders, files in os.walk(folder, onerror=refuse, followlinks=True):
        real = os.path.realpath(parent)
        if real in seen:
            if any(os.path.realpath(above) == real for above in Path(parent).parents):
                raise OptionError(f"{parent} contains itself through a link; remove the link.")
            folders.clear()
            continue
        seen.add(real)
        above = defaults.get(os.path.dirname(parent), ())  # noqa: PTH120 as os.walk has it
        defaults[parent] = above + _defaults_of(parent, files)
        hidden += [Path(parent, name) for name in folders if name.startswith(".")]
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            path = os.path.join(parent, name)  # noqa: PTH118 as os.walk has it
            if name.startswith("."):
                hidden.append(Path(path))
            elif not os.path.exists(path):  # noqa: PTH110
                raise OptionError(
                    f"{path} is a broken link to {os.readlink(path)}."  # noqa: PTH115
                )
            elif not _has_ending(name):
                unread.append(path)
            elif not is_defaults(name):
                read.append(ListFile(path, defaults[parent]))
    # Where Kubernetes mounts a ConfigMap, the files are links to hidden files.
    known = {os.path.realpath(path) for path in _all_of(read)}
    unread += [
        str(found)
        for start in hidden
        for found in (start.rglob("*") if start.is_dir() else [start])
        if _has_ending(found.name) and not found.is_dir() and os.path.realpath(found) not in known
    ]
    return sorted(read), sorted(unread)


def _all_of(files: t.Iterable[ListFile]) -> t.Iterator[str]:
    for file in files:
        yield from (file.path, *file.defaults)


def is_defaults(path: str) -> bool:
    """Return whether the name of a file says that it has the defaults of its folder."""
    return os.path.basename(path).lower() in _DEFAULTS  # noqa: PTH119


def _defaults_of(folder: str, names: t.Iterable[str]) -> tuple[str, ...]:
    """Return the file with the defaults of a folder, if any. Raises OptionError for two."""
    found = sorted(filter(is_defaults, names))
    if len(found) > 1:
        raise OptionError(
            f"The folder {folder} has defaults in {' and in '.join(found)}; put them into one of"
            " these files."
        )
    return tuple(os.path.join(folder, name) for name in found)  # noqa: PTH118


def _has_ending(name: str) -> bool:
    return name.lower().endswith(ENDINGS)


def _unreadable(why: OSError) -> OptionError:
    return OptionError(f"The folder {why.filename} cannot be read: {why.strerror}.")
