//! Lists: the arguments of a page, its cursors and its GraphQL types, once for all.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use guerdon_domain::page::{Page, PageRequest};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::error::GqlFault;
use crate::app::Limits;

/// Which list it is, and everything that decides its order and its rows: a cursor of one list is none of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding([u8; 16]);

impl Binding {
    /// The list of this name with this sorting and filter, in their serialised form.
    pub fn new(list: &str, sort_and_filter: &impl Serialize) -> Self {
        let mut digest = Sha256::new();
        digest.update([CURSOR_VERSION]);
        digest.update(list.as_bytes());
        digest.update([0]);
        digest.update(serde_json::to_vec(sort_and_filter).unwrap_or_default());
        Self(half(digest))
    }
}

/// Changes whenever the content of cursors does; older ones are then refused.
const CURSOR_VERSION: u8 = 1;
/// No cursor of ours is longer.
const CURSOR_CHARS_MAX: usize = 2_000;

fn half(digest: Sha256) -> [u8; 16] {
    let mut first = [0_u8; 16];
    for (byte, source) in first.iter_mut().zip(digest.finalize()) {
        *byte = source;
    }
    first
}

fn seal(binding: &Binding, key: &[u8]) -> [u8; 16] {
    let mut digest = Sha256::new();
    digest.update(binding.0);
    digest.update(key);
    half(digest)
}

/// A cursor: version, seal over the list and the key, and the key of the row.
fn spell_cursor(binding: &Binding, key: &[String]) -> String {
    let key = serde_json::to_vec(key).unwrap_or_default();
    let mut bytes = vec![CURSOR_VERSION];
    bytes.extend_from_slice(&seal(binding, &key));
    bytes.extend_from_slice(&key);
    URL_SAFE_NO_PAD.encode(bytes)
}

fn read_cursor(binding: &Binding, cursor: &str) -> Option<Vec<String>> {
    let bytes = if cursor.len() <= CURSOR_CHARS_MAX { URL_SAFE_NO_PAD.decode(cursor).ok()? } else { return None };
    let (version, rest) = bytes.split_first()?;
    let (found, key) = rest.split_at_checked(16)?;
    if *version != CURSOR_VERSION || found != seal(binding, key) {
        return None;
    }
    serde_json::from_slice(key).ok()
}

/// The four arguments of a list, as they came.
#[derive(Debug, Clone, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
pub struct PageArgs {
    /// Rows from the beginning, or behind `after`.
    pub first: Option<i32>,
    /// The cursor that the page starts behind.
    pub after: Option<String>,
    /// Rows from the end, or before `before`.
    pub last: Option<i32>,
    /// The cursor that the page ends before.
    pub before: Option<String>,
}

impl PageArgs {
    /// The page that is asked for. Refused: `first` with `last`, `first` with `before`, `last` with `after`, a size outside one
    /// to the maximum, a cursor that is not of this list.
    pub fn request(&self, binding: &Binding, limits: &Limits) -> Result<PageRequest, GqlFault> {
        let backward = self.last.is_some() || (self.first.is_none() && self.before.is_some());
        let mixed = (self.first.is_some() && self.last.is_some()) || if backward { self.after.is_some() } else { self.before.is_some() };
        if mixed {
            return Err(GqlFault::invalid("INVALID_PAGE", "first", "ask for `first` with `after`, or for `last` with `before`, not for both"));
        }
        let (name, asked, cursor) = if backward { ("last", self.last, &self.before) } else { ("first", self.first, &self.after) };
        let limit = match asked {
            None => limits.page_default,
            Some(asked) => u32::try_from(asked).ok().filter(|asked| (1..=limits.page_max).contains(asked)).ok_or_else(|| {
                let code = if asked > 0 { "PAGE_TOO_LARGE" } else { "INVALID_PAGE" };
                GqlFault::invalid(code, name, format!("a page has 1 to {} rows", limits.page_max))
            })?,
        };
        let after = match cursor {
            None => None,
            Some(cursor) => Some(read_cursor(binding, cursor).ok_or_else(|| {
                let path = if backward { "before" } else { "after" };
                GqlFault::invalid("INVALID_CURSOR", path, "not a cursor of this list with this filter and order: take one from its `pageInfo` or `edges`")
            })?),
        };
        Ok(PageRequest { limit, after, backward })
    }
}

/// Where a page lies in its list.
#[derive(Debug, Clone, PartialEq, Eq, Default, async_graphql::SimpleObject)]
pub struct PageInfo {
    /// Whether rows follow, when the list was read forward; false when it was read backward from its end.
    pub has_next_page: bool,
    /// Whether rows precede, when the list was read backward; when read forward, whether it started behind a cursor.
    pub has_previous_page: bool,
    /// The cursor of the first row of the page.
    pub start_cursor: Option<String>,
    /// The cursor of the last row of the page.
    pub end_cursor: Option<String>,
}

/// A page with its cursors, in the order of the list.
#[derive(Debug, Clone)]
pub struct Connected<T> {
    /// Cursor and row.
    pub edges: Vec<(String, T)>,
    /// Where the page lies.
    pub page_info: PageInfo,
}

