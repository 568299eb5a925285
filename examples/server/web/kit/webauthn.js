// Passkeys' options and answers between JSON and what `navigator.credentials` takes and gives. It imports nothing: copy it.
//
// The browser's own methods do this where they are. Older browsers lack them, and password managers that answer in the
// browser's place hand back objects on which `toJSON` throws; then it is done by hand, as WebAuthn Level 3 has it in
// sections 5.1.8 to 5.1.10.

/** The options of a registration, for `navigator.credentials.create({ publicKey })`. */
export function creationOptions(json) {
  return (
    attempt(() => PublicKeyCredential.parseCreationOptionsFromJSON(json)) ?? {
      ...json,
      challenge: bytes(json.challenge),
      user: { ...json.user, id: bytes(json.user.id) },
      excludeCredentials: descriptors(json.excludeCredentials),
    }
  );
}

/** The options of a sign-in or a step-up, for `navigator.credentials.get({ publicKey })`. */
export function requestOptions(json) {
  return (
    attempt(() => PublicKeyCredential.parseRequestOptionsFromJSON(json)) ?? {
      ...json,
      challenge: bytes(json.challenge),
      allowCredentials: descriptors(json.allowCredentials),
    }
  );
}

/** What the browser answered to either, as the server wants it. */
export function credentialJson(credential) {
  const own = attempt(() => credential.toJSON());
  if (isWhole(own)) return own;
  const id = text(credential.rawId ?? credential.id);
  const given = credential.response;
  const response = { clientDataJSON: text(given.clientDataJSON) };
  if (given.attestationObject) {
    response.attestationObject = text(given.attestationObject);
    response.transports = attempt(() => given.getTransports()) ?? given.transports ?? [];
  } else {
    response.authenticatorData = text(given.authenticatorData);
    response.signature = text(given.signature);
    if (given.userHandle) response.userHandle = text(given.userHandle);
  }
  const extensions = attempt(() => credential.getClientExtensionResults());
  return {
    id,
    rawId: id,
    type: "public-key",
    authenticatorAttachment: attempt(() => credential.authenticatorAttachment),
    clientExtensionResults: extensions?.credProps ? { credProps: extensions.credProps } : {},
    response,
  };
}

function isWhole(json) {
  const { id, rawId, type, response } = json ?? {};
  const proof = response?.attestationObject ?? response?.signature;
  return [id, rawId, response?.clientDataJSON, proof].every((part) => typeof part === "string") && type === "public-key";
}

function descriptors(list) {
  return (list ?? []).map((one) => ({ ...one, id: bytes(one.id) }));
}

/** Null where it cannot be done. */
function attempt(work) {
  try {
    return work() ?? null;
  } catch {
    return null;
  }
}

function bytes(base64url) {
  const base64 = base64url.replaceAll("-", "+").replaceAll("_", "/");
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

/** Bytes in any form as base64url; text is base64 already. */
function text(value) {
  if (typeof value === "string") return urlSafe(value);
  const view = ArrayBuffer.isView(value)
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    : new Uint8Array(value);
  const binary = Array.from(view, (byte) => String.fromCharCode(byte)).join("");
  return urlSafe(btoa(binary));
}

function urlSafe(base64) {
  return base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
