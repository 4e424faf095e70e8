//! Leaving entries out by glob.
//!
//! A glob without `/` is compared with names, one with `/` with paths below the root. `*` and `?` stay within a
//! component, `**` does not. A `/` at the end is dropped.

use std::path::Path;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// Returns what says whether an entry is left out.
pub(crate) fn without(globs: &[String]) -> Result<impl Fn(&Path) -> bool + Send + Sync + 'static, String> {
    let (paths, names): (Vec<&str>, Vec<&str>) =
        globs.iter().map(|glob| glob.trim_end_matches('/')).partition(|glob| glob.contains('/'));
    let (paths, names) = (set(&paths)?, set(&names)?);
    Ok(move |path: &Path| paths.is_match(path) || path.file_name().is_some_and(|name| names.is_match(name)))
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
        let excludes = |glob: &str, path: &str| without(&[glob.to_owned()]).unwrap()(Path::new(path));
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
            assert!(without(&[glob.to_owned()]).is_err(), "{glob}");
        }
    }
}
