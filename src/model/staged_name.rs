//! The names of staged links and staging directories: random, of fixed length, and with a check.
//!
//! 32 hexadecimal digits follow the prefix, so that a 255-byte name can be replaced: 96 random bits, and a plain hash of
//! their digits. The hash proves nothing against an attacker, who has to be the same user to make something that is
//! removed; it keeps what a person or another program named like that.

use std::ffi::{OsStr, OsString};

pub(crate) const STAGED_PREFIX: &str = ".caplink-";

/// Digits of the random part and of the check.
const RANDOM_DIGITS: usize = 24;
const CHECK_DIGITS: usize = 8;

/// A name for a staged link, from random bits.
pub(crate) fn staged_name(random: u128) -> OsString {
    let mut name = String::with_capacity(STAGED_PREFIX.len() + RANDOM_DIGITS + CHECK_DIGITS);
    name.push_str(STAGED_PREFIX);
    push_digits(&mut name, random, RANDOM_DIGITS);
    let check = check(&name.as_bytes()[STAGED_PREFIX.len()..]);
    push_digits(&mut name, check.into(), CHECK_DIGITS);
    name.into()
}

/// The last hexadecimal digits of a number. To format one takes longer than some of the calls that the name is for.
fn push_digits(name: &mut String, number: u128, digits: usize) {
    let digit = |place: usize| b"0123456789abcdef"[(number >> (4 * place)) as usize & 0xf];
    name.extend((0..digits).rev().map(|place| char::from(digit(place))));
}

/// Whether a name has the shape of a staged one.
pub(crate) fn is_staged_name(name: &OsStr) -> bool {
    digits(name).is_some()
}

/// Whether the check in a staged name is right, so that this program made the name.
pub(crate) fn is_checked_name(name: &OsStr) -> bool {
    digits(name).is_some_and(|digits| {
        let (random, found) = digits.split_at(RANDOM_DIGITS);
        format!("{:0CHECK_DIGITS$x}", check(random)).as_bytes() == found
    })
}

fn digits(name: &OsStr) -> Option<&[u8]> {
    let digits = name.as_encoded_bytes().strip_prefix(STAGED_PREFIX.as_bytes())?;
    let fits = digits.len() == RANDOM_DIGITS + CHECK_DIGITS;
    (fits && digits.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))).then_some(digits)
}

/// FNV-1a, 32 bits.
fn check(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_staged_name_is_told_from_others() {
        let staged = |name: &str| is_staged_name(OsStr::new(name));
        assert!(staged(&format!(".caplink-{:032x}", 7)));
        for name in [".caplink-", ".caplink-7", ".caplink", "caplink-00000000000000000000000000000000"] {
            assert!(!staged(name), "{name}");
        }
        assert!(!staged(&format!(".caplink-{:033x}", 7)));
        assert!(!staged(&format!(".caplink-{:032X}", 0xabc)));
    }

    #[test]
    fn a_name_that_this_program_made_is_told_from_one_of_its_shape() {
        for random in [0, 1, u128::MAX, 0x0123_4567_89ab_cdef] {
            let name = staged_name(random);
            assert!(is_staged_name(&name) && is_checked_name(&name), "{name:?}");
        }
        assert_eq!(staged_name(u128::MAX), ".caplink-fffffffffffffffffffffffff62427a5");
        for digit in ["0", "7", "e", "f"] {
            let name = format!("{STAGED_PREFIX}{}", digit.repeat(32));
            assert!(is_staged_name(OsStr::new(&name)) && !is_checked_name(OsStr::new(&name)), "{name}");
        }
    }
}
