//! What a service tells whoever supervises it: that it is ready, that it is alive, that it stops.
//!
//! The protocol is that of `sd_notify(3)`: a datagram to the socket that `$NOTIFY_SOCKET` names, a path or, with `@`, a name
//! without a file. What cannot be sent is nobody's error: the supervisor notices by itself.

use std::time::{Duration, Instant};

use super::context::variable;

/// The supervisor of this process, if it has one.
#[derive(Debug)]
pub(super) struct Service {
    socket: Option<Socket>,
    /// How often it is to be heard from.
    watchdog: Option<Duration>,
}

impl Service {
    /// The one that the environment names.
    pub(super) fn of_this_process() -> Service {
        let number = |name| variable(name).and_then(|value| value.to_str()?.parse::<u64>().ok());
        let is_meant = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
        let watchdog = number("WATCHDOG_USEC").filter(|time| is_meant && *time > 0).map(Duration::from_micros);
        let socket = variable("NOTIFY_SOCKET").and_then(|name| Socket::named(&name));
        Service { watchdog: watchdog.filter(|_| socket.is_some()), socket }
    }

    fn tell(&self, state: &str) {
        if let Some(socket) = &self.socket {
            socket.send(state);
        }
    }

    pub(super) fn ready(&self) {
        self.tell("READY=1\n");
    }

    pub(super) fn reloading(&self) {
        self.tell("RELOADING=1\n");
    }

    pub(super) fn stopping(&self) {
        self.tell("STOPPING=1\n");
    }

    /// How long at most may pass between two signs of life: half of what the supervisor waits.
    pub(super) fn pulse(&self) -> Option<Duration> {
        self.watchdog.map(|time| time / 2)
    }

    /// Gives a sign of life if it is time for one.
    pub(super) fn alive(&self, last: &mut Option<Instant>) {
        let Some(pulse) = self.pulse() else { return };
        if last.is_none_or(|last| last.elapsed() >= pulse) {
            *last = Some(Instant::now());
            self.tell("WATCHDOG=1\n");
        }
    }
}

#[cfg(unix)]
use datagram::Socket;

#[cfg(not(unix))]
use nowhere::Socket;

#[cfg(unix)]
mod datagram {
    use std::ffi::OsStr;
    use std::os::unix::net::{SocketAddr, UnixDatagram};

    #[derive(Debug)]
    pub(super) struct Socket {
        from: UnixDatagram,
        to: SocketAddr,
    }

    impl Socket {
        pub(super) fn named(name: &OsStr) -> Option<Socket> {
            let to = match name.as_encoded_bytes().split_first()? {
                (b'/', _) => SocketAddr::from_pathname(name).ok()?,
                (b'@', name) => without_file(name)?,
                _ => return None,
            };
            let from = UnixDatagram::unbound().ok()?;
            // A supervisor that does not read keeps nobody waiting.
            from.set_nonblocking(true).ok()?;
            Some(Socket { from, to })
        }

        pub(super) fn send(&self, state: &str) {
            let _unheard = self.from.send_to_addr(state.as_bytes(), &self.to);
        }
    }

    #[cfg(target_os = "linux")]
    fn without_file(name: &[u8]) -> Option<SocketAddr> {
        use std::os::linux::net::SocketAddrExt as _;
        SocketAddr::from_abstract_name(name).ok()
    }

    #[cfg(not(target_os = "linux"))]
    fn without_file(_name: &[u8]) -> Option<SocketAddr> {
        None
    }
}

#[cfg(not(unix))]
mod nowhere {
    use std::ffi::OsStr;

    #[derive(Debug)]
    pub(super) enum Socket {}

    impl Socket {
        pub(super) fn named(_name: &OsStr) -> Option<Socket> {
            None
        }

        pub(super) fn send(&self, _state: &str) {
            match *self {}
        }
    }
}
