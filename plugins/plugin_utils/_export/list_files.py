# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Identities as files of lists, which apply and audit read. Pure: identities in, texts out.

Applying an export changes nothing. So a list has only values that the options read back unchanged.
A value that an option refuses or corrects is commented out with the reason, and apply leaves it
alone.
"""

from __future__ import annotations

import collections
import hashlib
import json
import re
import typing as t
import unicodedata

from ...module_utils._errors import OptionError
from ...module_utils._state.auth_methods import AUTH_METHODS
from ...module_utils._state.azure_auth import ALLOW_ALL, PRINCIPALS
from ...module_utils._state.fields import Field, Settings, Values, same_networks
from ...module_utils._state.identity import IDENTITY, METADATA, ROLE
from ...module_utils._state.lifetimes import MAX_TTL, TTL
from ...module_utils._state.warnings import Warnings
from ...module_utils._text import (
    has_template,
    no_value,
    printable,
    quoted,
    texts_in,
    trim,
    uuid_or_none,
)
from .._identities import held
from .yaml_text import Comments, Path, document, item, mapping

NONE, PROJECT, PREFIX = "none", "project", "prefix"
SPLITS = (NONE, PROJECT, PREFIX)

ABSENT = {"state": "absent"}
_METHODS = [method.key for method in AUTH_METHODS]
# In the order of the documentation. The keys of metadata are sorted.
ORDER = (
    "name",
    "id",
    "project_id",
    "state",
    *(field.option for field in IDENTITY.fields if field.option != "name"),
    *(
        key
        for method in AUTH_METHODS
        for key in (
            method.key,
            *(key for field in method.fields for key in (field.option, field.switch) if key),
        )
    ),
)
_NAMING = ("id", "name", "project_id")
# The entry itself says which identity it is and who may log in as it, so that a reviewer sees this.
_NEVER_DEFAULT = {"id", "name", "state", PRINCIPALS, ALLOW_ALL}
_NEVER_DEFAULT_ROLES = {"admin"}
# A value is a default if at least so many entries of a file have it, and more than half of them.
_FEW = 3

_TYPES: t.Mapping[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "bool": (bool,),
    "list": (list,),
    "dict": (dict,),
}
_UNITS = (("d", 86400), ("h", 3600), ("m", 60))

# Names with another meaning in a folder: defaults.yml has the defaults of all files in it.
_RESERVED = {"defaults"}
_MAX_SLUG = 60
_OWN = "organization"
_OTHERS = "other"


class Entry(t.NamedTuple):
    """An identity as an entry of a list.

    `says` is the content of the entry, without the defaults of modules. `left` has the settings
    that an entry cannot express, by their paths, each as the server holds it, with the reason as a
    sentence. `name` is as the server holds it.
    """

    id: str | None
    name: str
    project_id: str | None
    project_name: str | None
    says: dict[str, t.Any]
    left: dict[Path, tuple[t.Any, str]]

    @property
    def labels(self) -> dict[str, t.Any]:
        """The ID, name and project of the identity."""
        return {"id": self.id, "name": self.name, "project_id": self.project_id}


class Wanted(t.NamedTuple):
    """How to write files. `comment` has the sentences at the beginning of each file."""

    split_by: str = NONE
    prefix_separator: str = "-"
    defaults: bool = True
    without_azure_auth: bool = True
    comment: tuple[str, ...] = ()


def export(
    identities: t.Sequence[t.Any], wanted: Wanted, beside: t.Sequence[t.Any] = ()
) -> dict[str, t.Any]:
    """Return the files, and what to report about them.

    `identities` are as modules return them, or entries of a list; `beside` are the entries of other
    files. Returns `{files, identities, left_out, twice}`. Each file is `{path, content,
    identities}`, where the path is relative and `identities` is a number. `left_out` has `{id,
    name, project_id, field, value, reason}` for each setting that no list can express. `twice` has
    a sentence for each entry of `beside` that is about an exported identity. Raises ValueError,
    with a sentence, for wrong arguments.
    """
    entries = entries_of(identities)
    if not wanted.without_azure_auth:
        entries = [entry for entry in entries if _has_method(entry)]
    files = [
        {"path": path, "content": _content(group, wanted), "identities": len(group)}
        for path, group in sorted(_groups(entries, wanted).items())
    ]
    return {
        "files": files,
        "identities": len(entries),
        "left_out": [
            {**entry.labels, "field": ".".join(path), "value": value, "reason": why}
            for entry in entries
            for path, (value, why) in entry.left.items()
        ],
        "twice": list(_twice(entries, beside)),
    }


def entries_of(identities: t.Sequence[t.Any]) -> list[Entry]:
    """Return the entries of identities, by name and then ID. Raises ValueError."""
    entries = [_entry(index, identity) for index, identity in enumerate(identities)]
    names = collections.Counter((entry.project_id, entry.name) for entry in entries)
    return [
        # Without the ID if the name is unique.
        (
            entry._replace(says={key: value for key, value in entry.says.items() if key != "id"})
            if entry.says.get("name") and names[entry.project_id, entry.name] == 1
            else entry
        )
        for entry in sorted(entries, key=lambda one: (one.name, one.project_id or "", one.id or ""))
    ]


def _entry(index: int, identity: t.Any) -> Entry:
    """Read an identity. Raises ValueError."""
    where = f"identities[{index}]"
    if not isinstance(identity, dict):
        raise ValueError(
            f"{where} is {quoted(identity)}, which is not a dictionary; give the identities that"
            " the modules return."
        )
    name = held(identity, "name")
    name = name if isinstance(name, str) else ""
    if name:
        where += f" ({printable(name, 60)})"
    identity_id, project_id = (
        uuid_or_none(identity[key]) if isinstance(identity.get(key), str) else None
        for key in ("id", "project_id")
    )
    if not identity_id and not name:
        raise ValueError(
            f"{where} has neither id nor name; give the identities that the modules return."
        )
    says, left = _settings(where, IDENTITY, identity, ())
    if identity_id:
        says["id"] = identity_id
    if project_id:
        says["project_id"] = project_id
    for method in AUTH_METHODS:
        settings = identity.get(method.key)
        if settings is None:
            continue
        if not isinstance(settings, dict):
            raise ValueError(f"{where} has {quoted(settings)} for {method.key}.")
        if settings.get("state") == "absent":
            says[method.key] = dict(ABSENT)
            continue
        inner, more = _settings(where, method, settings, (method.key,))
        left.update(more)
        if inner:
            says[method.key] = inner
    project_name = (identity.get("details") or {}).get("project_name")
    return Entry(identity_id, name, project_id, project_name, says, left)


def _settings(
    where: str, settings: Settings, result: Values, path: Path
) -> tuple[dict[str, t.Any], dict[Path, tuple[t.Any, str]]]:
    """Return the settings that a list can express, and those it cannot. Raises ValueError."""
    details = result.get("details") or {}
    stored = details.get("stored") or {}
    says: dict[str, t.Any] = {}
    left: dict[Path, tuple[t.Any, str]] = {}
    for field in settings.fields:
        option = field.option
        value = stored.get(option, result.get(option))
        if field.type == "dict" and isinstance(value, list):
            value = _ordered(value)
        switched = bool(field.switch and value is None and result.get(field.switch) is True)
        if option == ROLE and value is None and details.get("roles"):
            why = "the identity has several roles, or a temporary one"
            left[(*path, option)] = (_ordered(details["roles"]), why)
        if field.secret or (value is None and not switched):
            continue
        given = {field.switch: True} if switched and field.switch else {option: value}
        if not switched and option not in stored and not _is(value, field.type):
            raise ValueError(
                f"{where} has {quoted(value)} for {option}, which is not of the type {field.type}."
            )
        why = _why_not(field, given)
        if why:
            left[(*path, option)] = (value, why)
        else:
            says.update(given)
    lifetimes = {option: says[option] for option in (TTL, MAX_TTL) if option in says}
    try:
        settings.check(lifetimes, {})
    except OptionError as error:
        why = _clause(error).replace(" (given)", "")
        left.update({(*path, option): (says.pop(option), why) for option in lifetimes})
    return says, left


def _ordered(items: t.Iterable[t.Any]) -> list[t.Any]:
    """Return items that the server returns in any order, in a fixed order."""
    return sorted(items, key=json.dumps)


def _is(value: t.Any, kind: str) -> bool:
    return isinstance(value, _TYPES[kind]) and not (kind == "int" and isinstance(value, bool))


def _why_not(field: Field, given: Values) -> str:
    """Return a clause that says why the option does not take a value as it is; blank if it does."""
    value = given.get(field.option)
    if field.type == "dict" and isinstance(value, list):
        return f"{field.option} has a key twice, which a dictionary cannot have"
    for text in [*texts_in(value), *(value if isinstance(value, dict) else ())]:
        if has_template(text):
            return f"{field.option} has {quoted(text)}, which a list reads as a template"
        if no_value(text):
            return f"{field.option} has {quoted(text)}, which Ansible prints in place of values"
        if not _is_unicode(text):
            return f"{field.option} has characters that a file cannot contain"
    if isinstance(value, str) and not trim(value):
        return f"{field.option} is blank, which counts as left out"
    try:
        read = field.results(field.read(given, Warnings()))
    except OptionError as error:
        return _clause(error)
    if value is None or field.same is same_networks:
        return ""
    again = read[field.option]
    if isinstance(value, list):
        value, again = set(value), set(again)
    if value != again:
        return f"a list reads it as {_shown(again)}, so apply would change it to that"
    return ""


def _clause(error: OptionError) -> str:
    """Return what is wrong, without the advice after it."""
    return str(error).partition("; ")[0].rstrip(".")


def _shown(value: t.Any) -> str:
    return ", ".join(map(quoted, sorted(value))) if isinstance(value, set) else quoted(value)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _has_method(entry: Entry) -> bool:
    """Return whether an auth method is attached, even if a list cannot express its settings."""
    return any(entry.says.get(key, ABSENT) != ABSENT for key in _METHODS) or any(
        path[0] in _METHODS for path in entry.left
    )


def _groups(entries: t.Sequence[Entry], wanted: Wanted) -> dict[str, list[Entry]]:
    """Return the entries of each file, by its path."""
    groups: dict[tuple[str, str, str], list[Entry]] = {}
    for entry in entries:
        groups.setdefault(_group(entry, wanted), []).append(entry)
    paths: dict[tuple[str, str, str], str] = {}
    # Files that would have the same path get a digest, and a longer one if that is taken too.
    for digits in (0, 8, 64):
        taken = collections.Counter(paths.values())
        for folder, name, key in groups:
            path = paths.get((folder, name, key))
            if path is None or taken[path] > 1 or path in _reserved(folder):
                paths[folder, name, key] = f"{folder}{_slug(name, key, digits)}.yml"
    return {paths[group]: listed for group, listed in groups.items()}


def _reserved(folder: str) -> set[str]:
    return {f"{folder}{name}.yml" for name in _RESERVED}


def _group(entry: Entry, wanted: Wanted) -> tuple[str, str, str]:
    """Return the file of an entry: its folder, what it is named after, and a unique key."""
    if wanted.split_by == PROJECT:
        if entry.project_id:
            return "projects/", entry.project_name or entry.project_id, entry.project_id
        return "", _OWN, ""
    if wanted.split_by == PREFIX:
        prefix, separator, _rest = entry.name.partition(wanted.prefix_separator)
        return ("", prefix, f"prefix {prefix}") if separator else ("", _OTHERS, "")
    return "", "identities", ""


def _slug(name: str, key: str, digits: int) -> str:
    """Return a name that is valid for a file on every system, and never names a folder."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9_]+", "-", plain).strip("-")[:_MAX_SLUG].strip("-") or "unnamed"
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:digits]
    return f"{slug}-{digest}" if digest else slug


