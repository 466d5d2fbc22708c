//! Every number that bounds the work of a use case, with its reason.

use std::time::Duration;

/// Bounds of the use cases. They hold for every transport and for jobs alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Rows of a page when nobody says: a screen.
    pub page_default: u32,
    /// Rows of a page at most: an answer stays under a megabyte.
    pub page_max: u32,
    /// Ids in one `nodes` or one look-up of many: as a page.
    pub ids_max: usize,
    /// Lines of one mutation that records facts: one transaction of well under a second; more goes through `import`.
    pub facts_max: usize,
    /// Partners of one mutation: as the page.
    pub partners_max: usize,
    /// Partners that one mutation judges at once; more is a review run.
    pub evaluate_max: usize,
    /// Partners that one simulation judges: the largest known base; the command line takes any number.
    pub simulate_max: usize,
    /// The same with rebates of periods, for which every sale line is read.
    pub simulate_rebates_max: usize,
    /// Periods whose rebates one simulation compares: a year of months.
    pub simulate_periods_max: usize,
    /// Entries of each list of a simulation: more is not read by people, and counts and sums are of all.
    pub simulate_listed_max: usize,
    /// Benefit keys of one check: a portal page asks for some dozens.
    pub benefit_keys_max: usize,
    /// Characters of a code, key or external id: fits an index on both databases.
    pub key_chars_max: usize,
    /// Characters of a free text.
    pub text_chars_max: usize,
    /// Bytes of a program document: the largest known program is a tenth of it.
    pub document_bytes_max: usize,
    /// Days that an idempotency key is kept (semantics 25).
    pub idempotency_days: i64,
    /// Partners that a rebate run computes between two commits: a second or two of work. Results do not depend on it.
    pub run_chunk: u32,
    /// A run of more than so many whole units of a currency, whatever their signs, asks for a second approver; never, when empty.
    pub second_approver_above: Option<i64>,
    /// Partners of one step of a review: a second of work, a few megabytes.
    pub review_chunk: usize,
    /// How long a worker holds a job without a sign of life: a chunk takes a second or two, and a job whose worker was killed waits
    /// no longer than this.
    pub job_lease: Duration,
    /// Tries of a job at one place before it is given up.
    pub job_attempts_max: u32,
    /// The pause before the second try; it doubles with every further one.
    pub job_pause: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            page_default: 20,
            page_max: 100,
            ids_max: 100,
            facts_max: 1_000,
            partners_max: 100,
            evaluate_max: 1_000,
            simulate_max: 100_000,
            simulate_rebates_max: 10_000,
            simulate_periods_max: 12,
            simulate_listed_max: 10_000,
            benefit_keys_max: 200,
            key_chars_max: 200,
            text_chars_max: 2_000,
            document_bytes_max: 4 * 1_024 * 1_024,
            idempotency_days: 30,
            run_chunk: 1_000,
            second_approver_above: None,
            review_chunk: 1_000,
            job_lease: Duration::from_secs(30),
            job_attempts_max: 5,
            job_pause: Duration::from_secs(5),
        }
    }
}
