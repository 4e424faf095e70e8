//! Paths below the root, checked by their spelling alone.
//!
//! Nothing here asks the file system. A path that passes has normal components only, so that no `..` ever reaches
//! the kernel; its bytes are kept as they were.

mod order;

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Component, Path, PathBuf, is_separator};
use std::str::FromStr;
use std::sync::Arc;

use super::reserved::means_something_else;
use super::staged_name::is_staged_name;
use crate::error::{Error, Kind, Result, printable};

/// The longest name that the file systems of Linux, macOS, the BSDs and Windows store, in bytes.
const NAME_MAX: usize = 255;

/// A validated path of a link below a root: one or more normal components.
///
/// `./a//b` is `a/b`. The bytes of each component are kept. Cloning is cheap.
///
/// # Errors
///
/// [`LinkPath::new`] refuses, by spelling alone: an empty path, a NUL byte, an inside `..`, a trailing `/` or `/.`,
/// and `.` (`invalid_path`); an absolute path and a `..` that climbs above the root (`escape`); a component over 255
/// bytes (`too_long`). The error names the component and its index.
///
/// # Examples
///
/// ```
/// use caplink::{Kind, LinkPath};
///
/// assert_eq!(LinkPath::new("./srv//current")?.as_path(), std::path::Path::new("srv/current"));
/// assert_eq!(LinkPath::new("a/../../x").unwrap_err().kind(), Kind::Escape);
/// assert_eq!(LinkPath::new("a/../x").unwrap_err().kind(), Kind::InvalidPath);
/// # Ok::<(), caplink::Error>(())
/// ```
#[derive(Clone)]
pub struct LinkPath {
    path: Arc<Path>,
    /// The length of the last component, in bytes.
    name: usize,
}

impl LinkPath {
    /// Checks the spelling of `path` and normalises it.
    pub fn new(path: impl AsRef<OsStr>) -> Result<LinkPath> {
        let path = path.as_ref();
        let spelled = spell(path)?;
        let named = |error: Error| error.on("use", path);
        if spelled.depth == 0 || spelled.trailing {
            let reason = if spelled.depth == 0 {
                "`.` is the root itself and names no link"
            } else {
                "a trailing `/` names a directory, not a link"
            };
            return Err(named(Error::new(Kind::InvalidPath).because(reason)));
        }
        let bytes = spelled.path.as_os_str().as_encoded_bytes();
        let name = bytes.iter().rev().take_while(|byte| !is_separator(char::from(**byte))).count();
        Ok(LinkPath { path: spelled.path.into(), name })
    }

    /// Returns the normalised path.
    pub fn as_path(&self) -> &Path {
        &self.path
    }

    /// The same, to be kept beside it.
    #[cfg(feature = "records")]
    pub(crate) fn shared(&self) -> Arc<Path> {
        Arc::clone(&self.path)
    }

    /// Returns the path of the directory that holds the link; empty for the root.
    pub fn parent(&self) -> &Path {
        self.cut().0
    }

    /// Returns the last component, the link's own name.
    pub fn name(&self) -> &OsStr {
        self.cut().1
    }

    /// The path is bytes, which are cut where the name begins; a walk over the components is many times slower.
    #[cfg(unix)]
    fn cut(&self) -> (&Path, &OsStr) {
        use std::os::unix::ffi::OsStrExt as _;
        let bytes = self.path.as_os_str().as_bytes();
        let (above, name) = bytes.split_at(bytes.len() - self.name);
        let above = above.strip_suffix(b"/").unwrap_or(above);
        (Path::new(OsStr::from_bytes(above)), OsStr::from_bytes(name))
    }

    /// What is UTF-8 can be cut where the name begins; a walk over the components is several times slower.
    #[cfg(not(unix))]
    fn cut(&self) -> (&Path, &OsStr) {
        const NAMED: &str = "BUG: a link path has a last component";
        match self.path.to_str() {
            Some(path) => {
                let begin = path.len() - self.name;
                (Path::new(&path[..begin.saturating_sub(1)]), OsStr::new(&path[begin..]))
            }
            None => (self.path.parent().expect(NAMED), self.path.file_name().expect(NAMED)),
        }
    }

    /// Returns whether the name has the shape of those that links and directories have while they are staged.
    pub fn is_staged(&self) -> bool {
        is_staged_name(self.name())
    }
}

impl AsRef<Path> for LinkPath {
    fn as_ref(&self) -> &Path {
        &self.path
    }
}

impl AsRef<OsStr> for LinkPath {
    fn as_ref(&self) -> &OsStr {
        self.path.as_os_str()
    }
}

impl From<LinkPath> for PathBuf {
    fn from(path: LinkPath) -> PathBuf {
        path.path.to_path_buf()
    }
}

