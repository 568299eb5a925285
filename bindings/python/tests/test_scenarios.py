"""Runs `tests/scenarios/*.json` against the Python face, by reflection; `tests/scenarios/README.md` tells their form."""

from __future__ import annotations

import ast
import builtins
import collections.abc
import contextlib
import inspect
import json
import os
import re
import types
import typing
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from enum import IntEnum
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import keyplate

from conftest import ORIGIN, BrowserError, browser

SCENARIOS = sorted((Path(__file__).parents[3] / "tests" / "scenarios").glob("*.json"))
START = datetime(2026, 11, 1, tzinfo=timezone.utc)
CLIENT = {"address": "192.0.2.7", "user_agent": "test/1"}
ACTION_KEYS = {
    "call": {"as", "with", "error"},
    "authenticator": {"do", "options", "origin", "spoil", "throws"},
    "open": {"error"},
}
STEP_KEYS = {"advance_seconds", "expect", "save"}
ERROR_KEYS = {"code", "number", "field", "message", "retry_after_seconds", "passkey_failure", "reason", "http_status"}


def test_there_are_scenarios() -> None:
    assert SCENARIOS


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda file: file.stem)
def test_scenario(file: Path, path: str) -> None:
    scenario = json.loads(file.read_text(encoding="utf-8"))
    assert scenario.keys() == {"about", "steps"} and scenario["about"]
    with contextlib.closing(Run(Path(path))) as run:
        for number, step in enumerate(scenario["steps"], 1):
            try:
                run.step(step)
            except Exception as error:
                pytest.fail(f"{file.name}, step {number}: {error!r}")


class Run:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = START
        self.saved: dict[str, Any] = {}
        self.host = self.open({})

    def close(self) -> None:
        self.host.close()

    def step(self, step: dict[str, Any]) -> None:
        self.now += timedelta(seconds=step.get("advance_seconds", 0))
        action = next((key for key in ACTION_KEYS if key in step), None)
        assert step.keys() <= STEP_KEYS | ({action} | ACTION_KEYS[action] if action else set()), step
        if action is None:
            return
        what, expected_error, throws = step[action], step.get("error"), step.get("throws")
        try:
            result = self.perform(action, step)
        except keyplate.KeyplateError as error:
            if expected_error is None:
                raise
            check_error(expected_error, error)
            return
        except BrowserError as error:
            assert error.name == throws, f"{what} throws {error}"
            return
        assert expected_error is None and throws is None, f"{what} gave {result}"
        if "expect" in step:
            check(self.filled(step["expect"]), result, what)
        for saved, place in step.get("save", {}).items():
            self.saved[saved] = at(result, place)

    def perform(self, action: str, step: dict[str, Any]) -> Any:
        if action == "call":
            method = getattr(self.handle(step.get("as", "host")), step["call"])
            known = HINTS["Keyplate", method.__name__]
            return to_json(method(**keywords(method, known, self.filled(step.get("with", {})))))
        if action == "authenticator":
            state = self.path.with_name(f"{step['authenticator']}.json")
            options, origin = self.filled(step["options"]), step.get("origin", ORIGIN)
            return browser(step["do"], state, options, origin, step.get("spoil", []))
        former, self.host = self.host, self.open(step["open"])
        former.close()
        return None

    def open(self, fields: dict[str, Any]) -> keyplate.Keyplate:
        given = keywords(keyplate.open, HINTS["", "open"], {"path": str(self.path), "origin": ORIGIN, **fields})
        return keyplate.open(**given, time_source=lambda: self.now)

    def handle(self, name: str) -> keyplate.Keyplate:
        if name == "host":
            return self.host
        if name == "anonymous":
            return self.host.anonymous(**CLIENT)
        found = self.host.authenticate_pending(self.filled(name))
        return self.host.acting_as(found.principal, **CLIENT)

    def filled(self, value: Any) -> Any:
        """The value with `"$name"` replaced by what was saved under that name."""
        if isinstance(value, str) and value.startswith("$"):
            return self.saved[value[1:]]
        if isinstance(value, list):
            return [self.filled(item) for item in value]
        if isinstance(value, dict):
            return {key: self.filled(item) for key, item in value.items()}
        return value


def keywords(method: Callable[..., Any], known: dict[str, Any], arguments: dict[str, Any]) -> dict[str, Any]:
    """A step's arguments as the method's keywords: a record's fields, unless the record itself is one."""
    given: dict[str, Any] = {}
    for name, value in arguments.items():
        whole = name in known and not (isinstance(value, dict) and value.keys() <= known.keys())
        fields = {name: value} if whole else value or {}
        assert isinstance(fields, dict), f"{name} is neither an argument nor a record"
        for field, part in fields.items():
            assert field in known and field not in given, f"{method.__name__} has no {field}"
            if part is not None:
                given[field] = from_json(part, known[field])
    return {**left_out(method, known), **given}


def left_out(function: Callable[..., Any], known: dict[str, Any]) -> dict[str, Any]:
    """What must be given even if a step does not: as everywhere, empty."""
    required = [name for name, it in inspect.signature(function).parameters.items() if it.default is it.empty]
    return {name: "" if known[name] is str else [] for name in required if known[name] in (str, Sequence[str])}


