//! Closes the descriptors that whoever started the program left open in it.
//!
//! The program is to reach nothing but its root. A descriptor that a parent forgot to close would stay usable whatever
//! the kernel forbids later on: no domain of Landlock looks at what was opened before it was entered.
//!
//! This comes before everything else. There is one thread, and nothing was opened yet but standard input, output and
//! error, for which the standard library opens `/dev/null` where they are closed. So no descriptor from the third on
//! has an owner in this program, and closing it takes it from nobody.
//!
//! One that an argument names is kept until it was read: a shell writes `/dev/fd/63` for `<(program)`.

use std::ffi::{OsStr, OsString};
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

/// The directories in which descriptors are named.
const NAMED: [&str; 2] = ["/dev/fd/", "/proc/self/fd/"];

/// Closes every descriptor but standard input, output and error, and those that the arguments name as files.
pub(super) fn close(arguments: &[OsString]) {
    let dir = Path::new(OPEN);
    // Linux 6.2 reports how many there are, which is much cheaper than their list. Before it the size is 0.
    if fs::metadata(dir).is_ok_and(|list| list.len() == STANDARD as u64) {
        return;
    }
    let named = named(arguments);
    let is_kept = |number: &i32| named.contains(number);
    match listed(dir) {
        Ok(open) => close_each(open.into_iter().filter(|number| !is_kept(number))),
        Err(_) => close_each((STANDARD..TRIED).filter(|number| !is_kept(number))),
    }
}

/// Closes the descriptor that a path names, after it was read: no program that is started later is to have it.
pub(super) fn close_named(path: &Path) {
    close_each(number(path.as_os_str()).filter(|number| *number >= STANDARD));
}

/// The descriptors that arguments name as files. A root is named by its path.
fn named(arguments: &[OsString]) -> Vec<i32> {
    let mut before = OsStr::new("");
    let mut named = Vec::new();
    for word in arguments {
        let of_root = ["-C", "--root"].iter().any(|option| before == *option);
        before = word;
        let joined = word.to_str().filter(|word| word.starts_with("--")).and_then(|word| word.split_once('='));
        named.extend(match joined {
            Some(("--root", _)) => None,
            Some((_, value)) => number(OsStr::new(value)),
            None => number(word).filter(|_| !of_root),
        });
    }
    named
}

/// The descriptor that a path names.
fn number(path: &OsStr) -> Option<i32> {
    let path = path.to_str()?;
    NAMED.iter().find_map(|dir| path.strip_prefix(dir))?.parse().ok()
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
    fn a_descriptor_is_kept_where_an_argument_names_it_as_a_file() {
        for (line, kept) in [
            ("batch /dev/fd/63", &[63][..]),
            ("log verify --checkpoint=/proc/self/fd/11 --checkpoint /dev/fd/12", &[11, 12]),
            ("-C /dev/fd/3 scan", &[]),
            ("--root /dev/fd/3 --root=/dev/fd/4 -C/dev/fd/5 batch /dev/fd/6", &[6]),
            ("batch /dev/fd/ /dev/fd/x /dev/fd/3/x dev/fd/3", &[]),
        ] {
            let words: Vec<OsString> = line.split(' ').map(Into::into).collect();
            assert_eq!(named(&words), kept, "{line}");
        }
    }

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
