//! Where a path or a link's text leads, below the root.
//!
//! [`walk`] goes as the kernel would, one component at a time, and stays below the root: it can name the component at
//! fault. [`judge`] asks the kernel once where the spelling of the text allows that, and walks otherwise; [`Targets`] keeps
//! the directory open that several texts lead into. [`view`] says what a link is like.

mod judge;
mod overlay;
mod planned;
mod targets;
mod view;
mod walk;
mod walker;
mod way;

pub use view::LinkView;
pub use walk::Hop;

pub(crate) use judge::{Judged, Near, judge, judge_near};
pub(crate) use overlay::Overlay;
pub(crate) use planned::Planned;
pub(crate) use targets::{TIME_MAX, TOGETHER_MAX, Targets};
pub(crate) use view::{Detail, LinkSite, view};
pub(crate) use walk::{End, Stop, WalkOptions, walk};
