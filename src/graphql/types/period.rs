//! Spans of dates.

use async_graphql::SimpleObject;
use guerdon_domain::date::Span;

use crate::graphql::scalars::GqlDate;

/// A half-open span of dates: `from` belongs to it, `until` does not.
#[derive(Debug, Clone, Copy, SimpleObject)]
pub struct DateSpan {
    /// The first day.
    pub from: GqlDate,
    /// The first day after it.
    pub until: GqlDate,
}

impl From<Span> for DateSpan {
    fn from(span: Span) -> Self {
        Self { from: span.from.into(), until: span.until.into() }
    }
}
