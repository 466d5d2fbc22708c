//! Facts as mutations take them: sale lines, holdings, activities, deals, exchange rates.

use async_graphql::{Enum, InputObject};
use guerdon_domain::date::Date;
use guerdon_domain::exact::Exact;
use guerdon_domain::facts as domain;
use guerdon_domain::fault::{Fault, Faults};
use guerdon_domain::money::{Money, Quantity};

use super::attributes::{AttributeInput, read_attributes};
use crate::app::facts::Recorded;
use crate::graphql::scalars::{CurrencyCode, Decimal, GqlDate, MoneyInput};

/// What a sale line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "guerdon_domain::facts::TransactionKind")]
pub enum TransactionKind {
    /// Counts as it is signed.
    Sale,
    /// Counts negative, however it is signed.
    Return,
    /// A correction; counts as it is signed.
    Adjustment,
}

/// Whose holding it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "guerdon_domain::facts::HolderKind")]
pub enum HolderKind {
    /// The partner itself.
    Partner,
    /// One of its people.
    Person,
    /// One of its customers.
    Customer,
    /// One of its own offerings: an app, a site.
    Offering,
}

/// How a deal ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "guerdon_domain::facts::DealOutcome")]
pub enum DealOutcome {
    /// Not closed yet.
    Open,
    /// Closed and won.
    Won,
    /// Closed and lost.
    Lost,
}

/// A sale line.
#[derive(Debug, Clone, InputObject)]
pub struct TransactionInput {
    /// The id of the line in its source.
    pub external_id: String,
    /// The partner's code.
    pub partner: String,
    /// When it happened.
    pub date: GqlDate,
    /// Sale, return or adjustment.
    #[graphql(default_with = "TransactionKind::Sale")]
    pub kind: TransactionKind,
    /// The vendor's product code.
    pub product: Option<String>,
    /// The product's category; the one on record for that date when empty.
    pub category: Option<String>,
    /// The quantity, at most 6 decimals. Default 1.
    pub quantity: Option<Decimal>,
    /// The amount.
    pub amount: MoneyInput,
    /// The end customer's code.
    pub customer: Option<String>,
    /// The external id of the deal behind it.
    pub deal: Option<String>,
    /// The external id of the line (of the same source) that it corrects or returns.
    pub corrects: Option<String>,
    /// Its region; the partner's on that date when empty.
    pub region: Option<String>,
    /// Everything else.
    #[graphql(default)]
    pub attributes: Vec<AttributeInput>,
}

/// A certification, a live subscription, an attestation, a membership.
#[derive(Debug, Clone, InputObject)]
pub struct HoldingInput {
    /// The id of the holding in its source.
    pub external_id: String,
    /// The partner's code.
    pub partner: String,
    /// CERTIFICATION, SUBSCRIPTION, ATTESTATION, MEMBERSHIP, or the vendor's own.
    pub kind: String,
    /// Which one: the certificate's or document's type.
    #[graphql(name = "type")]
    pub type_key: Option<String>,
    /// Its level.
    pub level: Option<String>,
    /// Whose it is.
    #[graphql(default_with = "HolderKind::Partner")]
    pub holder_kind: HolderKind,
    /// The person's, customer's or offering's code.
    pub holder: Option<String>,
    /// The product that it is about.
    pub product: Option<String>,
    /// The product's category.
    pub category: Option<String>,
    /// The first day on which it counts.
    pub since: GqlDate,
    /// The first day on which it no longer counts; for ever when empty.
    pub until: Option<GqlDate>,
    /// The day on which it was revoked.
    pub revoked_on: Option<GqlDate>,
    /// Its value.
    pub value: Option<Decimal>,
    /// The currency of its value, if it is money.
    pub currency: Option<CurrencyCode>,
    /// Its region; the partner's on that date when empty.
    pub region: Option<String>,
    /// Everything else.
    #[graphql(default)]
    pub attributes: Vec<AttributeInput>,
}

