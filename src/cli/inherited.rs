//! Closes the descriptors that whoever started the program left open in it.
//!
//! The program is to reach nothing but its root. A descriptor that a parent forgot to close would stay usable whatever
//! the kernel forbids later on: no domain of Landlock looks at what was opened before it was entered.
//!
//! This comes before everything else. There is one thread, and nothing was opened yet but standard input, output and
//! error, for which the standard library opens `/dev/null` where they are closed. So no descriptor from the third on
//! has an owner in this program, and closing it takes it from nobody.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};

/// Every descriptor of this process, by its number.
const OPEN: &str = "/proc/self/fd";

/// Standard input, output and error.
const STANDARD: i32 = 3;

/// Where nothing lists the descriptors, the numbers below this one are tried, which takes some milliseconds.
const TRIED: i32 = 1 << 16;

/// Closes every descriptor but standard input, output and error.
pub(super) fn close() {
    let dir = Path::new(OPEN);
    // Linux 6.2 reports how many there are, which is much cheaper than their list. Before it the size is 0.
    if fs::metadata(dir).is_ok_and(|list| list.len() == STANDARD as u64) {
        return;
    }
    match listed(dir) {
        Ok(open) => close_each(open),
        Err(_) => close_each(STANDARD..TRIED),
    }
}

/// The error of writing to standard output, where it was not opened for that.
pub(super) fn stdout_refusal() -> Option<i32> {
    let flags = fcntl(io::stdout(), FcntlArg::F_GETFL).map(OFlag::from_bits_retain);
    let writable = |flags: OFlag| matches!(flags & OFlag::O_ACCMODE, OFlag::O_WRONLY | OFlag::O_RDWR);
    match flags {
        // An `O_PATH` descriptor has no access mode.
        Ok(flags) if writable(flags) => None,
        Ok(_) => Some(Errno::EBADF as i32),
        Err(error) => Some(error as i32),
    }
}

/// The numbers in the list but the standard ones. What it was read through is among them, and closed by now.
fn listed(dir: &Path) -> io::Result<Vec<i32>> {
    let mut open = Vec::new();
    for entry in fs::read_dir(dir)? {
        let number = entry?.file_name().to_str().and_then(|name| name.parse().ok());
        let number = number.ok_or(ErrorKind::InvalidData)?;
        if number >= STANDARD {
            open.push(number);
        }
    }
    Ok(open)
}

fn close_each(numbers: impl IntoIterator<Item = i32>) {
    for number in numbers {
        // It was closed before, or the file could not be written to its end, which is the matter of whoever wrote it.
        let _closed = nix::unistd::close(number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_list_of_numbers_is_not_taken_for_one() {
        let dir = tempfile::TempDir::new().unwrap();
        for number in ["0", "2", "3", "70000"] {
            fs::write(dir.path().join(number), "").unwrap();
        }
        let mut open = listed(dir.path()).unwrap();
        open.sort_unstable();
        assert_eq!(open, [3, 70_000]);
        fs::write(dir.path().join("cwd"), "").unwrap();
        assert!(listed(dir.path()).is_err());
        assert!(listed(&dir.path().join("none")).is_err());
    }
}
