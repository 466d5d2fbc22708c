//! Counting the lexical tokens of a document without parsing it.

/// The number of tokens, counted up to one more than `enough`.
pub fn count(text: &str, enough: usize) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut found) = (0, 0);
    while let Some(byte) = bytes.get(at) {
        if found > enough {
            break;
        }
        match byte {
            b'#' => at += run(bytes, at, |byte| !matches!(byte, b'\n' | b'\r')),
            b' ' | b'\t' | b'\r' | b'\n' | b',' | 0xEF | 0xBB | 0xBF => at += 1,
            b'"' => {
                found += 1;
                at += string(bytes, at);
            }
            b'.' => {
                found += 1;
                at += run(bytes, at, |byte| byte == b'.');
            }
            byte if is_word(*byte) => {
                found += 1;
                let number = byte.is_ascii_digit() || *byte == b'-';
                at += run(bytes, at, |byte| is_word(byte) || (number && byte == b'.'));
            }
            _ => {
                found += 1;
                at += 1;
            }
        }
    }
    found
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+')
}

/// The length of the run from `at` on in which `within` holds; at least one.
fn run(bytes: &[u8], at: usize, within: impl Fn(u8) -> bool) -> usize {
    bytes.iter().skip(at).take_while(|byte| within(**byte)).count().max(1)
}

/// The length of the string that begins at `at`; to the end of the text if it does not end.
fn string(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    let (quotes, multiline): (&[u8], bool) = if rest.starts_with(b"\"\"\"") { (b"\"\"\"", true) } else { (b"\"", false) };
    let mut length = quotes.len();
    while let Some(tail) = rest.get(length..).filter(|tail| !tail.is_empty()) {
        if tail.starts_with(quotes) {
            return length + quotes.len();
        }
        if !multiline && matches!(tail.first(), Some(b'\n' | b'\r')) {
            return length;
        }
        let escape = if multiline { tail.starts_with(b"\\\"\"\"") } else { tail.starts_with(b"\\") };
        length += match (escape, multiline) {
            (true, true) => 4,
            (true, false) => 2,
            (false, _) => 1,
        };
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn tokens_are_names_numbers_strings_and_signs() {
        assert_eq!(count("", 9), 0);
        assert_eq!(count("# only a remark", 9), 0);
        assert_eq!(count("{ a(b: \"x y \\\" z\", c: -1.5e3) ...F @d }", 99), 15);
        assert_eq!(count("{a...F}", 99), 5);
        assert_eq!(count("\"\"\" block \" with \\\"\"\" inside \"\"\" a", 9), 2);
        assert_eq!(count("\"never ends", 9), 1);
        assert_eq!(count(&"a ".repeat(100), 10), 11);
    }
}
