//! U5: which claims may be given, and which of them hold.

use keyplate::{Claim, ErrorCode, InputReason, KeyplateError, NewService, NewSignupToken, Result};

use crate::{access_tokens::part, common::*, groups::group};

fn claim(key: &str, value: &str) -> Claim {
    Claim {
        key: key.to_owned(),
        value: value.to_owned(),
    }
}

/// One spelling of a name for each way in which readers that ignore case may take it for the name: Go and Java fold
/// letter by letter, others by the whole text.
fn spellings(name: &str) -> Vec<String> {
    let mut spellings = vec![
        name.to_owned(),
        name.to_uppercase(),
        format!("{}{}", name[..1].to_uppercase(), &name[1..]),
    ];
    for (plain, like) in [('s', 'ſ'), ('k', '\u{212A}'), ('i', 'ı'), ('i', 'İ')] {
        if name.contains(plain) {
            spellings.push(name.replace(plain, &like.to_string()));
            spellings.push(name.to_uppercase().replacen(
                plain.to_ascii_uppercase(),
                &like.to_string(),
                1,
            ));
        }
    }
    spellings
}

/// RFC 7519, RFC 7800, RFC 8693, RFC 9068, RFC 9396, OpenID Connect Core and Identity Assurance.
const SPOKEN_FOR: [&str; 55] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "client_id",
    "sid",
    "auth_time",
    "acr",
    "amr",
    "scope",
    "groups",
    "roles",
    "entitlements",
    "cnf",
    "act",
    "may_act",
    "authorization_details",
    "azp",
    "nonce",
    "at_hash",
    "c_hash",
    "s_hash",
    "sub_jwk",
    "sub_id",
    "vot",
    "vtm",
    "_claim_names",
    "_claim_sources",
    "verified_claims",
    "token_introspection",
    "htm",
    "htu",
    "ath",
    "name",
    "given_name",
    "family_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "profile",
    "picture",
    "website",
    "email",
    "email_verified",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "phone_number",
    "phone_number_verified",
    "address",
    "updated_at",
];

/// All that takes claims from outside.
fn ways_in(f: &Fixture, claims: &[Claim]) -> Vec<(&'static str, Result<()>)> {
    let bob = f.keyplate.list_users(Default::default()).unwrap().items[0].id;
    let group = f.keyplate.list_groups(Default::default()).unwrap().items[0].id;
    let tokens = f.keyplate.list_signup_tokens(Default::default()).unwrap();
    let token = tokens.items[0].id;
    let claims = || claims.to_vec();
    let object: serde_json::Map<String, serde_json::Value> = claims()
        .into_iter()
        .map(|claim| (claim.key, claim.value.into()))
        .collect();
    let plan = |plan: serde_json::Value| f.keyplate.bootstrap(&plan.to_string()).map(drop);
    vec![
        ("user", f.keyplate.set_user_claims(&bob, claims()).map(drop)),
        (
            "group",
            f.keyplate.set_group_claims(&group, claims()).map(drop),
        ),
        (
            "token",
            f.keyplate
                .set_signup_token_grants(&token, &[], claims())
                .map(drop),
        ),
        (
            "plan: group",
            plan(serde_json::json!({"groups": [{"name": "family", "claims": object}]})),
        ),
        (
            "plan: user",
            plan(serde_json::json!({"users": [{"username": "bob", "claims": object}]})),
        ),
        (
            "plan: token",
            plan(serde_json::json!({"signup_tokens": [{"note": "planned", "claims": object}]})),
        ),
    ]
}