impl FromStr for LinkPath {
    type Err = Error;

    fn from_str(path: &str) -> Result<LinkPath> {
        LinkPath::new(path)
    }
}

macro_rules! try_from {
    ($($type:ty)*) => {$(
        impl TryFrom<$type> for LinkPath {
            type Error = Error;

            fn try_from(path: $type) -> Result<LinkPath> {
                LinkPath::new(path)
            }
        }
    )*};
}

try_from!(&str String &OsStr OsString &Path PathBuf);

impl fmt::Debug for LinkPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.fmt(f)
    }
}

impl fmt::Display for LinkPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        printable(&*self.path).fmt(f)
    }
}

/// A path that a looking verb was given: the root itself, or anything below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Normal components only; empty for the root.
    pub(crate) path: PathBuf,
    /// The path ended in `/` or `/.`: only a directory is meant.
    pub(crate) directory: bool,
}

impl Place {
    /// Checks the spelling of `path`; `.` and a trailing `/` are fine here.
    pub(crate) fn new(path: impl AsRef<OsStr>) -> Result<Place> {
        let spelled = spell(path.as_ref())?;
        Ok(Place { directory: spelled.trailing || spelled.depth == 0, path: spelled.path.into_owned() })
    }
}

/// A path whose spelling was checked.
pub(super) struct Spelled<'a> {
    /// Normal components only.
    pub(super) path: Cow<'a, Path>,
    depth: usize,
    pub(super) trailing: bool,
}

/// Checks the spelling and normalises it.
pub(super) fn spell(path: &OsStr) -> Result<Spelled<'_>> {
    let bytes = path.as_encoded_bytes();
    if let Some(depth) = normal_depth(bytes) {
        return Ok(Spelled { path: Path::new(path).into(), depth, trailing: false });
    }
    let refuse = |kind: Kind| Error::new(kind).on("use", path);
    if bytes.is_empty() {
        return Err(refuse(Kind::InvalidPath).because("the path is empty"));
    }
    if bytes.contains(&0) {
        return Err(refuse(Kind::InvalidPath).because("the path contains a NUL byte"));
    }
    let mut normal = PathBuf::with_capacity(bytes.len());
    let mut depth = 0_usize;
    let mut inside = None;
    let mut long = None;
    let mut index = 0;
    for component in Path::new(path).components() {
        match component {
            Component::CurDir => continue,
            Component::Prefix(_) | Component::RootDir => {
                let name = component.as_os_str();
                return Err(refuse(Kind::Escape).because("an absolute path leads out of the root").at(name, 0));
            }
            Component::ParentDir if depth == 0 => {
                return Err(refuse(Kind::Escape).because("the path climbs above the root").at("..", index));
            }
            Component::ParentDir => {
                depth -= 1;
                inside.get_or_insert(index);
            }
            Component::Normal(name) if cfg!(windows) && means_something_else(name) => {
                let reason = "Windows takes this name for something else than an entry";
                return Err(refuse(Kind::InvalidPath).because(reason).at(name, index));
            }
            Component::Normal(name) => {
                depth += 1;
                normal.push(name);
                if name.len() > NAME_MAX {
                    long.get_or_insert((name, index));
                }
            }
        }
        index += 1;
    }
    if let Some(index) = inside {
        let error = refuse(Kind::InvalidPath).because("a `..` is not taken in paths below the root");
        return Err(error.at("..", index));
    }
    if let Some((name, index)) = long {
        let reason = format!("a component has {} bytes, the limit is {NAME_MAX}", name.len());
        return Err(refuse(Kind::TooLong).because(reason).at(name, index));
    }
    Ok(Spelled { path: normal.into(), depth, trailing: ends_as_directory(bytes) })
}

/// How many components a path has, if it is normal as it is written; most are.
fn normal_depth(bytes: &[u8]) -> Option<usize> {
    // Windows knows two separators, and names that are none.
    if cfg!(windows) {
        return None;
    }
    let ends = |component: &[u8]| !matches!(component, b"" | b"." | b"..") && component.len() <= NAME_MAX;
    let (mut depth, mut begin) = (1, 0);
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'/' if ends(&bytes[begin..at]) => (depth, begin) = (depth + 1, at + 1),
            b'/' | 0 => return None,
            _ => {}
        }
    }
    ends(&bytes[begin..]).then_some(depth)
}

