//! What a well-formed document must also satisfy before it is published. All faults at once, each with its path.

use super::Document;
use crate::fault::Faults;

/// Everything that is ambiguous or broken in `document`.
pub fn validate(document: &Document) -> Faults {
    let mut faults = Faults::new();
    if document.guerdon != 1 {
        faults.add("UNSUPPORTED_FORMAT", "guerdon", "this service reads document format 1: write `guerdon: 1`");
    }
    faults
}
