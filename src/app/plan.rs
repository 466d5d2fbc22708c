//! What has to be read for a question, and reading it: a fixed number of statements whatever the number of partners.
//!
//! A version's needs are found once and kept with it, as the version itself is. What they ask for is read for all partners of a
//! question at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use guerdon_domain::access::Scope;
use guerdon_domain::date::{Date, Span};
use guerdon_domain::document::Document;
use guerdon_domain::facts::Facts;
use guerdon_store::{FactsPlan, ReadTx, StoreError};
use serde_json::Value;

use super::partners::PartnerId;
use super::programs::{InForce, ProgramKey, in_force_many, program_in, today_in};
use super::{App, Ctx};
use crate::error::AppError;

/// Partners of one cohort that are read for one answer at most.
const COHORT_MAX: u32 = 100_000;

/// Which facts the rules of a version look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs {
    /// Sale lines.
    pub transactions: bool,
    /// Holdings.
    pub holdings: bool,
    /// Activities.
    pub activities: bool,
    /// Deals.
    pub deals: bool,
    /// The partners below count for those above.
    pub subtree: bool,
    /// The tier of the parent may be inherited.
    pub parents: bool,
    /// Ranks in a cohort: all partners are looked at.
    pub cohort: bool,
}

impl Needs {
    const EVERYTHING: Self = Self { transactions: true, holdings: true, activities: true, deals: true, subtree: true, parents: true, cohort: true };

    /// What either of two looks at.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self {
            transactions: self.transactions || other.transactions,
            holdings: self.holdings || other.holdings,
            activities: self.activities || other.activities,
            deals: self.deals || other.deals,
            subtree: self.subtree || other.subtree,
            parents: self.parents || other.parents,
            cohort: self.cohort || other.cohort,
        }
    }

    /// What judging tiers and metrics of this version looks at.
    fn of_levelling(document: &Document) -> Self {
        let mut needs = Self { parents: document.ladders.iter().any(|ladder| ladder.inherits_from_parent), ..Self::default() };
        needs.look_at(&(&document.metrics, &document.requirements, &document.ladders));
        needs
    }

    /// What resolving entitlements looks at besides the partner's state: requirements of grants.
    fn of_grants(document: &Document) -> Self {
        let mut needs = Self::default();
        let conditions: Vec<_> = document.grants.iter().filter_map(|grant| grant.condition.as_ref()?.requirement.as_ref()).collect();
        if !conditions.is_empty() {
            needs = Self::of_levelling(document);
            needs.look_at(&conditions);
        }
        needs
    }

    /// What computing rebates looks at. Deals, for schedules of deals of some kinds.
    fn of_rebates(document: &Document) -> Self {
        let mut needs = Self { transactions: true, ..Self::default() };
        for schedule in &document.rebate_schedules {
            needs.deals |= !schedule.scope.deal_kinds.is_empty();
            needs.look_at(&(&schedule.condition, &schedule.basis, &schedule.qualifier, &schedule.method));
        }
        if document.rebate_schedules.iter().any(|schedule| schedule.budget.is_some()) {
            needs.cohort = true;
        }
        let by_metric = serde_json::to_string(&document.rebate_schedules).unwrap_or_default();
        if by_metric.contains("\"metric\"") || by_metric.contains("\"shared\"") || by_metric.contains("\"condition\":{") {
            needs = needs.or(Self::of_levelling(document));
        }
        needs
    }

    /// Looks through rules in their public shape, the document's: whatever names a source of facts needs it. What cannot be
    /// written in that shape needs everything.
    fn look_at(&mut self, rules: &impl serde::Serialize) {
        match serde_json::to_value(rules) {
            Ok(rules) => self.look_in(&rules),
            Err(_) => *self = Self::EVERYTHING,
        }
    }

    fn look_in(&mut self, rule: &Value) {
        match rule {
            Value::Array(parts) => parts.iter().for_each(|part| self.look_in(part)),
            Value::Object(members) => {
                for (name, value) in members {
                    match (name.as_str(), value.as_str()) {
                        ("source", Some("TRANSACTIONS")) => self.transactions = true,
                        ("source", Some("HOLDINGS")) => self.holdings = true,
                        ("source", Some("ACTIVITIES")) => self.activities = true,
                        ("source", Some("DEALS")) => self.deals = true,
                        ("scope", Some("SUBTREE")) => self.subtree = true,
                        ("holding", _) | ("acceptWithinDays", None) if !value.is_null() => self.holdings = true,
                        ("percentileRank", _) if !value.is_null() => self.cohort = true,
                        _ => {}
                    }
                    self.look_in(value);
                }
            }
            _ => {}
        }
    }
}

