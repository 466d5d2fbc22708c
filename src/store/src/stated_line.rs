//! The lines of a statement as they are kept in its row: a JSON array with an array for each line. A line is never read or written
//! without its statement, and a run over many partners writes one row where it would write five.

use guerdon_domain::exact::Exact;
use guerdon_domain::rebate::{LineKind, StatedLine};

use crate::convert::Row;
use crate::fault::StoreError;

/// Kind, band, its lower and upper bound, tier, category, base, rate, exact figure, amount. The amount is the last: checks of the
/// books in SQL add it up by its place.
type Kept<T> = (LineKind, Option<i64>, Option<Exact>, Option<Exact>, Option<T>, Option<T>, Exact, Option<Exact>, Exact, i64);

/// The place of the amount in a line.
pub(crate) const AMOUNT: usize = 9;

/// Lines as they are kept; none where one of them cannot be spelled.
pub fn lines_text(lines: &[StatedLine]) -> Option<String> {
    fn kept(line: &StatedLine) -> Kept<&str> {
        let StatedLine { kind, band, from, to, tier, category, base, rate, exact, amount } = line;
        (*kind, *band, from.clone(), to.clone(), tier.as_deref(), category.as_deref(), base.clone(), rate.clone(), exact.clone(), *amount)
    }
    let kept: Vec<Kept<&str>> = lines.iter().map(kept).collect();
    serde_json::to_string(&kept).ok()
}

/// The lines in this column.
pub(crate) fn lines_at(row: &Row<'_>, at: usize) -> Result<Vec<StatedLine>, StoreError> {
    let read = |(kind, band, from, to, tier, category, base, rate, exact, amount): Kept<String>| StatedLine {
        kind,
        band,
        from,
        to,
        tier,
        category,
        base,
        rate,
        exact,
        amount,
    };
    Ok(row.json::<Vec<Kept<String>>>(at)?.into_iter().map(read).collect())
}