def _content(entries: t.Sequence[Entry], wanted: Wanted) -> str:
    """Return the file with these entries."""
    defaults = _defaults_of([entry.says for entry in entries]) if wanted.defaults else {}
    header = list(wanted.comment)
    if defaults:
        header.append(
            "The defaults apply to every entry that does not set its own value; null means that an"
            " entry gets no default."
        )
    projects = {
        entry.project_id: entry.project_name
        for entry in entries
        if entry.project_id and entry.project_name
    }
    parts = []
    if defaults:
        lines = mapping(_in_units(defaults), Comments({}, projects), ORDER, "  ")
        parts.append(["defaults:", *lines])
    listed = [
        item(
            _in_units(_besides(entry.says, defaults)),
            Comments(
                {
                    path: (_in_units({path[-1]: value})[path[-1]], f"Left alone: {why}.")
                    for path, (value, why) in entry.left.items()
                },
                projects,
            ),
            ORDER,
            "  ",
        )
        for entry in entries
    ]
    parts += [["identities:", *listed[0]], *listed[1:]]
    return document(header, parts)


def _defaults_of(says: t.Sequence[Values]) -> dict[str, t.Any]:
    """Return the settings that more than half of these entries share, if that is enough of them."""
    total = len(says)
    defaults: dict[str, t.Any] = {}
    for key in dict.fromkeys(key for one in says for key in one):
        having = [one[key] for one in says if key in one]
        agreed: t.Any = None
        if key in _METHODS:
            # A revoked auth method has no settings, and takes none from defaults.
            attached = [settings for settings in having if settings != ABSENT]
            revoked = len(having) - len(attached)
            agreed = _agreed_items(attached, total - revoked, _NEVER_DEFAULT) or None
        elif key == METADATA:
            agreed = _agreed_items(having, total)
            if not agreed and not _is_common(having.count({}), total):
                agreed = None
        elif key not in _NEVER_DEFAULT:
            agreed = _agreed(having, total)
        if key == ROLE and agreed in _NEVER_DEFAULT_ROLES:
            continue
        if key == "project_id" and having.count(agreed) < total:
            # The organization owns the other ones, so their entries would need a null.
            continue
        if agreed is not None:
            defaults[key] = agreed
    return defaults


