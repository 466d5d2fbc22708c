//! Hypotheses as queries take them: other rules, other facts.

use std::collections::BTreeMap;

use async_graphql::{Enum, ID, InputObject, OneofObject};
use guerdon_domain::date::Date;
use guerdon_domain::document::patch::RuleChange;
use guerdon_domain::document::read::read_json;
use guerdon_domain::facts as domain;
use guerdon_domain::fault::Faults;
use guerdon_domain::money::Quantity;
use guerdon_domain::simulation::facts::HYPOTHETICAL_SOURCE;
use serde_json::Value;

use super::attributes::{AttributeInput, read_attributes};
use super::facts::HolderKind;
use crate::app::programs::ProgramKey;
use crate::app::simulation::{Named, NamedKey, PartnerHypothesis, Simulate, SimulatedRules, Slice, SupposedAdmission};
use crate::graphql::error::{Answer, GqlFault};
use crate::graphql::node::{NodeKind, decode_as};
use crate::graphql::scalars::{CurrencyCode, Decimal, GqlDate, MoneyInput};
use crate::graphql::types::partner::PartnerStatus;

/// Facts of one input of `times` at most.
const TIMES_MAX: i32 = 100;

/// How both worlds are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Enum)]
#[graphql(remote = "guerdon_domain::simulation::Judging")]
pub enum Judging {
    /// As a review on the date, due in both directions. Grace, protection and steps hold.
    Review,
    /// As a review on the date, if the policy's calendar has one on it.
    ReviewByCalendar,
    /// By the rules alone, without any policy of reviews: where a change leads in the end.
    RulesAlone,
}

/// Which tiers count for rebates after the change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "guerdon_domain::simulation::RebateTiers")]
pub enum RebateTiers {
    /// Those on record; of partners that move, the new tier throughout the period.
    AsMoved,
    /// Those on record.
    OnRecord,
}

/// The rules of a simulation: exactly one of its members.
#[derive(Debug, Clone, OneofObject)]
pub enum SimulatedRulesInput {
    /// A version, also a draft, by its id.
    Version(ID),
    /// A document, in YAML or JSON.
    Document(String),
    /// The version in force, with these changes; at most 200.
    Changes(Vec<RuleChangeInput>),
}

/// A change of the rules.
#[derive(Debug, Clone, InputObject)]
pub struct RuleChangeInput {
    /// Where: `ladders[MAIN].tiers[GOLD].requirement.metric.atLeast`, as `guerdon program diff` names it. Things of a list are called by their key, or by
    /// their place from 0; a name that is not in the list yet is put at its end.
    pub path: String,
    /// What is there from now on: JSON text in the shape of the document; other text is taken as a text (`5 %`). Empty: nothing.
    pub value: Option<String>,
}

/// Which partners, as they are on the date. All members that are given must hold.
#[derive(Debug, Clone, Default, InputObject)]
pub struct SimulationSliceInput {
    /// In any of these regions, or under one; at most 50.
    pub regions: Option<Vec<String>>,
    /// Of any of these types; at most 50.
    pub types: Option<Vec<String>>,
    /// Holding, on record, any of these tiers of the main ladder; at most 50.
    pub tiers: Option<Vec<String>>,
    /// Any of these, by code; at most 1,000.
    pub partners: Option<Vec<String>>,
}

/// A hypothesis, and what is asked about it.
#[derive(Debug, Clone, InputObject)]
pub struct SimulationInput {
    /// The program's code; may be left out while there is only one.
    pub program: Option<String>,
    /// The date; today in the program's time zone when empty.
    pub as_of: Option<GqlDate>,
    /// Other rules; those in force when empty.
    pub rules: Option<SimulatedRulesInput>,
    /// Other facts of partners; at most 100 partners.
    #[graphql(default)]
    pub facts: Vec<PartnerHypothesisInput>,
    /// Whom it is about; everybody that you may ask about when empty.
    #[graphql(default)]
    pub slice: SimulationSliceInput,
    /// How both worlds are judged.
    #[graphql(default_with = "Judging::Review")]
    pub judging: Judging,
    /// Partners are near a threshold whose gap or margin is at most this fraction of what is required, from 0 to 1. Default 0.1.
    pub near: Option<Decimal>,
    /// Whether benefits are compared.
    #[graphql(default = true)]
    pub benefits: bool,
    /// Periods whose rebates are compared, such as `2020-Q2`; at most 12.
    #[graphql(default)]
    pub rebate_periods: Vec<String>,
    /// Which tiers count for rebates after the change.
    #[graphql(default_with = "RebateTiers::AsMoved")]
    pub rebate_tiers: RebateTiers,
}

