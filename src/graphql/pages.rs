//! Pages of lists that are read whole, and the adaption of pages to those of the use cases.

use guerdon_domain::page::{Page, PageRequest};

use super::connection::{Binding, Connected, connect};

/// Gives the rows of a page that carry their own keys their cursors.
pub fn connect_keyed<T: Clone>(binding: &Binding, request: &PageRequest, page: Page<(Vec<String>, T)>) -> Connected<T> {
    let connected = connect(binding, request, page, |(key, _)| key.clone());
    Connected { edges: connected.edges.into_iter().map(|(cursor, (_, row))| (cursor, row)).collect(), page_info: connected.page_info }
}

/// The page of a list that is whole in memory; `key` is what its cursors hold.
pub fn page_of_list<T: Clone>(list: &[T], request: &PageRequest, key: impl Fn(&T) -> Vec<String>) -> Page<T> {
    let at = request.after.as_ref().and_then(|after| list.iter().position(|row| key(row) == *after));
    // A row that is gone: the page starts where the list does.
    let rows: Vec<T> = match (request.backward, at) {
        (false, at) => list.iter().skip(at.map_or(0, |at| at + 1)).cloned().collect(),
        (true, at) => list.iter().take(at.unwrap_or(list.len())).rev().cloned().collect(),
    };
    Page::of(rows, request.limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_page_both_ways() {
        let key = |row: &i32| vec![row.to_string()];
        let after = |cursor: &str| Some(vec![cursor.to_owned()]);
        let list = [1, 2, 3, 4];
        assert_eq!(page_of_list(&list, &PageRequest { limit: 2, after: after("2"), backward: false }, key), Page { rows: vec![3, 4], more: false });
        assert_eq!(page_of_list(&list, &PageRequest { limit: 2, after: None, backward: true }, key), Page { rows: vec![4, 3], more: true });
        assert_eq!(page_of_list(&list, &PageRequest { limit: 2, after: after("3"), backward: true }, key), Page { rows: vec![2, 1], more: false });
    }
}
