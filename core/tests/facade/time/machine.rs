//! By the machine's own boot-time clock, as every host has it.

use std::{thread, time::Duration};

use keyplate::{ErrorCode, NewApiKey, UserQuery};

use super::HOUR;
use crate::common::*;

/// A clock ran 20 hours ahead, somebody wrote, and it was put right: what lives for a second ends after a second.
#[test]
fn after_a_clock_that_ran_ahead_time_goes_on() {
    let f = Fixture::new();
    let ann = f.user("ann");
    f.clock.advance(20 * HOUR);
    f.user("bob");
    f.clock.back(20 * HOUR);
    let code_for_her = f.keyplate.create_one_time_token(&ann.id, Some(1)).unwrap();
    let session = f.keyplate.create_session(&ann.id, client(), Some(1));
    let session = session.unwrap().secret;
    assert!(f.keyplate.verify_session(session.as_str()).is_ok());
    thread::sleep(Duration::from_millis(1_100));
    let redeemed = f
        .stranger()
        .redeem_one_time_token(code_for_her.secret.as_str());
    assert_eq!(code(redeemed), ErrorCode::InvalidCredential);
    let verified = f.keyplate.verify_session(session.as_str());
    assert_eq!(code(verified), ErrorCode::InvalidCredential);
    let _ = (NewApiKey::default(), UserQuery::default());
}
