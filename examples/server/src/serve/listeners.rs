//! Where the server listens: addresses and Unix sockets.

use std::{
    fs, io,
    net::SocketAddr,
    os::unix::{
        fs::{FileTypeExt, MetadataExt, PermissionsExt},
        net::{UnixListener as StdUnixListener, UnixStream as StdUnixStream},
    },
    path::{Path, PathBuf},
    task::{Context, Poll},
};

use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use crate::options::{Options, listen::Listen};

/// One place, bound.
#[derive(Debug)]
pub(super) enum Bound {
    Tcp(std::net::TcpListener, SocketAddr),
    Unix(StdUnixListener, SocketFile),
}

/// One place, served.
#[derive(Debug)]
pub(super) enum Listener {
    Tcp(TcpListener),
    Unix {
        listener: UnixListener,
        _file: SocketFile,
    },
}

/// Who has come.
#[derive(Debug)]
pub(super) enum Accepted {
    Tcp(TcpStream, SocketAddr),
    Unix(UnixStream),
}

/// The file of a Unix socket of ours, which goes with it.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    /// Another server may have put its own there.
    inode: u64,
}

/// All of them, or why one cannot be.
pub(super) fn bind(options: &Options) -> Result<Vec<Bound>, String> {
    let bound = options.listen.iter().map(|listen| {
        let bound = match listen {
            Listen::Address { host, port } => bind_address(host, *port),
            Listen::Socket { path, mode } => bind_socket(path, *mode),
        };
        bound.map_err(|error| {
            if error.kind() == io::ErrorKind::AddrInUse {
                return format!("cannot listen on {listen}: something listens there already");
            }
            format!("cannot listen on {listen}: {error}")
        })
    });
    bound.collect()
}

fn bind_address(host: &str, port: u16) -> io::Result<Bound> {
    let addresses = Listen::addresses(host, port)?;
    let listener = std::net::TcpListener::bind(&addresses[..])?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    Ok(Bound::Tcp(listener, address))
}

fn bind_socket(path: &Path, mode: u32) -> io::Result<Bound> {
    let listener = match StdUnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            remove_stale(path)?;
            StdUnixListener::bind(path)?
        }
        result => result?,
    };
    fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    listener.set_nonblocking(true)?;
    let file = SocketFile {
        path: path.to_owned(),
        inode: fs::symlink_metadata(path)?.ino(),
    };
    Ok(Bound::Unix(listener, file))
}

/// Takes away what a killed server has left, and nothing else.
fn remove_stale(path: &Path) -> io::Result<()> {
    if !fs::symlink_metadata(path)?.file_type().is_socket() {
        return Err(io::Error::other("there is a file that is no socket"));
    }
    match StdUnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        // Somebody listens there, or might.
        Ok(_) => Err(io::ErrorKind::AddrInUse.into()),
        Err(error) => Err(error),
    }
}

impl Bound {
    /// How it is told.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Tcp(_, address) => address.to_string(),
            Self::Unix(_, file) => format!("unix:{}", file.path.display()),
        }
    }

    /// Does nothing but this machine reach it?
    pub(super) fn is_of_this_machine(&self) -> bool {
        match self {
            Self::Tcp(_, address) => address.ip().to_canonical().is_loopback(),
            Self::Unix(..) => true,
        }
    }

    pub(super) fn port(&self) -> Option<u16> {
        match self {
            Self::Tcp(_, address) => Some(address.port()),
            Self::Unix(..) => None,
        }
    }

    /// Within the runtime.
    pub(super) fn listen(self) -> io::Result<Listener> {
        Ok(match self {
            Self::Tcp(listener, _) => Listener::Tcp(TcpListener::from_std(listener)?),
            Self::Unix(listener, file) => Listener::Unix {
                listener: UnixListener::from_std(listener)?,
                _file: file,
            },
        })
    }
}

impl Listener {
    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
        match self {
            Self::Tcp(listener) => listener
                .poll_accept(cx)
                .map_ok(|(stream, peer)| Accepted::Tcp(stream, peer)),
            Self::Unix { listener, .. } => listener
                .poll_accept(cx)
                .map_ok(|(stream, _)| Accepted::Unix(stream)),
        }
    }
}

/// Whoever comes next. `turn` goes round, so that no place waits for a busier one.
pub(super) async fn accept(listeners: &[Listener], turn: &mut usize) -> io::Result<Accepted> {
    std::future::poll_fn(|cx| {
        for _ in listeners {
            *turn = (*turn + 1) % listeners.len();
            if let Poll::Ready(accepted) = listeners[*turn].poll_accept(cx) {
                return Poll::Ready(accepted);
            }
        }
        Poll::Pending
    })
    .await
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|found| found.ino() == self.inode) {
            let _ = fs::remove_file(&self.path);
        }
    }
}
