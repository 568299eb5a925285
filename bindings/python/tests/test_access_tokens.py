"""J1: what PyJWT makes of the library's tokens, as a service elsewhere would."""

import jwt
import pytest

import keyplate
from conftest import ORIGIN


def issued(kp: keyplate.Keyplate) -> str:
    bob = kp.create_user(username="bob", email="bob@x.example", email_verified=True)
    films = kp.create_service(slug="films")
    kp.set_service_access(films.id, True, [])
    session = kp.create_session(bob.id).secret.reveal()
    token = kp.issue_access_token(kp.authenticate(session).principal, "films", lifetime_seconds=60)
    assert token.service_id == films.id
    return token.secret.reveal()


def key_of(kp: keyplate.Keyplate, token: str) -> jwt.PyJWK:
    """As `jwt.PyJWKClient` finds it at the address of the key set."""
    return jwt.PyJWKSet.from_json(kp.get_jwks().json)[jwt.get_unverified_header(token)["kid"]]


def test_pyjwt_verifies_a_token(kp: keyplate.Keyplate) -> None:
    token = issued(kp)
    assert jwt.get_unverified_header(token)["typ"] == "at+jwt"
    body = jwt.decode(
        token,
        key_of(kp, token),
        algorithms=["EdDSA"],
        audience="films",
        issuer=ORIGIN,
        options={"require": ["exp", "iat", "sub", "jti"]},
    )
    bob = kp.find_user_by_username("bob")
    assert bob is not None
    assert (body["sub"], body["preferred_username"]) == (str(bob.id), "bob")
    assert (body["email"], body["email_verified"]) == ("bob@x.example", True)
    assert body["exp"] - body["iat"] in (60, 61)
    with pytest.raises(jwt.InvalidAudienceError):
        jwt.decode(token, key_of(kp, token), algorithms=["EdDSA"], audience="music")


def test_the_library_verifies_what_it_issued_and_nothing_else(kp: keyplate.Keyplate) -> None:
    token = issued(kp)
    seen = kp.verify_access_token(token, "films")
    assert (seen.username, seen.scopes, seen.groups) == ("bob", ["*"], [])
    body = jwt.decode(token, key_of(kp, token), algorithms=["EdDSA"], audience="films")
    kid = jwt.get_unverified_header(token)["kid"]
    forged = jwt.encode(body, "x" * 32, algorithm="HS256", headers={"kid": kid, "typ": "at+jwt"})
    unsigned = jwt.encode(body, "", algorithm="none", headers={"kid": kid, "typ": "at+jwt"})
    for wrong in (forged, unsigned, token[:-8] + "AAAAAAAA"):
        with pytest.raises(keyplate.InvalidCredential):
            kp.verify_access_token(wrong, "films")
    with pytest.raises(keyplate.InvalidCredential):
        kp.authenticate(token)


def test_an_old_token_is_good_until_its_key_ends(kp: keyplate.Keyplate) -> None:
    token = issued(kp)
    kp.rotate_signing_key()
    assert jwt.decode(token, key_of(kp, token), algorithms=["EdDSA"], audience="films")
    kp.rotate_signing_key(overlap_seconds=0)
    with pytest.raises(KeyError):
        key_of(kp, token)
    with pytest.raises(keyplate.InvalidCredential):
        kp.verify_access_token(token, "films")
