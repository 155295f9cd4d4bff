//! Just enough reading of Rust to tell code, comments and strings apart.

/// A source file without what is not code.
pub struct Scanned {
    /// The code, line by line as in the file; comments and the insides of strings are blank.
    pub code: String,
    /// Each string with its line, counted from 1.
    pub strings: Vec<(usize, String)>,
}

/// Takes a source file apart.
pub fn scan(text: &str) -> Scanned {
    let mut scanned = Scanned { code: String::with_capacity(text.len()), strings: Vec::new() };
    let mut line = 1;
    let mut rest = text;
    let mut before = ' ';
    while let Some(first) = rest.chars().next() {
        let (length, string) = token(rest, before);
        let (token, after) = rest.split_at(length);
        if let Some(inside) = string {
            scanned.strings.push((line, inside.to_owned()));
        }
        if string.is_some() || token.starts_with("//") || token.starts_with("/*") {
            scanned.code.extend(token.chars().filter(|c| *c == '\n'));
            scanned.code.push(' ');
        } else {
            scanned.code.push_str(token);
        }
        line += token.matches('\n').count();
        (before, rest) = (first, after);
    }
    scanned
}

/// The length of the token at the start, and what it says when it is a string.
fn token(text: &str, before: char) -> (usize, Option<&str>) {
    let bytes = text.as_bytes();
    if text.starts_with("//") {
        return (text.find('\n').unwrap_or(text.len()), None);
    }
    if text.starts_with("/*") {
        return (text.find("*/").map_or(text.len(), |end| end + 2), None);
    }
    if bytes[0] == b'"' {
        let end = end_of_string(text);
        return (end, Some(text[1..end].trim_end_matches('"')));
    }
    if bytes[0] == b'\'' {
        return (length_of_char(text), None);
    }
    // A raw string: r"…", r#"…"#; an r inside a word starts none.
    if bytes[0] == b'r' && !before.is_alphanumeric() && before != '_' {
        let hashes = text[1..].bytes().take_while(|byte| *byte == b'#').count();
        if text[1 + hashes..].starts_with('"') {
            let start = hashes + 2;
            let close = format!("\"{}", "#".repeat(hashes));
            let inside = text[start..].find(&close).unwrap_or(text.len() - start);
            return ((start + inside + close.len()).min(text.len()), Some(&text[start..start + inside]));
        }
    }
    (text.chars().next().map_or(1, char::len_utf8), None)
}

fn end_of_string(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// A character such as '"' or '\n'; a lifetime such as 'a is one character long, its quote.
fn length_of_char(text: &str) -> usize {
    let mut inside = text.char_indices().skip(1);
    match (inside.next(), inside.next()) {
        (Some((_, '\\')), Some((at, _))) => text[at + 1..].find('\'').map_or(1, |end| at + end + 2),
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 1,
    }
}

/// The variants of an enum in their stored form, each with its line.
pub fn variants(code: &str, name: &str) -> Vec<(usize, String)> {
    let Some(start) = code.find(&format!("pub enum {name} {{")) else { return Vec::new() };
    let first_line = code[..start].matches('\n').count() + 1;
    let mut depth = 0_u32;
    let mut found = Vec::new();
    for (number, line) in code[start..].lines().enumerate() {
        let text = line.trim();
        if depth == 1 && text.starts_with(|c: char| c.is_ascii_uppercase()) {
            let variant: String = text.chars().take_while(char::is_ascii_alphanumeric).collect();
            found.push((first_line + number, snake_case(&variant)));
        }
        for c in text.chars() {
            match c {
                '{' | '(' | '[' => depth += 1,
                '}' | ')' | ']' => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        if depth == 0 {
            break;
        }
    }
    found
}

fn snake_case(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(c.to_ascii_lowercase());
    }
    text
}
