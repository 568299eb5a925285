//! Who is there when a weak key begins its walk, and how its tries are noted.

use keyplate::{
    Authenticated, Claim, CreatedAppPassword, CreatedOneTimeToken, CreatedSignupToken, ErrorCode,
    Expiry, Group, Keyplate, NewApiKey, NewAppPassword, NewGroup, NewService, NewSignupToken,
    Passkey, Result, Role, Service, SignedIn, User,
};

use crate::common::{passkeys::Person, *};

/// Who is there: the weak key's owner, a full administrator, an ordinary user and a disabled administrator.
pub(super) struct World {
    pub(super) f: Fixture,
    pub(super) owner: User,
    pub(super) carol: User,
    pub(super) bob: User,
    pub(super) disabled: User,
    pub(super) carols_key: keyplate::CreatedApiKey,
    pub(super) bobs_key: keyplate::CreatedApiKey,
    pub(super) carols_session: SignedIn,
    pub(super) bobs_session: SignedIn,
    pub(super) weak_key: keyplate::CreatedApiKey,
    pub(super) found: Authenticated,
    pub(super) weak: Keyplate,
    pub(super) group: Group,
    pub(super) token: CreatedSignupToken,
    pub(super) carols_token: CreatedOneTimeToken,
    pub(super) service: Service,
    /// Carol's and Bob's.
    pub(super) passkeys: Vec<Passkey>,
    /// Carol's and Bob's.
    pub(super) app_passwords: Vec<CreatedAppPassword>,
}

impl World {
    pub(super) fn new(owner_role: Role, scope: &str, method: &str) -> Self {
        let f = Fixture::new();
        let carol = f.administrator("carol");
        let owner = match owner_role {
            Role::Administrator => f.administrator("owner"),
            _ => f.user("owner"),
        };
        let bob = f.user("bob");
        let disabled = f.administrator("dora");
        f.keyplate.disable_user(&disabled.id).unwrap();
        let key = NewApiKey {
            expires_at: Some(f.in_seconds(10_000)),
            ..new_key(Some(&owner), &[scope])
        };
        let weak_key = f.keyplate.create_api_key(key).unwrap();
        let found = f.keyplate.verify_api_key(weak_key.secret.as_str()).unwrap();
        let weak = f.keyplate.acting_as(&found.principal, client()).unwrap();
        let group = f
            .keyplate
            .create_group(NewGroup {
                name: "family".to_owned(),
                friendly_name: None,
            })
            .unwrap();
        let service = NewService {
            slug: "films".to_owned(),
            ..Default::default()
        };
        let service = f.keyplate.create_service(service).unwrap();
        let token = NewSignupToken {
            group_ids: vec![group.id],
            ..Default::default()
        };
        let mut passkeys = Vec::new();
        if method.contains("passkey") {
            passkeys = [&carol, &bob].map(|user| f.person(user).1).to_vec();
        }
        Self {
            service,
            passkeys,
            app_passwords: [&carol, &bob]
                .map(|user| {
                    let new = NewAppPassword {
                        name: "a client".to_owned(),
                        owner_id: Some(user.id),
                        ..Default::default()
                    };
                    f.keyplate.create_app_password(new).unwrap()
                })
                .to_vec(),
            carols_key: f.key(&carol, &["*", "roles:write"]),
            bobs_key: f.key(&bob, &["*"]),
            carols_session: f.session(&carol),
            bobs_session: f.session(&bob),
            token: f.keyplate.create_signup_token(token).unwrap(),
            carols_token: f.keyplate.create_one_time_token(&carol.id, None).unwrap(),
            group,
            weak_key,
            found,
            weak,
            owner,
            carol,
            bob,
            disabled,
            f,
        }
    }

    pub(super) fn everybody(&self) -> [&User; 4] {
        [&self.owner, &self.carol, &self.bob, &self.disabled]
    }

    pub(super) fn keys(&self) -> [&keyplate::ApiKeyId; 3] {
        [
            &self.weak_key.api_key.id,
            &self.carols_key.api_key.id,
            &self.bobs_key.api_key.id,
        ]
    }

    pub(super) fn later(&self) -> Expiry {
        Expiry::At {
            time: self.f.in_seconds(900_000),
        }
    }
}

/// A passkey is for ever: no session that a weak key has made may register one. One with `*` gives an ordinary user
/// all that he has anyway.
pub(super) fn try_to_register(w: &World, session: &SignedIn) {
    if w.weak_key.api_key.scopes != ["*"] {
        let acting = w.f.acting(session.secret.as_str());
        drop(Person::new().register(&acting));
    }
}

pub(super) fn note<T>(refusals: &mut Vec<ErrorCode>, result: Result<T>) {
    refusals.extend(result.err().map(|error| error.code()));
}

pub(super) fn each<T>(w: &World, refusals: &mut Vec<ErrorCode>, f: impl Fn(&User) -> Result<T>) {
    w.everybody()
        .into_iter()
        .for_each(|user| note(refusals, f(user)));
}

pub(super) fn claim() -> Claim {
    Claim {
        key: "quota".to_owned(),
        value: "all".to_owned(),
    }
}
