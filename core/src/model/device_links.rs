//! Links by which a user adds another device of their own.

use std::{sync::Arc, time::SystemTime};

use crate::{
    model::{
        credentials::Bound,
        ids::{DeviceLinkId, PasskeyId, SessionId, UserId},
    },
    secret::Secret,
};

/// A link by which a user adds another device of their own, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct DeviceLink {
    /// The id.
    pub id: DeviceLinkId,
    /// The user whose it is.
    pub user_id: UserId,
    /// When it was made.
    pub created_at: SystemTime,
    /// When it ends, unless it has been opened.
    pub expires_at: SystemTime,
    /// When a device opened it. It works once.
    pub used_at: Option<SystemTime>,
    /// The IP address of that device.
    pub address: Option<String>,
    /// Its user agent.
    pub user_agent: Option<String>,
    /// The passkey that the device has registered.
    pub passkey_id: Option<PasskeyId>,
}

/// A link that has just been made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct CreatedDeviceLink {
    /// The link.
    pub device_link: DeviceLink,
    /// The secret, which is shown only this once: put it into a QR code. The new device hands it to
    /// `redeem_one_time_token`.
    pub secret: Arc<Secret>,
}

/// A link as it is stored.
pub(crate) struct StoredDeviceLink {
    pub(crate) device_link: DeviceLink,
    /// Of the session that made it.
    pub(crate) session_id: SessionId,
    /// The session of the device that opened it.
    pub(crate) used_by: Option<SessionId>,
    pub(crate) masked: String,
    pub(crate) bound: Bound,
}
