# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What AWX does with its objects, as far as it matters here, read from the source of AWX 24.

There is no AWX in the tests. Each rule names the module of AWX that has it. The rules are told in
our own words: each function yields what AWX would refuse, one sentence a fault.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkstemp

import yaml
from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

Object = t.Mapping[str, t.Any]

_IDENTIFIER = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_FIELD_KEYS = {
    "id",
    "label",
    "help_text",
    "type",
    "format",
    "choices",
    "multiline",
    "secret",
    "ask_at_runtime",
    "default",
}
_STRINGS_ONLY = ("choices", "multiline", "format", "secret")
# awx/main/constants.py: what no credential may set.
_RESERVED_VARIABLES = {
    "PATH",
    "PYTHONPATH",
    "VIRTUAL_ENV",
    "JOB_ID",
    "INVENTORY_ID",
    "INVENTORY_SOURCE_ID",
    "INVENTORY_UPDATE_ID",
    "AD_HOC_COMMAND_ID",
    "REST_API_URL",
    "REST_API_TOKEN",
    "MAX_EVENT_RES",
    "CALLBACK_QUEUE",
    "CALLBACK_CONNECTION",
    "CACHE",
    "JOB_CALLBACK_DEBUG",
    "INVENTORY_HOSTVARS",
    "AWX_HOST",
    "PROJECT_REVISION",
    "SUPERVISOR_CONFIG_PATH",
}


# -- credential types: awx/main/fields.py -------------------------------------------------------


def input_faults(inputs: Object) -> t.Iterator[str]:
    """Yield what is wrong with the inputs of a credential type."""
    yield from _unknown("inputs", inputs, {"fields", "required"})
    seen: set[str] = set()
    for field in inputs.get("fields", []):
        name = field.get("id", "")
        yield from _unknown(f"input {name}", field, _FIELD_KEYS)
        if not _IDENTIFIER.fullmatch(name) or name == "tower":
            yield f"input {name!r} cannot be a variable"
        if name in seen:
            yield f"input {name} is there twice"
        seen.add(name)
        if not isinstance(field.get("label"), str):
            yield f"input {name} has no label"
        yield from _field_faults(name, field)
    for name in inputs.get("required", []):
        # AWX takes it, and then nobody can save a credential.
        if name not in seen:
            yield f"input {name} is required, and there is none"


def _field_faults(name: str, field: Object) -> t.Iterator[str]:
    kind = field.get("type", "string")
    if kind not in ("string", "boolean"):
        yield f"input {name} is of the type {kind!r}"
    elif kind == "boolean":
        yield from (
            f"input {name} is a boolean with {key}" for key in _STRINGS_ONLY if key in field
        )
    if field.get("format", "url") not in ("url", "ssh_private_key"):
        yield f"input {name} has the format {field['format']!r}"
    choices = field.get("choices", [""])
    if not choices or len(set(choices)) != len(choices):
        yield f"input {name} has no choices, or one twice"
    if not all(isinstance(choice, str) for choice in choices):
        yield f"input {name} has a choice that is no string"
    default = field.get("default")
    if default is not None and not isinstance(default, bool if kind == "boolean" else str):
        yield f"input {name} has a default of another type"
    for key in ("multiline", "secret", "ask_at_runtime"):
        if not isinstance(field.get(key, False), bool):
            yield f"input {name}: {key} is no boolean"


def injector_faults(inputs: Object, injectors: Object) -> t.Iterator[str]:
    """Yield what is wrong with the injectors of a credential type with these inputs."""
    yield from _unknown("injectors", injectors, {"file", "env", "extra_vars"})
    files = injectors.get("file", {})
    labels = []
    for key in files:
        first, _dot, label = key.partition(".")
        if first != "template" or (label and not _IDENTIFIER.fullmatch(label)) or key[-1] == ".":
            yield f"file {key!r} is neither 'template' nor 'template.<name>'"
        else:
            labels.append(label)
    if "" in labels and len(labels) > 1:
        yield "a file without a name stands beside others"
    for name in injectors.get("env", {}):
        if not _IDENTIFIER.fullmatch(name):
            yield f"{name!r} cannot be an environment variable"
        if name.startswith("ANSIBLE_") or name in _RESERVED_VARIABLES:
            yield f"the environment variable {name} is reserved"
    namespace: dict[str, t.Any] = {field["id"]: "example" for field in inputs.get("fields", [])}
    namespace["tower"] = {"filename": "name" if labels == [""] else dict.fromkeys(labels, "name")}
    sandbox = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
    for kind in ("file", "env", "extra_vars"):
        for key, template in injectors.get(kind, {}).items():
            if not isinstance(template, str) or (kind == "env" and not template.isascii()):
                yield f"{kind} {key} is no string that AWX takes"
                continue
            try:
                sandbox.from_string(template).render(namespace)
            except TemplateError as error:
                yield f"{kind} {key}: {error}"


