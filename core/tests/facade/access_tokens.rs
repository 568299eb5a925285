//! J1: access tokens for services, their keys, and what refuses them.

mod issuing;
mod keys;
mod verifying;

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use keyplate::{AccessToken, GroupId, Keyplate, NewGroup, NewService, Principal, Service, User};
use ring::signature::Ed25519KeyPair;
use serde_json::Value;

use crate::common::*;

/// A fixture with a service `films`, open to a group, and a member of it.
struct Films {
    f: Fixture,
    group: GroupId,
    service: Service,
    member: User,
}

fn films() -> Films {
    let f = Fixture::new();
    let group = NewGroup {
        name: "Friends".to_owned(),
        friendly_name: None,
    };
    let group = f.keyplate.create_group(group).unwrap().id;
    let service = service(&f.keyplate, "films");
    f.keyplate
        .set_service_access(&service.id, false, &[group])
        .unwrap();
    let member = f.user("member");
    f.keyplate.set_user_groups(&member.id, &[group]).unwrap();
    Films {
        f,
        group,
        service,
        member,
    }
}

fn service(keyplate: &Keyplate, slug: &str) -> Service {
    let service = NewService {
        slug: slug.to_owned(),
        ..NewService::default()
    };
    keyplate.create_service(service).unwrap()
}

impl Films {
    fn principal(&self, secret: &str) -> Arc<Principal> {
        self.f.keyplate.authenticate(secret).unwrap().principal
    }

    fn session(&self) -> Arc<Principal> {
        self.principal(self.f.session(&self.member).secret.as_str())
    }

    fn issue(&self) -> AccessToken {
        self.f
            .keyplate
            .issue_access_token(&self.session(), "films", None)
            .unwrap()
    }

    fn verify(&self, token: &str) -> keyplate::Result<keyplate::AccessTokenClaims> {
        self.f.keyplate.verify_access_token(token, "films")
    }

    /// The key that signs, out of the file, where nothing seals it.
    fn key_pair(&self) -> Ed25519KeyPair {
        let pkcs8: Vec<u8> = raw(&self.f.path())
            .query_row(
                "SELECT private_key FROM signing_keys WHERE ends_at IS NULL",
                [],
                |row| row.get(0),
            )
            .unwrap();
        Ed25519KeyPair::from_pkcs8(&pkcs8).unwrap()
    }
}

pub(crate) fn part(token: &str, place: usize) -> Value {
    let part = token.split('.').nth(place).unwrap();
    serde_json::from_slice(&BASE64URL.decode(part).unwrap()).unwrap()
}

fn encoded(value: &Value) -> String {
    BASE64URL.encode(value.to_string())
}

fn signed(header: &Value, body: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let message = format!("{}.{}", encoded(header), encoded(body));
    let signature = BASE64URL.encode(sign(message.as_bytes()));
    format!("{message}.{signature}")
}