/// What a partner might have done, or be.
#[derive(Debug, Clone, InputObject)]
pub struct PartnerHypothesisInput {
    /// The partner's code.
    pub partner: String,
    /// What is different about it.
    pub facts: HypotheticalFactsInput,
}

/// Facts that might be others.
#[derive(Debug, Clone, Default, InputObject)]
pub struct HypotheticalFactsInput {
    /// Certificates, subscriptions, documents besides; at most 1,000 facts in all.
    #[graphql(default)]
    pub holdings: Vec<HypotheticalHoldingInput>,
    /// Sale lines besides.
    #[graphql(default)]
    pub transactions: Vec<HypotheticalTransactionInput>,
    /// Activities besides.
    #[graphql(default)]
    pub activities: Vec<HypotheticalActivityInput>,
    /// Tiers that it is let into, from the date on: as if its application were accepted, its approval given.
    #[graphql(default)]
    pub admissions: Vec<HypotheticalAdmissionInput>,
    /// Facts that are not there.
    #[graphql(default)]
    pub without: Vec<FactReferenceInput>,
    /// Attributes from the date on.
    #[graphql(default)]
    pub attributes: Vec<AttributeInput>,
    /// The names of attributes that it has not, from the date on.
    #[graphql(default)]
    pub without_attributes: Vec<String>,
    /// The region from the date on.
    pub region: Option<String>,
    /// The type from the date on.
    #[graphql(name = "type")]
    pub partner_type: Option<String>,
    /// The status from the date on.
    pub status: Option<PartnerStatus>,
}

/// A holding that might be there.
#[derive(Debug, Clone, InputObject)]
pub struct HypotheticalHoldingInput {
    /// So many of them, 1 to 100.
    #[graphql(default = 1)]
    pub times: i32,
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
    /// The person's, customer's or offering's code; somebody else for each of them when empty.
    pub holder: Option<String>,
    /// The product that it is about.
    pub product: Option<String>,
    /// The product's category; the one on record for that date when empty.
    pub category: Option<String>,
    /// The first day on which it counts; the date that is asked about when empty.
    pub since: Option<GqlDate>,
    /// The first day on which it no longer counts; for ever when empty.
    pub until: Option<GqlDate>,
    /// Its value.
    pub value: Option<Decimal>,
    /// The currency of its value, if it is money.
    pub currency: Option<CurrencyCode>,
    /// Everything else.
    #[graphql(default)]
    pub attributes: Vec<AttributeInput>,
}

/// A sale line that might be there.
#[derive(Debug, Clone, InputObject)]
pub struct HypotheticalTransactionInput {
    /// So many of them, 1 to 100.
    #[graphql(default = 1)]
    pub times: i32,
    /// When; the date that is asked about when empty.
    pub date: Option<GqlDate>,
    /// The amount.
    pub amount: MoneyInput,
    /// The quantity, at most 6 decimals. Default 1.
    pub quantity: Option<Decimal>,
    /// The vendor's product code.
    pub product: Option<String>,
    /// The product's category; the one on record for that date when empty.
    pub category: Option<String>,
    /// The end customer's code.
    pub customer: Option<String>,
    /// Everything else.
    #[graphql(default)]
    pub attributes: Vec<AttributeInput>,
}

