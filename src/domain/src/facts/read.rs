//! From the JSON shape of facts to the facts that engines read: everything is checked, and what was left out is filled in.
//!
//! Single facts are read by [`Filling::transaction`] and its siblings, whole inputs by [`read`]. All faults are reported at once,
//! each with its path.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::input::{
    AdmissionInput, AssignmentInput, BudgetInput, ContractInput, EnrollmentInput, ExceptionInput, FactsInput, OverrideInput, PartnerInput, ProductInput,
    ProfileInput,
};
use super::{
    Attributes, BudgetFact, Contract, Enrollment, EntitlementException, FactId, Facts, PartnerFacts, PartnerProfile, TierAdmission, TierAssignment,
    TierOverride,
};
use crate::date::{Date, Span};
use crate::document::scoped::Scalar;
use crate::fault::{Fault, Faults, join};
use crate::money::{Currency, Money};
use crate::program::Program;

pub use super::read_fact::Filling;

/// Which category a product belongs to, by date (semantics 4).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProductCategories(BTreeMap<String, Vec<(Date, String)>>);

impl ProductCategories {
    /// From the input. Two categories of one product from one date are a fault.
    pub fn new(products: &[ProductInput]) -> Result<Self, Faults> {
        let mut faults = Faults::new();
        let mut categories: BTreeMap<String, Vec<(Date, String)>> = BTreeMap::new();
        for (at, product) in products.iter().enumerate() {
            let dated = categories.entry(product.code.clone()).or_default();
            let from = product.from.unwrap_or(Date::MIN);
            if dated.iter().any(|(since, category)| *since == from && *category != product.category) {
                faults.add("CONFLICT", format!("products[{at}]"), format!("product {} has another category from the same day: keep one", product.code));
            }
            dated.push((from, product.category.clone()));
        }
        categories.values_mut().for_each(|dated| dated.sort());
        faults.or(Self(categories))
    }

    /// The category of a product on a date.
    pub fn on(&self, product: &str, date: Date) -> Option<&str> {
        let dated = self.0.get(product)?;
        let after = dated.partition_point(|(from, _)| *from <= date);
        dated.get(after.checked_sub(1)?).map(|(_, category)| category.as_str())
    }
}

/// Reads a whole input for one program. What has no source comes from `evaluate`.
pub fn read(input: &FactsInput, program: &Program) -> Result<Facts, Faults> {
    let mut faults = Faults::new();
    let categories = ProductCategories::new(&input.products).unwrap_or_else(|found| {
        faults.0.extend(found.0);
        ProductCategories::default()
    });
    let filling = Filling { currency: Some(program.currency()), source: "evaluate", categories: &categories, recorded_on: None };
    let main_ladder = program.ladder(None).map(|ladder| ladder.key.as_str());
    let mut facts = Facts::default();
    for (at, partner) in input.partners.iter().enumerate() {
        let path = format!("partners[{at}]");
        let read = Reader { filling: &filling, main_ladder, path: &path, faults: &mut faults }.partner(partner);
        match facts.partners.entry(partner.code.clone()) {
            Entry::Vacant(free) => {
                free.insert(read);
            }
            Entry::Occupied(_) => faults.add("DUPLICATE_KEY", join(&path, "code"), format!("partner {} is given twice: put all it did into one", partner.code)),
        }
    }
    for (at, rate) in input.exchange_rates.iter().enumerate() {
        facts.exchange_rates.extend(collect(&mut faults, &format!("exchangeRates[{at}]"), filling.exchange_rate(rate)));
    }
    facts.exchange_rates.sort_by_key(|rate| rate.date);
    for (at, budget) in input.budgets.iter().enumerate() {
        facts.budgets.extend(collect(&mut faults, &format!("budgets[{at}]"), read_budget(budget, program.currency())));
    }
    faults.or(facts)
}

fn collect<T>(faults: &mut Faults, path: &str, read: Result<T, Faults>) -> Option<T> {
    read.map_err(|found| faults.0.extend(found.0.into_iter().map(|fault| fault.within(path)))).ok()
}

