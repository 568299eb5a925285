//! C5: time that expires anything never runs back and never stands still, whatever the clock does.

mod machine;

const HOUR: u64 = 3_600;