fn with_everything() -> Fixture {
    let f = Fixture::new();
    f.keyplate
        .bootstrap(r#"{"users": [{"username": "bob"}]}"#)
        .unwrap();
    group(&f, "family");
    f.keyplate
        .create_signup_token(NewSignupToken::default())
        .unwrap();
    f
}

#[test]
fn no_spelling_of_a_reserved_name_comes_in_by_any_way() {
    let f = with_everything();
    for name in SPOKEN_FOR {
        for spelling in spellings(name) {
            let bob = f.keyplate.find_user_by_username("bob").unwrap().unwrap().id;
            match f
                .keyplate
                .set_user_claims(&bob, vec![claim(&spelling, "x")])
            {
                Err(KeyplateError::InvalidInput { reason, .. }) => {
                    assert!(matches!(reason, InputReason::Reserved { .. }), "{spelling}");
                }
                other => panic!("{spelling}: {other:?}"),
            }
        }
    }
    for spelling in ["Sub", "EXP", "ſub", "Scope", "ROLES", "Act"] {
        for (way, result) in ways_in(&f, &[claim(spelling, "x")]) {
            assert_eq!(code(result), ErrorCode::InvalidInput, "{way}: {spelling}");
        }
    }
    // What only resembles one is anybody's.
    for (way, result) in ways_in(&f, &[claim("subs", "x"), claim("role", "y")]) {
        assert!(result.is_ok(), "{way}: {result:?}");
    }
}

#[test]
fn two_names_that_fold_alike_are_one() {
    let f = with_everything();
    let alike = [claim("quota", "1"), claim("Quota", "2")];
    for (way, result) in ways_in(&f, &alike) {
        assert_eq!(code(result), ErrorCode::InvalidInput, "{way}");
    }
    let kelvin = [claim("\u{212A}ey", "1"), claim("key", "2")];
    assert_eq!(
        code(ways_in(&f, &kelvin).remove(0).1),
        ErrorCode::InvalidInput
    );

    // A plan's spelling replaces the one that is there.
    let bob = f.keyplate.find_user_by_username("bob").unwrap().unwrap();
    f.keyplate
        .set_user_claims(&bob.id, vec![claim("quota", "1"), claim("room", "8")])
        .unwrap();
    f.keyplate
        .bootstrap(r#"{"users": [{"username": "bob", "claims": {"Quota": "2"}}]}"#)
        .unwrap();
    let user = f.keyplate.get_user(&bob.id).unwrap();
    assert_eq!(user.claims, [claim("Quota", "2"), claim("room", "8")]);
}

#[test]
fn a_users_claim_beats_his_groups_and_the_first_group_the_others_by_folding() {
    let f = Fixture::new();
    let bob = f.user("bob");
    let (zoo, alps) = (group(&f, "zoo"), group(&f, "alps"));
    f.keyplate
        .set_user_groups(&bob.id, &[zoo.id, alps.id])
        .unwrap();
    let give = |group: &keyplate::Group, claims: Vec<Claim>| {
        f.keyplate.set_group_claims(&group.id, claims).unwrap();
    };
    give(&zoo, vec![claim("ſize", "zoo"), claim("PLAN", "zoo")]);
    give(&alps, vec![claim("Size", "alps"), claim("plan", "alps")]);
    f.keyplate
        .set_user_claims(&bob.id, vec![claim("Plan", "own")])
        .unwrap();
    assert_eq!(
        f.keyplate.get_effective_claims(&bob.id).unwrap(),
        [claim("Plan", "own"), claim("Size", "alps")]
    );
}

/// A file may be older than a reserved name, and than the folding.
#[test]
fn what_an_older_file_holds_speaks_for_nobody() {
    let f = with_everything();
    let bob = f.keyplate.find_user_by_username("bob").unwrap().unwrap();
    let family = f.keyplate.list_groups(Default::default()).unwrap().items[0].id;
    f.keyplate.set_user_groups(&bob.id, &[family]).unwrap();
    let service = NewService {
        slug: "films".to_owned(),
        ..Default::default()
    };
    let service = f.keyplate.create_service(service).unwrap();
    f.keyplate
        .set_service_access(&service.id, true, &[])
        .unwrap();
    let file = raw(&f.path());
    let reserved = ["Sub", "EXP", "ſub", "Scope", "Roles", "cnf", "İss"];
    for key in reserved {
        let sql = "INSERT INTO user_claims VALUES (?1, ?2, 'forged')";
        file.execute(sql, [bob.id.as_str(), key]).unwrap();
        let sql = "INSERT INTO group_claims VALUES (?1, ?2, 'forged')";
        file.execute(sql, [family.as_str(), key]).unwrap();
    }
    for (key, value) in [("Quota", "2"), ("quota", "1")] {
        let sql = "INSERT INTO user_claims VALUES (?1, ?2, ?3)";
        file.execute(sql, [bob.id.as_str(), key, value]).unwrap();
    }
    drop(file);
    let session = f.session(&bob);
    let found = f.keyplate.authenticate(session.secret.as_str()).unwrap();
    let token = f
        .keyplate
        .issue_access_token(&found.principal, "films", None)
        .unwrap();
    let body = part(token.secret.as_str(), 1);
    let names: Vec<&String> = body.as_object().unwrap().keys().collect();
    for key in reserved {
        assert!(!names.iter().any(|name| *name == key), "{key}: {names:?}");
    }
    let quotas = names.iter().filter(|name| name.to_lowercase() == "quota");
    assert_eq!(quotas.count(), 1, "{names:?}");
    let held = [claim("Quota", "2")];
    let told = f
        .keyplate
        .verify_access_token(token.secret.as_str(), "films");
    assert_eq!(told.unwrap().claims, held);
    assert_eq!(f.keyplate.get_effective_claims(&bob.id).unwrap(), held);
    let suggested = f.keyplate.list_claim_keys().unwrap();
    assert_eq!(suggested, ["Quota", "quota"]);

    // A plan adds to them and is not refused for what it did not say.
    f.keyplate
        .bootstrap(r#"{"users": [{"username": "bob", "claims": {"room": "8"}}]}"#)
        .unwrap();
    let kept = f.keyplate.get_user(&bob.id).unwrap().claims;
    assert_eq!(kept.len(), reserved.len() + 3, "nothing is lost");
}
