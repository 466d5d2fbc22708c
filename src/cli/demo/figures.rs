//! What the demo prints: partners by tier and region, rebates by quarter.

use std::collections::BTreeMap;

use comfy_table::{CellAlignment, Table};
use guerdon_domain::money::{Currency, Money};
use guerdon_domain::page::PageRequest;
use serde::Serialize;

use super::settle::posted;
use super::steps::program_key;
use crate::app::levelling::histories_many;
use crate::app::partners::{PartnerFilter, PartnerId, PartnerOrder, StoredPartner, list_partners};
use crate::app::programs::get_in_force;
use crate::app::rebates::results_many;
use crate::app::{App, Ctx};
use crate::error::AppError;

/// Partners of one page.
const PAGE: u32 = 500;

/// What is in the database.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Partners.
    pub partners: u64,
    /// Sale lines, returns included.
    pub transactions: i64,
    /// Certificates.
    pub holdings: i64,
    /// Answers and trainings.
    pub activities: i64,
    /// Registered opportunities.
    pub deals: i64,
    /// Partners by tier on the demo's day.
    pub tiers: BTreeMap<String, u64>,
    /// Rebates of all quarters, in US dollars.
    pub rebates: String,
    /// What of them is posted.
    pub posted: String,
}

/// The tables that the demo prints.
pub struct Figures {
    /// In numbers.
    pub counts: Counts,
    tiers: Vec<String>,
    by_region: BTreeMap<String, BTreeMap<String, u64>>,
    by_quarter: Vec<(String, BTreeMap<String, i64>)>,
    posted: BTreeMap<String, i64>,
}

/// Every partner, by pages.
pub async fn all_partners(app: &App, ctx: &Ctx) -> Result<Vec<StoredPartner>, AppError> {
    let (mut all, mut request) = (Vec::new(), PageRequest::first(PAGE));
    loop {
        let page = list_partners(app, ctx, &PartnerFilter::default(), (PartnerOrder::Code, false), &request).await?;
        request.after = page.rows.last().map(|(key, _)| key.clone());
        all.extend(page.rows.into_iter().map(|(_, partner)| partner));
        if !page.more || request.after.is_none() {
            return Ok(all);
        }
    }
}

/// Asks the use cases that the API asks.
pub async fn figures(app: &App) -> Result<Figures, AppError> {
    let ctx = app.system("demo");
    let partners = all_partners(app, &ctx).await?;
    let ids: Vec<PartnerId> = partners.iter().map(|partner| partner.id).collect();
    let in_force = get_in_force(app, &ctx, Some(&program_key()), ctx.today).await?;
    let held = histories_many(app, &ctx, Some(&program_key()), &ids).await?;
    let tiers = in_force.compiled.ladder(None).map(|ladder| ladder.tiers.iter().map(|tier| tier.key.clone()).collect()).unwrap_or_default();
    let mut figures =
        Figures { counts: counts(app, partners.len()).await?, tiers, by_region: BTreeMap::new(), by_quarter: Vec::new(), posted: posted(app, &ctx).await? };
    for partner in &partners {
        let tier = held.get(&partner.id).and_then(|history| history.held_on(Some(ctx.today), None, None)).and_then(|held| held.tier);
        let tier = tier.unwrap_or_else(|| "NONE".to_owned());
        *figures.counts.tiers.entry(tier.clone()).or_default() += 1;
        *figures.by_region.entry(partner.region.clone().unwrap_or_default()).or_default().entry(tier).or_default() += 1;
    }
    figures.by_quarter = earned(app, &ctx, &ids).await?;
    let all: i64 = figures.by_quarter.iter().flat_map(|(_, earned)| earned.values()).sum();
    figures.counts.rebates = Money::new(all, Currency::USD).amount();
    figures.counts.posted = Money::new(figures.posted.values().sum(), Currency::USD).amount();
    Ok(figures)
}

async fn counts(app: &App, partners: usize) -> Result<Counts, AppError> {
    let facts = app.store.read(async |tx| tx.count_facts().await).await.map_err(|error: guerdon_store::StoreError| AppError::from(error))?;
    let of = |table: &str| facts.get(table).copied().unwrap_or_default();
    Ok(Counts {
        partners: partners as u64,
        transactions: of("transactions"),
        holdings: of("holding"),
        activities: of("activity"),
        deals: of("deal"),
        ..Counts::default()
    })
}

/// Cents by quarter and schedule.
async fn earned(app: &App, ctx: &Ctx, ids: &[PartnerId]) -> Result<Vec<(String, BTreeMap<String, i64>)>, AppError> {
    let quarters: Vec<String> = (2018..=2020).flat_map(|year| (1..=4).map(move |quarter| format!("FY{year}-Q{quarter}"))).collect();
    let mut by_quarter: Vec<(String, BTreeMap<String, i64>)> = quarters.iter().map(|name| (name.clone(), BTreeMap::new())).collect();
    for result in results_many(app, ctx, &program_key(), &quarters, ids).await? {
        let Some((_, earned)) = by_quarter.iter_mut().find(|(name, _)| *name == result.period) else { continue };
        for owed in result.entitlements {
            *earned.entry(owed.schedule).or_default() += owed.amount.minor;
        }
    }
    Ok(by_quarter)
}

fn right_aligned(mut table: Table) -> String {
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
}

impl Figures {
    /// Partners by region and tier.
    pub fn tier_table(&self) -> String {
        let mut table = Table::new();
        table.set_header(std::iter::once("Region".to_owned()).chain(self.tiers.iter().cloned()));
        for (region, held) in &self.by_region {
            let cells = self.tiers.iter().map(|tier| held.get(tier).copied().unwrap_or_default().to_string());
            table.add_row(std::iter::once(region.clone()).chain(cells));
        }
        let all = self.tiers.iter().map(|tier| self.counts.tiers.get(tier).copied().unwrap_or_default().to_string());
        table.add_row(std::iter::once("all".to_owned()).chain(all));
        right_aligned(table)
    }

    /// Rebates by quarter and schedule.
    pub fn rebate_table(&self) -> String {
        let mut schedules: Vec<&String> = self.by_quarter.iter().flat_map(|(_, earned)| earned.keys()).collect();
        schedules.sort();
        schedules.dedup();
        let mut table = Table::new();
        let money = |cents: i64| Money::new(cents, Currency::USD).amount();
        table
            .set_header(std::iter::once("Quarter".to_owned()).chain(schedules.iter().map(|key| (*key).clone())).chain(["all".to_owned(), "posted".to_owned()]));
        for (quarter, earned) in &self.by_quarter {
            let cells = schedules.iter().map(|key| money(earned.get(*key).copied().unwrap_or_default()));
            let posted = self.posted.get(quarter).map(|cents| money(*cents)).unwrap_or_default();
            table.add_row(std::iter::once(quarter.clone()).chain(cells).chain([money(earned.values().sum()), posted]));
        }
        right_aligned(table)
    }
}
