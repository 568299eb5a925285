"""py_webauthn as a judge: a ceremony on each line of the input, a verdict on each line of the output.

What the library leaves to its callers is done here as its documentation has it: the credential is looked up by its id, and
belongs to the user whom the answer names (WebAuthn Level 3, section 7.2 step 6).
"""

import json
import sys
from typing import Any

from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers import base64url_to_bytes, parse_authentication_credential_json
from webauthn.helpers.cose import COSEAlgorithmIdentifier

RP_ID = "media.example"
ORIGIN = f"https://{RP_ID}"
# It knows no ES384.
ALGORITHMS = [
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]


def verify(asked: dict[str, Any]) -> None:
    policy: dict[str, Any] = {
        "expected_challenge": base64url_to_bytes(asked["challenge"]),
        "expected_rp_id": RP_ID,
        "expected_origin": ORIGIN,
        "require_user_verification": True,
    }
    if asked["kind"] == "registration":
        verify_registration_response(credential=asked["answer"], supported_pub_key_algs=ALGORITHMS, **policy)
        return
    answer = parse_authentication_credential_json(asked["answer"])
    if answer.raw_id != base64url_to_bytes(asked["credential_id"]):
        raise ValueError("no such credential")
    if answer.response.user_handle != base64url_to_bytes(asked["user_handle"]):
        raise ValueError("the credential of another user")
    verify_authentication_response(
        credential=answer,
        credential_public_key=base64url_to_bytes(asked["public_key"]),
        credential_current_sign_count=asked["counter"],
        **policy,
    )


for line in sys.stdin:
    try:
        verify(json.loads(line))
        print("accept", flush=True)
    except Exception:
        print("refuse", flush=True)
