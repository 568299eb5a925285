"""Times go in as `datetime` with a time zone, from 1970 to the end of the year 9999, and come back the same."""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest

import keyplate
from keyplate import Expiry, InputReason

LAST = datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=timezone.utc)
FIRST = datetime(1970, 1, 1, tzinfo=timezone.utc)

Way = Callable[[datetime], datetime | None]


@pytest.fixture
def ways(kp: keyplate.Keyplate) -> dict[str, tuple[str, Way]]:
    """Every way in for a time, with the name of its argument."""
    bob = kp.create_user(username="bob")
    key = kp.create_api_key(name="key", scopes=["a:b"], owner_id=bob.id).api_key
    token = kp.create_signup_token().signup_token
    names = iter(range(1000))

    def create_user(time: datetime) -> datetime | None:
        return kp.create_user(username=f"user{next(names)}", expires_at=time).expires_at

    def create_api_key(time: datetime) -> datetime | None:
        return kp.create_api_key(name="k", scopes=["a:b"], owner_id=bob.id, expires_at=time).api_key.expires_at

    return {
        "create_user": ("expires_at", create_user),
        "update_user": ("expiry", lambda time: kp.update_user(bob.id, expiry=Expiry.At(time)).expires_at),
        "create_api_key": ("expires_at", create_api_key),
        "renew_api_key": ("expiry", lambda time: kp.renew_api_key(key.id, Expiry.At(time)).expires_at),
        "rotate_api_key": (
            "expiry",
            lambda time: kp.rotate_api_key(key.id, expiry=Expiry.At(time)).api_key.expires_at,
        ),
        "create_signup_token": (
            "expiry",
            lambda time: kp.create_signup_token(expiry=Expiry.At(time)).signup_token.expires_at,
        ),
        "update_signup_token": (
            "expiry",
            lambda time: kp.update_signup_token(token.id, expiry=Expiry.At(time)).expires_at,
        ),
    }


class NoOffset(tzinfo):
    """A time zone that does not know its offset: such a `datetime` counts as naive."""

    def utcoffset(self, time: datetime | None) -> timedelta | None:
        return None

    def dst(self, time: datetime | None) -> timedelta | None:
        return None

    def tzname(self, time: datetime | None) -> str | None:
        return None


class Failing(NoOffset):
    def utcoffset(self, time: datetime | None) -> timedelta | None:
        raise OSError("no time zone data")


def at(hours: int) -> timezone:
    return timezone(timedelta(hours=hours))


@pytest.mark.parametrize(
    ("time", "stored"),
    [
        (LAST, LAST),
        (datetime.max.replace(tzinfo=timezone.utc), LAST),
        (datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone.utc), LAST.replace(microsecond=0)),
        (datetime.max.replace(tzinfo=at(5)), LAST - timedelta(hours=5) + timedelta(milliseconds=1)),
        (datetime(2999, 7, 1, 12, tzinfo=ZoneInfo("Europe/Zurich")), datetime(2999, 7, 1, 10, tzinfo=timezone.utc)),
        (datetime(2999, 1, 1, microsecond=1500, tzinfo=timezone.utc), datetime(2999, 1, 1, microsecond=2000, tzinfo=timezone.utc)),
    ],
)
def test_what_lies_in_the_range_comes_back(ways: dict[str, tuple[str, Way]], time: datetime, stored: datetime) -> None:
    for name, (_, call) in ways.items():
        assert call(time) == stored, name


@pytest.mark.parametrize(
    ("time", "reason"),
    [
        (datetime(2999, 1, 1), "wrong_type"),
        (datetime.max, "wrong_type"),
        (datetime.min, "wrong_type"),
        (datetime(2999, 1, 1, tzinfo=NoOffset()), "wrong_type"),
        (datetime(2999, 1, 1, tzinfo=Failing()), "wrong_type"),
        (datetime.max.replace(tzinfo=at(-1)), "too_late"),
        (datetime.max.replace(tzinfo=at(-23)), "too_late"),
        (FIRST - timedelta(microseconds=1), "in_the_past"),
        (datetime.min.replace(tzinfo=timezone.utc), "in_the_past"),
        (datetime.min.replace(tzinfo=at(23)), "in_the_past"),
        (datetime.min.replace(tzinfo=ZoneInfo("Asia/Tokyo")), "in_the_past"),
    ],
)
def test_what_lies_outside_is_invalid_input_with_its_field(
    ways: dict[str, tuple[str, Way]], time: datetime, reason: str
) -> None:
    for name, (field, call) in ways.items():
        with pytest.raises(keyplate.InvalidInput) as caught:
            call(time)
        assert (caught.value.field, caught.value.reason_code) == (field, reason), name


def test_the_start_of_a_list(kp: keyplate.Keyplate) -> None:
    kp.create_user(username="ann")
    assert kp.list_audit_events(since=FIRST).total == 1
    assert kp.list_audit_events(since=datetime.max.replace(tzinfo=timezone.utc)).total == 0
    for time, reason in [
        (datetime(2026, 1, 1), "wrong_type"),
        (FIRST - timedelta(milliseconds=1), "too_early"),
        (datetime.min.replace(tzinfo=timezone.utc), "too_early"),
        (datetime.max.replace(tzinfo=at(-1)), "too_late"),
    ]:
        with pytest.raises(keyplate.InvalidInput) as caught:
            kp.list_audit_events(since=time)
        assert (caught.value.field, caught.value.reason_code) == ("since", reason), time
    with pytest.raises(keyplate.InvalidInput) as caught:
        kp.list_audit_events(since=datetime(2026, 1, 1))
    assert caught.value.reason == InputReason.WrongType("a datetime with a time zone")


def test_an_expiry_keeps_what_it_was_given() -> None:
    naive = datetime(2999, 1, 1)
    assert Expiry.At(naive).time is naive
    assert Expiry.At(LAST).time == LAST
    assert Expiry.At(LAST) == Expiry.At(LAST) != Expiry.At(FIRST)


@pytest.mark.parametrize("wrong", ["2999-01-01T00:00:00Z", 32472144000, datetime(2999, 1, 1).date()])
def test_what_is_no_datetime_is_a_type_error(kp: keyplate.Keyplate, wrong: object) -> None:
    with pytest.raises(TypeError, match="datetime"):
        kp.create_user(username="ann", expires_at=wrong)  # type: ignore[arg-type]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    "now",
    [datetime(2026, 1, 1), FIRST - timedelta(seconds=1), datetime.max.replace(tzinfo=at(-1))],
)
def test_a_time_source_outside_of_the_range_is_an_error(path: str, now: datetime) -> None:
    with pytest.raises(keyplate.Internal):
        keyplate.open(path, origin="https://media.example", time_source=lambda: now)
