//! Texts that are made to take time or memory, and such as are no text.

use std::time::{Duration, Instant};

use caplink::manage::{Manifest, Problem};

use super::{facts, with_head};

fn parse(text: &str) -> Result<Manifest, Vec<Problem>> {
    let start = Instant::now();
    let parsed = Manifest::parse(text.as_bytes(), &facts());
    // Seconds, on a machine that is busy with other tests.
    assert!(start.elapsed() < Duration::from_secs(300), "{:?} for {}", start.elapsed(), &text[..80.min(text.len())]);
    parsed
}

fn first(text: &str) -> String {
    parse(text).unwrap_err()[0].to_string()
}

#[test]
fn a_file_over_sixteen_mebibytes_is_not_read() {
    let text = with_head(&format!("# {}", "x".repeat(16 << 20)));
    assert!(first(&text).contains("at most 16 MiB"), "{}", first(&text));
    let head = with_head("# ");
    let most = format!("{head}{}", "x".repeat((16 << 20) - head.len()));
    assert!(parse(&most).is_ok());
}

#[test]
fn more_than_a_million_entries_are_refused() {
    let lines: String = (0..1_000_001).map(|number| format!("{number:x}=1\n")).collect();
    let told = first(&with_head(&format!("[links]\n{lines}")));
    assert_eq!(told, "line 3, column 1: there are more than 1000000 entries");
}

#[test]
fn deep_and_long_values_are_refused() {
    for open in ["[", "{a=", "[{a=["] {
        assert!(
            first(&with_head(&format!("x = {}", open.repeat(1 << 20)))).contains("nested more than 16 deep"),
            "{open}"
        );
    }
    assert!(first(&with_head(&format!("{} = 1", "a.".repeat(1 << 18) + "a"))).contains("more than 16 parts"));
    assert!(first(&with_head(&format!("[{}]", "a.".repeat(1 << 18) + "a"))).contains("more than 16 parts"));
    assert!(first(&with_head(&format!("x = [{}]", "1,".repeat(3 << 20)))).contains("too long to be written as one"));
}

#[test]
fn of_very_many_problems_a_thousand_are_told() {
    let text = with_head(&"x = \n".repeat(1 << 20));
    let problems = parse(&text).unwrap_err();
    assert_eq!(problems.len(), 1001);
    assert!(problems[1000].message().contains("more than 1000 problems"));
    let tables = parse(&with_head(&"[[link]]\nz=1\n".repeat(100_000))).unwrap_err();
    assert_eq!(tables.len(), 1001);
}

#[test]
fn a_long_line_is_not_told_whole() {
    let text = with_head(&format!("x = '{}'", "y".repeat(8 << 20)));
    let problems = parse(&text).unwrap_err();
    assert!(problems[0].excerpt().0.len() < 1000 && problems[0].to_string().len() < 1000);
}

#[test]
fn variables_cannot_lead_out_or_grow_without_bounds() {
    let vars = format!("[vars]\nup = '..'\nline = \"a\\nb\"\nbig = '{}'\nslash = '/'\n", "x".repeat(5000));
    let told = |link: &str| first(&with_head(&format!("{vars}[links]\n'{link}' = 't'\n")));
    assert!(told("{up}/x").contains("climbs above the root"));
    assert!(told("a/{up}/x").contains("a `..` is not taken"));
    assert!(told("{slash}etc").contains("an absolute path leads out"));
    assert!(told("{big}").contains("longer than 4095 bytes"));
    // A newline is a byte of a name like another.
    let manifest = parse(&with_head(&format!("{vars}[links]\n'{{line}}' = 't'\n"))).unwrap();
    assert_eq!(manifest.links()[0].link.as_path().as_os_str(), "a\nb");
    let many = "'{b}/%' = '{b}'\n".repeat(20_000);
    let lines: String = many.split('%').enumerate().map(|(number, part)| format!("{number}{part}")).collect();
    let text =
        with_head(&format!("[vars]\nb = '{}'\n[links]\n{}", ["y".repeat(250).as_str(); 16].join("/"), &lines[1..]));
    assert!(first(&text).contains("longer than 128 MiB together"), "{}", first(&text));
}

#[test]
fn globs_are_bounded() {
    let list = |count: usize| (0..count).map(|number| format!("'x{number}*'")).collect::<Vec<_>>().join(",");
    let link = |number: usize, globs: &str| format!("[[link]]\nat='{number}'\nto='t'\nwhen.host=[{globs}]\n");
    assert!(first(&with_head(&link(1, &list(4001)))).contains("at most 1000 different lists"));
    let many: String = (0..1001).map(|number| link(number, &format!("'{number}'"))).collect();
    assert!(first(&with_head(&many)).contains("at most 1000 different lists"));
    let same: String = (0..5000).map(|number| link(number, "'web-*'")).collect();
    assert_eq!(parse(&with_head(&same)).unwrap().links().len(), 5000);
    assert!(first(&with_head(&link(1, &format!("'{}'", "a".repeat(1025))))).contains("1 to 1024 bytes"));
    let hard = format!("'{}b','{}'", "*a".repeat(400), "{a,b}".repeat(200));
    let start = Instant::now();
    assert!(parse(&with_head(&link(1, &hard))).is_ok());
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}

#[test]
fn what_is_no_text_is_told_where_it_begins() {
    let mut text = with_head("x = '").into_bytes();
    text.extend(b"\xff'\n");
    let problems = Manifest::parse(&text, &facts()).unwrap_err();
    assert_eq!((problems.len(), problems[0].line(), problems[0].column()), (1, 3, 6));
    assert!(problems[0].message().contains("not UTF-8"));
}

#[test]
fn a_byte_order_mark_and_odd_line_ends_are_read_as_toml_says() {
    assert!(parse(&format!("\u{feff}{}", with_head(""))).is_ok());
    assert!(parse("version = 1\r\nname = 'x'\r\n").is_ok());
    assert!(parse("version = 1\rname = 'x'\r").is_err());
    assert!(parse("version = 1\nname = 'x\u{0}'\n").is_err());
    assert!(parse("version = 1\nname = 'x' # \u{7f}\n").is_err());
}
