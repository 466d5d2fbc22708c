//! Reading partners part by part, two parts at once where the database lets two connections see the same snapshot, and judging each
//! part while the next ones are read.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use guerdon_domain::access::Scope;
use guerdon_domain::facts::Facts;
use guerdon_domain::metric::plan::FactsPlan;
use guerdon_domain::rebate::batch::ColumnSums;
use guerdon_domain::simulation::facts::apply_hypotheses;
use guerdon_domain::simulation::{Asked, PartnerHypothesis, Simulation, Tally, Unsummed};
use guerdon_store::{PartnerSums, ReadTx, SumsAsked, SumsSource};
use tokio::task::JoinHandle;

use super::super::Ctx;
use super::super::partners::PartnerId;
use super::super::plan::{Known, compute, read_facts};
use super::Prepared;
use super::slice::Whom;
use crate::error::AppError;

/// Partners of one part. Each of its statements is planned anew, which takes PostgreSQL as long as a few hundred rows.
pub(super) const CHUNK: usize = 2_000;

/// What is read for every part, and for one in which sale lines are supposed to be others: these may not hide in monthly sums.
pub(super) struct Reading {
    pub(super) usual: FactsPlan,
    pub(super) by_line: Option<FactsPlan>,
    /// What is read of those whose rebates are not computed from sums, where others' are.
    pub(super) for_lines: Option<FactsPlan>,
}

impl Reading {
    fn of(&self, part: &[PartnerId], whom: &Whom) -> &FactsPlan {
        let others_count = self.usual.subtree || self.usual.cohort || self.usual.parents;
        let touched = || others_count || part.iter().any(|id| whom.supposed.contains(id));
        self.by_line.as_ref().filter(|_| touched()).unwrap_or(&self.usual)
    }
}

/// Judges everybody who is asked about. A rank in a cohort needs all of it at once: then there is one part, shared by the threads.
pub(super) async fn judge_all(ctx: &Ctx, tx: &ReadTx, prepared: &Prepared, reading: &Reading, whom: Whom) -> Result<Tally, AppError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let as_of = prepared.simulation.terms().as_of;
    let supposed = prepared.supposed.clone();
    let size = if reading.usual.cohort { whom.ids.len().max(1) } else { CHUNK };
    let sums = sums_of(tx, prepared, reading).await?;
    let mut tally = Tally::new(prepared.simulation.terms().listed);
    let mut running: VecDeque<JoinHandle<Tally>> = VecDeque::new();
    let parts: Vec<&[PartnerId]> = whom.ids.chunks(size).collect();
    let scope = if whom.everybody { &Scope::All } else { &whom.scope };
    let read = async |tx: &ReadTx, part: &[PartnerId]| read_facts(tx, scope, &prepared.in_force, reading.of(part, &whom), as_of, part).await;
    let twin = if parts.len() > 1 { tx.twin().await? } else { None };
    for together in parts.chunks(if twin.is_some() { 2 } else { 1 }) {
        in_time(ctx)?;
        let known = match (together, &twin) {
            ([one, other], Some(twin)) => <[Known; 2]>::from(tokio::try_join!(read(tx, one), read(twin, other))?).into(),
            (parts, _) => vec![read(tx, &parts.concat()).await?],
        };
        for known in known {
            let Part { facts, changed, codes, warnings } = Part::of(known, &supposed, as_of, &whom);
            tally.merge(warnings);
            let (facts, changed) = (Arc::new(facts), Arc::new(changed));
            let share = if reading.usual.cohort { codes.len().div_ceil(threads).max(1) } else { codes.len().max(1) };
            for codes in codes.chunks(share) {
                while running.len() >= threads {
                    tally.merge(finished(&mut running).await?);
                }
                let work =
                    Work { simulation: prepared.simulation.clone(), facts: facts.clone(), changed: changed.clone(), codes: codes.to_vec(), sums: sums.clone() };
                running.push_back(tokio::task::spawn_blocking(move || work.judge()));
            }
        }
    }
    if let Some(twin) = twin {
        twin.end().await;
    }
    while !running.is_empty() {
        tally.merge(finished(&mut running).await?);
    }
    let rest = tally.take_unsummed();
    judge_from_lines(ctx, tx, prepared, reading, &whom, rest, &mut tally).await?;
    Ok(tally)
}