/// Puts a page into the order of the list and gives every row its cursor; `key` is the row's sort values and id, as
/// [`PageRequest::after`] has them.
pub fn connect<T>(binding: &Binding, request: &PageRequest, page: Page<T>, key: impl Fn(&T) -> Vec<String>) -> Connected<T> {
    let Page { mut rows, more } = page;
    if request.backward {
        rows.reverse();
    }
    let edges: Vec<(String, T)> = rows.into_iter().map(|row| (spell_cursor(binding, &key(&row)), row)).collect();
    let behind_cursor = request.after.is_some();
    let page_info = PageInfo {
        has_next_page: if request.backward { behind_cursor } else { more },
        has_previous_page: if request.backward { more } else { behind_cursor },
        start_cursor: edges.first().map(|(cursor, _)| cursor.clone()),
        end_cursor: edges.last().map(|(cursor, _)| cursor.clone()),
    };
    Connected { edges, page_info }
}

/// Writes the connection and edge types of a node type: `connection!(PartnerConnection, PartnerEdge, Partner, "partners")`.
#[macro_export]
macro_rules! connection {
    ($connection:ident, $edge:ident, $node:ty, $what:literal) => {
        #[doc = concat!("A page of ", $what, ".")]
        #[derive(async_graphql::SimpleObject)]
        pub struct $connection {
            /// The rows with their cursors.
            pub edges: Vec<$edge>,
            /// The rows alone.
            pub nodes: Vec<$node>,
            /// Where the page lies in the list.
            pub page_info: $crate::graphql::connection::PageInfo,
        }

        #[doc = concat!("One of ", $what, " with its cursor.")]
        #[derive(async_graphql::SimpleObject)]
        pub struct $edge {
            /// Marks this row in this list, for `after` and `before`.
            pub cursor: String,
            /// The row.
            pub node: $node,
        }

        impl From<$crate::graphql::connection::Connected<$node>> for $connection {
            fn from(page: $crate::graphql::connection::Connected<$node>) -> Self {
                let nodes = page.edges.iter().map(|(_, node)| node.clone()).collect();
                let edges = page.edges.into_iter().map(|(cursor, node)| $edge { cursor, node }).collect();
                Self { edges, nodes, page_info: page.page_info }
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(first: Option<i32>, after: Option<&str>, last: Option<i32>, before: Option<&str>) -> PageArgs {
        PageArgs { first, after: after.map(str::to_owned), last, before: before.map(str::to_owned) }
    }

    fn code(args: &PageArgs, binding: &Binding) -> String {
        let error: async_graphql::Error = args.request(binding, &Limits::default()).unwrap_err().into();
        let code = error.extensions.and_then(|extensions| extensions.get("code").cloned());
        code.map(|code| code.to_string()).unwrap_or_default().trim_matches('"').to_owned()
    }

    #[test]
    fn pages_have_a_default_and_a_maximum() {
        let binding = Binding::new("partners", &());
        let request = |one: PageArgs| one.request(&binding, &Limits::default()).unwrap();
        assert_eq!(request(PageArgs::default()), PageRequest::first(20));
        assert_eq!(request(args(Some(100), None, None, None)).limit, 100);
        assert_eq!(request(args(None, None, Some(5), None)), PageRequest { limit: 5, after: None, backward: true });
        assert_eq!(code(&args(Some(101), None, None, None), &binding), "PAGE_TOO_LARGE");
        for bad in [args(Some(0), None, None, None), args(Some(-1), None, None, None), args(Some(1), None, Some(1), None), args(Some(1), None, None, Some("x"))]
        {
            assert_eq!(code(&bad, &binding), "INVALID_PAGE");
        }
    }

    #[test]
    fn a_cursor_belongs_to_its_list_its_order_and_its_filter() {
        let binding = Binding::new("partners", &("NAME", "region"));
        let page = connect(&binding, &PageRequest::first(2), Page::of(vec![1, 2, 3], 2), |row| vec![row.to_string(), "id".into()]);
        assert!(page.page_info.has_next_page && !page.page_info.has_previous_page);
        let cursor = page.page_info.end_cursor.unwrap();
        let request = args(None, Some(&cursor), None, None).request(&binding, &Limits::default()).unwrap();
        assert_eq!(request.after, Some(vec!["2".into(), "id".into()]));
        for other in [Binding::new("programs", &("NAME", "region")), Binding::new("partners", &("CODE", "region"))] {
            assert_eq!(code(&args(None, Some(&cursor), None, None), &other), "INVALID_CURSOR");
        }
        let flipped = if cursor.ends_with('A') { "B" } else { "A" };
        let forged = format!("{}{flipped}", &cursor[..cursor.len() - 1]);
        for bad in [forged.as_str(), "", "x", "MQ=="] {
            assert_eq!(code(&args(None, Some(bad), None, None), &binding), "INVALID_CURSOR");
        }
    }

    #[test]
    fn backward_pages_come_in_the_order_of_the_list() {
        let binding = Binding::new("partners", &());
        let request = PageRequest { limit: 2, after: None, backward: true };
        let page = connect(&binding, &request, Page::of(vec![9, 8, 7], 2), |row| vec![row.to_string()]);
        assert_eq!(page.edges.iter().map(|(_, row)| *row).collect::<Vec<_>>(), [8, 9]);
        assert!(page.page_info.has_previous_page && !page.page_info.has_next_page);
    }
}
