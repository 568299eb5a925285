//! Each act that wants it, by each credential.

use keyplate::{
    ErrorCode, Expiry, Keyplate, NewAdmin, NewUser, Passkey, Role, SignedIn, SignupMode, User,
    UserChanges,
};

use super::{HOUR, make_key};
use crate::common::{
    passkeys::Person,
    signups::{set_mode, signup},
    *,
};

/// Every act of P5 by everybody's credential. `step`: step-up required; `no`: permission denied; `none`: not found;
/// `-`: does not occur. The credentials are an administrator's, save that of sign-up, which is an ordinary user's: so
/// his `users:read` is no administrator scope. Sessions are fresh; those called old began an hour ago. `area` is a key
/// with the scope of the act's area only, then the same with `keys:write` or `roles:write` besides.
const TABLE: &str = "
                           setup signup code recovery host old-host passkey old-passkey stepped-up  *   full area +keys +roles
register the first         ok    ok     ok   ok       ok   ok       ok      ok          ok          no  no   no   no    no
register a second          ok    step   step ok       step step     ok      step        ok          no  no   no   no    no
rename one's own           step  step   step step     step step     ok      step        ok          ok  ok   no   ok    ok
delete one's own           step  step   step ok       step step     ok      step        ok          ok  ok   no   ok    ok
delete another's           step  none   step none     step step     ok      step        ok          ok  ok   no   ok    ok
make a key of scope users  ok    ok     step no       step step     ok      step        ok          ok  ok   no   no    no
make a key of host's scope ok    ok     ok   no       ok   step     ok      step        ok          ok  ok   no   no    no
rotate a key of users      ok    ok     step no       step step     ok      step        ok          ok  ok   no   no    no
renew a key of users       ok    ok     step no       step step     ok      step        ok          ok  ok   no   no    no
renew a key of host's      ok    ok     ok   no       ok   step     ok      step        ok          ok  ok   no   no    no
promote                    step  no     step no       step step     ok      step        ok          no  ok   no   no    no
promote by update          step  none   step no       step step     ok      step        ok          no  ok   no   no    no
make an administrator      step  no     step no       step step     ok      step        ok          no  ok   no   no    no
make a recovery token      step  no     step no       step step     ok      step        ok          ok  ok   no   no    no
make oneself a code        ok    no     ok   no       ok   step     ok      step        ok          ok  ok   ok   ok    ok
make an admin a code       step  no     step no       step step     ok      step        ok          no  ok   no   no    no
";

/// The scope that an act wants of an API key at least.
fn area(act: &str) -> &'static str {
    match act.split(' ').next().unwrap() {
        "register" | "rename" | "delete" => "passkeys:write",
        "promote" => "users:write",
        _ if act == "make an administrator" => "users:write",
        _ if act.ends_with("token") || act.ends_with("code") => "one_time_tokens:write",
        _ => "keys:write",
    }
}

/// For one cell of the table.
struct World {
    f: Fixture,
    /// Who acts, an administrator besides others; by `signup` he is none.
    ann: User,
    signed_up: Option<SignedIn>,
    person: Option<(Person, Passkey, SignedIn)>,
    /// Whom administrators act on.
    bob: User,
    bobs: Option<Passkey>,
    /// Another administrator, who has no passkey.
    root: User,
}

impl World {
    fn new(act: &str, by: &str) -> Self {
        let f = Fixture::new();
        let root = f.administrator("root");
        let signed_up = (by == "signup").then(|| {
            set_mode(&f, SignupMode::Open);
            f.stranger().sign_up(signup("ann", None)).unwrap()
        });
        let ann = match &signed_up {
            Some(signed_in) => signed_in.user.clone(),
            None => f.administrator("ann"),
        };
        let signs_in_by_passkey = by.ends_with("passkey") || by == "stepped-up";
        if act == "register the first" && signs_in_by_passkey {
            f.person(&root); // so that ann's can be taken away (U3)
        }
        let of_passkeys = ["register a second", "rename one's own", "delete one's own"];
        let person = (signs_in_by_passkey || of_passkeys.contains(&act)).then(|| f.person(&ann));
        if act == "delete one's own"
            && let Some((_, _, session)) = &person
        {
            let acting = f.acting(session.secret.as_str());
            Person::new().register(&acting).unwrap();
        }
        let bob = f.user("bob");
        Self {
            ann,
            signed_up,
            person,
            bobs: (act == "delete another's").then(|| f.person(&bob).1),
            bob,
            root,
            f,
        }
    }

    /// The credential of that column.
    fn acting(&mut self, act: &str, by: &str) -> Keyplate {
        let (f, ann) = (&self.f, &self.ann);
        let session = |signed_in: SignedIn| f.acting(signed_in.secret.as_str());
        let redeem = |secret: &str| session(f.stranger().redeem_one_time_token(secret).unwrap());
        let key = |scopes: &[&str]| f.acting(f.key(ann, scopes).secret.as_str());
        match by {
            "setup" => session(claim_again(f, ann)),
            "signup" => session(self.signed_up.take().unwrap()),
            "code" => {
                let code = f.keyplate.create_one_time_token(&ann.id, None).unwrap();
                redeem(code.secret.as_str())
            }
            "recovery" => {
                let token = f.keyplate.create_recovery_token(&ann.id, None).unwrap();
                redeem(token.secret.as_str())
            }
            "host" | "old-host" => {
                let acting = session(f.session(ann));
                f.clock.advance(if by == "host" { HOUR - 1 } else { HOUR });
                acting
            }
            "passkey" | "old-passkey" | "stepped-up" => self.by_passkey(by),
            "*" => key(&["*"]),
            "full" => key(&["*", "roles:write"]),
            "area" => key(&[area(act)]),
            "+keys" => key(&[area(act), "keys:write"]),
            "+roles" => key(&[area(act), "roles:write"]),
            other => panic!("no such credential: {other}"),
        }
    }

