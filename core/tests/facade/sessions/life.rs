//! T1: whether a session lives is asked in SQL, of many, and in Rust, of one that was looked up. Both say the same.

use std::{collections::BTreeSet, sync::Arc, time::UNIX_EPOCH};

use keyplate::{ErrorCode, Principal, SessionId, SessionQuery};
use rusqlite::params;

use crate::common::*;

/// A session's limits: milliseconds from now; 0 is now.
#[derive(Clone, Copy, Debug)]
struct Life {
    expires: i64,
    idle_ends: i64,
    idle_seconds: i64,
    ended: Option<i64>,
}

impl Life {
    fn all() -> Vec<Self> {
        let limits = [-1_000, -1, 0, 1, 1_000];
        let mut all = Vec::new();
        for expires in limits {
            for idle_ends in limits {
                for idle_seconds in [1, 366 * 24 * 3_600] {
                    for ended in [None, Some(-1), Some(0), Some(1)] {
                        all.push(Self {
                            expires,
                            idle_ends,
                            idle_seconds,
                            ended,
                        });
                    }
                }
            }
        }
        all
    }

    /// A limit is the first moment that is too late.
    fn lasts(self) -> bool {
        self.expires > 0 && self.idle_ends > 0 && self.ended.is_none()
    }
}

struct Generated {
    life: Life,
    id: SessionId,
    secret: String,
    principal: Arc<Principal>,
}

fn generate(f: &Fixture) -> Vec<Generated> {
    let ann = f.user("ann");
    let generated = Life::all().into_iter().map(|life| {
        let made = f.session(&ann);
        let secret = made.secret.reveal();
        let principal = f.keyplate.authenticate(&secret).unwrap().principal;
        Generated {
            life,
            id: made.session.id,
            secret,
            principal,
        }
    });
    let generated: Vec<Generated> = generated.collect();
    f.user("bob"); // takes along when they were last seen
    let now = f.now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let now = i64::try_from(now).unwrap();
    let mut connection = raw(&f.path());
    let transaction = connection.transaction().unwrap();
    for Generated { life, id, .. } in &generated {
        let last_seen = now + life.idle_ends - life.idle_seconds * 1_000;
        let sql = "UPDATE sessions SET expires_at = ?2, last_seen_at = ?3, idle_seconds = ?4, ended_at = ?5 WHERE id = ?1";
        let ended = life.ended.map(|ended| now + ended);
        let limits = params![
            id.as_str(),
            now + life.expires,
            last_seen,
            life.idle_seconds,
            ended
        ];
        assert_eq!(transaction.execute(sql, limits).unwrap(), 1);
    }
    transaction.commit().unwrap();
    generated
}

#[test]
fn sql_and_rust_agree_at_every_limit() {
    let f = Fixture::new();
    let generated = generate(&f);
    let query = SessionQuery {
        limit: Some(1_000),
        ..SessionQuery::default()
    };
    let page = f.keyplate.list_sessions(query).unwrap();
    let listed: BTreeSet<SessionId> = page.items.iter().map(|session| session.id).collect();
    for Generated {
        life,
        id,
        secret,
        principal,
    } in &generated
    {
        let verified = f.keyplate.verify_session(secret);
        let acting = f.keyplate.acting_as(principal, client()).unwrap();
        let acts = acting.get_settings();
        assert_eq!(verified.is_ok(), life.lasts(), "by its secret: {life:?}");
        assert_eq!(listed.contains(id), life.lasts(), "in a list: {life:?}");
        let dead = Some(ErrorCode::InvalidCredential);
        let refused = acts.err().map(|error| error.code());
        assert_eq!(refused != dead, life.lasts(), "by its principal: {life:?}");
    }
    let alive = generated.iter().filter(|one| one.life.lasts()).count();
    assert!(alive > 0 && alive < generated.len());
    assert_eq!(usize::try_from(page.total).unwrap(), alive);
    let counted = f.keyplate.get_statistics().unwrap().sessions;
    assert_eq!(usize::try_from(counted).unwrap(), alive);
    let ann = page.items[0].user_id;
    let ended = f.keyplate.revoke_user_sessions(&ann, None).unwrap();
    assert_eq!(usize::try_from(ended).unwrap(), alive);
}
