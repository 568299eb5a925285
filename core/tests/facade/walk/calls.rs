//! Each method of the facade, called as greedily as it can be.

use keyplate::{
    ClientInfo, ErrorCode, Expiry, KeyRotation, Limit, NewAdmin, NewApiKey, NewAppPassword,
    NewDeviceLogin, NewGroup, NewService, NewSignup, NewSignupToken, NewUser, Role, SessionQuery,
    SettingsChanges, SignupTokenChanges, UserChanges,
};

use super::world::{World, claim, each, note, try_to_register};
use crate::common::*;

/// Calls a method with everything that could make somebody stronger.
pub(super) fn call(method: &str, w: &World) -> Vec<ErrorCode> {
    let mut refusals = Vec::new();
    match method {
        "acting_as" => note(
            &mut refusals,
            w.weak.acting_as(&w.found.principal, client()),
        ),
        "anonymous" => note(&mut refusals, w.weak.anonymous(ClientInfo::default())),
        "with_client" => note(&mut refusals, w.weak.with_client(ClientInfo::default())),
        "authenticate" => drop(w.weak.authenticate(w.weak_key.secret.as_str())),
        "authenticate_pending" => drop(w.weak.authenticate_pending(w.weak_key.secret.as_str())),
        "verify_session" => drop(w.weak.verify_session(w.bobs_session.secret.as_str())),
        "verify_api_key" => drop(w.weak.verify_api_key(w.weak_key.secret.as_str())),
        "create_user" => {
            note(
                &mut refusals,
                w.weak.create_user(NewUser {
                    role: Some(Role::Administrator),
                    ..new_user("eve")
                }),
            );
            note(&mut refusals, w.weak.create_user(new_user("adam")));
        }
        "get_user" => each(w, &mut refusals, |user| w.weak.get_user(&user.id)),
        "find_user_by_username" => each(w, &mut refusals, |user| {
            w.weak.find_user_by_username(&user.username)
        }),
        "find_user_by_email" => each(w, &mut refusals, |user| {
            w.weak
                .find_user_by_email(user.email.as_deref().unwrap_or("bob@x.example"))
        }),
        "find_user_by_external_id" => each(w, &mut refusals, |user| {
            w.weak
                .find_user_by_external_id(user.external_id.as_deref().unwrap_or("7"))
        }),
        "list_users" => note(&mut refusals, w.weak.list_users(Default::default())),
        "update_user" => {
            for (n, user) in w.everybody().into_iter().enumerate() {
                let email = UserChanges {
                    email: Some(format!("e{n}@evil.example")),
                    email_verified: Some(true),
                    ..Default::default()
                };
                note(&mut refusals, w.weak.update_user(&user.id, email));
                let expiry = UserChanges {
                    expiry: Some(Expiry::Never),
                    external_id: Some(n.to_string()),
                    ..Default::default()
                };
                note(&mut refusals, w.weak.update_user(&user.id, expiry));
            }
        }
        "delete_user" => each(w, &mut refusals, |user| w.weak.delete_user(&user.id)),
        "set_user_role" => each(w, &mut refusals, |user| {
            w.weak.set_user_role(&user.id, Role::Administrator)
        }),
        "enable_user" => each(w, &mut refusals, |user| w.weak.enable_user(&user.id)),
        "disable_user" => each(w, &mut refusals, |user| w.weak.disable_user(&user.id)),
        "get_setup_state" => note(&mut refusals, w.weak.get_setup_state()),
        "create_setup_token" => note(&mut refusals, w.weak.create_setup_token()),
        "claim_setup" => {
            note(&mut refusals, w.weak.claim_setup(None, admin("eve")));
            note(
                &mut refusals,
                w.weak.claim_setup(
                    None,
                    NewAdmin {
                        existing_user_id: Some(w.owner.id),
                        ..Default::default()
                    },
                ),
            );
        }
        "resume_setup" => note(&mut refusals, w.weak.resume_setup(None)),
        "complete_setup" => note(&mut refusals, w.weak.complete_setup()),
        "reset_setup" => note(&mut refusals, w.weak.reset_setup(1)),
        "bootstrap" => {
            let plan = r#"{
                "users": [{"username": "eve", "role": "administrator"}, {"username": "owner", "role": "administrator"}],
                "api_keys": [{"owner": "eve", "name": "eve", "scopes": ["*", "roles:write"], "generate": true}]
            }"#;
            note(&mut refusals, w.weak.bootstrap(plan));
        }
        "create_session" => each(w, &mut refusals, |user| {
            w.weak.create_session(&user.id, client(), None)
        }),
        "list_sessions" => note(
            &mut refusals,
            w.weak.list_sessions(SessionQuery {
                user_id: Some(w.carol.id),
                ..Default::default()
            }),
        ),
        "revoke_session" => {
            for session in [&w.carols_session, &w.bobs_session] {
                note(&mut refusals, w.weak.revoke_session(&session.session.id));
            }
        }
        "revoke_user_sessions" => each(w, &mut refusals, |user| {
            w.weak.revoke_user_sessions(&user.id, None)
        }),
        "create_api_key" => {
            let own = w.weak_key.api_key.scopes[0].as_str();
            for scopes in [
                &["*"][..],
                &["*", "roles:write"],
                &["roles:write"],
                &["users:write"],
                &[own],
            ] {
                each(w, &mut refusals, |user| {
                    w.weak.create_api_key(new_key(Some(user), scopes))
                });
                let ends = w.weak_key.api_key.expires_at;
                each(w, &mut refusals, |user| {
                    w.weak.create_api_key(NewApiKey {
                        expires_at: ends,
                        ..new_key(Some(user), scopes)
                    })
                });
            }
        }
        "get_api_key" => w
            .keys()
            .into_iter()
            .for_each(|id| note(&mut refusals, w.weak.get_api_key(id))),
        "list_api_keys" => note(&mut refusals, w.weak.list_api_keys(Default::default())),
        "list_expiring_api_keys" => note(&mut refusals, w.weak.list_expiring_api_keys(i64::MAX)),
        "rotate_api_key" => {
            for id in w.keys() {
                note(
                    &mut refusals,
                    w.weak.rotate_api_key(id, KeyRotation::default()),
                );
                note(
                    &mut refusals,
                    w.weak.rotate_api_key(
                        id,
                        KeyRotation {
                            expiry: Some(w.later()),
                            overlap_seconds: None,
                        },
                    ),
                );
                let within = w
                    .weak_key
                    .api_key
                    .expires_at
                    .map(|time| Expiry::At { time });
                note(
                    &mut refusals,
                    w.weak.rotate_api_key(
                        id,
                        KeyRotation {
                            expiry: within,
                            overlap_seconds: None,
                        },
                    ),
                );
            }
        }
        "renew_api_key" => {
            for id in w.keys() {
                note(&mut refusals, w.weak.renew_api_key(id, Expiry::Never));
                note(&mut refusals, w.weak.renew_api_key(id, w.later()));
            }
        }
        "revoke_api_key" => w
            .keys()
            .into_iter()
            .for_each(|id| note(&mut refusals, w.weak.revoke_api_key(id))),
        "list_audit_events" => note(&mut refusals, w.weak.list_audit_events(Default::default())),
        "purge_expired" => note(&mut refusals, w.weak.purge_expired()),
        "back_up_to" => {
            let copy = w.f.folder.path().join("copy.db");
            note(&mut refusals, w.weak.back_up_to(copy.to_str().unwrap()));
            assert!(!copy.exists());
        }
        "get_statistics" => note(&mut refusals, w.weak.get_statistics()),
        "check_integrity" => note(&mut refusals, w.weak.check_integrity()),
        "get_clock_state" => note(&mut refusals, w.weak.get_clock_state()),
        "reset_clock" => note(&mut refusals, w.weak.reset_clock()),
        "approve_user" => each(w, &mut refusals, |user| w.weak.approve_user(&user.id)),
        "reject_user" => each(w, &mut refusals, |user| w.weak.reject_user(&user.id)),
        "set_user_groups" => each(w, &mut refusals, |user| {
            w.weak.set_user_groups(&user.id, &[w.group.id])
        }),
        "set_user_claims" => each(w, &mut refusals, |user| {
            w.weak.set_user_claims(&user.id, vec![claim()])
        }),
        "get_effective_claims" => each(w, &mut refusals, |user| {
            w.weak.get_effective_claims(&user.id)
        }),
        "list_claim_keys" => note(&mut refusals, w.weak.list_claim_keys()),
        "create_group" => note(
            &mut refusals,
            w.weak.create_group(NewGroup {
                name: "more".to_owned(),
                friendly_name: None,
            }),
        ),
        "get_group" => note(&mut refusals, w.weak.get_group(&w.group.id)),
        "list_groups" => note(&mut refusals, w.weak.list_groups(Default::default())),
        "update_group" => note(
            &mut refusals,
            w.weak.update_group(&w.group.id, Default::default()),
        ),
        "delete_group" => note(&mut refusals, w.weak.delete_group(&w.group.id)),
        "set_group_members" => note(
            &mut refusals,
            w.weak
                .set_group_members(&w.group.id, &w.everybody().map(|user| user.id)),
        ),
        "set_group_claims" => note(
            &mut refusals,
            w.weak.set_group_claims(&w.group.id, vec![claim()]),
        ),
        "create_service" => note(
            &mut refusals,
            w.weak.create_service(NewService {
                slug: "more".to_owned(),
                ..Default::default()
            }),
        ),
        "get_service" => note(&mut refusals, w.weak.get_service(&w.service.id)),
        "list_services" => note(&mut refusals, w.weak.list_services(Default::default())),
        "update_service" => note(
            &mut refusals,
            w.weak.update_service(&w.service.id, Default::default()),
        ),
        "set_service_origins" => note(
            &mut refusals,
            w.weak.set_service_origins(&w.service.id, &[]),
        ),
        "set_service_access" => note(
            &mut refusals,
            w.weak.set_service_access(&w.service.id, true, &[]),
        ),
        "delete_service" => note(&mut refusals, w.weak.delete_service(&w.service.id)),
        "authorize" => note(
            &mut refusals,
            w.weak.authorize(&w.found.principal, w.service.id.as_str()),
        ),
        "describe" => note(&mut refusals, w.weak.describe(&w.found.principal)),
        "issue_access_token" => note(
            &mut refusals,
            w.weak
                .issue_access_token(&w.found.principal, w.service.id.as_str(), None),
        ),
        "verify_access_token" => note(
            &mut refusals,
            w.weak.verify_access_token("a.b.c", w.service.id.as_str()),
        ),
        "get_jwks" => note(&mut refusals, w.weak.get_jwks()),
        "rotate_signing_key" => note(&mut refusals, w.weak.rotate_signing_key(None)),
        "get_settings" => note(&mut refusals, w.weak.get_settings()),
        "remember_origin" => note(&mut refusals, w.weak.remember_origin()),
        "get_public_settings" => note(&mut refusals, w.weak.get_public_settings()),
        "update_settings" => {
            let long = SettingsChanges {
                step_up_seconds: Some(86_400),
                ..Default::default()
            };
            note(&mut refusals, w.weak.update_settings(long));
            let long = SettingsChanges {
                session_lifetime_seconds: Some(31_000_000),
                ..Default::default()
            };
            note(&mut refusals, w.weak.update_settings(long));
        }
        "set_default_groups" => note(&mut refusals, w.weak.set_default_groups(&[w.group.id])),
        "set_default_claims" => {
            let claim = keyplate::Claim {
                key: "theirs".to_owned(),
                value: "1".to_owned(),
            };
            note(&mut refusals, w.weak.set_default_claims(vec![claim]));
        }
        "set_signup_email_domains" => note(&mut refusals, w.weak.set_signup_email_domains(&[])),
        "create_signup_token" => {
            note(
                &mut refusals,
                w.weak.create_signup_token(NewSignupToken {
                    group_ids: vec![w.group.id],
                    ..Default::default()
                }),
            );
            note(
                &mut refusals,
                w.weak.create_signup_token(NewSignupToken::default()),
            );
        }
        "get_signup_token" => note(
            &mut refusals,
            w.weak.get_signup_token(&w.token.signup_token.id),
        ),
        "list_signup_tokens" => note(&mut refusals, w.weak.list_signup_tokens(Default::default())),
        "update_signup_token" => {
            let more = SignupTokenChanges {
                expiry: Some(Expiry::Never),
                uses: Some(Limit::Unlimited),
                ..Default::default()
            };
            note(
                &mut refusals,
                w.weak.update_signup_token(&w.token.signup_token.id, more),
            );
        }
        "set_signup_token_grants" => {
            note(
                &mut refusals,
                w.weak.set_signup_token_grants(
                    &w.token.signup_token.id,
                    &[w.group.id],
                    vec![claim()],
                ),
            );
        }
        "revoke_signup_token" => note(
            &mut refusals,
            w.weak.revoke_signup_token(&w.token.signup_token.id),
        ),
        "inspect_signup_token" => drop(w.weak.inspect_signup_token(w.token.secret.as_str())),
        "sign_up" => drop(w.weak.sign_up(NewSignup {
            token: Some(w.token.secret.clone()),
            username: "eve".to_owned(),
            ..Default::default()
        })),
        "list_signup_redemptions" => note(
            &mut refusals,
            w.weak.list_signup_redemptions(Default::default()),
        ),
        "create_one_time_token" => {
            for seconds in [60, 1_000_000] {
                each(w, &mut refusals, |user| {
                    let made = w.weak.create_one_time_token(&user.id, Some(seconds))?;
                    let session = w.f.stranger().redeem_one_time_token(made.secret.as_str())?;
                    try_to_register(w, &session);
                    Ok(())
                });
            }
        }
        "create_recovery_token" => each(w, &mut refusals, |user| {
            let made = w.weak.create_recovery_token(&user.id, None)?;
            let session = w.f.stranger().redeem_one_time_token(made.secret.as_str())?;
            try_to_register(w, &session);
            Ok(())
        }),
        "begin_passkey_signup" => drop(w.weak.begin_passkey_signup(NewSignup {
            token: Some(w.token.secret.clone()),
            username: "eve".to_owned(),
            ..Default::default()
        })),
        "finish_passkey_signup" => {
            note(
                &mut refusals,
                w.weak.finish_passkey_signup("signup.x", "{}"),
            );
        }
        "begin_passkey_registration" | "finish_passkey_registration" => {
            note(&mut refusals, w.weak.begin_passkey_registration());
            note(
                &mut refusals,
                w.weak
                    .finish_passkey_registration("registration.x", "{}", None),
            );
        }
        "begin_passkey_login" => note(&mut refusals, w.weak.begin_passkey_login()),
        "finish_passkey_login" => {
            note(&mut refusals, w.weak.finish_passkey_login("login.x", "{}"));
        }
        "inspect_passkey_answer" => {
            note(&mut refusals, w.weak.inspect_passkey_answer("{}"));
        }
        "begin_step_up" | "finish_step_up" => {
            note(&mut refusals, w.weak.begin_step_up());
            note(&mut refusals, w.weak.finish_step_up("stepup.x", "{}"));
        }
        "list_passkeys" => note(&mut refusals, w.weak.list_passkeys(Some(w.carol.id))),
        "rename_passkey" => {
            for passkey in &w.passkeys {
                note(&mut refusals, w.weak.rename_passkey(&passkey.id, "mine"));
            }
        }
        "delete_passkey" => {
            for passkey in &w.passkeys {
                note(&mut refusals, w.weak.delete_passkey(&passkey.id));
            }
        }
        "get_passkey_signals" => note(&mut refusals, w.weak.get_passkey_signals(None)),
        "list_one_time_tokens" => {
            note(&mut refusals, w.weak.list_one_time_tokens(Some(w.carol.id)))
        }
        "revoke_one_time_token" => note(
            &mut refusals,
            w.weak
                .revoke_one_time_token(&w.carols_token.one_time_token.id),
        ),
        "redeem_one_time_token" => note(&mut refusals, w.weak.redeem_one_time_token("0000-0000")),
        "create_app_password" => {
            for scopes in [&[][..], &["*"], &["users:write"], &["films:watch"]] {
                let ends = w.weak_key.api_key.expires_at;
                for (owner_id, expires_at) in [
                    (None, None),
                    (None, ends),
                    (Some(w.owner.id), ends),
                    (Some(w.carol.id), ends),
                    (Some(w.bob.id), ends),
                ] {
                    let new = NewAppPassword {
                        name: "a client".to_owned(),
                        scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
                        owner_id,
                        expires_at,
                        ..Default::default()
                    };
                    note(&mut refusals, w.weak.create_app_password(new));
                }
            }
        }
        "list_app_passwords" => note(&mut refusals, w.weak.list_app_passwords(Default::default())),
        "revoke_app_password" => {
            for made in &w.app_passwords {
                let id = &made.app_password.id;
                note(&mut refusals, w.weak.revoke_app_password(id));
            }
        }
        "verify_app_password" => {
            for (user, made) in [&w.carol, &w.bob].into_iter().zip(&w.app_passwords) {
                let secret = made.secret.as_str();
                let verified = w
                    .weak
                    .verify_app_password(&user.username, secret, None, client());
                note(&mut refusals, verified);
            }
        }
        "verify_subsonic_token" => note(
            &mut refusals,
            w.weak.verify_subsonic_token("bob", "", "", None, client()),
        ),
        "begin_device_login" => {
            drop(w.weak.begin_device_login(NewDeviceLogin {
                scopes: vec!["*".to_owned(), "roles:write".to_owned()],
                ..Default::default()
            }));
        }
        "inspect_device_login"
        | "approve_device_login"
        | "deny_device_login"
        | "poll_device_login" => {
            let own = w.weak_key.api_key.scopes[0].as_str();
            for scopes in [&[][..], &["*", "roles:write"], &[own]] {
                let login = NewDeviceLogin {
                    scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
                    ..Default::default()
                };
                let started = w.f.stranger().begin_device_login(login).unwrap();
                let code = started.user_code.as_str();
                note(&mut refusals, w.weak.inspect_device_login(code));
                note(&mut refusals, w.weak.approve_device_login(code));
                note(&mut refusals, w.weak.deny_device_login(code));
                drop(w.weak.poll_device_login(started.device_code.as_str()));
            }
        }
        "create_device_link" => note(&mut refusals, w.weak.create_device_link()),
        "list_device_links" => note(&mut refusals, w.weak.list_device_links()),
        "disown_device_link" => {
            let id = keyplate::DeviceLinkId::parse(w.carol.id.as_str()).unwrap();
            note(&mut refusals, w.weak.disown_device_link(&id));
        }
        "begin_service_session" => {
            let entrance = keyplate::ServiceEntrance {
                service: "films".to_owned(),
                origin: "https://films.example".to_owned(),
                challenge: "A".repeat(43),
                return_path: None,
            };
            note(&mut refusals, w.weak.begin_service_session(entrance));
        }
        "redeem_service_ticket" => {
            let origin = "https://films.example";
            drop(
                w.weak
                    .redeem_service_ticket("kp_tkt_", origin, "a nonce of 22 characters"),
            );
        }
        "verify_service_session" => {
            drop(w.weak.verify_service_session(keyplate::ServiceVisit {
                service: "films".to_owned(),
                origin: "https://films.example".to_owned(),
                credential: Some(w.weak_key.secret.reveal().to_owned()),
            }));
        }
        other => panic!("`{other}` has no entry in the walk by weak keys"),
    }
    refusals
}
