//! Pages as the domain words them, and as the store reads them.

use guerdon_domain::page::{Page, PageRequest};
use guerdon_store as store;

/// A row with the key that its cursor holds.
pub type Keyed<T> = (Vec<String>, T);

/// The page to read. A cursor that is not of two parts starts the list.
pub(super) fn request_of(page: &PageRequest) -> store::PageRequest {
    let cursor = page.after.as_deref().and_then(|parts| match parts {
        [key, id] => Some(store::Cursor { key: key.clone(), id: id.clone() }),
        _ => None,
    });
    let request = if page.backward { store::PageRequest::last(page.limit) } else { store::PageRequest::first(page.limit) };
    match (cursor, page.backward) {
        (Some(cursor), false) => request.after(cursor),
        (Some(cursor), true) => request.before(cursor),
        (None, _) => request,
    }
}

/// What was read, in the order in which it was read.
pub(super) fn page_of<T>(page: store::Page<T>, backward: bool) -> Page<Keyed<T>> {
    let more = if backward { page.has_previous } else { page.has_next };
    let mut rows: Vec<Keyed<T>> = page.rows.into_iter().map(|(cursor, row)| (vec![cursor.key, cursor.id], row)).collect();
    if backward {
        rows.reverse();
    }
    Page { rows, more }
}
