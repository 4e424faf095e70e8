//! `caplink log --follow`: what is recorded from now on, until nobody reads it any more.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::time::Duration;

use caplink::records::{Mutation, Query, Records};

use crate::cli::ending::is_read_for;

/// How often new entries are looked for.
const LOOK: Duration = Duration::from_millis(200);

/// Shows a mutation.
type Show<'a> = dyn FnMut(&mut dyn Write, &Mutation) -> io::Result<()> + 'a;

/// Shows what was recorded, or the newest of it that are asked for, and then whatever is. Returns how reading ended, and
/// how writing; that the reader went away is how it is meant to end.
pub(super) fn follow(
    records: &Records,
    (query, newest): (Query, Option<usize>),
    out: &mut dyn Write,
    show: &mut Show<'_>,
) -> (caplink::Result<()>, io::Result<()>) {
    let mut follow = records.follow(query);
    let mut written = Ok(());
    let mut kept = VecDeque::new();
    let mut read = follow.next(&mut |mutation| match newest {
        Some(newest) => {
            kept.push_back(mutation);
            if kept.len() > newest {
                kept.pop_front();
            }
        }
        None if written.is_ok() => written = show(out, &mutation),
        None => {}
    });
    for mutation in kept {
        written = written.and_then(|()| show(out, &mutation));
    }
    while written.is_ok() && read.is_ok() {
        written = out.flush();
        if written.is_err() || !is_read_for(LOOK) {
            break;
        }
        read = follow.next(&mut |mutation| {
            if written.is_ok() {
                written = show(out, &mutation);
            }
        });
    }
    let is_gone = written.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::BrokenPipe);
    (read, if is_gone { Ok(()) } else { written })
}
