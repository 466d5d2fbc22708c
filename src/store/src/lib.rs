//! Guerdon's storage: programs, partners, facts and what was decided, on SQLite or PostgreSQL.
//!
//! **Meaning.** [`Store::read`] is one snapshot and [`Store::write`] the only transaction that writes: finders are methods of
//! [`ReadTx`], writers of [`WriteTx`], and there is no third way in. Finders of what belongs to a partner demand a
//! [`Scope`](guerdon_domain::access::Scope); what lies outside is not found, and not told apart from what does not exist. Programs,
//! versions, products and exchange rates belong to nobody; who may see them is decided above. Facts are append-only; published
//! versions are immutable; both by trigger too.
//!
//! **Lock order.** Idempotency key, program, partners by code, their enrollments and assignments, facts by external id, roll-ups by
//! key, the seal counter, rebate runs, the posting counter, accounts, audit and outbox. Who takes several takes them in this order; what still deadlocks is run again.
//!
//! **Round trips.** `load_facts` sends a fixed number of statements whatever the number of partners: one for who they are and their
//! state (profiles, enrollments, assignments, overrides, admissions, contracts, exceptions), and one for each kind of fact that the
//! plan asks for. `*_many` are one statement each. `record_facts` is four to eight statements for a batch; on SQLite, where
//! 32,000 bound values do not hold its rows, one for each 128 of them. A snapshot that is shared ([`Store::in_one_snapshot`]) asks for programs, states and rates once.
//!
//! **Representation.** Dates and times are DATE and TIMESTAMPTZ on PostgreSQL and ISO text on SQLite, which sorts as they do.
//! Money is whole minor units, quantities millionths, other decimals canonical text. No float anywhere.

mod accrual;
mod adjustment;
mod admission_request;
mod answered;
mod apart;
mod api_key;
mod assignment;
mod audit;
mod batch;
mod bulk;
mod connect;
mod contract;
mod convert;
mod copy;
mod dispute;
mod enrollment;
mod exchange_rate;
mod fact_rows;
mod facts;
mod fault;
mod floor;
mod guard;
mod hierarchy;
mod idempotency;
mod import;
mod job;
mod ledger;
mod outbox;
mod page;
mod partner;
mod partner_page;
mod partner_upsert;
mod period_lock;
mod product;
mod program;
mod rebate_run;
mod rebate_sums;
mod record;
mod review;
mod review_floor;
mod review_list;
mod review_run;
mod rollup;
mod run_chunk;
mod schedule;
mod scope;
mod seed;
mod session;
mod sql;
mod standing_known;
mod state;
mod stated_line;
mod statement;
mod term;
mod tier_override;
mod transaction;
mod tx;
mod whose;

use guerdon_entity as entity;
use uuid::Uuid;

pub use accrual::{AccrualLine, NewAccrual};
pub use adjustment::{NewAdjustment, StoredAdjustment};
pub use admission_request::{AdmissionFilter, AdmissionReach, AdmissionState, NewAdmissionRequest, StoredAdmissionRequest};
pub use api_key::{NewApiKey, StoredApiKey};
pub use assignment::{AssignmentOutcome, NewAssignment, StoredAssignment};
pub use audit::{AuditEntry, StoredAudit};
pub use batch::{BatchReport, BatchState, ConflictLine, NewBatch, Recorded, RejectReason, RejectedLine, StoredBatch};
pub use connect::{NewId, Store, StoreOptions, connect_for_migration, missing_file};
pub use contract::{ContractUpsert, StoredContract};
pub use dispute::{DisputeAnswer, DisputeFilter, DisputeId, DisputeState, DisputeSubject, NewDispute, StoredDispute};
pub use enrollment::{NewEnrollment, StoredEnrollment};
pub use exchange_rate::{RateReport, RecordedRate};
pub use fact_rows::Fact;
pub use facts::{FactsPlan, LoadedFacts};
pub use fault::{StoreError, causes, unique_keys};
pub use floor::BareAggregate;
pub use idempotency::Idempotency;
pub use import::{ConflictRule, Import, ImportStart, StageReport};
pub use job::{JobFilter, JobId, JobLease, JobProgress, JobState, NewJob, StoredJob};
pub use ledger::{AccountKind, EntryFilter, EntryKind, LedgerFault, StoredAccount, StoredEntry, StoredPosting};
pub use outbox::Event;
pub use page::{Cursor, Page, PageRequest};
pub use partner::StoredPartner;
pub use partner_page::{PartnerFilter, PartnerOrder};
pub use partner_upsert::{PartnerUpsert, UpsertOutcome, UpsertRefusal, UpsertedPartner};
pub use period_lock::StoredLock;
pub use product::{ProductUpsert, StoredProduct};
pub use program::{NewDraft, ProgramKey, PublishedProgram, StoredProgram, VersionHead, VersionState};
pub use rebate_run::{Deed, NewRun, RunFilter, RunInputs, RunKind, RunState, RunTotal, StoredRun};
pub use rebate_sums::{PartnerSums, StandingAsked, SumsAsked, SumsSource};
pub use review::{NewReview, NewStanding, StandingIndex, StoredStanding};
pub use review_floor::{TierInputs, TierRule};
pub use review_list::{ListedStanding, StandingFilter, StandingNews, StandingOrder, StandingsOf, Told};
pub use review_run::{FoundBefore, ReviewCounts, ReviewStart, ReviewState, ReviewWalk, StoredReview};
pub use rollup::RollupDifference;
pub use run_chunk::{BudgetPart, ChangeAsked, RunChunk};
pub use seed::{RowBlock, RowSpeller, SeedAssignment, SeedBatch, SeedFact, SeedPartner, Seeding};
pub use standing_known::KnownStanding;
pub use stated_line::lines_text;
pub use statement::{NewStatement, PostedSum, RunDifference, StatementFilter, StatementSum, StoredStatement, steps_text};
pub use term::{NewAdmission, NewException};
pub use tier_override::{Decided, NewOverride, OverrideDecision, OverrideFilter, OverrideState, StatusMatch, StoredOverride};
pub use transaction::StoredTransaction;
pub use tx::{Change, ReadTx, WriteContext, WriteTx, Written};

/// A program.
pub type ProgramId = Uuid;
/// A program version.
pub type VersionId = Uuid;
/// A partner.
pub type PartnerId = Uuid;
/// An import batch.
pub type BatchId = Uuid;
/// A review.
pub type ReviewId = Uuid;
/// A rebate run.
pub type RunId = Uuid;
/// A statement.
pub type StatementId = Uuid;
/// An entry of the books.
pub type EntryId = Uuid;
