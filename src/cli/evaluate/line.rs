//! Lines of cases: reading them within a limit, and finding the program in one.

use std::io::{self, BufRead};
use std::ops::Range;

use guerdon_domain::fault::Fault;

/// A case has at most this many bytes.
pub const MAX_LINE_BYTES: usize = 64 * 1024 * 1024;

/// A line as it was read.
#[derive(Debug, PartialEq, Eq)]
pub enum Read {
    /// A line of text.
    Line(String),
    /// A line that cannot be a case.
    Refused(Fault),
}

/// The next line that is not blank; none at the end.
pub fn read_line(input: &mut impl BufRead) -> io::Result<Option<Read>> {
    loop {
        let mut line = Vec::new();
        let whole = read_within(input, &mut line)?;
        match whole {
            None => return Ok(None),
            Some(false) => {
                let message = format!("the line has more than {MAX_LINE_BYTES} bytes");
                return Ok(Some(Read::Refused(Fault::new("TOO_LARGE", "", message))));
            }
            Some(true) if line.iter().all(u8::is_ascii_whitespace) => {}
            Some(true) => {
                let refused = || Read::Refused(Fault::new("SYNTAX", "", "the line is not UTF-8"));
                return Ok(Some(String::from_utf8(line).map_or_else(|_| refused(), Read::Line)));
            }
        }
    }
}

/// Reads up to the end of the line. None at the end of input; false when the line was too long, and the rest of it was skipped.
fn read_within(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Option<bool>> {
    let (mut any, mut fits) = (false, true);
    loop {
        let held = input.fill_buf()?;
        if held.is_empty() {
            return Ok(any.then_some(fits));
        }
        any = true;
        let end = held.iter().position(|byte| *byte == b'\n');
        let part = held.get(..end.unwrap_or(held.len())).unwrap_or_default();
        fits = fits && line.len() + part.len() <= MAX_LINE_BYTES;
        if fits {
            line.extend_from_slice(part);
        } else {
            line.clear();
        }
        let used = part.len() + usize::from(end.is_some());
        input.consume(used);
        if end.is_some() {
            return Ok(Some(fits));
        }
    }
}

/// Where the object stands that is the value of the outermost member `program`. Nothing is judged here: what is no JSON is found
/// out when the rest of the line is read.
pub fn program_of(line: &str) -> Option<Range<usize>> {
    let bytes = line.as_bytes();
    let mut at = 0;
    let mut depth = 0_usize;
    let mut key_expected = false;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                let end = string_end(bytes, at)?;
                let is_key = depth == 1 && key_expected && bytes.get(at..end) == Some(br#""program""#);
                at = end;
                if is_key {
                    return object_after_colon(bytes, at);
                }
                key_expected = false;
                continue;
            }
            b'{' | b'[' => {
                depth += 1;
                key_expected = depth == 1 && *byte == b'{';
            }
            b'}' | b']' => depth = depth.checked_sub(1)?,
            b',' if depth == 1 => key_expected = true,
            _ => {}
        }
        at += 1;
    }
    None
}

/// The place after the string that begins at `at`.
fn string_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut next = at + 1;
    loop {
        match bytes.get(next)? {
            b'\\' => next += 2,
            b'"' => return Some(next + 1),
            _ => next += 1,
        }
    }
}

fn object_after_colon(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let skip = |mut at: usize| {
        while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
            at += 1;
        }
        at
    };
    let colon = skip(at);
    if bytes.get(colon) != Some(&b':') {
        return None;
    }
    let start = skip(colon + 1);
    if bytes.get(start) != Some(&b'{') {
        return None;
    }
    let (mut next, mut depth) = (start, 0_usize);
    loop {
        match bytes.get(next)? {
            b'"' => {
                next = string_end(bytes, next)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        next += 1;
        if depth == 0 {
            return Some(start..next);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outermost_program_is_found() {
        let found = |line: &str| program_of(line).map(|place| line[place].to_owned());
        assert_eq!(found(r#"{"program": {"a": [1, "}"]}, "ask": []}"#).unwrap(), r#"{"a": [1, "}"]}"#);
        assert_eq!(found(r#"{"facts": {"program": {"x": 1}}, "id": "program", "program" : {"y": "\"{"}}"#).unwrap(), r#"{"y": "\"{"}"#);
        assert_eq!(found(r#"{"ask": ["program", {"program": {}}], "program": "path"}"#), None);
        assert_eq!(found(r#"["program", {"a": 1}]"#), None);
        for broken in ["", "{", r#"{"program"#, r#"{"program": {"#, r#"{"program": {"a"}"#, "}}", r#"{"program": {]}"#] {
            let _ = found(broken);
        }
    }

    #[test]
    fn lines_are_read_within_limits() {
        let mut input: &[u8] = b"one\n\n  \r\ntwo\xff\nthree";
        let mut all = Vec::new();
        while let Some(read) = read_line(&mut input).unwrap() {
            all.push(read);
        }
        assert!(matches!(&all[..], [Read::Line(one), Read::Refused(_), Read::Line(three)] if one == "one" && three == "three"), "{all:?}");
        let long = vec![b'x'; MAX_LINE_BYTES + 1];
        let mut input: &[u8] = &[long.as_slice(), b"\nnext\n"].concat();
        assert!(matches!(read_line(&mut input).unwrap(), Some(Read::Refused(fault)) if fault.code == "TOO_LARGE"));
        assert_eq!(read_line(&mut input).unwrap(), Some(Read::Line("next".to_owned())));
    }
}
