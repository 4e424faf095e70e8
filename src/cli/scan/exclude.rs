//! Leaving entries out by glob.
//!
//! A glob without `/` is compared with names, one with `/` with paths below the root. `*` and `?` stay within a
//! component, `**` does not. A `/` at the end is dropped. A glob is text; what is not UTF-8 is a plain name or path.

use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// Returns what says whether an entry is left out.
pub(crate) fn without(globs: &[OsString]) -> Result<impl Fn(&Path) -> bool + Send + Sync + 'static, String> {
    let texts = globs.iter().filter_map(|glob| glob.to_str());
    let (paths, names): (Vec<&str>, Vec<&str>) =
        texts.map(|glob| glob.trim_end_matches('/')).partition(|glob| glob.contains('/'));
    let (paths, names) = (set(&paths)?, set(&names)?);
    let plain = globs.iter().filter(|glob| glob.to_str().is_none()).map(|glob| plain(glob));
    let plain = plain.collect::<Result<Vec<_>, String>>()?;
    Ok(move |path: &Path| {
        let name = path.file_name();
        let is_plain =
            |(glob, is_name): &(PathBuf, bool)| if *is_name { name == Some(glob.as_os_str()) } else { glob == path };
        paths.is_match(path) || name.is_some_and(|name| names.is_match(name)) || plain.iter().any(is_plain)
    })
}

/// A name, or a path below the root, and which of them it is.
fn plain(glob: &OsStr) -> Result<(PathBuf, bool), String> {
    if glob.as_encoded_bytes().iter().any(|byte| b"*?[]{}\\".contains(byte)) {
        return Err(format!(
            "the glob `{}` is not UTF-8: only a plain name or path may be so",
            caplink::printable(glob)
        ));
    }
    let components = Path::new(glob).components();
    let path = components.filter(|component| matches!(component, Component::Normal(_))).collect();
    let end = glob.as_encoded_bytes().iter().rposition(|byte| *byte != b'/').unwrap_or_default();
    Ok((path, !glob.as_encoded_bytes()[..end].contains(&b'/')))
}

fn set(globs: &[&str]) -> Result<GlobSet, String> {
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        let shown = caplink::printable(glob);
        let plain = glob.trim_start_matches("./").trim_start_matches('/');
        if plain.is_empty() {
            return Err(format!("the glob `{shown}` is empty"));
        }
        let built = GlobBuilder::new(plain).literal_separator(true).backslash_escape(true).build();
        set.add(built.map_err(|error| format!("cannot read the glob `{shown}`: {}", error.kind()))?);
    }
    set.build().map_err(|error| format!("cannot use the globs: {}", error.kind()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_is_compared_with_names_or_with_paths() {
        let excludes = |glob: &str, path: &str| without(&[glob.into()]).unwrap()(Path::new(path));
        for (glob, path, excluded) in [
            ("node_modules", "node_modules", true),
            ("node_modules", "a/node_modules", true),
            ("node_modules/", "a/node_modules", true),
            ("*.o", "a/b/x.o", true),
            ("*", "x", true),
            ("a/b", "a/b", true),
            ("./a/b", "a/b", true),
            ("/a", "a", true),
            ("/a", "b/a", false),
            ("a/b", "c/a/b", false),
            ("**/a/b", "c/a/b", true),
            ("a/*", "a/b", true),
            ("a/*/c", "a/b/b/c", false),
            ("{x,y}", "y", true),
            ("X", "x", false),
        ] {
            assert_eq!(excludes(glob, path), excluded, "{glob} {path}");
        }
    }

    #[test]
    fn a_glob_that_cannot_be_read_is_told() {
        for glob in ["[", "", "/", "{a"] {
            assert!(without(&[glob.into()]).is_err(), "{glob}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn what_is_not_utf_8_is_a_plain_name_or_path() {
        use std::os::unix::ffi::OsStrExt as _;
        let [name, path, top, glob] = [&b"\xff/"[..], b"./a//\xff/", b"/\xff", b"\xff*"].map(OsStr::from_bytes);
        let below = |dir: &str| Path::new(dir).join(OsStr::from_bytes(b"\xff"));
        let excludes = |glob: &OsStr, path: &Path| without(&[glob.to_owned()]).unwrap()(path);
        assert!(excludes(name, &below("")) && excludes(name, &below("a/b")) && excludes(path, &below("a")));
        assert!(excludes(top, &below("")) && !excludes(top, &below("a")));
        assert!(!excludes(path, &below("")) && !excludes(path, &below("b/a")) && !excludes(name, Path::new("a")));
        assert!(without(&[glob.to_owned()]).is_err());
    }
}
