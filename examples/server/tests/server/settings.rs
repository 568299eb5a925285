use serde_json::{Map, Value, json};

use crate::support::{Reply, Server, text};

const PATH: &str = "/api/application-configuration";

/// The list as an object, `[key, type]` to value.
fn values(reply: &Reply) -> Map<String, Value> {
    assert_eq!(reply.status, 200, "{}", reply.body);
    let list = reply.json();
    let pairs = list.as_array().unwrap().iter();
    pairs
        .map(|setting| (text(&setting["key"]), setting["value"].clone()))
        .collect()
}

#[test]
fn settings_are_public_or_not_and_change() {
    let server = Server::start();
    let (session, key) = server.claim_with_key();
    let strong = server.make_key(&session, "strong", Some(&["*", "roles:write"]));
    let group = text(&server.made(&key, "/api/user-groups", json!({ "name": "all" }))["id"]);
    let public = server.get(PATH).send();
    let expected = json!([
        { "key": "appName", "type": "string", "value": "Keyplate" },
        { "key": "allowUserSignups", "type": "string", "value": "disabled" },
        { "key": "allowUsernameChange", "type": "bool", "value": "false" },
        { "key": "requireUserEmail", "type": "bool", "value": "false" },
        { "key": "allowOwnAccountEdit", "type": "bool", "value": "true" },
    ]);
    assert_eq!(public.json(), expected);
    let all = || values(&server.get(&format!("{PATH}/all")).key(&key).send());
    let before = all();
    let put = |key: &str, body: Value| server.request("PUT", PATH).key(key).json(&body).send();
    // Typed or as text, and what says that it is off, or untouched, may be named.
    for body in [
        json!({
            "appName": "Media", "allowUserSignups": "withToken", "signupRequiresApproval": true,
            "signupDefaultUserGroupIDs": [group], "signupEmailDomains": ["Club.example"], "openSignupsPerHour": 5,
            "allowUsernameChange": true, "sessionDuration": 1440, "sessionIdleDuration": 60, "stepUpDuration": 10,
            "counterPolicy": "deny", "openSignupsPerHourInAll": 50, "auditRetentionDuration": 43_200,
            "backupEligibilityPolicy": "deny", "requireUserEmail": true, "allowOwnAccountEdit": false,
            "signupDefaultCustomClaims": [{ "key": "quota", "value": "5" }], "emailsVerified": true,
        }),
        json!({
            "appName": "Media", "allowUserSignups": "withToken", "signupRequiresApproval": "true",
            "signupDefaultUserGroupIDs": json!([group]).to_string(), "signupEmailDomains": "[\"club.example\"]",
            "openSignupsPerHour": "5", "allowUsernameChange": "true", "sessionDuration": "1440",
            "sessionIdleDuration": "60", "stepUpDuration": "10", "counterPolicy": "deny", "smtpHost": "", "ldapEnabled": "false",
            "openSignupsPerHourInAll": "50", "auditRetentionDuration": "43200", "smtpTls": "none", "accentColor": null,
            "backupEligibilityPolicy": "deny", "requireUserEmail": "true", "allowOwnAccountEdit": "false",
            "signupDefaultCustomClaims": "[{\"key\":\"quota\",\"value\":\"5\"}]", "emailsVerified": "true",
        }),
    ] {
        let reply = put(&strong, body);
        let expected = json!({
            "appName": "Media", "allowUserSignups": "withToken", "signupRequiresApproval": "true",
            "signupDefaultUserGroupIDs": format!("[\"{group}\"]"), "signupEmailDomains": "[\"club.example\"]",
            "openSignupsPerHour": "5", "allowUsernameChange": "true", "sessionDuration": "1440",
            "sessionIdleDuration": "60", "stepUpDuration": "10", "counterPolicy": "deny",
            "openSignupsPerHourInAll": "50", "auditRetentionDuration": "43200",
            "backupEligibilityPolicy": "deny", "requireUserEmail": "true", "allowOwnAccountEdit": "false",
            "signupDefaultCustomClaims": "[{\"key\":\"quota\",\"value\":\"5\"}]", "emailsVerified": "true",
        });
        assert_eq!(Value::from(values(&reply)), expected);
        assert_eq!(Value::from(all()), expected);
        // Everything as it was, as a client sends it back.
        values(&put(&strong, Value::from(before.clone())));
        assert_eq!(all(), before);
    }
    // What a body leaves out stays, and a weaker key may send back what it does not change.
    values(&put(&strong, json!({ "appName": "Media" })));
    let mut sent_back = all();
    sent_back.insert("appName".into(), json!("Photos"));
    let weak = server.make_key(&session, "weak", Some(&["settings:write"]));
    values(&put(&weak, Value::from(sent_back)));
    assert_eq!(values(&server.get(PATH).send())["appName"], "Photos");
    put(&weak, json!({ "sessionDuration": 5 })).is_refused(403, "forbidden");
    // Seconds that are no whole minutes survive being sent back.
    let odd = keyplate::SettingsChanges {
        step_up_seconds: Some(61),
        ..Default::default()
    };
    server.library().update_settings(odd).unwrap();
    values(&put(&weak, Value::from(all())));
    assert_eq!(server.library().get_settings().unwrap().step_up_seconds, 61);
    let log = server
        .get("/api/audit-logs/all?filters[event]=SETTINGS_CHANGED")
        .key(&key);
    assert_eq!(log.send().json()["data"][1]["data"]["app_name"], "Photos");
}

