"""First run, refusals, changes, lists: the facade as Python has it."""

from datetime import datetime, timedelta, timezone
from pathlib import Path
from uuid import UUID, uuid4

import pytest

import keyplate


def test_first_run(kp: keyplate.Keyplate) -> None:
    token = kp.create_setup_token().secret.reveal()
    stranger = kp.anonymous(address="192.0.2.7")
    with pytest.raises(keyplate.InvalidCredential):
        stranger.claim_setup(username="ann")
    admin = stranger.claim_setup(token, username="ann")
    assert admin.user.role == keyplate.Role.ADMINISTRATOR
    assert admin.session.address == "192.0.2.7"

    ann = kp.acting_as(kp.authenticate(admin.secret.reveal()).principal)
    created = ann.create_api_key(name="automation", scopes=["users:read", "library:stream"])
    who = kp.verify_api_key(created.secret.reveal())
    assert (who.username, who.user_id, who.api_key_id) == ("ann", admin.user.id, created.api_key.id)
    assert who.scopes == ["users:read", "library:stream"]
    assert [key.name for key in ann.complete_setup().api_keys] == ["automation"]


# G2
def test_who_may_use_a_service(kp: keyplate.Keyplate) -> None:
    bob = kp.create_user(username="bob")
    films = kp.create_service(slug="films", origins=["https://films.example"])
    assert (films.name, films.for_everyone, films.group_ids) == ("films", False, [])
    session = kp.create_session(bob.id, lifetime_seconds=60)
    principal = kp.authenticate(session.secret.reveal()).principal
    decision = kp.authorize(principal, "films")
    assert (decision.allowed, decision.reason) == (False, keyplate.DecisionReason.CLOSED)
    kp.set_service_access(films.id, True, [])
    decision = kp.authorize(principal, str(films.id))
    assert (decision.allowed, decision.reason) == (True, keyplate.DecisionReason.EVERYONE)
    assert (decision.user_id, decision.service_id) == (bob.id, films.id)
    identity = kp.describe(principal)
    assert (identity.user, identity.role) == (kp.get_user(bob.id), keyplate.Role.USER)
    assert [service.slug for service in identity.services] == ["films"]
    with pytest.raises(keyplate.NotFound):
        kp.authorize(principal, "nothing")


def test_a_refusal_has_its_particulars(kp: keyplate.Keyplate) -> None:
    with pytest.raises(keyplate.InvalidInput) as caught:
        kp.create_user(username="ben", email="no address")
    error = caught.value
    assert isinstance(error, keyplate.KeyplateError)
    assert (error.code, error.field) == (keyplate.ErrorCode.INVALID_INPUT, "email")
    assert error.reason == keyplate.InputReason.NotEmail() and error.retry_after is None
    assert str(error).startswith("invalid email: ")
    assert kp.find_user_by_username("ben") is None
    with pytest.raises(keyplate.NotFound) as missing:
        kp.get_user(uuid4())
    assert (missing.value.what, int(missing.value.code)) == (keyplate.Thing.USER, 2)


def test_ids_are_uuids_and_come_in_as_text_too(kp: keyplate.Keyplate) -> None:
    user = kp.create_user(username="ben", id="0190A1B2-0000-7000-8000-00000000ABCD")
    assert user.id == UUID("0190a1b2-0000-7000-8000-00000000abcd")
    assert kp.get_user(user.id) == kp.get_user(str(user.id)) == user
    with pytest.raises(keyplate.InvalidInput) as caught:
        kp.get_user("no uuid")
    assert caught.value.field == "id"
    with pytest.raises(TypeError):
        kp.get_user(7)  # type: ignore[arg-type]


def test_times_are_aware_and_keep_their_milliseconds(kp: keyplate.Keyplate) -> None:
    end = datetime(2100, 1, 1, 0, 0, 0, 123000, tzinfo=timezone(timedelta(hours=2)))
    user = kp.create_user(username="ben", expires_at=end)
    assert user.expires_at == end
    assert user.expires_at is not None and user.expires_at.utcoffset() == timedelta(0)
    with pytest.raises(keyplate.InvalidInput):
        kp.create_user(username="carl", expires_at=datetime(2100, 1, 1))