/// An activity that might be there.
#[derive(Debug, Clone, InputObject)]
pub struct HypotheticalActivityInput {
    /// So many of them, 1 to 100.
    #[graphql(default = 1)]
    pub times: i32,
    /// When; the date that is asked about when empty.
    pub date: Option<GqlDate>,
    /// What was measured.
    pub kind: String,
    /// The measured value. Default 1.
    pub value: Option<Decimal>,
    /// The person, customer, product or account that it is about.
    pub subject: Option<String>,
    /// Everything else.
    #[graphql(default)]
    pub attributes: Vec<AttributeInput>,
}

/// A tier that a partner might be let into.
#[derive(Debug, Clone, InputObject)]
pub struct HypotheticalAdmissionInput {
    /// The ladder; the main ladder when empty.
    pub ladder: Option<String>,
    /// The region, where the ladder's scope is the partner in a region.
    pub region: Option<String>,
    /// The tier.
    pub tier: String,
}

/// A fact by its source and its id there.
#[derive(Debug, Clone, InputObject)]
pub struct FactReferenceInput {
    /// The system that it came from.
    pub source: String,
    /// Its id there.
    pub external_id: String,
}

impl SimulationInput {
    /// The simulation that is asked for; facts without a date are of `day`, the one that is asked about.
    pub fn read(self, day: Date) -> Answer<Simulate> {
        let mut faults = Faults::new();
        let as_of = self.as_of.map(|date| date.0);
        let rules = self.rules.map_or(Ok(SimulatedRules::AsTheyAre), rules)?;
        let near = self.near.and_then(|near| faults.keep("near", near.exact()));
        let mut facts = Vec::with_capacity(self.facts.len());
        let (mut admissions, mut named) = (Vec::new(), Vec::new());
        for (at, mut hypothesis) in self.facts.into_iter().enumerate() {
            admissions.extend(hypothesis.facts.take_admissions(&format!("facts[{at}].facts"), &hypothesis.partner));
            named.extend(hypothesis.facts.named(&format!("facts[{at}].facts")));
            facts.push(hypothesis.facts.read(&mut faults, &format!("facts[{at}].facts"), hypothesis.partner, day));
        }
        let slice = slice(&mut faults, self.slice);
        faults.or(()).map_err(invalid)?;
        Ok(Simulate {
            program: self.program.map(ProgramKey::Code),
            as_of,
            facts,
            named,
            admissions,
            slice,
            judging: self.judging.into(),
            near,
            benefits: self.benefits,
            rebate_tiers: self.rebate_tiers.into(),
            periods: self.rebate_periods,
            ..Simulate::of(rules)
        })
    }
}

fn invalid(faults: Faults) -> GqlFault {
    crate::error::AppError::Invalid(faults).into()
}

fn rules(input: SimulatedRulesInput) -> Answer<SimulatedRules> {
    Ok(match input {
        SimulatedRulesInput::Version(id) => SimulatedRules::Version(decode_as(NodeKind::ProgramVersion, &id).unwrap_or_default()),
        SimulatedRulesInput::Document(text) => SimulatedRules::Document(text),
        SimulatedRulesInput::Changes(changes) => SimulatedRules::Changed(changes.into_iter().map(RuleChangeInput::read).collect()),
    })
}

impl RuleChangeInput {
    fn read(self) -> RuleChange {
        // What is no JSON is a text without its quotes.
        let value = self.value.map(|text| read_json(&text).unwrap_or(Value::String(text)));
        RuleChange { path: self.path, value: value.filter(|value| !value.is_null()) }
    }
}

fn slice(faults: &mut Faults, input: SimulationSliceInput) -> Slice {
    let mut taken = |member: &str, keys: Option<Vec<String>>, most: usize| {
        let keys = keys.unwrap_or_default();
        if keys.len() > most {
            faults.add("TOO_MANY", format!("slice.{member}"), format!("at most {most} are taken"));
        }
        keys
    };
    Slice {
        regions: taken("regions", input.regions, 50),
        types: taken("types", input.types, 50),
        tiers: taken("tiers", input.tiers, 50),
        partners: taken("partners", input.partners, 1_000),
    }
}