#[test]
fn they_are_for_administrators() {
    let server = Server::start();
    let (session, key) = server.claim_with_key();
    let (_, bobs) = server.user_with_session(&key, "bob");
    let all = format!("{PATH}/all");
    server.get(&all).send().is_refused(401, "not_signed_in");
    server
        .get(&all)
        .bearer(&bobs)
        .send()
        .is_refused(403, "forbidden");
    let body = json!({ "allowUserSignups": "open" });
    let put = server.request("PUT", PATH).json(&body);
    put.clone().send().is_refused(401, "not_signed_in");
    put.clone()
        .bearer(&bobs)
        .send()
        .is_refused(403, "forbidden");
    let other_site = put
        .clone()
        .cookie(&session)
        .header("Sec-Fetch-Site", "cross-site");
    other_site.send().is_refused(403, "cross_origin");
    let reader = server.make_key(&session, "reader", Some(&["settings:read"]));
    put.key(&reader).send().is_refused(403, "forbidden");
    assert_eq!(
        values(&server.get(&all).key(&reader).send())["allowUserSignups"],
        "disabled"
    );
}

#[test]
fn wrong_values_name_their_field_and_change_nothing() {
    let (server, key) = Server::inviting(&[]);
    let all = || values(&server.get(&format!("{PATH}/all")).key(&key).send());
    let before = all();
    for (field, value) in [
        ("appName", json!("")),
        ("appName", json!(3)),
        ("appName", json!("x".repeat(101))),
        ("allowUserSignups", json!("everybody")),
        ("allowUserSignups", json!(true)),
        ("signupRequiresApproval", json!("yes")),
        ("signupRequiresApproval", json!(1)),
        ("allowUsernameChange", json!([])),
        ("openSignupsPerHour", json!(0)),
        ("openSignupsPerHour", json!(1_001)),
        ("openSignupsPerHour", json!("1.5")),
        ("openSignupsPerHour", json!("ten")),
        ("openSignupsPerHour", json!(-3)),
        ("sessionDuration", json!(0)),
        ("sessionDuration", json!("NaN")),
        ("sessionDuration", json!(1e300)),
        ("sessionDuration", json!("inf")),
        ("sessionIdleDuration", json!("0.5")),
        ("sessionIdleDuration", json!("")),
        ("sessionIdleDuration", json!(900_000_000)),
        ("stepUpDuration", json!(1_441)),
        ("counterPolicy", json!("ignore")),
        ("openSignupsPerHourInAll", json!(0)),
        ("openSignupsPerHourInAll", json!(100_001)),
        ("auditRetentionDuration", json!(43_199)),
        ("auditRetentionDuration", json!(-1)),
        ("backupEligibilityPolicy", json!("ignore")),
        ("signupDefaultUserGroupIDs", json!("42")),
        ("signupDefaultUserGroupIDs", json!("[42]")),
        ("signupDefaultUserGroupIDs", json!(["42"])),
        (
            "signupDefaultUserGroupIDs",
            json!(["0190a1b2-0000-7000-8000-00000000abcd"]),
        ),
        ("signupEmailDomains", json!("club.example")),
        ("signupEmailDomains", json!(["a@b.example"])),
        ("signupEmailDomains", json!([""])),
        ("signupEmailDomains", json!({})),
        ("requireUserEmail", json!("yes")),
        ("allowOwnAccountEdit", json!(1)),
        ("emailsVerified", json!("")),
        ("signupDefaultCustomClaims", json!("quota")),
        ("signupDefaultCustomClaims", json!([{ "key": 1 }])),
        (
            "signupDefaultCustomClaims",
            json!([{ "key": "a b", "value": "x" }]),
        ),
        // What cannot hold here is not said to hold, be it known elsewhere or a slip of the pen.
        ("smtpHost", json!("mail.example")),
        ("smtpPort", json!(25)),
        ("smtpTls", json!("starttls")),
        ("ldapEnabled", json!("true")),
        ("ldapEnabled", json!(true)),
        ("ldapSoftDeleteUsers", json!({ "a": 1 })),
        ("homePageUrl", json!("/elsewhere")),
        ("accentColor", json!("red")),
        ("disableAnimations", json!("true")),
        ("emailVerificationEnabled", json!("true")),
        ("emailOneTimeAccessAsAdminEnabled", json!(true)),
        ("allowUserSignup", json!("open")),
    ] {
        let mut body = json!({ "allowUserSignups": "open", "appName": "Other" });
        body[field] = value.clone();
        let reply = server.request("PUT", PATH).key(&key).json(&body).send();
        assert_eq!(reply.refusal().2, field, "{value}: {}", reply.body);
        reply.refuses_field(field);
        assert_eq!(all(), before, "{field} {value}");
    }
    let seconds = server
        .request("PUT", PATH)
        .key(&key)
        .json(&json!({ "stepUpDuration": 0 }));
    let message = text(&seconds.send().json()["error"]);
    assert_eq!(
        message,
        "Step up duration must be between 1 and 1440 minutes"
    );
}