/// A dated measurement.
#[derive(Debug, Clone, InputObject)]
pub struct ActivityInput {
    /// The id of the activity in its source.
    pub external_id: String,
    /// The partner's code.
    pub partner: String,
    /// When it happened.
    pub date: GqlDate,
    /// What was measured.
    pub kind: String,
    /// The measured value. Default 1.
    pub value: Option<Decimal>,
    /// The currency of its value, if it is money.
    pub currency: Option<CurrencyCode>,
    /// The person, customer, product or account that it is about.
    pub subject: Option<String>,
    /// From this day on it no longer counts.
    pub expires_on: Option<GqlDate>,
    /// Its region; the partner's on that date when empty.
    pub region: Option<String>,
    /// Everything else.
    #[graphql(default)]
    pub attributes: Vec<AttributeInput>,
}

/// A registered opportunity.
#[derive(Debug, Clone, InputObject)]
pub struct DealInput {
    /// The id of the deal in its source; sale lines name it.
    pub external_id: String,
    /// The partner's code.
    pub partner: String,
    /// When it was registered.
    pub opened_on: GqlDate,
    /// The vendor's stage.
    pub stage: Option<String>,
    /// Open, won or lost.
    #[graphql(default_with = "DealOutcome::Open")]
    pub outcome: DealOutcome,
    /// When it was closed.
    pub closed_on: Option<GqlDate>,
    /// What it is worth.
    pub value: Option<MoneyInput>,
    /// The end customer's code.
    pub customer: Option<String>,
    /// Its kind.
    pub kind: Option<String>,
    /// Its region; the partner's on that date when empty.
    pub region: Option<String>,
    /// Everything else.
    #[graphql(default)]
    pub attributes: Vec<AttributeInput>,
}

/// An exchange rate: one unit of `from` is `rate` units of `to`.
#[derive(Debug, Clone, InputObject)]
pub struct ExchangeRateInput {
    /// The type of rate.
    #[graphql(default = "SPOT")]
    pub rate_type: String,
    /// Converted from.
    pub from: CurrencyCode,
    /// Converted to. Only this direction is used.
    pub to: CurrencyCode,
    /// The first day on which it holds.
    pub date: GqlDate,
    /// Units of `to` for one of `from`.
    pub rate: Decimal,
}

/// Reads one member, keeping its fault with its path.
fn decimal(faults: &mut Faults, path: &str, value: Option<&Decimal>) -> Option<Exact> {
    value.and_then(|value| faults.keep(path, value.exact()))
}

fn quantity(faults: &mut Faults, path: &str, value: Option<&Decimal>) -> Quantity {
    let one = Quantity(1_000_000);
    value.map_or(one, |value| faults.keep(path, Quantity::parse(value.text())).unwrap_or(one))
}

fn money(faults: &mut Faults, path: &str, value: &MoneyInput) -> Money {
    faults.keep(path, value.money()).unwrap_or_else(|| Money::zero(value.currency.0))
}

/// An input that becomes a fact of a partner.
pub trait FactInput {
    /// The fact that it becomes.
    type Fact;

    /// The partner's code, and the fact of this source, as known from `recorded_on` on; faults carry their path below `path`.
    fn read(self, faults: &mut Faults, path: &str, source: &str, recorded_on: Date) -> (String, Self::Fact);
}

/// Reads a list of facts; the place in the list is the line of the record.
pub fn read_facts<I: FactInput>(inputs: Vec<I>, list: &str, source: &str, recorded_on: Date) -> Result<Vec<Recorded<I::Fact>>, Faults> {
    let mut faults = Faults::new();
    let mut facts = Vec::with_capacity(inputs.len());
    for (line, input) in (0_u64..).zip(inputs) {
        let (partner, fact) = input.read(&mut faults, &format!("{list}[{line}]"), source, recorded_on);
        facts.push(Recorded { line, partner, fact });
    }
    faults.or(facts)
}

fn id(source: &str, external_id: String) -> domain::FactId {
    domain::FactId { source: source.to_owned(), external_id }
}

impl FactInput for TransactionInput {
    type Fact = domain::Transaction;

