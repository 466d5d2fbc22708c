//! Making rows and writing them: the rows of the next blocks are made while the database takes the last ones.

use std::time::Instant;

use chrono::{DateTime, NaiveTime, Utc};
use guerdon_domain::date::Date;
use guerdon_domain::facts::{Activity, Deal, Holding, Transaction};
use guerdon_store::{AuditEntry, Change, ProductUpsert, ProgramId, RowBlock, RowSpeller, SeedBatch, SeedFact, Seeding, StoreError, VersionId, WriteContext};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use super::shape::{Shape, Stream};
use super::{CODE, SOURCE, document, partners, people, sales};
use crate::app::programs::{ApplyDocument, PublishVersion, apply_document, publish_version};
use crate::app::{App, Ctx};
use crate::error::AppError;

/// Rows of a block.
const BLOCK: usize = 10_000;
/// Blocks that wait for the database.
const WAITING: usize = 3;
/// Where products come from has no date; the program's rules hold since.
const FIRST_DAY: &str = "2015-01-01";

/// What was written.
#[derive(Debug, Default)]
pub struct Seeded {
    pub digest: String,
    pub partners: u64,
    pub sales: u64,
    pub holdings: u64,
    pub activities: u64,
    pub deals: u64,
    pub batches: u64,
    pub write_seconds: f64,
    pub finish_seconds: f64,
}

/// The kind of a batch.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Sales,
    Holdings,
    Activities,
    Deals,
}

/// What the writer does next.
enum Step {
    Partners(Vec<RowBlock>, u64),
    Begin(Kind, SeedBatch),
    Facts(Kind, RowBlock),
    Seal(SeedBatch, u64),
}

/// Publishes the program and writes everything of `shape`.
pub async fn write(app: &App, shape: Shape, with_bar: bool) -> Result<Seeded, AppError> {
    let ctx = app.system("bench seed");
    let started = Instant::now();
    let (program, version) = publish(app, &ctx).await?;
    let context = WriteContext::new(ctx.actor.person.clone(), ctx.request_id.as_ref(), "benchSeed", ctx.now);
    record_products(app, &context).await?;
    let mut seeding = app.store.begin_seeding(&context).await?;
    let speller = seeding.speller();
    let bar = bar(shape.amounts.sales, with_bar);
    let (sender, mut receiver) = mpsc::channel(WAITING);
    let maker = tokio::task::spawn_blocking(move || Maker { shape, speller, sender }.make(program, version));
    let mut seeded = Seeded::default();
    let mut digest = Sha256::new();
    while let Some(step) = receiver.recv().await {
        take(&mut seeding, step, &mut seeded, &mut digest).await?;
        bar.set_position(seeded.sales);
    }
    digest.update(maker.await.map_err(AppError::internal)??);
    bar.set_message("aggregates and indexes");
    seeded.write_seconds = started.elapsed().as_secs_f64();
    let finishing = Instant::now();
    seeding.finish().await?;
    bar.finish_and_clear();
    seeded.finish_seconds = finishing.elapsed().as_secs_f64();
    seeded.digest = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let after = serde_json::json!({ "partners": seeded.partners, "sales": seeded.sales, "digest": seeded.digest });
    let audit = AuditEntry::of("SyntheticData", CODE).after(after);
    app.store.write(&context, async |_| Ok::<_, StoreError>(Change::new((), audit.clone()))).await?;
    Ok(seeded)
}

