//! Names that nobody can guess, on every platform, without a call of the system for each.
//!
//! The standard library keys its hash maps with 128 bits from the system's source of randomness. A keyed hash (SipHash)
//! of a counter and the time is as hard to predict as its key. That is enough for a name; it is not meant for a secret.
//!
//! A child that was forked has the same key and count. What it draws is told apart by the time, which takes no call of the
//! system: two that draw in the same nanosecond meet at a name that one of them makes exclusively, and the other draws anew.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// 128 bits, different at every call.
pub(super) fn random() -> u128 {
    static KEYS: OnceLock<[RandomState; 2]> = OnceLock::new();
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let keys = KEYS.get_or_init(|| [RandomState::new(), RandomState::new()]);
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    let now = Instant::now();
    let [high, low] = keys.each_ref().map(|key| u128::from(key.hash_one((count, now))));
    high << 64 | low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_repeat() {
        let names: std::collections::HashSet<u128> = (0..1000).map(|_| random()).collect();
        assert_eq!(names.len(), 1000);
        assert!(names.iter().all(|name| name >> 64 != name & u128::from(u64::MAX)));
    }
}