def credential_faults(inputs: Object, given: Object) -> t.Iterator[str]:
    """Yield what is wrong with a credential's values for the inputs of its type.

    A blank of an input with choices is taken for the first of them. A required input is missed
    when the job starts.
    """
    fields = {field["id"]: field for field in inputs.get("fields", [])}
    yield from _unknown("credential", given, set(fields))
    for name, value in given.items():
        field = fields.get(name, {})
        if not isinstance(value, bool if field.get("type") == "boolean" else str):
            yield f"{name} is of another type"
        elif "choices" in field and value and value not in field["choices"]:
            yield f"{name} is none of {', '.join(field['choices'])}"
        elif field.get("format") == "url" and "://" not in str(value):
            yield f"{name} is no URL"
    yield from (f"{name} is required" for name in inputs.get("required", []) if not given.get(name))


def _unknown(what: str, item: Object, known: set[str]) -> t.Iterator[str]:
    yield from (f"{what}: {key} is unknown" for key in sorted(set(item) - known))


# -- credentials in jobs: awx/main/models/credential.py -----------------------------------------


@dataclass(frozen=True)
class Injected:
    """What a credential adds to a job: environment variables, and extra variables."""

    env: dict[str, str]
    extra_vars: dict[str, str]


def inject(
    credential_type: Object, given: Object, private_data_dir: Path, seen_as: Path | None = None
) -> Injected:
    """Render the injectors with a credential's values, and write the files.

    A blank is left out of what the templates see, as an input that was never given is. `seen_as`
    is what the private data directory is called where the job runs.
    """
    fields = credential_type["inputs"].get("fields", [])
    values: dict[str, t.Any] = {
        field["id"]: False for field in fields if field.get("type") == "boolean"
    }
    values.update({name: value for name, value in given.items() if value or value is False})
    injectors = credential_type["injectors"]
    sandbox = ImmutableSandboxedEnvironment()

    def render(template: str) -> str:
        return sandbox.from_string(template).render(**values)

    names: dict[str, str] = {}
    values["tower"] = {"filename": names}
    for key, template in injectors.get("file", {}).items():
        _handle, path = mkstemp(dir=private_data_dir / "env")
        Path(path).write_text(render(template), encoding="utf-8")
        label = key.partition(".")[2]
        names[label] = str((seen_as or private_data_dir) / "env" / Path(path).name)
        if not label:
            values["tower"] = {"filename": names[label]}
    return Injected(
        {name: render(template) for name, template in injectors.get("env", {}).items()},
        {name: render(template) for name, template in injectors.get("extra_vars", {}).items()},
    )


# -- extra variables of jobs: awx/main/utils/safe_yaml.py, awx/main/models/mixins.py --------------


class _Unsafe(yaml.SafeDumper):
    """Writes every text so that Ansible does not take it for a template, whatever it looks like."""

    def represent_data(self, data: t.Any) -> yaml.Node:
        """Return the node of a value; a text is a scalar without quotes that change its meaning."""
        if isinstance(data, str):
            return self.represent_scalar("!unsafe", data)
        return super().represent_data(data)


def dumped(variables: Object, own: Object) -> str:
    """Return extra variables as the file has them that a job gets.

    Those that are as the template itself has them, `own`, are taken for its author's. From
    ansible-core 2.19 on, the others become what YAML makes of them: `''` null, `'no'` false.
    """
    return "".join(
        yaml.dump(
            {name: value},
            Dumper=yaml.SafeDumper if own.get(name, ...) == value else _Unsafe,
            default_flow_style=False,
        )
        for name, value in variables.items()
    )