fn read_budget(input: &BudgetInput, currency: Currency) -> Result<BudgetFact, Faults> {
    let mut faults = Faults::new();
    let amount = faults.keep("amount", Money::parse(&input.amount.0, input.currency.unwrap_or(currency)));
    let span = faults.keep("until", read_span(input.from, Some(input.until)));
    match (amount, span) {
        (Some(amount), Some(span)) => Ok(BudgetFact { key: input.key.clone(), amount, span }),
        _ => Err(faults),
    }
}

/// A span whose end may be open; one that ends before it starts is a fault.
pub(super) fn read_span(from: Date, until: Option<Date>) -> Result<Span, Fault> {
    let until = until.unwrap_or(Date::MAX);
    if until < from {
        return Err(Fault::new("DATES_OUT_OF_ORDER", "", format!("{until} lies before {from}")));
    }
    Ok(Span::new(from, until))
}

/// Attributes as engines compare them.
pub fn read_attributes(attributes: &BTreeMap<String, Scalar>) -> Attributes {
    use super::AttributeValue;
    let value = |scalar: &Scalar| match scalar {
        Scalar::Text(text) => AttributeValue::Text(text.clone()),
        Scalar::Number(number) => AttributeValue::Number(number.0),
        Scalar::Boolean(flag) => AttributeValue::Boolean(*flag),
    };
    attributes.iter().map(|(name, scalar)| (name.clone(), value(scalar))).collect()
}

/// A partner's profile from a date on.
pub fn read_profile(code: &str, input: &ProfileInput) -> PartnerProfile {
    PartnerProfile {
        from: input.from.unwrap_or(Date::MIN),
        name: input.name.clone().unwrap_or_else(|| code.to_owned()),
        partner_type: input.r#type.clone(),
        region: input.region.clone(),
        parent: input.parent.clone(),
        currency: input.currency,
        status: input.status,
        attributes: read_attributes(&input.attributes),
    }
}

struct Reader<'a> {
    filling: &'a Filling<'a>,
    main_ladder: Option<&'a str>,
    path: &'a str,
    faults: &'a mut Faults,
}

