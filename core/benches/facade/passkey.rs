//! A sign-in by passkey, beside webauthn-rs alone and ring's bare P-256. The floor is webauthn-rs and one
//! commit of the rows that a sign-in must leave.

use std::{hint::black_box, path::Path, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use keyplate::{ClientInfo, Keyplate, NewUser, PasskeyCeremony};
use keyplate_testkit::{Authenticator, Spoil};
use ring::{
    digest::{SHA256, digest},
    signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey},
};
use serde_json::{Value, json};
use webauthn_rs_core::{
    WebauthnCore,
    proto::{
        AuthenticationState, Credential, PublicKeyCredential, RegisterPublicKeyCredential,
        RegistrationState, UserVerificationPolicy,
    },
};

use crate::{TURNS, all_in_turns, data, floor::Floor};

const ORIGIN: &str = "https://media.example";
const N: usize = 100;

/// A sign-in that has begun, and its answer.
struct Login {
    ceremony: String,
    state: AuthenticationState,
    response: String,
}

pub(crate) fn run() {
    // On a disk, as for `create_user`.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = tempfile::tempdir_in(target).unwrap();
    let keyplate = Keyplate::open(data::config(&folder.path().join("id.db"))).unwrap();
    let stranger = keyplate.anonymous(ClientInfo::default()).unwrap();
    let webauthn = WebauthnCore::new_unsafe_experts_only(
        "bench",
        "media.example",
        vec![ORIGIN.parse().unwrap()],
        Duration::from_secs(300),
        None,
        None,
    );
    let mut phone = Authenticator::new();
    let credential = register(&keyplate, &webauthn, &mut phone);
    let logins: Vec<Login> = (0..N * (TURNS + 1))
        .map(|_| begin(&stranger, &webauthn, &mut phone))
        .collect();
    let other = tempfile::tempdir_in(target).unwrap();
    drop(Keyplate::open(data::config(&other.path().join("id.db"))).unwrap());
    let floor = Floor::open(&other.path().join("id.db"));

    let alone = |n: usize| {
        let login = &logins[n];
        let response: PublicKeyCredential = serde_json::from_str(&login.response).unwrap();
        let known = Credential {
            counter: 0,
            ..credential.clone()
        };
        webauthn
            .authenticate_single_credential(&response, &login.state, &known)
            .map(drop)
            .unwrap();
    };
    let public_key = UnparsedPublicKey::new(
        &ECDSA_P256_SHA256_ASN1,
        phone.credentials[0].private_key.public_key(),
    );
    let signed: Vec<(Vec<u8>, Vec<u8>)> =
        logins.iter().map(|login| signed(&login.response)).collect();
    all_in_turns(
        N,
        &mut [
            ("finish_passkey_login", &mut |n| {
                let login = &logins[n];
                let done = stranger.finish_passkey_login(&login.ceremony, &login.response);
                drop(black_box(done.unwrap()));
            }),
            ("finish_passkey_login_floor", &mut |n| {
                alone(n);
                floor.sign_in(n);
            }),
            ("finish_passkey_login_webauthn_rs", &mut |n| alone(n)),
            ("finish_passkey_login_p256", &mut |n| {
                let (data, signature) = &signed[n];
                public_key.verify(data, signature).unwrap();
            }),
        ],
    );
}

/// One passkey, known to the library and to webauthn-rs alone.
fn register(keyplate: &Keyplate, webauthn: &WebauthnCore, phone: &mut Authenticator) -> Credential {
    let user = NewUser {
        username: "bob".to_owned(),
        ..NewUser::default()
    };
    let bob = keyplate.create_user(user).unwrap();
    let session = keyplate
        .create_session(&bob.id, ClientInfo::default(), None)
        .unwrap();
    let principal = keyplate
        .authenticate(session.secret.as_str())
        .unwrap()
        .principal;
    let acting = keyplate
        .acting_as(&principal, ClientInfo::default())
        .unwrap();
    let begun: PasskeyCeremony = acting.begin_passkey_registration().unwrap();
    let response = phone
        .register(ORIGIN, &begun.options, &Spoil::default())
        .unwrap();
    acting
        .finish_passkey_registration(&begun.ceremony, &response, None)
        .unwrap();
    let builder = webauthn
        .new_challenge_register_builder(&[1], "bob", "bob")
        .unwrap()
        .user_verification_policy(UserVerificationPolicy::Required);
    let (_, state) = webauthn.generate_challenge_register(builder).unwrap();
    let state: RegistrationState = with_challenge(&state, &begun.options);
    let response: RegisterPublicKeyCredential = serde_json::from_str(&response).unwrap();
    webauthn
        .register_credential(&response, &state, None)
        .unwrap()
}

fn begin(stranger: &Keyplate, webauthn: &WebauthnCore, phone: &mut Authenticator) -> Login {
    let begun = stranger.begin_passkey_login().unwrap();
    let builder = webauthn
        .new_challenge_authenticate_builder(Vec::new(), Some(UserVerificationPolicy::Required))
        .unwrap();
    let (_, state) = webauthn.generate_challenge_authenticate(builder).unwrap();
    Login {
        state: with_challenge(&state, &begun.options),
        response: phone
            .authenticate(ORIGIN, &begun.options, &Spoil::default())
            .unwrap(),
        ceremony: begun.ceremony,
    }
}

fn with_challenge<T: serde::Serialize + serde::de::DeserializeOwned>(
    state: &T,
    options: &str,
) -> T {
    let options: Value = serde_json::from_str(options).unwrap();
    let mut state = serde_json::to_value(state).unwrap();
    state["challenge"] = json!(options["challenge"]);
    serde_json::from_value(state).unwrap()
}

/// What the authenticator signed, and the signature.
fn signed(response: &str) -> (Vec<u8>, Vec<u8>) {
    let response: Value = serde_json::from_str(response).unwrap();
    let part = |name: &str| {
        let text = response["response"][name].as_str().unwrap();
        BASE64URL.decode(text).unwrap()
    };
    let mut data = part("authenticatorData");
    data.extend(digest(&SHA256, &part("clientDataJSON")).as_ref());
    (data, part("signature"))
}
