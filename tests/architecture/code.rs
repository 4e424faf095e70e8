//! Rust source without what is no code.

/// Blanks comments and the contents of strings and characters, and keeps the lines.
pub(crate) fn strip(source: &str) -> String {
    let mut code = String::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let blank = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if rest.starts_with("r\"") || rest.starts_with("r#") {
            raw_string(rest)
        } else if first == '"' {
            string(rest)
        } else if first == '\'' {
            character(rest)
        } else {
            0
        };
        if blank == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            let lines = rest[..blank].matches('\n').count();
            code.push_str(if lines == 0 { " " } else { "" });
            code.extend(std::iter::repeat_n('\n', lines));
            rest = &rest[blank..];
        }
    }
    without_tests(&code)
}

fn string(rest: &str) -> usize {
    let mut escaped = false;
    let end = rest.char_indices().skip(1).find(|(_, c)| {
        let ends = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        ends
    });
    end.map_or(rest.len(), |(end, _)| end + 1)
}

fn raw_string(rest: &str) -> usize {
    let hashes = rest[1..].chars().take_while(|c| *c == '#').count();
    if !rest[1 + hashes..].starts_with('"') {
        return 0;
    }
    let closing = format!("\"{}", "#".repeat(hashes));
    let open = 2 + hashes;
    rest[open..].find(&closing).map_or(rest.len(), |end| open + end + closing.len())
}

/// A lifetime is no character: it has no closing quote.
fn character(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => rest[2..].char_indices().skip(1).find(|(_, c)| *c == '\'').map_or(0, |(end, _)| end + 3),
        Some(_) => chars.next().filter(|(_, c)| *c == '\'').map_or(0, |(end, _)| end + 1),
        None => 0,
    }
}

/// A test module is the last item of its file.
fn without_tests(code: &str) -> String {
    let is_test = |line: &str| line.starts_with("#[cfg(") && line.contains("test") && !line.contains("not(test");
    let lines: Vec<&str> = code.lines().collect();
    let end = (0..lines.len())
        .find(|at| is_test(lines[*at]) && lines.get(at + 1).is_some_and(|next| next.starts_with("mod tests {")));
    lines[..end.unwrap_or(lines.len())].join("\n")
}

/// A path that is imported.
pub(crate) struct Import {
    pub(crate) path: String,
    /// It is shown to other modules by it.
    pub(crate) is_public: bool,
}

/// Every path that is imported, braces spelled out.
pub(crate) fn imports(code: &str) -> Vec<String> {
    imports_with_visibility(code).into_iter().map(|import| import.path).collect()
}

/// The same, with whether it is shown to other modules.
pub(crate) fn imports_with_visibility(code: &str) -> Vec<Import> {
    split_imports(code).0
}

/// What is imported, and the code without that.
fn split_imports(code: &str) -> (Vec<Import>, String) {
    let mut imports = Vec::new();
    let mut rest = String::new();
    let (mut from, mut kept) = (0, 0);
    while let Some(at) = code[from..].find("use ").map(|at| from + at) {
        let before = &code[..at];
        let begins = before.chars().next_back().is_none_or(|before| matches!(before, '\n' | ' ' | ';' | '{'));
        from = at + 4;
        if let (true, Some(end)) = (begins, code[from..].find(';')) {
            let tree: String = code[from..from + end].split_whitespace().collect::<Vec<_>>().join(" ");
            let mut paths = Vec::new();
            expand("", &tree, &mut paths);
            let line = before.rsplit('\n').next().unwrap_or_default();
            let is_public = line.trim_start().starts_with("pub");
            imports.extend(paths.into_iter().map(|path| Import { path, is_public }));
            rest.push_str(&code[kept..at]);
            kept = from + end;
        }
    }
    rest.push_str(&code[kept..]);
    (imports, rest)
}

/// Every path that stands in the code itself, as `crate::room::file::name` or `file::name`, outside of imports.
pub(crate) fn inline_paths(code: &str) -> Vec<String> {
    let part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let (_, code) = split_imports(code);
    let mut paths: Vec<String> = code
        .split(|c: char| !part(c))
        .filter(|word| word.contains("::") && !word.starts_with(':'))
        .map(|word| word.trim_end_matches(':').to_owned())
        .collect();
    paths.sort();
    paths.dedup();
    paths
}

fn expand(prefix: &str, tree: &str, paths: &mut Vec<String>) {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else {
        if !tree.is_empty() {
            paths.push(format!("{prefix}{tree}"));
        }
        return;
    };
    let prefix = format!("{prefix}{}", tree[..open].trim());
    let inside = &tree[open + 1..tree.rfind('}').unwrap_or(tree.len())];
    let (mut depth, mut begin) = (0, 0);
    for (at, c) in inside.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                expand(&prefix, &inside[begin..at], paths);
                begin = at + 1;
            }
            _ => {}
        }
    }
    expand(&prefix, &inside[begin..], paths);
}
