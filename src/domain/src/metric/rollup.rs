//! Which measures can read kept monthly sums of sale lines, and why the others need the lines themselves.

use serde::Serialize;

use crate::document::metric::{Aggregate, ExchangeDate, FieldTest, Filter, Measure, MeasureScope, Source};
use crate::program::Program;

/// What a measure reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Reads {
    /// Kept sums of whole months, and lines of the days besides. Sums in another currency than the program's only with a rate
    /// or unit that does not depend on the line's date.
    MonthlySums,
    /// Sale lines: what it asks is lost in a monthly sum.
    Lines,
    /// Other facts than sale lines.
    OtherFacts,
}

fn reads_filter(filter: &Filter) -> bool {
    match filter {
        Filter::AllOf(filters) | Filter::AnyOf(filters) => filters.iter().all(reads_filter),
        Filter::Not(filter) => reads_filter(filter),
        Filter::Test(FieldTest { field, .. }) => matches!(field.as_str(), "kind" | "category" | "currency" | "month" | "quarter" | "year"),
        Filter::LastVersions(_) | Filter::FirstFact(_) => false,
    }
}

/// Whether a measure converts every currency at one rate, whatever the line's date.
fn converts_evenly(program: &Program, measure: &Measure) -> bool {
    if measure.exchange.as_ref().is_some_and(|exchange| exchange.date == ExchangeDate::PeriodEnd) {
        return true;
    }
    let table = measure.unit_table.as_deref();
    table.is_some_and(|table| program.document.unit_tables.iter().any(|known| known.key == table && known.rows.len() < 2))
}

/// Whether sums in another currency than the program's can be read by this measure.
pub fn reads_foreign_sums(program: &Program, measure: &Measure) -> bool {
    measure.aggregate == Aggregate::Count || measure.of.as_deref() == Some("quantity") || converts_evenly(program, measure)
}

/// What `measure` reads.
pub fn reads(program: &Program, measure: &Measure) -> Reads {
    if measure.source != Source::Transactions {
        return Reads::OtherFacts;
    }
    let foldable = matches!(measure.aggregate, Aggregate::Sum | Aggregate::Count | Aggregate::Share);
    let figure = matches!(measure.of.as_deref(), None | Some("amount" | "quantity"));
    let even = measure.unit_table.is_none() || converts_evenly(program, measure);
    let filters = measure.filter.iter().chain(measure.share.as_deref()).all(reads_filter);
    let plain = measure.group_by.is_empty() && measure.having.is_empty() && measure.latest.is_none();
    if foldable && figure && even && filters && plain && measure.scope != MeasureScope::Region { Reads::MonthlySums } else { Reads::Lines }
}
