"""Why a call was refused: as a value to branch on, as a name, and as JSON."""

import json
from uuid import uuid4

import pytest

import keyplate
from keyplate import ConfigurationReason, ConflictReason, DenialReason, InputReason, SignupRefusal, Thing


def said(error: keyplate.KeyplateError) -> tuple[str | None, object, int]:
    return error.reason_code, error.reason_json and json.loads(error.reason_json), error.http_status


def test_a_value_that_breaks_a_rule(kp: keyplate.Keyplate) -> None:
    with pytest.raises(keyplate.InvalidInput) as caught:
        kp.create_user(username="x" * 51)
    error = caught.value
    assert said(error) == ("too_long", {"code": "too_long", "most": 50}, 400)
    assert error.reason == InputReason.TooLong(most=50) != InputReason.TooLong(most=51)
    match error.reason:
        case InputReason.TooLong(most):
            assert most == 50
        case _:
            pytest.fail(repr(error.reason))
    match error:
        case keyplate.InvalidInput(field="username", reason=InputReason.TooLong(most=50)):
            pass
        case _:
            pytest.fail(repr(error))
    with pytest.raises(keyplate.InvalidInput) as other:
        kp.create_user(username="ben", email="no address")
    assert other.value.reason == InputReason.NotEmail() and said(other.value)[0] == "not_email"
    assert isinstance(other.value.reason, InputReason.NotEmail)
    with pytest.raises(keyplate.InvalidInput) as negative:
        kp.list_users(limit=-1)
    assert negative.value.field == "limit" and negative.value.http_status == 400


def test_what_is_not_found_or_stands_in_the_way(kp: keyplate.Keyplate) -> None:
    with pytest.raises(keyplate.NotFound) as missing:
        kp.get_user(uuid4())
    assert missing.value.what is Thing.USER
    assert said(missing.value) == ("user", {"code": "user"}, 404)
    kp.create_user(username="ben")
    with pytest.raises(keyplate.Conflict) as taken:
        kp.create_user(username="Ben")
    assert (taken.value.what, taken.value.field) == (ConflictReason.TAKEN, "username")
    assert said(taken.value) == ("taken", {"code": "taken"}, 409)


def test_what_the_caller_lacks(kp: keyplate.Keyplate, ann: keyplate.Keyplate) -> None:
    with pytest.raises(keyplate.PermissionDenied) as stranger:
        kp.anonymous().list_users()
    assert stranger.value.reason == DenialReason.NotSignedIn()
    key = ann.create_api_key(name="groups", scopes=["groups:read"]).secret.reveal()
    with pytest.raises(keyplate.PermissionDenied) as caught:
        kp.acting_as(kp.authenticate(key).principal).list_users()
    assert said(caught.value) == ("missing_scope", {"code": "missing_scope", "scope": "users:read"}, 403)
    match caught.value.reason:
        case DenialReason.MissingScope(scope=scope):
            assert scope == "users:read"
        case _:
            pytest.fail(repr(caught.value.reason))


def test_sign_up_is_refused(kp: keyplate.Keyplate) -> None:
    with pytest.raises(keyplate.SignupRefused) as caught:
        kp.anonymous().sign_up(username="ben")
    assert caught.value.reason is SignupRefusal.DISABLED
    assert said(caught.value) == ("disabled", {"code": "disabled"}, 403)


def test_an_option_cannot_work(path: str) -> None:
    with pytest.raises(keyplate.Configuration) as caught:
        keyplate.open(path, origin="https://media.example", encryption_key=keyplate.Secret("short"))
    error = caught.value
    assert (error.option, error.field) == ("encryption_key", "encryption_key")
    assert error.reason == ConfigurationReason.TooShort(least=32)
    assert said(error) == ("too_short", {"code": "too_short", "least": 32}, 500)
    with pytest.raises(keyplate.Configuration) as address:
        keyplate.open(path, origin="https://192.0.2.1")
    assert address.value.reason == ConfigurationReason.IpAddress()


def test_an_error_without_a_reason(kp: keyplate.Keyplate) -> None:
    with pytest.raises(keyplate.InvalidCredential) as caught:
        kp.authenticate("x")
    assert said(caught.value) == (None, None, 401)
    assert not hasattr(caught.value, "reason")