#[test]
fn ones_own_username_changes_where_it_may() {
    let (server, key) = Server::inviting(&[]);
    let (_, session) = server.user_with_session(&key, "bob");
    let rename = || {
        let body = json!({ "username": "robert" });
        let put = server.request("PUT", "/api/users/me").bearer(&session);
        put.json(&body).send()
    };
    rename().is_refused(403, "forbidden");
    server.configure(&key, json!({ "allowUsernameChange": true }));
    assert_eq!(rename().json()["username"], "robert");
}

#[test]
fn default_groups_come_with_every_sign_up() {
    let (server, key) = Server::inviting(&[]);
    let group =
        |name: &str| text(&server.made(&key, "/api/user-groups", json!({ "name": name }))["id"]);
    let (all, some) = (group("all"), group("some"));
    server.configure(
        &key,
        json!({ "signupDefaultUserGroupIDs": format!("[\"{all}\"]") }),
    );
    let (_, token) = server.invitation(&key, json!({ "userGroupIds": [some] }));
    let groups = server.sign_up("bob", &token).json()["userGroups"].clone();
    assert_eq!(
        (&groups[0]["name"], &groups[1]["name"]),
        (&json!("all"), &json!("some"))
    );
}

/// U6, S5: over HTTP as in the library.
#[test]
fn the_settings_of_accounts_hold() {
    let (server, key) = Server::inviting(&[]);
    server.configure(
        &key,
        json!({
            "allowUserSignups": "open", "requireUserEmail": "true", "allowOwnAccountEdit": "false",
            "emailsVerified": "true", "signupDefaultCustomClaims": "[{\"key\":\"quota\",\"value\":\"5\"}]",
        }),
    );
    let create = |body: &Value| server.post("/api/users").key(&key).json(body).send();
    create(&json!({ "username": "ann" })).refuses_field("email");
    let ann = create(&json!({ "username": "ann", "email": "ann@x.example" })).json();
    assert_eq!(
        (&ann["emailVerified"], &ann["customClaims"]),
        (&json!(true), &json!([]))
    );
    let sign_up = |body: Value| server.post("/api/signup").json(&body).send();
    sign_up(json!({ "username": "bob" })).refuses_field("email");
    let bob = sign_up(
        json!({ "username": "bob", "email": "bob@x.example", "firstName": "Bob", "lastName": "Bell" }),
    );
    let session = bob.cookie_value();
    let bob = bob.json();
    assert_eq!(
        bob["customClaims"],
        json!([{ "key": "quota", "value": "5" }])
    );
    assert_eq!(
        (&bob["emailVerified"], &bob["displayName"]),
        (&json!(false), &json!("Bob Bell"))
    );
    let me = || server.get("/api/users/me").bearer(&session).send().json();
    let put = |body: &Value| {
        server
            .request("PUT", "/api/users/me")
            .bearer(&session)
            .json(body)
            .send()
    };
    let mut changed = me();
    assert_eq!(
        put(&changed).json(),
        me(),
        "what is only repeated is no change"
    );
    changed["firstName"] = json!("Rob");
    let refused = put(&changed);
    refused.is_refused_for("own_profile_closed");
    let path = format!("/api/users/{}", text(&bob["id"]));
    let by_admin = server.request("PUT", &path).key(&key).json(&changed).send();
    assert_eq!(by_admin.json()["firstName"], "Rob");
    // Of a key there is one value, in whichever form it is sent.
    let twice = json!([{ "key": "appName", "value": "A" }, { "key": "appName", "value": "B" }]);
    server
        .request("PUT", PATH)
        .key(&key)
        .json(&twice)
        .send()
        .refuses_field("appName");
    let reserved = json!({ "signupDefaultCustomClaims": { "sub": "x" } });
    let refused = server.request("PUT", PATH).key(&key).json(&reserved).send();
    let expected = (
        400,
        "reserved_claim".to_owned(),
        "signupDefaultCustomClaims".to_owned(),
    );
    assert_eq!(refused.refusal(), expected);
    let several = json!({ "smtpHost": "mail", "appName": "Z", "ldapUrl": "ldap://x" });
    let refused = server
        .request("PUT", PATH)
        .key(&key)
        .json(&several)
        .send()
        .json();
    let fields = refused["details"]["fields"].as_array().unwrap();
    let fields: Vec<&str> = fields
        .iter()
        .map(|field| field["field"].as_str().unwrap())
        .collect();
    assert_eq!(fields, ["ldapUrl", "smtpHost"], "each is named");
    let all = server.get(&format!("{PATH}/all")).key(&key).send().json();
    for setting in all.as_array().unwrap() {
        let public = server.get(PATH).send().json();
        let public = public
            .as_array()
            .unwrap()
            .iter()
            .any(|other| other["key"] == setting["key"]);
        assert_eq!(setting["isPublic"], public, "{setting}");
    }
}