/// Whether the spelling says "a directory": `x/`, `x//`, `x/.`.
pub(super) fn ends_as_directory(bytes: &[u8]) -> bool {
    let slash = |b: u8| is_separator(char::from(b));
    match bytes {
        [.., last] if slash(*last) => true,
        [.., before, b'.'] => slash(*before),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(path: &str) -> (Kind, Option<(String, usize)>) {
        let error = LinkPath::new(path).unwrap_err();
        let at = error.component().map(|c| (c.name.to_string_lossy().into_owned(), c.index));
        (error.kind(), at)
    }

    #[test]
    fn spellings_are_normalised() {
        for (given, normal) in [("a", "a"), ("./a//b", "a/b"), ("a/./b", "a/b"), ("-n", "-n"), ("a\\..\\x", "a\\..\\x")]
        {
            assert_eq!(LinkPath::new(given).unwrap().as_path().as_os_str(), OsStr::new(normal), "{given}");
        }
    }

    #[test]
    fn a_normal_path_is_kept_as_it_is_written() {
        for (given, depth) in [
            ("a", Some(1)),
            ("a/b", Some(2)),
            ("...", Some(1)),
            ("a/.b/..c", Some(3)),
            ("", None),
            ("a/", None),
            ("/a", None),
            ("a//b", None),
            ("./a", None),
            ("a/..", None),
            ("a\0", None),
            (&"x".repeat(255), Some(1)),
            (&"x".repeat(256), None),
        ] {
            assert_eq!(normal_depth(given.as_bytes()), depth.filter(|_| !cfg!(windows)), "{given:?}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn the_parts_of_a_path_are_those_of_the_standard_library() {
        use std::os::unix::ffi::OsStrExt as _;
        for given in [&b"a"[..], b"a/b", b"./a//b/c", b"\xc3\xa4/\xc3\xb6", b"a\xff/b", b"a/\xff", b"\xff"] {
            let path = LinkPath::new(OsStr::from_bytes(given)).unwrap();
            assert_eq!(Some(path.parent()), path.as_path().parent());
            assert_eq!(Some(path.name()), path.as_path().file_name());
        }
    }

    #[test]
    fn refusals_name_the_component() {
        let at = |name: &str, index| Some((name.to_owned(), index));
        let long = "x".repeat(256);
        for (given, kind, component) in [
            ("", Kind::InvalidPath, None),
            ("a\0b", Kind::InvalidPath, None),
            (".", Kind::InvalidPath, None),
            ("a/", Kind::InvalidPath, None),
            ("a/.", Kind::InvalidPath, None),
            ("a//", Kind::InvalidPath, None),
            ("/x", Kind::Escape, at("/", 0)),
            ("//x", Kind::Escape, at("/", 0)),
            ("../x", Kind::Escape, at("..", 0)),
            ("./../x", Kind::Escape, at("..", 0)),
            ("a//.././../x", Kind::Escape, at("..", 2)),
            ("a/../x", Kind::InvalidPath, at("..", 1)),
            ("..", Kind::Escape, at("..", 0)),
            (&format!("a/{long}"), Kind::TooLong, at(&long, 1)),
        ] {
            assert_eq!(failure(given), (kind, component), "{given:?}");
        }
        for longest in ["x".repeat(255), format!("./{}", "x".repeat(255))] {
            LinkPath::new(longest).unwrap();
        }
    }

    #[test]
    fn a_path_is_shown_as_paths_are() {
        let path = LinkPath::new("./a//b\n").unwrap();
        assert_eq!(format!("{path:?}"), r#""a/b\n""#);
    }

    #[test]
    fn a_place_may_be_the_root_or_end_in_a_slash() {
        assert_eq!(Place::new(".").unwrap(), Place { path: PathBuf::new(), directory: true });
        assert_eq!(Place::new("a//").unwrap(), Place { path: "a".into(), directory: true });
        assert_eq!(Place::new("a").unwrap(), Place { path: "a".into(), directory: false });
        assert_eq!(Place::new("../").unwrap_err().kind(), Kind::Escape);
    }

    #[test]
    fn a_path_comes_from_what_std_has_for_paths_and_becomes_it() {
        let path = LinkPath::new("a/b").unwrap();
        let from = [
            "./a//b".parse(),
            LinkPath::try_from("a/b"),
            LinkPath::try_from(String::from("a/b")),
            LinkPath::try_from(OsStr::new("a/b")),
            LinkPath::try_from(OsString::from("a/b")),
            LinkPath::try_from(Path::new("a/b")),
            LinkPath::try_from(PathBuf::from("a/b")),
        ];
        assert!(from.into_iter().all(|from| from.unwrap() == path));
        assert_eq!("../b".parse::<LinkPath>().unwrap_err().kind(), Kind::Escape);
        let (os, std): (&OsStr, &Path) = (path.as_ref(), path.as_ref());
        assert_eq!((os, std, PathBuf::from(path.clone())), (OsStr::new("a/b"), Path::new("a/b"), "a/b".into()));
    }
}
