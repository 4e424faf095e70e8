//! An error that another process reported, from its parts.

use std::io;
use std::path::PathBuf;

use super::{Cause, Component, Error, Kind};

impl Error {
    /// An error of an operation, on a link if there was one.
    pub(crate) fn rebuilt(kind: Kind, operation: String, link: Option<PathBuf>) -> Error {
        let mut error = Error::new(kind);
        error.0.verb = operation.into();
        error.0.link = link;
        error
    }

    pub(crate) fn at_component(self, component: Component) -> Error {
        self.at(component.name, component.index)
    }

    /// The reason is what the message says between what the other parts say; they come before it.
    pub(crate) fn with_message(self, message: &str) -> Error {
        let (before, behind) = self.0.around();
        let reason = message.strip_prefix(&*before).and_then(|rest| rest.strip_suffix(&*behind)).unwrap_or(message);
        let reason = reason.to_owned();
        self.because(reason)
    }

    pub(crate) fn with_os_error(mut self, number: Option<i32>) -> Error {
        self.0.source = number.map(|number| Cause::new(io::Error::from_raw_os_error(number)));
        self
    }
}
