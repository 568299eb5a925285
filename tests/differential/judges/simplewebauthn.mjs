// SimpleWebAuthn as a judge: a ceremony on each line of the input, a verdict on each line of the output.
//
// What the library leaves to its callers is done here as its documentation has it: the credential is looked up by its id,
// and belongs to the user whom the answer names (WebAuthn Level 3, section 7.2 step 6).

import { createInterface } from "node:readline";
import { verifyAuthenticationResponse, verifyRegistrationResponse } from "@simplewebauthn/server";

const rpId = "media.example";
const algorithms = [-7, -35, -257];

async function verified(asked) {
  const response = JSON.parse(asked.answer);
  const policy = {
    response,
    expectedChallenge: asked.challenge,
    expectedOrigin: `https://${rpId}`,
    expectedRPID: rpId,
    requireUserVerification: true,
  };
  if (asked.kind === "registration") {
    return verifyRegistrationResponse({ ...policy, supportedAlgorithmIDs: algorithms });
  }
  if (response.id !== asked.credential_id) throw new Error("no such credential");
  if (response.response.userHandle !== asked.user_handle) throw new Error("the credential of another user");
  return verifyAuthenticationResponse({
    ...policy,
    credential: {
      id: asked.credential_id,
      publicKey: new Uint8Array(Buffer.from(asked.public_key, "base64url")),
      counter: asked.counter,
    },
  });
}

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  const result = await verified(JSON.parse(line)).catch(() => ({ verified: false }));
  console.log(result.verified ? "accept" : "refuse");
}