/// The needs of a version's three questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VersionNeeds {
    /// Judging tiers.
    pub levelling: Needs,
    /// Resolving entitlements.
    pub grants: Needs,
    /// Computing rebates.
    pub rebates: Needs,
}

/// The needs of a version, found once.
pub(super) fn needs_of(app: &App, version: &InForce) -> Arc<VersionNeeds> {
    app.needs.find(version.version.id).unwrap_or_else(|| {
        let document = &version.compiled.document;
        let needs = VersionNeeds { levelling: Needs::of_levelling(document), grants: Needs::of_grants(document), rebates: Needs::of_rebates(document) };
        app.needs.keep(version.version.id, needs)
    })
}

/// What was read for a question.
pub(super) struct Known {
    /// The partners that were asked about and lie in scope, with their codes.
    pub(super) ids: BTreeMap<PartnerId, String>,
    /// What engines run on: those partners, and whoever else counts for them.
    pub(super) facts: Facts,
}

/// Reads what `needs` asks for about partners, up to `as_of`.
pub(super) async fn read_facts(tx: &ReadTx, scope: &Scope, in_force: &InForce, needs: Needs, as_of: Date, ids: &[PartnerId]) -> Result<Known, StoreError> {
    let plan = FactsPlan {
        lines: if needs.transactions { vec![Span::ALWAYS] } else { Vec::new() },
        holdings: needs.holdings,
        activities: needs.activities.then_some(Span::ALWAYS),
        deals: needs.deals,
        subtree: needs.subtree,
        ..FactsPlan::state(in_force.program.id, as_of)
    };
    let mut loaded = tx.load_facts(scope, ids, &plan).await?;
    if needs.cohort {
        let all = tx.list_enrolled(&Scope::All, in_force.program.id, as_of, None, COHORT_MAX).await?;
        let cohort = tx.load_facts(&Scope::All, &all, &plan).await?;
        loaded.partners.extend(cohort.partners);
    }
    if needs.parents && !needs.cohort {
        let parents: BTreeSet<String> = loaded.partners.values().filter_map(|partner| partner.profile(as_of)?.parent.clone()).collect();
        let missing: Vec<String> = parents.into_iter().filter(|code| !loaded.partners.contains_key(code)).collect();
        let found = tx.partners_by_code_many(&Scope::All, &missing).await?;
        let above = tx.load_facts(&Scope::All, &found.values().map(|parent| parent.id).collect::<Vec<_>>(), &plan).await?;
        for (code, facts) in above.partners {
            loaded.partners.entry(code).or_insert(facts);
        }
    }
    let exchange_rates = tx.list_exchange_rates(Date::MIN, as_of).await?;
    Ok(Known { ids: loaded.ids, facts: Facts { partners: loaded.partners, exchange_rates, budgets: Vec::new() } })
}

/// The date that is meant and the version in force on it: today in the program's time zone when none is named. None before the
/// first version.
pub(super) async fn dated(app: &App, ctx: &Ctx, tx: &ReadTx, program: Option<&ProgramKey>, as_of: Option<Date>) -> Result<Option<(Date, InForce)>, AppError> {
    if let Some(date) = as_of {
        let mut found = in_force_many(app, tx, program, &BTreeSet::from([date])).await?;
        return Ok(found.remove(&date).map(|in_force| (date, in_force)));
    }
    // The day may already be another one in the program's time zone; the time zone is the latest version's.
    let near = BTreeSet::from([ctx.today.plus_days(-1), ctx.today, ctx.today.next()]);
    let mut found = in_force_many(app, tx, program, &near).await?;
    let Some(latest) = found.values().next_back() else { return Ok(None) };
    let today = today_in(ctx, &latest.compiled);
    Ok(found.remove(&today).map(|in_force| (today, in_force)))
}

/// The program of a question whose answer needs no version.
pub(super) async fn program_of(tx: &ReadTx, program: Option<&ProgramKey>) -> Result<guerdon_store::ProgramId, AppError> {
    Ok(program_in(tx, program).await?.id)
}

/// Runs what computes and waits for nothing aside, so that it does not hold up other requests.
pub(super) async fn compute<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, AppError> {
    tokio::task::spawn_blocking(work).await.map_err(AppError::internal)
}
