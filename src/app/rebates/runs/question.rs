//! What a run asks: its own period and those posted before, each by the version that governs it.

use std::collections::{BTreeMap, BTreeSet};

use guerdon_domain::date::Date;
use guerdon_store::{ProgramId, ReadTx, RunInputs, RunKind, StoredRun};

use crate::app::App;
use crate::app::plan::UpTo;
use crate::app::programs::in_force_by;
use crate::app::rebates::calculate::{PeriodAsked, RunQuestion};
use crate::error::AppError;

/// The question of a run of this period (name and first day): the periods whose original stands in the books, in the order of
/// their posting, and its own, with what the runs that posted them had read.
pub(in crate::app::rebates) async fn question_of(
    app: &App,
    tx: &ReadTx,
    program: ProgramId,
    own: (&str, Date),
    inputs: &RunInputs,
) -> Result<RunQuestion, AppError> {
    let standing = tx.list_standing_runs(program, inputs.book).await?;
    let originals: Vec<&StoredRun> = standing.iter().filter(|run| run.kind == RunKind::Original).collect();
    let mut names: Vec<(&str, Date)> = originals.iter().map(|run| (run.period.as_str(), run.span.from)).collect();
    if !names.iter().any(|(name, _)| *name == own.0) {
        names.push(own);
    }
    let dates: BTreeSet<Date> = names.iter().map(|(_, from)| *from).collect();
    let versions = in_force_by(app, tx, program, &dates, inputs.records).await?;
    let mut periods = Vec::with_capacity(names.len());
    for (name, from) in names {
        let in_force = versions.get(&from).ok_or(AppError::NotFound)?.clone();
        let period =
            in_force.compiled.period_named(name).ok_or_else(|| AppError::invalid("UNKNOWN_PERIOD", "period", format!("the version in force has no {name}")))?;
        periods.push(PeriodAsked { period, in_force });
    }
    let up_to = UpTo { cut_off: inputs.cut_off, records: inputs.records };
    Ok(RunQuestion { periods, up_to, posted_at: posted_at(&standing, &originals) })
}

/// By period: the cut-offs of the runs that computed it since its original was posted.
fn posted_at(standing: &[StoredRun], originals: &[&StoredRun]) -> BTreeMap<String, Vec<i64>> {
    let since = |original: &StoredRun| {
        let later = standing.iter().filter(|run| run.posting_number >= original.posting_number);
        later.filter_map(|run| run.inputs.map(|inputs| inputs.cut_off)).collect()
    };
    originals.iter().map(|original| (original.period.clone(), since(original))).collect()
}