def hints() -> dict[tuple[str, str], dict[str, Any]]:
    """What the stubs say: the types of each function's arguments, by class and name."""
    stub = ast.parse(Path(keyplate.__file__).with_name("_native.pyi").read_text(encoding="utf-8"))
    names = {**vars(builtins), **vars(collections.abc), **vars(keyplate), "UUID": UUID, "datetime": datetime, "os": os}
    found: dict[tuple[str, str], dict[str, Any]] = {}

    def read(nodes: list[ast.stmt], owner: str) -> None:
        for node in nodes:
            if isinstance(node, ast.ClassDef):
                read(node.body, f"{owner}.{node.name}".lstrip("."))
            elif isinstance(node, ast.FunctionDef) and (
                node.name == "__new__" or (owner in ("", "Keyplate") and not node.name.startswith("_"))
            ):
                arguments = [*node.args.args, *node.args.kwonlyargs]
                found[owner, node.name] = {
                    argument.arg: eval(ast.unparse(argument.annotation), names)
                    for argument in arguments
                    if argument.annotation
                }

    read(stub.body, "")
    return found


HINTS = hints()


def from_json(value: Any, hint: Any) -> Any:
    """The value as an argument of this type."""
    if isinstance(hint, types.UnionType):
        hint = typing.get_args(hint)[0]
    if typing.get_origin(hint) is Sequence:
        return [from_json(item, typing.get_args(hint)[0]) for item in value]
    if hint is datetime:
        assert value[0] == "+" and value[-1] == "s", f"{value} is no time"
        return START + timedelta(seconds=float(value[1:-1]))
    if hint is keyplate.Secret:
        return keyplate.Secret(value)
    if hint is UUID:
        try:
            return UUID(value)
        except ValueError:
            return value  # The library itself is to refuse it.
    if isinstance(hint, type) and issubclass(hint, IntEnum):
        return hint[screaming(value)]
    if hint.__module__ != "keyplate":
        return value
    if isinstance(value, dict) and (hint.__qualname__, "__new__") in HINTS:
        return build(hint, value)
    variant, data = (value, {}) if isinstance(value, str) else next(iter(value.items()))
    return build(getattr(hint, variant), data or {})


def build(cls: Any, fields: dict[str, Any]) -> Any:
    known = HINTS[cls.__qualname__, "__new__"]
    given = {name: from_json(value, known[name]) for name, value in fields.items() if value is not None}
    return cls(**{**left_out(cls, known), **given})


def to_json(value: Any) -> Any:
    cls = type(value)
    match value:
        case keyplate.Secret():
            return value.reveal()
        case keyplate.Principal():
            return None
        case UUID():
            return str(value)
        case datetime():
            return f"+{seconds(max(value - START, timedelta()))}s"
        case timedelta():
            return f"{seconds(value)}s"
        case list():
            return [to_json(item) for item in value]
        case IntEnum():
            return camel(value.name)
        case None | bool() | int() | str():
            return value
    fields = {field: to_json(getattr(value, field)) for field in cls.__match_args__}
    union, _, variant = cls.__qualname__.rpartition(".")
    return fields if not union else {variant: fields} if fields else variant


def seconds(span: timedelta) -> str:
    return repr(span / timedelta(seconds=1)).removesuffix(".0")


def camel(name: str) -> str:
    """`ONE_TIME_TOKEN` → `OneTimeToken`."""
    return "".join(part.capitalize() for part in name.split("_"))


def screaming(name: str) -> str:
    return re.sub("(?<!^)(?=[A-Z])", "_", name).upper()


def at(result: Any, place: str) -> Any:
    """What is there in the result; all of it if no place is named."""
    for part in filter(None, place.split(".")):
        result = result[int(part) if isinstance(result, list) else part]
    return result


def check(expected: Any, found: Any, place: str) -> None:
    """Objects may hold more than expected; lists may not. Text that is expected to be an object is JSON."""
    if isinstance(expected, dict) and isinstance(found, str):
        found = json.loads(found)
    if isinstance(expected, dict) and isinstance(found, dict):
        for key, value in expected.items():
            assert key in found, f"{place} has no {key}"
            check(value, found[key], f"{place}.{key}")
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for index, value in enumerate(expected):
            check(value, found[index], f"{place}.{index}")
    else:
        assert type(expected) is type(found) and expected == found, f"{place} is {found}, not {expected}"


def check_error(expected: dict[str, Any], error: keyplate.KeyplateError) -> None:
    assert expected.keys() <= ERROR_KEYS, expected
    waits, failure = error.retry_after, error.passkey_failure
    found = {
        "code": camel(error.code.name),
        "number": int(error.code),
        "field": error.field,
        "message": str(error),
        "retry_after_seconds": None if waits is None else waits // timedelta(seconds=1),
        "passkey_failure": None if failure is None else to_json(failure),
        "reason": None if error.reason_json is None else json.loads(error.reason_json),
        "http_status": error.http_status,
    }
    for key, value in expected.items():
        assert value is None or found[key] == value, f"{found}, not {expected}"
