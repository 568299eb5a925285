//! Tells systemd, or whatever else set `NOTIFY_SOCKET`, how the server is: sd_notify(3).

use std::{
    env,
    ffi::OsStr,
    io,
    os::unix::{
        ffi::OsStrExt,
        net::{SocketAddr, UnixDatagram},
    },
};

pub(super) const READY: &str = "READY=1";
pub(super) const STOPPING: &str = "STOPPING=1";

/// Says it, if anybody asked for it. Who asked and does not listen is told to the log.
pub(super) fn tell(state: &str) -> io::Result<()> {
    match env::var_os("NOTIFY_SOCKET") {
        Some(name) if !name.is_empty() => send(&name, state),
        _ => Ok(()),
    }
}

fn send(name: &OsStr, state: &str) -> io::Result<()> {
    let socket = UnixDatagram::unbound()?;
    // Whoever hears it may be busy, and the server is not going to wait for that.
    socket.set_nonblocking(true)?;
    let sent = socket.send_to_addr(state.as_bytes(), &address(name)?)?;
    debug_assert_eq!(sent, state.len(), "a datagram goes as a whole");
    Ok(())
}

/// A path, or with `@` before it a name in the abstract space.
fn address(name: &OsStr) -> io::Result<SocketAddr> {
    match name.as_bytes().strip_prefix(b"@") {
        #[cfg(target_os = "linux")]
        Some(name) => {
            use std::os::linux::net::SocketAddrExt;

            SocketAddr::from_abstract_name(name)
        }
        _ => SocketAddr::from_pathname(name),
    }
}