impl Reader<'_> {
    fn partner(&mut self, input: &PartnerInput) -> PartnerFacts {
        let filling = self.filling;
        let mut transactions = self.facts("transactions", &input.transactions, |input| filling.transaction(input), |read| (&read.id, read));
        transactions.sort_by(|a, b| (a.date, &a.id).cmp(&(b.date, &b.id)));
        let mut activities = self.facts("activities", &input.activities, |input| filling.activity(input), |read| (&read.id, read));
        activities.sort_by(|a, b| (a.date, &a.id).cmp(&(b.date, &b.id)));
        let mut assignments = self.each("assignments", &input.assignments, Self::assignment);
        assignments.sort_by_key(|held| held.from);
        PartnerFacts {
            code: input.code.clone(),
            profiles: self.profiles(input),
            enrollments: self.enrollments(&input.enrollments),
            assignments,
            overrides: self.each("overrides", &input.overrides, Self::tier_override),
            admissions: self.each("admissions", &input.admissions, Self::admission),
            contracts: self.each("contracts", &input.contracts, |_, contract| read_contract(contract)),
            exceptions: self.each("exceptions", &input.exceptions, |_, exception| read_exception(exception)),
            transactions,
            monthly: Vec::new(),
            holdings: self.facts("holdings", &input.holdings, |input| filling.holding(input), |read| (&read.id, read)),
            activities,
            deals: self.facts("deals", &input.deals, |input| filling.deal(input), |read| (&read.id, read)),
        }
    }

    fn profiles(&mut self, input: &PartnerInput) -> Vec<PartnerProfile> {
        let mut profiles: Vec<PartnerProfile> = input.attributes.iter().map(|profile| read_profile(&input.code, profile)).collect();
        profiles.sort_by_key(|profile| profile.from);
        if let Some(twice) = profiles.windows(2).find_map(|pair| pair.first().zip(pair.get(1)).filter(|(a, b)| a.from == b.from).map(|(a, _)| a.from)) {
            self.faults.add("CONFLICT", join(self.path, "attributes"), format!("two profiles from {twice}: keep one"));
        }
        if profiles.is_empty() {
            profiles.push(read_profile(&input.code, &ProfileInput::default()));
        }
        profiles
    }

    fn enrollments(&mut self, inputs: &[EnrollmentInput]) -> Vec<Enrollment> {
        if inputs.is_empty() {
            return vec![Enrollment { since: Date::MIN, until: None, track: None, region: None }];
        }
        self.each("enrollments", inputs, |_, input| {
            read_span(input.since, input.until).map_err(|fault| fault.within("until"))?;
            Ok(Enrollment { since: input.since, until: input.until, track: input.track.clone(), region: input.region.clone() })
        })
    }

    fn each<I, T>(&mut self, member: &str, inputs: &[I], read: impl Fn(&Self, &I) -> Result<T, Fault>) -> Vec<T> {
        let mut values = Vec::with_capacity(inputs.len());
        for (at, input) in inputs.iter().enumerate() {
            match read(self, input) {
                Ok(value) => values.push(value),
                Err(fault) => self.faults.0.push(fault.within(&format!("{}.{member}[{at}]", self.path))),
            }
        }
        values
    }

    /// Reads facts with an identity: the same again is dropped, another body under the same id is a conflict.
    fn facts<I, T: PartialEq>(&mut self, member: &str, inputs: &[I], read: impl Fn(&I) -> Result<T, Faults>, identity: impl Fn(&T) -> (&FactId, &T)) -> Vec<T> {
        let mut values: Vec<T> = Vec::with_capacity(inputs.len());
        let mut known: BTreeMap<FactId, usize> = BTreeMap::new();
        for (at, input) in inputs.iter().enumerate() {
            let path = format!("{}.{member}[{at}]", self.path);
            let Some(value) = collect(self.faults, &path, read(input)) else { continue };
            let id = identity(&value).0.clone();
            match known.get(&id).and_then(|at| values.get(*at)) {
                Some(first) if *first == value => {}
                Some(_) => {
                    self.faults.add("CONFLICT", join(&path, "id"), format!("id {} stands there with another content: facts are not rewritten", id.external_id))
                }
                None => {
                    known.insert(id, values.len());
                    values.push(value);
                }
            }
        }
        values
    }

    fn ladder(&self, named: Option<&String>) -> Result<String, Fault> {
        let ladder = named.map(String::as_str).or(self.main_ladder);
        ladder.map(str::to_owned).ok_or_else(|| Fault::new("MISSING_LADDER", "ladder", "the program has no main ladder: name one"))
    }

    fn assignment(&self, input: &AssignmentInput) -> Result<TierAssignment, Fault> {
        read_span(input.from, input.until).map_err(|fault| fault.within("until"))?;
        let ladder = self.ladder(input.ladder.as_ref())?;
        Ok(TierAssignment { ladder, region: input.region.clone(), tier: input.tier.clone(), from: input.from, until: input.until, cause: input.cause })
    }

    fn tier_override(&self, input: &OverrideInput) -> Result<TierOverride, Fault> {
        Ok(TierOverride {
            ladder: self.ladder(input.ladder.as_ref())?,
            region: input.region.clone(),
            kind: input.kind,
            tier: input.tier.clone(),
            span: read_span(input.from, input.until).map_err(|fault| fault.within("until"))?,
            reason: input.reason.clone(),
            proposed_by: input.proposed_by.clone(),
            approved_by: input.approved_by.clone(),
        })
    }

    fn admission(&self, input: &AdmissionInput) -> Result<TierAdmission, Fault> {
        Ok(TierAdmission {
            ladder: self.ladder(input.ladder.as_ref())?,
            region: input.region.clone(),
            tier: input.tier.clone(),
            kind: input.kind,
            span: read_span(input.from, input.until).map_err(|fault| fault.within("until"))?,
        })
    }
}

fn read_contract(input: &ContractInput) -> Result<Contract, Fault> {
    let span = read_span(input.from, input.until).map_err(|fault| fault.within("until"))?;
    Ok(Contract { key: input.key.clone(), template: input.template.clone(), status: input.status, span, terms: input.terms.clone() })
}

fn read_exception(input: &ExceptionInput) -> Result<EntitlementException, Fault> {
    let span = read_span(input.from, input.until).map_err(|fault| fault.within("until"))?;
    Ok(EntitlementException { grant: input.grant.clone(), span, reason: input.reason.clone() })
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
