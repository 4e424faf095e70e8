//! Programs that are started for a release: unsupported on Windows.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::Handle;

/// What would be started.
pub(crate) struct Start<'a> {
    pub(crate) argv: &'a [OsString],
    pub(crate) dir: &'a Handle,
    pub(crate) path: Option<PathBuf>,
    pub(crate) variables: &'a [(&'static str, OsString)],
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) exit: Option<i32>,
    pub(crate) signal: Option<i32>,
}

/// There is none.
#[derive(Debug)]
pub(crate) enum Running {}

impl Start<'_> {
    pub(crate) fn start(&self) -> io::Result<Running> {
        let _unused = (self.argv, self.dir, &self.path, self.variables);
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn become_it(&self) -> io::Error {
        io::ErrorKind::Unsupported.into()
    }
}

impl Running {
    pub(crate) fn wait(&mut self, _time: Duration, _sink: &mut dyn FnMut(&[u8])) -> io::Result<Option<Ended>> {
        match *self {}
    }

    pub(crate) fn end_group(&self, _at_once: bool) {
        match *self {}
    }

    pub(crate) fn has_group(&self) -> bool {
        match *self {}
    }
}

pub(crate) fn keep_open(_handle: &Handle) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(crate) fn try_share(_dir: &Handle) -> io::Result<bool> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(crate) fn unsafe_program(_program: &str, _dir: &Handle, _user: u32) -> Option<String> {
    None
}