    fn by_passkey(&mut self, by: &str) -> Keyplate {
        let f = &self.f;
        let (person, _, session) = self.person.as_mut().unwrap();
        f.clock.advance(HOUR);
        *session = person.log_in(&f.stranger()).unwrap();
        f.clock.advance(HOUR - 1);
        if by == "passkey" {
            return f.acting(session.secret.as_str());
        }
        f.clock.advance(1);
        let acting = f.acting(session.secret.as_str());
        if by == "old-passkey" {
            return acting;
        }
        *session = person.step_up(&acting).unwrap();
        f.clock.advance(HOUR - 1);
        f.acting(session.secret.as_str())
    }

    fn outcome(&mut self, act: &str, by: &str) -> Option<ErrorCode> {
        let acting = self.acting(act, by);
        let (f, ann, bob) = (&self.f, &self.ann, &self.bob);
        let own = self.person.as_ref().map(|(_, passkey, _)| passkey.id);
        let code = |result: keyplate::Result<()>| result.err().map(|error| error.code());
        code(match act {
            "register the first" => {
                for passkey in f.keyplate.list_passkeys(Some(ann.id)).unwrap() {
                    f.keyplate.delete_passkey(&passkey.id).unwrap();
                }
                Person::new().register(&acting).map(drop)
            }
            "register a second" => Person::new().register(&acting).map(drop),
            "rename one's own" => acting.rename_passkey(&own.unwrap(), "Blue").map(drop),
            "delete one's own" => acting.delete_passkey(&own.unwrap()),
            "delete another's" => acting.delete_passkey(&self.bobs.as_ref().unwrap().id),
            "make a key of scope users" => make_key(&acting, "users:read"),
            "make a key of host's scope" => make_key(&acting, "library:stream"),
            "rotate a key of users" => {
                let key = f.key(ann, &["users:read"]).api_key;
                acting.rotate_api_key(&key.id, Default::default()).map(drop)
            }
            "renew a key of users" => renew_key(f, &acting, ann, "users:read"),
            "renew a key of host's" => renew_key(f, &acting, ann, "library:stream"),
            "promote" => acting.set_user_role(&bob.id, Role::Administrator).map(drop),
            "promote by update" => {
                let changes = UserChanges {
                    role: Some(Role::Administrator),
                    ..UserChanges::default()
                };
                acting.update_user(&bob.id, changes).map(drop)
            }
            "make an administrator" => {
                let user = NewUser {
                    role: Some(Role::Administrator),
                    ..new_user("eve")
                };
                acting.create_user(user).map(drop)
            }
            "make a recovery token" => acting.create_recovery_token(&bob.id, None).map(drop),
            "make oneself a code" => acting.create_one_time_token(&ann.id, None).map(drop),
            "make an admin a code" => acting.create_one_time_token(&self.root.id, None).map(drop),
            other => panic!("no such act: {other}"),
        })
    }
}

/// The one way to a setup session of somebody who has a passkey (B5).
fn claim_again(f: &Fixture, user: &User) -> SignedIn {
    f.keyplate.reset_setup(1).unwrap();
    let token = f.keyplate.create_setup_token().unwrap().secret.reveal();
    let named = NewAdmin {
        existing_user_id: Some(user.id),
        ..NewAdmin::default()
    };
    f.stranger().claim_setup(Some(token), named).unwrap()
}

fn renew_key(f: &Fixture, acting: &Keyplate, owner: &User, scope: &str) -> keyplate::Result<()> {
    let key = f.key(owner, &[scope]).api_key;
    acting.renew_api_key(&key.id, Expiry::Never).map(drop)
}

#[test]
fn the_whole_table() {
    let mut lines = TABLE.lines().filter(|line| !line.is_empty());
    let credentials: Vec<&str> = lines.next().unwrap().split_whitespace().collect();
    let mut wrong = Vec::new();
    for line in lines {
        let (act, cells) = line.split_at(27);
        let act = act.trim();
        let cells: Vec<&str> = cells.split_whitespace().collect();
        assert_eq!(cells.len(), credentials.len(), "{act}");
        for (by, expected) in credentials.iter().zip(cells) {
            let outcome = match World::new(act, by).outcome(act, by) {
                None => "ok",
                Some(ErrorCode::StepUpRequired) => "step",
                Some(ErrorCode::PermissionDenied) => "no",
                Some(ErrorCode::NotFound) => "none",
                Some(other) => panic!("{act} by {by}: {other:?}"),
            };
            if outcome != expected {
                wrong.push(format!("{act} by {by}: {outcome}, not {expected}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
