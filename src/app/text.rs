//! What keys and free texts may look like, before they reach the database.

use guerdon_domain::fault::Faults;

use super::Limits;

/// Characters that no text of ours holds: controls, and those that turn the direction of what is shown.
fn is_refused(character: char) -> bool {
    character.is_control() || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// A code, key or external id: not blank, not too long, on one line, without blanks around it.
pub fn check_key(faults: &mut Faults, path: &str, value: &str, limits: &Limits) {
    if value.is_empty() || value.trim() != value {
        faults.add("BLANK", path, "this must not be empty and must not begin or end with a blank");
    }
    check_length(faults, path, value, limits.key_chars_max);
}

/// A text for people: not blank, not too long.
pub fn check_text(faults: &mut Faults, path: &str, value: &str, limits: &Limits) {
    if value.trim().is_empty() {
        faults.add("BLANK", path, "this must not be empty");
    }
    check_length(faults, path, value, limits.text_chars_max);
}

/// As [`check_key`], where one is given.
pub fn check_maybe_key(faults: &mut Faults, path: &str, value: Option<&str>, limits: &Limits) {
    if let Some(value) = value {
        check_key(faults, path, value, limits);
    }
}

fn check_length(faults: &mut Faults, path: &str, value: &str, most: usize) {
    if value.chars().count() > most {
        faults.add("TOO_LONG", path, format!("at most {most} characters are taken"));
    }
    if value.chars().any(is_refused) {
        faults.add("INVALID_TEXT", path, "control characters and marks of direction are refused");
    }
}
