//! The Merkle tree over the entries of a log, as RFC 6962 has it: SHA-256, leaf prefix 0, node prefix 1.
//!
//! A tree that only grows is kept as the roots of its complete subtrees, one for each bit of its size: sixty-four hashes
//! for any log there can be. The root of what was there at any time before follows from the same hashes at that time.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// A SHA-256 hash: of a leaf, a node or a whole tree. It is shown in base64.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// Returns the hash of nothing, which is the root of the empty tree.
    #[must_use]
    pub fn of_nothing() -> Hash {
        Hash(Sha256::digest([]).into())
    }

    /// Returns the hash of a leaf.
    #[must_use]
    pub fn of_leaf(leaf: &[u8]) -> Hash {
        let mut hasher = Sha256::new();
        hasher.update([0]);
        hasher.update(leaf);
        Hash(hasher.finalize().into())
    }

    fn of_node(left: Hash, right: Hash) -> Hash {
        let mut node = [1; 65];
        node[1..33].copy_from_slice(&left.0);
        node[33..].copy_from_slice(&right.0);
        Hash(Sha256::digest(node).into())
    }

    /// Reads what [`Display`](fmt::Display) shows; `None` if it is anything else.
    #[must_use]
    pub fn from_base64(text: &str) -> Option<Hash> {
        let mut hash = [0; 33];
        let length = STANDARD.decode_slice(text, &mut hash).ok()?;
        Some(Hash(hash[..length].try_into().ok()?))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 44];
        let length = STANDARD.encode_slice(self.0, &mut text).expect("BUG: 32 bytes are 44 in base64");
        f.write_str(std::str::from_utf8(&text[..length]).expect("BUG: base64 is not ASCII"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Hash, D::Error> {
        struct Base64;
        impl Visitor<'_> for Base64 {
            type Value = Hash;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a hash in base64")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Hash, E> {
                Hash::from_base64(text).ok_or_else(|| E::custom("no hash"))
            }
        }
        deserializer.deserialize_str(Base64)
    }
}

/// A tree that only grows, as the roots of its complete subtrees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    size: u64,
    /// From the largest to the smallest.
    subtrees: Vec<Hash>,
}

impl Tree {
    /// Returns the number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf at the end.
    pub fn push(&mut self, leaf: Hash) {
        let mut node = leaf;
        for _ in 0..self.size.trailing_ones() {
            let left = self.subtrees.pop().expect("BUG: a bit of the size has no subtree");
            node = Hash::of_node(left, node);
        }
        self.subtrees.push(node);
        self.size += 1;
    }

    /// Returns the root hash over all leaves.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut subtrees = self.subtrees.iter().rev().copied();
        let smallest = subtrees.next().unwrap_or_else(Hash::of_nothing);
        subtrees.fold(smallest, |right, left| Hash::of_node(left, right))
    }

    /// The subtrees as bytes, for the index.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        self.subtrees.iter().flat_map(|hash| hash.0).collect()
    }

    /// What [`to_bytes`](Tree::to_bytes) gave; `None` if it cannot have.
    pub(super) fn from_bytes(size: u64, bytes: &[u8]) -> Option<Tree> {
        let (hashes, rest) = bytes.as_chunks::<32>();
        let fits = rest.is_empty() && hashes.len() as u64 == u64::from(size.count_ones());
        fits.then(|| Tree { size, subtrees: hashes.iter().copied().map(Hash).collect() })
    }
}

#[cfg(test)]
mod tests {
    use ct_merkle::mem_backed_tree::MemoryBackedTree;

    use super::*;

    fn hex(hash: Hash) -> String {
        hash.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The vectors of Certificate Transparency's own tests.
    #[test]
    fn the_root_is_that_of_the_known_vectors() {
        let leaves: [&[u8]; 8] = [
            &[],
            &[0x00],
            &[0x10],
            &[0x20, 0x21],
            &[0x30, 0x31],
            &[0x40, 0x41, 0x42, 0x43],
            &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
            &[0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f],
        ];
        let roots = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let mut tree = Tree::default();
        assert_eq!(hex(tree.root()), roots[0]);
        for (leaf, root) in leaves.iter().zip(&roots[1..]) {
            tree.push(Hash::of_leaf(leaf));
            assert_eq!(hex(tree.root()), *root, "{}", tree.size());
        }
    }

    #[test]
    fn the_root_is_that_of_another_implementation_at_every_size() {
        let mut ours = Tree::default();
        let mut theirs = MemoryBackedTree::<Sha256, Vec<u8>>::new();
        for number in 0_u32..1000 {
            let leaf = number.to_le_bytes().repeat(number as usize % 5);
            ours.push(Hash::of_leaf(&leaf));
            theirs.push(leaf);
            assert_eq!(ours.root().0[..], theirs.root().as_bytes()[..], "{number}");
            assert_eq!(Tree::from_bytes(ours.size(), &ours.to_bytes()).as_ref(), Some(&ours));
        }
    }

    #[test]
    fn a_tree_is_not_read_from_bytes_of_another_size() {
        let mut tree = Tree::default();
        (0..6).for_each(|_| tree.push(Hash::of_nothing()));
        let bytes = tree.to_bytes();
        assert_eq!(Tree::from_bytes(7, &bytes), None);
        assert_eq!(Tree::from_bytes(6, &bytes[1..]), None);
        assert_eq!(Tree::from_bytes(10, &bytes).map(|other| other.root() == tree.root()), Some(true));
    }

    #[test]
    fn a_hash_is_read_as_it_is_shown() {
        let hash = Hash::of_leaf(b"x");
        assert_eq!(Hash::from_base64(&hash.to_string()), Some(hash));
        for other in ["", "AA==", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"] {
            assert_eq!(Hash::from_base64(other), None, "{other}");
        }
    }
}
