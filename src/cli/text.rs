//! Colours, where they are on.

use std::fmt;

use anstyle::{AnsiColor, Style};

/// Something is as it should be.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// Something is broken.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// A name that the line is about.
pub(crate) const NAME: Style = Style::new().bold();
/// What is beside the point.
pub(crate) const DIM: Style = Style::new().dimmed();
/// A way out.
pub(crate) const HINT: Style = AnsiColor::Cyan.on_default();

/// Something in a colour.
pub(crate) struct Painted<T>(pub(crate) Style, pub(crate) T);

impl<T: fmt::Display> fmt::Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Painted(style, shown) = self;
        write!(f, "{style}{shown}{style:#}")
    }
}