def _agreed_items(
    mappings: t.Sequence[Values], total: int, never: t.Collection[str] = ()
) -> dict[str, t.Any]:
    """Return the items that more than half of `total` mappings share, of which some are missing."""
    keys = dict.fromkeys(key for one in mappings for key in one if key not in never)
    agreed = {key: _agreed([one[key] for one in mappings if key in one], total) for key in keys}
    return {key: value for key, value in agreed.items() if value is not None}


def _agreed(values: t.Sequence[t.Any], total: int) -> t.Any:
    """Return the value that more than half of `total` share, or None."""
    counted = collections.Counter(json.dumps(value) for value in values)
    text, count = max(counted.items(), key=lambda pair: pair[1])
    return json.loads(text) if _is_common(count, total) else None


def _is_common(count: int, total: int) -> bool:
    return count >= _FEW and 2 * count > total


def _besides(says: Values, defaults: Values) -> dict[str, t.Any]:
    """Return what an entry needs besides the defaults."""
    rest = _differing(says, defaults)
    said = {key for key, value in rest.items() if value is not None}.difference(_NAMING)
    if said and all(_is_revoked(key, rest[key]) for key in said):
        # An entry that only revokes gets no defaults, so it needs at least one setting of its own.
        others = [key for key in ORDER if key in says and key not in (*_NAMING, *rest)]
        rest.update((key, says[key]) for key in others[:1])
    return rest