/// Ids of hypothetical facts, and how many of each.
struct Numbered<'f> {
    faults: &'f mut Faults,
    path: String,
    number: usize,
}

impl Numbered<'_> {
    fn times(&mut self, list: &str, at: usize, times: i32) -> std::ops::Range<i32> {
        if (1..=TIMES_MAX).contains(&times) {
            return 0..times;
        }
        self.faults.add("OUT_OF_RANGE", format!("{}.{list}[{at}].times", self.path), format!("write 1 to {TIMES_MAX}"));
        0..0
    }

    fn id(&mut self) -> domain::FactId {
        self.number += 1;
        domain::FactId { source: HYPOTHETICAL_SOURCE.to_owned(), external_id: format!("hypothetical-{}", self.number) }
    }
}

impl HypotheticalFactsInput {
    /// The tiers that the partner is let into, taken out; what is wrong with them is only known with the rules.
    pub fn take_admissions(&mut self, path: &str, partner: &str) -> Vec<SupposedAdmission> {
        let supposed = |(at, input): (usize, HypotheticalAdmissionInput)| SupposedAdmission {
            path: format!("{path}.admissions[{at}]"),
            partner: partner.to_owned(),
            ladder: input.ladder,
            region: input.region,
            tier: input.tier,
        };
        std::mem::take(&mut self.admissions).into_iter().enumerate().map(supposed).collect()
    }

    /// What the facts name; whether there is such a thing is only known with the rules and the products.
    pub fn named(&self, path: &str) -> Vec<Named> {
        let at_path = |member: String, key: NamedKey| Named { path: format!("{path}.{member}"), key };
        let region = self.region.iter().map(|region| at_path("region".to_owned(), NamedKey::Region(region.clone())));
        let of_type = self.partner_type.iter().map(|key| at_path("type".to_owned(), NamedKey::PartnerType(key.clone())));
        let held = self.holdings.iter().enumerate().map(|(at, held)| (format!("holdings[{at}]"), &held.product, &held.category));
        let sold = self.transactions.iter().enumerate().map(|(at, line)| (format!("transactions[{at}]"), &line.product, &line.category));
        let of_fact = |(fact, product, category): (String, &Option<String>, &Option<String>)| {
            let product = product.clone().map(|code| at_path(format!("{fact}.product"), NamedKey::Product(code)));
            let category = category.clone().map(|key| at_path(format!("{fact}.category"), NamedKey::Category(key)));
            product.into_iter().chain(category)
        };
        region.chain(of_type).chain(held.chain(sold).flat_map(of_fact)).collect()
    }

    /// The hypothesis about a partner.
    pub fn read(self, faults: &mut Faults, path: &str, partner: String, day: Date) -> PartnerHypothesis {
        let mut attributes: BTreeMap<String, Option<domain::AttributeValue>> = self.without_attributes.into_iter().map(|name| (name, None)).collect();
        let set = read_attributes(faults, &format!("{path}.attributes"), self.attributes);
        attributes.extend(set.into_iter().map(|(name, value)| (name, Some(value))));
        let mut numbered = Numbered { faults, path: path.to_owned(), number: 0 };
        let holdings = self.holdings.into_iter().enumerate().flat_map(|(at, input)| input.read(&mut numbered, at, day)).collect();
        let transactions = self.transactions.into_iter().enumerate().flat_map(|(at, input)| input.read(&mut numbered, at, day)).collect();
        let activities = self.activities.into_iter().enumerate().flat_map(|(at, input)| input.read(&mut numbered, at, day)).collect();
        PartnerHypothesis {
            partner,
            holdings,
            transactions,
            activities,
            deals: Vec::new(),
            admissions: Vec::new(),
            without: self.without.into_iter().map(|fact| domain::FactId { source: fact.source, external_id: fact.external_id }).collect(),
            attributes,
            region: self.region,
            partner_type: self.partner_type,
            status: self.status.map(Into::into),
        }
    }
}

