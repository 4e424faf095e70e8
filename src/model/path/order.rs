//! Equality and order of link paths.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::path::is_separator;

use super::LinkPath;

/// Both are normal, so that their bytes tell as much as their components, and sooner.
impl PartialEq for LinkPath {
    fn eq(&self, other: &LinkPath) -> bool {
        self.path.as_os_str() == other.path.as_os_str()
    }
}

impl Eq for LinkPath {}

impl Hash for LinkPath {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.path.as_os_str().hash(state);
    }
}

/// The order is that of the components: what is below a directory comes right after it.
impl Ord for LinkPath {
    fn cmp(&self, other: &LinkPath) -> Ordering {
        let (a, b) = (self.path.as_os_str().as_encoded_bytes(), other.path.as_os_str().as_encoded_bytes());
        let common = a.iter().zip(b).take_while(|(a, b)| a == b).count();
        let next = |bytes: &[u8]| {
            let byte = *bytes.get(common)?;
            Some(if is_separator(char::from(byte)) { 0 } else { u16::from(byte) + 1 })
        };
        next(a).cmp(&next(b))
    }
}

impl PartialOrd for LinkPath {
    fn partial_cmp(&self, other: &LinkPath) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_ordered_and_told_apart_as_their_components_are() {
        let names = ["a", "a/b", "a-b", "a.b/c", "a/b/c", "a/b-", "b", "ab", "./a//b"];
        for (a, b) in names.iter().flat_map(|a| names.map(|b| (*a, b))) {
            let (a, b) = (LinkPath::new(a).unwrap(), LinkPath::new(b).unwrap());
            assert_eq!(a.cmp(&b), a.as_path().cmp(b.as_path()), "{a} and {b}");
            assert_eq!(a == b, a.as_path() == b.as_path(), "{a} and {b}");
        }
    }
}
