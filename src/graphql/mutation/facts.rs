//! Facts: sale lines, holdings, activities, deals, exchange rates.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use guerdon_domain::fault::Faults;

use super::begin;
use super::user_errors::{
    ActivitiesRecordUserError, DealsRecordUserError, ExchangeRatesRecordUserError, HoldingsRecordUserError, TransactionsRecordUserError, of_mutation,
};
use crate::app::facts::{self, BatchReport, RecordFacts, RecordRates};
use crate::error::AppError;
use crate::graphql::context::RequestData;
use crate::graphql::error::Answer;
use crate::graphql::inputs::facts::{ActivityInput, DealInput, ExchangeRateInput, HoldingInput, TransactionInput, read_facts};
use crate::graphql::node::{NodeKind, encode};
use crate::graphql::payload::settle;

/// What recording facts did.
#[derive(Debug, Clone, SimpleObject)]
pub struct FactsRecorded {
    /// The id of the sealed batch that holds the new facts; null when nothing was new.
    pub batch_id: Option<async_graphql::ID>,
    /// The place of the batch among all sealed ones.
    pub seal_number: Option<i64>,
    /// Facts that are new.
    pub recorded: i64,
    /// Facts that were on record already, just so.
    pub unchanged: i64,
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl From<BatchReport> for FactsRecorded {
    fn from(report: BatchReport) -> Self {
        Self {
            batch_id: report.batch.map(|batch| encode(NodeKind::ImportBatch, batch)),
            seal_number: report.seal_number,
            recorded: count(report.inserted),
            unchanged: count(report.unchanged),
        }
    }
}

/// Writes the input and the payload of a mutation that records facts.
macro_rules! recording {
    ($input:ident { $list:ident: $item:ty } $payload:ident $error:ty, $what:literal) => {
        #[doc = concat!("Facts to record: ", $what, ".")]
        #[derive(Debug, Clone, InputObject)]
        pub struct $input {
            /// The system that they come from. Its own ids make them unique.
            pub source: String,
            /// At most 1,000 of them: all or none. What is on record already, just so, changes nothing.
            pub $list: Vec<$item>,
            /// A new key for every new request: the same key and input answer the same again and change nothing.
            pub idempotency_key: String,
        }

        #[doc = concat!("What came of recording ", $what, ".")]
        #[derive(SimpleObject)]
        pub struct $payload {
            /// What was done.
            pub result: Option<FactsRecorded>,
            /// What you have to mend, each with the index in `field`; nothing was written then.
            pub user_errors: Vec<$error>,
        }
    };
}

recording!(TransactionsRecordInput { transactions: TransactionInput } TransactionsRecordPayload TransactionsRecordUserError, "sale lines");
recording!(HoldingsRecordInput { holdings: HoldingInput } HoldingsRecordPayload HoldingsRecordUserError, "certifications, subscriptions, attestations, memberships");
recording!(ActivitiesRecordInput { activities: ActivityInput } ActivitiesRecordPayload ActivitiesRecordUserError, "dated measurements");
recording!(DealsRecordInput { deals: DealInput } DealsRecordPayload DealsRecordUserError, "registered opportunities");
recording!(ExchangeRatesRecordInput { rates: ExchangeRateInput } ExchangeRatesRecordPayload ExchangeRatesRecordUserError, "exchange rates");

/// Parses the list, calls the use case and wraps its answer.
macro_rules! record {
    ($ctx:ident, $input:ident.$list:ident, $record:path, $payload:ident) => {{
        let keyed = begin($ctx, &$input.idempotency_key, &$input)?;
        let (app, caller) = ($ctx.app()?, $ctx.caller()?);
        let result = match read_facts($input.$list, stringify!($list), &$input.source, caller.today) {
            Ok(facts) => $record(app, caller, RecordFacts { source: $input.source, facts, keyed }).await,
            Err(faults) => Err(AppError::from(faults)),
        };
        let (report, errors) = settle(result)?;
        Ok($payload { result: report.map(Into::into), user_errors: of_mutation(errors) })
    }};
}

/// Mutations of facts.
#[derive(Default)]
pub struct FactMutations;

#[Object]
impl FactMutations {
    /// Records sale lines, returns and corrections. The same line twice counts once, in one request or in several. Facts are never
    /// rewritten: another body under a known id is refused.
    async fn transactions_record(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The sale lines.")] input: TransactionsRecordInput,
    ) -> Answer<TransactionsRecordPayload> {
        record!(ctx, input.transactions, facts::record_transactions, TransactionsRecordPayload)
    }

    /// Records holdings. Another body under a known id amends the holding: it ended, was prolonged or revoked.
    async fn holdings_record(&self, ctx: &Context<'_>, #[graphql(desc = "The holdings.")] input: HoldingsRecordInput) -> Answer<HoldingsRecordPayload> {
        record!(ctx, input.holdings, facts::record_holdings, HoldingsRecordPayload)
    }

    /// Records activities. Facts are never rewritten: another body under a known id is refused.
    async fn activities_record(&self, ctx: &Context<'_>, #[graphql(desc = "The activities.")] input: ActivitiesRecordInput) -> Answer<ActivitiesRecordPayload> {
        record!(ctx, input.activities, facts::record_activities, ActivitiesRecordPayload)
    }

    /// Records deals. Another body under a known id amends the deal: it moved on, was won or lost.
    async fn deals_record(&self, ctx: &Context<'_>, #[graphql(desc = "The deals.")] input: DealsRecordInput) -> Answer<DealsRecordPayload> {
        record!(ctx, input.deals, facts::record_deals, DealsRecordPayload)
    }

    /// Records exchange rates. A known type, pair and date with another rate corrects it; what was posted is never re-rated.
    async fn exchange_rates_record(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The rates.")] input: ExchangeRatesRecordInput,
    ) -> Answer<ExchangeRatesRecordPayload> {
        let keyed = begin(ctx, &input.idempotency_key, &input)?;
        let (app, caller) = (ctx.app()?, ctx.caller()?);
        let mut faults = Faults::new();
        let read = |(at, rate): (usize, ExchangeRateInput)| rate.read(&mut faults, &format!("rates[{at}]"), caller.today);
        let rates: Vec<_> = input.rates.into_iter().enumerate().filter_map(read).collect();
        let result = match faults.or(rates) {
            Ok(rates) => facts::record_exchange_rates(app, caller, RecordRates { source: input.source, rates, keyed }).await,
            Err(faults) => Err(AppError::from(faults)),
        };
        let (done, errors) = settle(result)?;
        let result = done.map(|done| FactsRecorded { batch_id: None, seal_number: None, recorded: count(done.recorded), unchanged: count(done.unchanged) });
        Ok(ExchangeRatesRecordPayload { result, user_errors: of_mutation(errors) })
    }
}