def _differing(says: Values, defaults: Values) -> dict[str, t.Any]:
    """Return the settings that differ from the defaults, with null in place of a missing one."""
    rest: dict[str, t.Any] = {}
    for key in dict.fromkeys([*says, *defaults]):
        value, default = says.get(key), defaults.get(key)
        if isinstance(value, dict) and isinstance(default, dict) and not _is_revoked(key, value):
            inner = dict.fromkeys([*value, *default])
            value = {
                each: value.get(each) for each in inner if value.get(each) != default.get(each)
            }
            default = {}
        if value != default:
            rest[key] = value
    return rest


def _is_revoked(key: str, value: t.Any) -> bool:
    return key in _METHODS and value == ABSENT


def _in_units(values: Values) -> dict[str, t.Any]:
    """Return values with their lifetimes as durations, such as 1h."""
    return {
        key: (
            _in_units(value)
            if isinstance(value, dict)
            else duration(value) if key in (TTL, MAX_TTL) else value
        )
        for key, value in values.items()
    }


def duration(seconds: t.Any) -> t.Any:
    """Return a number of seconds in the largest unit that divides it."""
    for unit, length in _UNITS:
        if isinstance(seconds, int) and seconds and seconds % length == 0:
            return f"{seconds // length}{unit}"
    return seconds


def _twice(entries: t.Sequence[Entry], beside: t.Sequence[t.Any]) -> t.Iterator[str]:
    """Yield a sentence for each entry of another file that is about one of these identities."""
    by_id = {entry.id: entry for entry in entries if entry.id}
    by_name = {(entry.project_id, entry.name): entry for entry in entries}
    for other in beside:
        if not isinstance(other, dict):
            continue
        texts = [other.get(key) for key in ("id", "project_id", "name", "source")]
        identity_id, project_id, name, source = (
            trim(text) if isinstance(text, str) else "" for text in texts
        )
        if identity_id:
            same = by_id.get(uuid_or_none(identity_id) or "")
        else:
            same = by_name.get((uuid_or_none(project_id), name))
        if same:
            label = printable(same.name, 80) or same.id
            yield f"{printable(source, 120) or 'Another file'} also lists {label}."
