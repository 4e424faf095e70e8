//! What the verbs that store a target share: the link, its target, and what is allowed of them.

use std::ffi::OsString;

use clap::ValueEnum;

use super::line::{Choice, options};

options! {
    /// The link, its target, and what is allowed of them.
    pub(crate) struct Linking {
        /// The link, below the root
        #[arg(value_name = "LINK")]
        pub(crate) link: OsString,
        /// What the link is to point to
        #[arg(value_name = "TARGET", allow_hyphen_values = true)]
        pub(crate) to: OsString = "to",
        /// How TARGET is read and stored
        #[arg(value_enum, default_value_t = Style::Relative)]
        pub(crate) style: Style = "style",
        /// TARGET need not exist
        pub(crate) allow_dangling: bool = "allow-dangling",
        /// The stored text may lead outside the root
        pub(crate) allow_outside: bool = "allow-outside",
        /// Make missing parent directories
        pub(crate) parents: bool = "parents" / 'p',
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Style {
    /// A path below the root, stored relative to the link's directory
    Relative,
    /// A path below the root, stored as an absolute path
    Absolute,
    /// Stored byte for byte
    Verbatim,
}

impl Choice for Style {
    const DEFAULT: Option<Style> = Some(Style::Relative);
}

impl Linking {
    pub(crate) fn target(&self) -> caplink::Target {
        let style = match self.style {
            Style::Relative => caplink::Style::Relative,
            Style::Absolute => caplink::Style::Absolute,
            Style::Verbatim => caplink::Style::Verbatim,
        };
        caplink::Target::new(style, &self.to)
    }

    /// The edit with what was allowed.
    pub(crate) fn allowed<C: caplink::MakesLink>(&self, edit: caplink::Edit<C>) -> caplink::Edit<C> {
        edit.allow_dangling(self.allow_dangling).allow_outside(self.allow_outside)
    }
}
