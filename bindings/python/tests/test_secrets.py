"""Secrets are printed nowhere, and go in as they came out or as text."""

import keyplate


def test_a_token_goes_in_as_a_secret_or_as_text(kp: keyplate.Keyplate) -> None:
    kp.update_settings(signup_mode=keyplate.SignupMode.WITH_TOKEN)
    token = kp.create_signup_token(uses=keyplate.Limit.AtMost(3))
    friend = kp.anonymous()
    assert friend.sign_up(username="ann", token=token.secret).user.username == "ann"
    assert friend.sign_up(username="bob", token=token.secret.reveal()).user.username == "bob"
    assert friend.sign_up(username="cid", token=keyplate.Secret(token.secret.reveal())).user.username == "cid"


def test_a_wrong_token_is_not_in_the_error(kp: keyplate.Keyplate) -> None:
    kp.update_settings(signup_mode=keyplate.SignupMode.WITH_TOKEN)
    text = "kp_inv_0123456789"
    for token in (text, keyplate.Secret(text)):
        try:
            kp.anonymous().sign_up(username="ann", token=token)
        except keyplate.InvalidCredential as error:
            assert text not in repr(error) + str(error)
        else:
            raise AssertionError("a wrong token let somebody in")
    try:
        kp.anonymous().sign_up(username="ann", token=7)  # type: ignore[arg-type]
    except TypeError as error:
        assert "keyplate.Secret or its text" in str(error)
    else:
        raise AssertionError("a number is no token")


def test_no_printed_record_shows_a_secret(kp: keyplate.Keyplate) -> None:
    kp.update_settings(signup_mode=keyplate.SignupMode.WITH_TOKEN)
    invitation = kp.create_signup_token()
    ann = kp.anonymous().sign_up(username="ann", token=invitation.secret)
    code = kp.create_one_time_token(ann.user.id)
    key = kp.create_api_key(name="key", scopes=["a:b"], owner_id=ann.user.id)
    for record in (invitation, ann, code, key):
        secret = record.secret.reveal()
        assert secret not in repr(record) + str(record) + repr(record.secret), type(record)
        assert "Secret(redacted)" in repr(record)


def test_the_encryption_key_may_be_text(path: str) -> None:
    key = "an encryption key of more than 32 characters"
    with keyplate.open(path, origin="https://media.example", encryption_key=key) as kp:
        assert key not in repr(kp)
        code = kp.create_one_time_token(kp.create_user(username="ann").id).secret
    with keyplate.open(path, origin="https://media.example", encryption_key=keyplate.Secret(key)) as kp:
        assert kp.redeem_one_time_token(code.reveal()).user.username == "ann"