/// The sums of everybody's sales that rebates are computed from, where they suffice: some tens of megabytes for a hundred thousand partners.
async fn sums_of(tx: &ReadTx, prepared: &Prepared, reading: &Reading) -> Result<Option<Arc<PartnerSums>>, AppError> {
    let Some(columns) = prepared.simulation.rebate_columns().filter(|_| reading.for_lines.is_some()) else { return Ok(None) };
    let asked = SumsAsked { columns, from: "", until: None, cut_off: None, source: SumsSource::Aggregates };
    Ok(Some(Arc::new(tx.sum_rebate_columns(&asked).await?)))
}

/// The rebates of those whose sums do not suffice, since they sold in another currency: from their lines.
async fn judge_from_lines(
    ctx: &Ctx,
    tx: &ReadTx,
    prepared: &Prepared,
    reading: &Reading,
    whom: &Whom,
    rest: Vec<Unsummed>,
    tally: &mut Tally,
) -> Result<(), AppError> {
    let Some(for_lines) = reading.for_lines.as_ref().filter(|_| !rest.is_empty()) else { return Ok(()) };
    let as_of = prepared.simulation.terms().as_of;
    let scope = if whom.everybody { &Scope::All } else { &whom.scope };
    for part in rest.chunks(CHUNK) {
        in_time(ctx)?;
        let codes: Vec<String> = part.iter().map(|one| one.partner.clone()).collect::<BTreeSet<_>>().into_iter().collect();
        let ids: Vec<PartnerId> = tx.partners_by_code_many(scope, &codes).await?.values().map(|partner| partner.id).collect();
        let known = read_facts(tx, scope, &prepared.in_force, for_lines, as_of, &ids).await?;
        let (simulation, part) = (prepared.simulation.clone(), part.to_vec());
        let supposed = prepared.supposed.clone();
        let judged = compute(move || {
            let mut warnings = Tally::new(usize::MAX);
            let changed = apply_hypotheses(&known.facts, &supposed, as_of, &mut warnings);
            simulation.judge_from_lines(&known.facts, changed.as_ref(), &part)
        });
        tally.merge(judged.await?);
    }
    Ok(())
}

/// Refuses to go on for somebody who does not wait any more.
fn in_time(ctx: &Ctx) -> Result<(), AppError> {
    if ctx.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
        let message =
            "the simulation takes longer than a request may: take a slice (regions, types, tiers, partners), or run `guerdon program diff --simulate`";
        return Err(AppError::limit("TOO_SLOW", "", message));
    }
    Ok(())
}

async fn finished(running: &mut VecDeque<JoinHandle<Tally>>) -> Result<Tally, AppError> {
    match running.pop_front() {
        Some(work) => work.await.map_err(AppError::internal),
        None => Ok(Tally::new(0)),
    }
}

/// A part as it was read.
struct Part {
    facts: Facts,
    changed: Option<Facts>,
    /// By id and code, and whether they are told about.
    codes: Vec<(PartnerId, String, bool)>,
    warnings: Tally,
}

impl Part {
    fn of(known: Known, supposed: &[PartnerHypothesis], as_of: guerdon_domain::date::Date, whom: &Whom) -> Self {
        let Known { ids, facts } = known;
        let mut warnings = Tally::new(usize::MAX);
        let changed = apply_hypotheses(&facts, supposed, as_of, &mut warnings);
        let told = |id: &PartnerId| whom.told.as_ref().is_none_or(|told| told.contains(id));
        let codes: BTreeMap<PartnerId, String> = ids;
        let codes = codes.into_iter().map(|(id, code)| (id, code, told(&id))).collect();
        Self { facts, changed, codes, warnings }
    }
}

/// What one thread judges.
struct Work {
    simulation: Arc<Simulation>,
    facts: Arc<Facts>,
    changed: Arc<Option<Facts>>,
    codes: Vec<(PartnerId, String, bool)>,
    sums: Option<Arc<PartnerSums>>,
}

impl Work {
    fn judge(&self) -> Tally {
        let sums: Option<Vec<Vec<ColumnSums>>> = self.sums.as_ref().map(|sums| self.codes.iter().map(|(id, ..)| sums.of(*id)).collect());
        let of = |at: usize| sums.as_ref().and_then(|sums| sums.get(at)).map(Vec::as_slice);
        let asked: Vec<Asked<'_>> = (0..).zip(&self.codes).map(|(at, (_, code, told))| Asked { code, told: *told, sums: of(at) }).collect();
        self.simulation.judge(&self.facts, self.changed.as_ref().as_ref(), &asked)
    }
}
