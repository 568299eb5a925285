"""Enums without data are Python's own, with numbers that never move."""

import copy
import enum
import pickle
from enum import IntEnum
from pathlib import Path

import pytest

import keyplate
import keyplate.enums

CHOICES = [getattr(keyplate.enums, name) for name in keyplate.enums.__all__]
TABLE = Path(__file__).parents[3] / "core/numbers.txt"


def table() -> dict[str, int]:
    """`Enum.Variant = N`, without what is retired."""
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    pairs = (line.split(" = ") for line in lines if not line.endswith("# retired"))
    return {name: int(number) for name, number in pairs}


def camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


@pytest.mark.parametrize("choice", CHOICES)
def test_an_enum_is_an_int_enum_with_the_numbers_of_the_table(choice: type[IntEnum]) -> None:
    assert issubclass(choice, enum.IntEnum) and getattr(keyplate, choice.__name__) is choice
    numbers = {name.split(".")[1]: number for name, number in table().items() if name.split(".")[0] == choice.__name__}
    assert {camel(member.name): member.value for member in choice} == numbers
    for member in choice:
        assert choice(member.value) is choice[member.name] is member
        assert repr(member) == f"{choice.__name__}.{member.name}"
        assert pickle.loads(pickle.dumps(member)) is copy.deepcopy(member) is member
        assert member.__doc__


def test_no_enum_without_data_is_left_out() -> None:
    classes = {name for name, value in vars(keyplate).items() if isinstance(value, type)}
    names = {name.split(".")[0] for name in table()}
    assert names <= classes and {choice.__name__ for choice in CHOICES} <= names
    assert {"Role", "EventKind", "PasskeyFailure", "Thing"} <= {choice.__name__ for choice in CHOICES}


def test_the_library_gives_and_takes_members(kp: keyplate.Keyplate) -> None:
    kp.create_user(username="ann", role=keyplate.Role.ADMINISTRATOR)
    user = kp.create_user(username="ben", role=keyplate.Role.ADMINISTRATOR)
    assert user.role is keyplate.Role.ADMINISTRATOR
    assert (user.role.name, user.role.value, int(user.role)) == ("ADMINISTRATOR", 2, 2)
    assert user.role > keyplate.Role.USER and {keyplate.Role(2)} == {user.role}
    assert "role=Role.ADMINISTRATOR" in repr(user)
    # What was stored as a number or a name.
    assert kp.set_user_role(user.id, keyplate.Role(1)).role is keyplate.Role["USER"]
    match kp.get_user(user.id).role:
        case keyplate.Role.USER:
            pass
        case _:
            pytest.fail("a user")
    assert list(keyplate.Role) == [keyplate.Role.USER, keyplate.Role.ADMINISTRATOR]


def test_a_number_is_no_member(kp: keyplate.Keyplate) -> None:
    user = kp.create_user(username="ben")
    for wrong in (1, "USER", None, keyplate.UserStatus.ACTIVE, keyplate.ErrorCode.INVALID_INPUT):
        with pytest.raises(TypeError, match="must be a keyplate.Role"):
            kp.set_user_role(user.id, wrong)  # type: ignore[arg-type]
    # As of a newer version.
    with pytest.raises(ValueError):
        keyplate.Role(99)


def test_unions_hold_members() -> None:
    reason = keyplate.InputReason.Contradicts(keyplate.ConflictReason.TAKEN)
    assert reason.what is keyplate.ConflictReason.TAKEN
    assert reason == keyplate.InputReason.Contradicts(what=keyplate.ConflictReason.TAKEN)
    assert repr(reason) == "InputReason.Contradicts(what=ConflictReason.TAKEN)"
    for value in (reason, keyplate.InputReason.Empty(), keyplate.InputReason.OutOfRange(1, 9)):
        assert pickle.loads(pickle.dumps(value)) == copy.deepcopy(value) == value
    with pytest.raises(TypeError):
        keyplate.InputReason.Contradicts(1)  # type: ignore[arg-type]