    fn read(self, faults: &mut Faults, path: &str, source: &str, recorded_on: Date) -> (String, Self::Fact) {
        let at = |member: &str| format!("{path}.{member}");
        let transaction = domain::Transaction {
            id: id(source, self.external_id),
            date: self.date.0,
            recorded_on,
            sealed: 0,
            kind: self.kind.into(),
            product: self.product,
            category: self.category,
            quantity: quantity(faults, &at("quantity"), self.quantity.as_ref()),
            amount: money(faults, &at("amount"), &self.amount),
            customer: self.customer,
            deal: self.deal,
            corrects: self.corrects,
            region: self.region,
            attributes: read_attributes(faults, &at("attributes"), self.attributes),
        };
        (self.partner, transaction)
    }
}

impl FactInput for HoldingInput {
    type Fact = domain::Holding;

    fn read(self, faults: &mut Faults, path: &str, source: &str, recorded_on: Date) -> (String, Self::Fact) {
        let at = |member: &str| format!("{path}.{member}");
        if self.until.is_some_and(|until| until.0 <= self.since.0) {
            faults.add("EMPTY_SPAN", at("until"), "it must end after the day on which it begins");
        }
        if (self.holder_kind == HolderKind::Partner) != self.holder.is_none() {
            faults.add("HOLDER", at("holder"), "name the holder exactly when it is a person, a customer or an offering");
        }
        let holding = domain::Holding {
            id: id(source, self.external_id),
            recorded_on,
            kind: self.kind,
            type_key: self.type_key,
            level: self.level,
            holder_kind: self.holder_kind.into(),
            holder: self.holder,
            product: self.product,
            category: self.category,
            since: self.since.0,
            until: self.until.map(Into::into),
            revoked_on: self.revoked_on.map(Into::into),
            value: decimal(faults, &at("value"), self.value.as_ref()),
            currency: self.currency.map(|currency| currency.0),
            region: self.region,
            attributes: read_attributes(faults, &at("attributes"), self.attributes),
        };
        (self.partner, holding)
    }
}

impl FactInput for ActivityInput {
    type Fact = domain::Activity;

    fn read(self, faults: &mut Faults, path: &str, source: &str, recorded_on: Date) -> (String, Self::Fact) {
        let at = |member: &str| format!("{path}.{member}");
        let activity = domain::Activity {
            id: id(source, self.external_id),
            date: self.date.0,
            recorded_on,
            kind: self.kind,
            value: decimal(faults, &at("value"), self.value.as_ref()).unwrap_or(Exact::ONE),
            currency: self.currency.map(|currency| currency.0),
            subject: self.subject,
            expires_on: self.expires_on.map(Into::into),
            region: self.region,
            attributes: read_attributes(faults, &at("attributes"), self.attributes),
        };
        (self.partner, activity)
    }
}

impl FactInput for DealInput {
    type Fact = domain::Deal;

    fn read(self, faults: &mut Faults, path: &str, source: &str, recorded_on: Date) -> (String, Self::Fact) {
        let at = |member: &str| format!("{path}.{member}");
        if (self.outcome == DealOutcome::Open) != self.closed_on.is_none() {
            faults.add("CLOSED_ON", at("closedOn"), "give the day on which it was closed exactly when it is won or lost");
        }
        let deal = domain::Deal {
            id: id(source, self.external_id),
            opened_on: self.opened_on.0,
            recorded_on,
            stage: self.stage,
            outcome: self.outcome.into(),
            closed_on: self.closed_on.map(Into::into),
            value: self.value.as_ref().map(|value| money(faults, &at("value"), value)),
            customer: self.customer,
            kind: self.kind,
            region: self.region,
            attributes: read_attributes(faults, &at("attributes"), self.attributes),
        };
        (self.partner, deal)
    }
}

impl ExchangeRateInput {
    /// The rate, as known from `recorded_on` on.
    pub fn read(self, faults: &mut Faults, path: &str, recorded_on: Date) -> Option<domain::ExchangeRate> {
        let at = |member: &str| format!("{path}.{member}");
        if self.from == self.to {
            faults.add("SAME_CURRENCY", at("to"), "a rate converts into another currency");
        }
        let rate = faults.keep(&at("rate"), self.rate.exact())?;
        if !rate.is_positive() {
            faults.0.push(Fault::new("OUT_OF_RANGE", at("rate"), "a rate is above zero"));
        }
        Some(domain::ExchangeRate { rate_type: self.rate_type, from: self.from.0, to: self.to.0, date: self.date.0, rate, recorded_on, sealed: 0 })
    }
}
