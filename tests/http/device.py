"""A device that Authlib signs in, by the endpoints of RFC 8628: device.py BASE [SECRET]. Writes a line for each thing that
it learns: the code, each refusal, and in the end who it is."""

import sys
import time

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session

GRANT = "urn:ietf:params:oauth:grant-type:device_code"


def say(*words: object) -> None:
    print(*words, flush=True)


def main(base: str, secret: str | None = None) -> None:
    method = "client_secret_basic" if secret else "none"
    client = OAuth2Session("television", secret, token_endpoint_auth_method=method, scope="openid profile")
    # Authlib leaves this request to whoever uses it.
    asked = requests.post(f"{base}/api/device/code", data={"client_id": "television", "scope": "openid profile"})
    asked.raise_for_status()
    begun = asked.json()
    say("code", begun["user_code"], begun["verification_uri"])
    interval = begun["interval"]
    end = time.monotonic() + begun["expires_in"]
    hasty = True
    while time.monotonic() < end:
        try:
            token = client.fetch_token(
                f"{base}/api/device/token", grant_type=GRANT, device_code=begun["device_code"]
            )
        except OAuthError as error:
            say(error.error)
            if error.error == "slow_down":
                interval += 5
            elif error.error != "authorization_pending":
                return
            elif hasty:
                # Once it does not wait.
                hasty = False
                continue
            time.sleep(interval)
            continue
        say("token", token["token_type"], token["expires_in"] > 86_400)
        me = client.get(f"{base}/api/users/me")
        say("me", me.status_code, me.json()["username"])
        # What it has is given once.
        try:
            client.fetch_token(f"{base}/api/device/token", grant_type=GRANT, device_code=begun["device_code"])
        except OAuthError as error:
            say(error.error)
        return


if __name__ == "__main__":
    main(*sys.argv[1:])
