//! The frame of pages that print well: no scripts, one style sheet, nothing from elsewhere.

use maud::{DOCTYPE, Markup, PreEscaped, html};

/// The style sheet of every page. Pages are sent with a policy that allows this one and nothing else.
pub const STYLE: &str = include_str!("report.css");

/// A whole page.
pub(super) fn page(title: &str, body: &Markup) -> Vec<u8> {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { main { (body) } }
        }
    };
    page.into_string().into_bytes()
}

/// What something is called and what it is, as a list.
pub(super) fn facts<'a>(pairs: impl IntoIterator<Item = (&'a str, String)>) -> Markup {
    html! {
        dl.facts {
            @for (name, value) in pairs {
                div { dt { (name) } dd { (value) } }
            }
        }
    }
}

/// A tier, or that there is none.
pub(super) fn tier(tier: Option<&str>) -> Markup {
    match tier {
        Some(tier) => html! { span.tier { (tier) } },
        None => html! { span.none { "none" } },
    }
}

/// A code word as people read it: `DOWN_NOT_DUE` is "down not due".
pub(super) fn spoken(word: &str) -> String {
    word.to_lowercase().replace('_', " ")
}

/// A share of 10^-8 as a percentage, rounded down.
pub(super) fn percent(share: i64) -> String {
    format!("{} %", share / 1_000_000)
}
