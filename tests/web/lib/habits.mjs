// What other browsers and password managers do with a page's `navigator.credentials`. Each runs in the page.

/** Browsers before the JSON of WebAuthn Level 3: Safari before 18.4, Chrome before 129, Firefox before 119. */
export function withoutHelpers() {
  delete PublicKeyCredential.parseCreationOptionsFromJSON;
  delete PublicKeyCredential.parseRequestOptionsFromJSON;
  delete PublicKeyCredential.prototype.toJSON;
}

/** A helper that is there and cannot do it. */
export function withBrokenHelpers() {
  const broken = () => {
    throw new TypeError("not implemented");
  };
  PublicKeyCredential.parseCreationOptionsFromJSON = broken;
  PublicKeyCredential.parseRequestOptionsFromJSON = broken;
  PublicKeyCredential.prototype.toJSON = () => ({});
}

/** A plain object with the right members; its `toJSON` is the browser's own, and throws on it. */
export function plainObjects() {
  const { toJSON } = PublicKeyCredential.prototype;
  const inPlace = (name, made) => {
    const original = navigator.credentials[name].bind(navigator.credentials);
    navigator.credentials[name] = async (options) => made(await original(options));
  };
  const plain = (credential, response) => ({
    id: credential.id,
    rawId: credential.rawId,
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment,
    response,
    getClientExtensionResults: () => credential.getClientExtensionResults(),
    toJSON,
  });
  inPlace("create", (credential) => {
    const { clientDataJSON, attestationObject } = credential.response;
    const getTransports = () => credential.response.getTransports();
    return plain(credential, { clientDataJSON, attestationObject, getTransports });
  });
  inPlace("get", (credential) => {
    const { clientDataJSON, authenticatorData, signature, userHandle } = credential.response;
    return plain(credential, { clientDataJSON, authenticatorData, signature, userHandle });
  });
}

/** A `toJSON` that leaves bytes as they are, and ids in the other base64. */
export function halfJson() {
  const inPlace = (name) => {
    const original = navigator.credentials[name].bind(navigator.credentials);
    navigator.credentials[name] = async (options) => {
      const { rawId, response } = await original(options);
      const { clientDataJSON, attestationObject, authenticatorData, signature, userHandle } = response;
      const own = { clientDataJSON, attestationObject, authenticatorData, signature, userHandle };
      const id = btoa(String.fromCharCode(...new Uint8Array(rawId)));
      return { id, rawId: id, response: own, toJSON: () => ({ id, rawId, response: own }) };
    };
  };
  inPlace("create");
  inPlace("get");
}

/** An object that only looks like a credential: every method that it inherits throws, and bytes come as views. */
export function dressedObjects() {
  const inPlace = (name, prototype, members) => {
    const original = navigator.credentials[name].bind(navigator.credentials);
    navigator.credentials[name] = async (options) => {
      const credential = await original(options);
      const own = (values) => Object.fromEntries(Object.entries(values).map(([key, value]) => [key, { value }]));
      const bytes = (name) => {
        const value = credential.response[name];
        // A view into something larger.
        return value && new Uint8Array([0, ...new Uint8Array(value), 0]).subarray(1, 1 + value.byteLength);
      };
      const response = Object.create(prototype, own(Object.fromEntries(members.map((name) => [name, bytes(name)]))));
      const { id, type } = credential;
      const rawId = new Uint8Array(credential.rawId);
      return Object.create(PublicKeyCredential.prototype, own({ id, type, rawId, response }));
    };
  };
  inPlace("create", AuthenticatorAttestationResponse.prototype, ["clientDataJSON", "attestationObject"]);
  inPlace("get", AuthenticatorAssertionResponse.prototype, [
    "clientDataJSON",
    "authenticatorData",
    "signature",
    "userHandle",
  ]);
}