def test_what_is_left_out_of_a_change_stays(kp: keyplate.Keyplate) -> None:
    end = datetime(2100, 1, 1, tzinfo=timezone.utc)
    user = kp.create_user(username="ben", email="ben@media.example", expires_at=end)
    changed = kp.update_user(user.id, display_name="Ben")
    assert (changed.display_name, changed.email, changed.expires_at) == ("Ben", "ben@media.example", end)
    changed = kp.update_user(user.id, email="", expiry=keyplate.Expiry.Never())
    assert (changed.display_name, changed.email, changed.expires_at) == ("Ben", None, None)
    expiry = keyplate.Expiry.At(end)
    assert kp.update_user(user.id, expiry=expiry).expires_at == end
    assert repr(expiry).startswith("Expiry.At(time=datetime.datetime(2100, 1, 1")


def test_a_list_has_its_query_as_keywords(kp: keyplate.Keyplate) -> None:
    for name in ["ann", "ben", "carl"]:
        kp.create_user(username=name)
    page = kp.list_users(sort=keyplate.UserSort.USERNAME, descending=True, limit=2)
    assert [user.username for user in page.items] == ["carl", "ben"]
    assert page.total == 3


def test_records_are_frozen_and_can_be_matched(kp: keyplate.Keyplate) -> None:
    user = kp.create_user(username="ben")
    with pytest.raises(AttributeError):
        user.username = "carl"  # type: ignore[misc]
    match user:
        case keyplate.User(username="ben", role=keyplate.Role.USER):
            pass
        case _:
            pytest.fail("it is ben")


# C2
def test_no_secret_is_printed(kp: keyplate.Keyplate) -> None:
    created = kp.create_setup_token()
    secret = created.secret.reveal()
    for text in [repr(created), str(created), repr(created.secret), str(created.secret), f"{created.secret}"]:
        assert secret not in text and "redacted" in text
    assert keyplate.Secret(secret) == created.secret


def test_a_closed_handle_says_so(kp: keyplate.Keyplate, ann: keyplate.Keyplate) -> None:
    ann.close()
    ann.close()
    with pytest.raises(ValueError, match="closed"):
        ann.get_setup_state()
    assert repr(ann) == "<Keyplate, closed>"
    assert kp.get_setup_state().stage == keyplate.SetupStage.CLAIMED


def test_a_path_may_be_a_path(tmp_path: Path) -> None:
    with keyplate.open(tmp_path / "id.db", origin="https://media.example"):
        assert (tmp_path / "id.db").exists()


def test_the_configuration_is_checked(path: str) -> None:
    with pytest.raises(keyplate.Configuration) as caught:
        keyplate.open(path, origin="media.example")
    assert caught.value.field == "origin"
    with pytest.raises(TypeError):
        keyplate.open(path)  # type: ignore[call-arg]


def test_the_configuration_has_lists(path: str) -> None:
    origins = ["https://home.example", "https://x.home.example"]
    with keyplate.open(path, origin="https://tv.home.example", rp_id="home.example", more_origins=origins) as kp:
        assert '"rpId":"home.example"' in kp.anonymous().begin_passkey_login().options
    with pytest.raises(keyplate.Configuration) as caught:
        keyplate.open(path, origin="https://home.example", related_origins=("https://a.example", "http://b.example"))
    assert caught.value.field == "related_origins"


def test_a_failed_ceremony_has_its_reason(kp: keyplate.Keyplate) -> None:
    with pytest.raises(keyplate.PasskeyCeremonyFailed) as caught:
        kp.finish_passkey_login("x", "{}")
    error = caught.value
    assert (error.code, str(error)) == (103, "passkey ceremony failed: no such ceremony")
    assert error.reason == error.passkey_failure == keyplate.PasskeyFailure.UNKNOWN_CEREMONY
    with pytest.raises(keyplate.InvalidCredential) as other:
        kp.verify_session("x")
    assert other.value.passkey_failure is None


def test_text_that_is_no_text(kp: keyplate.Keyplate) -> None:
    with pytest.raises(ValueError):
        kp.create_user(username="\ud800")
    with pytest.raises(keyplate.InvalidInput):
        kp.create_user(username="a\0b")
