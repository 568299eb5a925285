//! What a server does by itself, soon after its start and once a day.

use std::time::Duration;

use keyplate::Keyplate;

use crate::log;

/// Whoever has waited for the start does not wait for this too.
const SOON: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// Removes what expired long ago, again and again. Where several servers share a database, each finds what is left.
pub(super) async fn every_day(keyplate: Keyplate) {
    tokio::time::sleep(SOON).await;
    loop {
        let host = keyplate.clone();
        let purged = tokio::task::spawn_blocking(move || host.purge_expired()).await;
        if let Ok(Err(error)) = purged {
            log::line(format_args!("warning: nothing old was removed: {error}"));
        }
        tokio::time::sleep(DAY).await;
    }
}
