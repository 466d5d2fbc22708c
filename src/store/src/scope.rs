//! A scope as a condition on the partner table. Every finder goes through here; out of scope is not found.

use guerdon_domain::access::Scope;
use sea_orm::DbBackend;

use crate::sql::{Parameters, is_one_of_texts, texts};

/// The condition that the partner row named `alias` lies in `scope`.
pub(crate) fn within(backend: DbBackend, alias: &str, scope: &Scope, parameters: &mut Parameters) -> String {
    match scope {
        Scope::All => "TRUE".to_owned(),
        Scope::Nothing => "FALSE".to_owned(),
        Scope::Partners(codes) => {
            let number = parameters.number(texts(backend, codes.iter().map(String::as_str)));
            is_one_of_texts(backend, &format!("{alias}.code"), number)
        }
        Scope::Regions(keys) => {
            let number = parameters.number(texts(backend, keys.iter().map(String::as_str)));
            is_one_of_texts(backend, &format!("{alias}.region"), number)
        }
        Scope::Union(parts) => {
            let any: Vec<String> = parts.iter().map(|part| within(backend, alias, part, parameters)).collect();
            if any.is_empty() { "FALSE".to_owned() } else { format!("({})", any.join(" OR ")) }
        }
    }
}