fn bar(lines: u64, shown: bool) -> ProgressBar {
    let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let style = ProgressStyle::with_template("{bar:30} {human_pos} of {human_len} sale lines, {elapsed} {msg}");
    ProgressBar::with_draw_target(Some(lines), target).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

async fn publish(app: &App, ctx: &Ctx) -> Result<(ProgramId, VersionId), AppError> {
    let applied = apply_document(app, ctx, &ApplyDocument { text: document(), expected_version: None, keyed: None }).await?;
    let publish = PublishVersion { version: applied.version.id, expected_version: applied.version.row_version, keyed: None };
    let published = publish_version(app, ctx, &publish).await?;
    Ok((published.program.id, published.version.id))
}

async fn record_products(app: &App, context: &WriteContext) -> Result<(), AppError> {
    let from: Date = FIRST_DAY.parse()?;
    let rows: Vec<ProductUpsert> = sales::products().map(|(code, category)| ProductUpsert { code, name: None, category: category.to_owned(), from }).collect();
    let record = async |tx: &guerdon_store::WriteTx| {
        let changed = tx.upsert_products(&rows).await?;
        Ok::<_, StoreError>(Change::new(changed, AuditEntry::of("Product", SOURCE)))
    };
    app.store.write(context, record).await.map(drop).map_err(AppError::from)
}

async fn take(seeding: &mut Seeding, step: Step, seeded: &mut Seeded, digest: &mut Sha256) -> Result<(), AppError> {
    match step {
        Step::Partners(blocks, partners) => {
            for block in blocks {
                seeding.write(block).await?;
            }
            seeded.partners += partners;
        }
        Step::Begin(kind, batch) => {
            seeded.batches += 1;
            match kind {
                Kind::Sales => seeding.begin_batch::<Transaction>(&batch).await?,
                Kind::Holdings => seeding.begin_batch::<Holding>(&batch).await?,
                Kind::Activities => seeding.begin_batch::<Activity>(&batch).await?,
                Kind::Deals => seeding.begin_batch::<Deal>(&batch).await?,
            }
        }
        Step::Facts(kind, block) => {
            let count = match kind {
                Kind::Sales => &mut seeded.sales,
                Kind::Holdings => &mut seeded.holdings,
                Kind::Activities => &mut seeded.activities,
                Kind::Deals => &mut seeded.deals,
            };
            *count += block.rows();
            digest.update(block.digest());
            seeding.write(block).await?;
        }
        Step::Seal(batch, lines) => seeding.seal_batch(&batch, lines).await?,
    }
    Ok(())
}

/// Makes rows, in the order in which they came in: partners, then month by month what was recorded, then everything else.
struct Maker {
    shape: Shape,
    speller: RowSpeller,
    sender: mpsc::Sender<Step>,
}

impl Maker {
    /// Answers a digest of program and partners.
    fn make(self, program: ProgramId, version: VersionId) -> Result<[u8; 32], StoreError> {
        let mut digest = Sha256::new();
        digest.update(document());
        let numbers: Vec<u32> = (0..self.shape.amounts.partners).collect();
        let at = noon(self.shape.from);
        for numbers in numbers.chunks(BLOCK / 4) {
            let made: Vec<_> = numbers.iter().map(|number| partners::partner(&self.shape, *number)).collect();
            for partner in &made {
                digest.update(format!("{partner:?}"));
            }
            self.send(Step::Partners(self.speller.partners(program, version, &made, at), made.len() as u64))?;
        }
        for month in 0..self.shape.amounts.months {
            self.batch(Kind::Sales, month, self.shape.month(month + 1), |maker, partner, into| {
                sales::lines(&maker.shape, partner, month, false, into);
                if let Some(earlier) = month.checked_sub(sales::LATE_MONTHS) {
                    sales::lines(&maker.shape, partner, earlier, true, into);
                }
            })?;
        }
        let end = self.shape.amounts.until;
        self.batch(Kind::Holdings, 0, end, |maker, partner, into| people::holdings(&maker.shape, partner, into))?;
        self.batch(Kind::Activities, 0, end, |maker, partner, into| people::activities(&maker.shape, partner, into))?;
        self.batch(Kind::Deals, 0, end, |maker, partner, into| people::deals(&maker.shape, partner, into))?;
        Ok(digest.finalize().into())
    }

    fn batch<F: guerdon_store::Fact>(
        &self,
        kind: Kind,
        number: u32,
        closed_on: Date,
        facts: impl Fn(&Self, u32, &mut Vec<SeedFact<F>>),
    ) -> Result<(), StoreError> {
        let id = self.shape.draws(Stream::Batch, [kind as u64, number.into(), 0]).id();
        let batch = SeedBatch { id, source: SOURCE.to_owned(), file_name: format!("{kind:?} recorded before {closed_on}"), at: noon(closed_on) };
        self.send(Step::Begin(kind, batch.clone()))?;
        let (mut lines, mut waiting) = (0, Vec::with_capacity(BLOCK * 2));
        for partner in 0..self.shape.amounts.partners {
            facts(self, partner, &mut waiting);
            if waiting.len() >= BLOCK || partner + 1 == self.shape.amounts.partners {
                let block = self.speller.facts(&batch, lines + 1, &waiting)?;
                lines += block.rows();
                waiting.clear();
                self.send(Step::Facts(kind, block))?;
            }
        }
        self.send(Step::Seal(batch, lines))
    }

    /// Hands over to the writer. It is gone only when it failed, and then says why itself.
    fn send(&self, step: Step) -> Result<(), StoreError> {
        self.sender.blocking_send(step).map_err(|_| StoreError::InProgress)
    }
}

fn noon(day: Date) -> DateTime<Utc> {
    day.naive().and_time(NaiveTime::default()).and_utc()
}
