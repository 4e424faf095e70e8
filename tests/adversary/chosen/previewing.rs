//! A preview in a sticky directory, where it matters whose the link is.

use super::*;

fn preview(moments: &'static [Moment]) -> Result<Outcome, Error> {
    let preview = |root: &Root| root.preview(&Edit::remove(link()));
    Came::of(Scenario::new(Verb::Remove, Layout::Sticky), moments, preview).answer
}

#[test]
fn what_cannot_be_looked_at_is_an_error() {
    const MOMENTS: &[Moment] = &[Moment(&[Call::StatAt], &[], Some(Errno::IO))];
    assert_eq!(preview(MOMENTS).unwrap_err().kind(), Kind::Io);
}

#[test]
fn what_went_by_itself_may_be_removed() {
    const MOMENTS: &[Moment] = &[Moment(&[Call::StatAt], &[], Some(Errno::NOENT))];
    assert_eq!(preview(MOMENTS).unwrap().effect, Effect::Removed);
}