def answered(template: Object, answers: Object) -> dict[str, t.Any]:
    """Return the extra variables of a job of a template, where nobody answers more than this."""
    questions = template.get("survey_spec", {}).get("spec", [])
    defaults = {item["variable"]: item["default"] for item in questions if "default" in item}
    return {**template.get("extra_vars", {}), **defaults, **answers}


# -- surveys: awx/api/views/__init__.py ---------------------------------------------------------

_SURVEY_TYPES: t.Mapping[str, type | tuple[type, ...]] = {
    "text": str,
    "textarea": str,
    "password": str,
    "multiplechoice": str,
    "multiselect": str,
    "integer": int,
    "float": (int, float),
}


def survey_faults(survey: Object) -> t.Iterator[str]:
    """Yield what is wrong with a survey."""
    for key, kind in (("name", str), ("description", str), ("spec", list)):
        if not isinstance(survey.get(key), kind):
            yield f"the survey's {key} is missing, or no {kind.__name__}"
    seen: set[str] = set()
    for item in survey.get("spec") or [{}]:
        name = item.get("variable")
        for key in ("type", "question_name", "variable"):
            if not isinstance(item.get(key), str):
                yield f"question {name}: {key} is missing, or no string"
        if not isinstance(item.get("required"), bool):
            yield f"question {name}: required is missing, or no boolean"
        if name in seen:
            yield f"question {name} is there twice"
        seen.add(str(name))
        yield from _question_faults(str(name), item)


def _question_faults(name: str, item: Object) -> t.Iterator[str]:
    kind = str(item.get("type"))
    if kind not in _SURVEY_TYPES:
        yield f"question {name} is of the type {kind!r}"
        return
    default = item.get("default", "")
    if default != "" and not isinstance(default, _SURVEY_TYPES[kind]):
        yield f"question {name} has a default of another type"
    for key in ("min", "max"):
        if item.get(key) is not None and not isinstance(item[key], int):
            yield f"question {name}: {key} is no integer"
    if kind in ("multiplechoice", "multiselect"):
        choices = item.get("choices", [])
        listed = choices.splitlines() if isinstance(choices, str) else choices
        defaults = default.splitlines()
        if not listed:
            yield f"question {name} has no choices"
        if not set(defaults) <= set(listed) or (kind == "multiplechoice" and len(defaults) > 1):
            yield f"question {name} has a default that cannot be chosen"


# -- schedules: awx/api/serializers.py ----------------------------------------------------------


def rrule_faults(rrule: str) -> t.Iterator[str]:
    """Yield what is wrong with the rule of a schedule. A start is in UTC, or names its zone."""
    starts = re.findall(r"DTSTART(?:;TZID=[\w/+-]+:\d{8}T\d{6}|:\d{8}T\d{6}Z)(?= |$)", rrule)
    if len(starts) != 1 or rrule.count("DTSTART") != 1:
        yield "not one start, in UTC or with its zone"
    rules = re.findall(r"RRULE:(\S+)", rrule)
    if not rules:
        yield "no rule"
    for rule in rules:
        parts = dict(part.partition("=")[::2] for part in rule.split(";"))
        if parts.get("FREQ") not in ("MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"):
            yield "no frequency that AWX takes"
        if not parts.get("INTERVAL", "").isdecimal():
            yield "no interval"
        if {"COUNT", "UNTIL"} <= set(parts):
            yield "both a count and an end"
    if re.search("(EX|R)DATE:", rrule):
        yield "single dates"


# -- projects: awx/main/utils/ansible.py --------------------------------------------------------

_PLAYBOOK = re.compile(r"\s*-?\s*(hosts|(ansible\.builtin\.)?(include|import_playbook)):.*")


def playbooks(project: Path) -> list[str]:
    """Return the files of a project that a job template can name, relative to it."""
    return sorted(
        str(path.relative_to(project))
        for path in project.rglob("*")
        if path.suffix in (".yml", ".yaml")
        and not _is_skipped(path.relative_to(project).parts[:-1])
        and any(map(_PLAYBOOK.match, path.read_text(encoding="utf-8").splitlines()))
    )


def _is_skipped(folders: t.Iterable[str]) -> bool:
    hidden = ("roles", "tasks", "group_vars", "host_vars")
    return any(name.startswith(".") or name in hidden for name in folders)
