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

/// Every path that is imported, braces spelled out.
pub(crate) fn imports(code: &str) -> Vec<String> {
    let mut paths = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find("use ") {
        let begins = rest[..at].chars().next_back().is_none_or(|before| matches!(before, '\n' | ' ' | ';' | '{'));
        rest = &rest[at + 4..];
        if let (true, Some(end)) = (begins, rest.find(';')) {
            let tree: String = rest[..end].split_whitespace().collect::<Vec<_>>().join(" ");
            expand("", &tree, &mut paths);
        }
    }
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
