//! P5: who must show his passkey again, and what a step-up gives.

mod freshness;
mod table;

use keyplate::Keyplate;

use crate::common::*;

const HOUR: u64 = 3_600;

fn make_key(acting: &Keyplate, scope: &str) -> keyplate::Result<()> {
    acting.create_api_key(new_key(None, &[scope])).map(drop)
}