impl HypotheticalHoldingInput {
    fn read(self, numbered: &mut Numbered<'_>, at: usize, day: Date) -> Vec<domain::Holding> {
        let path = format!("{}.holdings[{at}]", numbered.path);
        let attributes = read_attributes(numbered.faults, &format!("{path}.attributes"), self.attributes);
        let value = self.value.as_ref().and_then(|value| numbered.faults.keep(&format!("{path}.value"), value.exact()));
        let since = self.since.map_or(day, |since| since.0);
        if self.until.is_some_and(|until| until.0 <= since) {
            numbered.faults.add("EMPTY_SPAN", format!("{path}.until"), "it must end after the day on which it begins");
        }
        let of_partner = self.holder_kind == HolderKind::Partner;
        if of_partner && self.holder.is_some() {
            numbered.faults.add("HOLDER", format!("{path}.holder"), "name the holder only when it is a person, a customer or an offering");
        }
        let one = |id: domain::FactId| domain::Holding {
            recorded_on: since,
            kind: self.kind.clone(),
            type_key: self.type_key.clone(),
            level: self.level.clone(),
            holder_kind: self.holder_kind.into(),
            holder: if of_partner { None } else { Some(self.holder.clone().unwrap_or_else(|| id.external_id.clone())) },
            id,
            product: self.product.clone(),
            category: self.category.clone(),
            since,
            until: self.until.map(Into::into),
            revoked_on: None,
            value,
            currency: self.currency.map(|currency| currency.0),
            region: None,
            attributes: attributes.clone(),
        };
        numbered.times("holdings", at, self.times).map(|_| one.clone()(numbered.id())).collect()
    }
}

impl HypotheticalTransactionInput {
    fn read(self, numbered: &mut Numbered<'_>, at: usize, day: Date) -> Vec<domain::Transaction> {
        let path = format!("{}.transactions[{at}]", numbered.path);
        let attributes = read_attributes(numbered.faults, &format!("{path}.attributes"), self.attributes);
        let amount = numbered.faults.keep(&format!("{path}.amount"), self.amount.money());
        let quantity = self.quantity.as_ref().map_or(Ok(Quantity(1_000_000)), |quantity| Quantity::parse(quantity.text()));
        let quantity = numbered.faults.keep(&format!("{path}.quantity"), quantity);
        let (Some(amount), Some(quantity)) = (amount, quantity) else { return Vec::new() };
        let date = self.date.map_or(day, |date| date.0);
        let one = |id: domain::FactId| domain::Transaction {
            id,
            date,
            recorded_on: date,
            sealed: 0,
            kind: domain::TransactionKind::Sale,
            product: self.product.clone(),
            category: self.category.clone(),
            quantity,
            amount,
            customer: self.customer.clone(),
            deal: None,
            corrects: None,
            region: None,
            attributes: attributes.clone(),
        };
        numbered.times("transactions", at, self.times).map(|_| one(numbered.id())).collect()
    }
}

impl HypotheticalActivityInput {
    fn read(self, numbered: &mut Numbered<'_>, at: usize, day: Date) -> Vec<domain::Activity> {
        let path = format!("{}.activities[{at}]", numbered.path);
        let attributes = read_attributes(numbered.faults, &format!("{path}.attributes"), self.attributes);
        let value = self.value.as_ref().and_then(|value| numbered.faults.keep(&format!("{path}.value"), value.exact()));
        let date = self.date.map_or(day, |date| date.0);
        let one = |id: domain::FactId| domain::Activity {
            id,
            date,
            recorded_on: date,
            kind: self.kind.clone(),
            value: value.unwrap_or(guerdon_domain::exact::Exact::ONE),
            currency: None,
            subject: self.subject.clone(),
            expires_on: None,
            region: None,
            attributes: attributes.clone(),
        };
        numbered.times("activities", at, self.times).map(|_| one.clone()(numbered.id())).collect()
    }
}
