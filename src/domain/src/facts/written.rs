//! Facts as they are written, and back: what a stored or checked set of facts was, member by member.
//!
//! [`restore`] is the inverse of [`write()`] for all facts: nothing is filled in and no name is judged, since what was on record may
//! name what a version of the program does not define. Where names are defined, [`super::read::read`] reads what is written here as well.

use std::collections::BTreeMap;

use super::input::{
    ActivityInput, AdmissionInput, AssignmentInput, BudgetInput, ContractInput, DealInput, EnrollmentInput, ExceptionInput, ExchangeRateInput, FactsInput,
    HoldingInput, OverrideInput, PartnerInput, ProfileInput, TransactionInput,
};
use super::read::{Filling, ProductCategories, read_profile, read_span};
use super::{
    Activity, AttributeValue, Attributes, BudgetFact, Contract, Deal, Enrollment, EntitlementException, ExchangeRate, Facts, HolderKind, Holding, PartnerFacts,
    PartnerProfile, TierAdmission, TierAssignment, TierOverride, Transaction,
};
use crate::date::{Date, Span};
use crate::document::scoped::Scalar;
use crate::exact::Exact;
use crate::fault::{Fault, Faults};
use crate::money::{DecimalText, Money, Number};

/// Decimals of a figure of a fact, at most.
const DECIMALS: u32 = 10;

/// Facts as input. Kept monthly sums have no input of their own.
///
/// # Errors
/// `KEPT_SUMS` where facts hold monthly sums instead of lines; `OUT_OF_RANGE` for a figure that has no decimal spelling.
pub fn write(facts: &Facts) -> Result<FactsInput, Fault> {
    Ok(FactsInput {
        partners: facts.partners.values().map(write_partner).collect::<Result<_, Fault>>()?,
        products: Vec::new(),
        exchange_rates: facts.exchange_rates.iter().map(write_rate).collect::<Result<_, Fault>>()?,
        budgets: facts.budgets.iter().map(write_budget).collect(),
    })
}

/// Written facts as they were.
///
/// # Errors
/// Amounts and dates that cannot be read; everything that [`write()`] leaves to be read but did not write.
pub fn restore(input: &FactsInput) -> Result<Facts, Faults> {
    let mut faults = Faults::new();
    let mut facts = Facts::default();
    for (at, partner) in input.partners.iter().enumerate() {
        let restored = restore_partner(partner, &format!("partners[{at}]"), &mut faults);
        if facts.partners.insert(partner.code.clone(), restored).is_some() {
            faults.add("DUPLICATE_KEY", format!("partners[{at}].code"), format!("two partners have the code `{}`", partner.code));
        }
    }
    if !input.products.is_empty() {
        faults.add("UNKNOWN_MEMBER", "products", "written facts carry the category of each line");
    }
    let categories = ProductCategories::default();
    let filling = filling(&categories);
    facts.exchange_rates = collect(&input.exchange_rates, "exchangeRates", &mut faults, |rate| filling.exchange_rate(rate));
    facts.budgets = collect(&input.budgets, "budgets", &mut faults, |budget| Ok(restore_budget(budget)?));
    faults.or(facts)
}

fn filling(categories: &ProductCategories) -> Filling<'_> {
    Filling { currency: None, source: "", categories, recorded_on: None }
}

fn collect<I, T>(inputs: &[I], path: &str, faults: &mut Faults, read: impl Fn(&I) -> Result<T, Faults>) -> Vec<T> {
    let mut all = Vec::with_capacity(inputs.len());
    for (at, input) in inputs.iter().enumerate() {
        match read(input) {
            Ok(value) => all.push(value),
            Err(found) => faults.0.extend(found.0.into_iter().map(|fault| fault.within(&format!("{path}[{at}]")))),
        }
    }
    all
}

fn decimal(value: Exact) -> Result<DecimalText, Fault> {
    value.to_decimal(DECIMALS).map(DecimalText).ok_or_else(|| Fault::new("OUT_OF_RANGE", "", format!("{value} has no decimal of {DECIMALS} places")))
}

fn scalar(value: &AttributeValue) -> Result<Scalar, Fault> {
    Ok(match value {
        AttributeValue::Text(text) => Scalar::Text(text.clone()),
        AttributeValue::Boolean(flag) => Scalar::Boolean(*flag),
        AttributeValue::Number(number) => {
            let written = Scalar::Number(Number(number.clone()));
            let read = serde_json::to_value(&written).and_then(serde_json::from_value::<Scalar>);
            if read.ok().as_ref() != Some(&written) {
                return Err(Fault::new("OUT_OF_RANGE", "", format!("the attribute {number} has more digits than a bare number keeps")));
            }
            written
        }
    })
}

fn attributes(attributes: &Attributes) -> Result<BTreeMap<String, Scalar>, Fault> {
    attributes.iter().map(|(name, value)| Ok((name.clone(), scalar(value)?))).collect()
}

fn until(span: Span) -> Option<Date> {
    (span.until != Date::MAX).then_some(span.until)
}

fn write_partner(partner: &PartnerFacts) -> Result<PartnerInput, Fault> {
    if !partner.sums.is_empty() {
        return Err(Fault::new("KEPT_SUMS", format!("partners[{}]", partner.code), "read the sale lines themselves: sums of lines are not written"));
    }
    Ok(PartnerInput {
        code: partner.code.clone(),
        attributes: partner.profiles.iter().map(write_profile).collect::<Result<_, Fault>>()?,
        enrollments: partner.enrollments.iter().map(write_enrollment).collect(),
        assignments: partner.assignments.iter().map(write_assignment).collect(),
        overrides: partner.overrides.iter().map(write_override).collect(),
        admissions: partner.admissions.iter().map(write_admission).collect(),
        contracts: partner.contracts.iter().map(write_contract).collect(),
        exceptions: partner.exceptions.iter().map(write_exception).collect(),
        transactions: partner.transactions.iter().map(write_transaction).collect::<Result<_, Fault>>()?,
        holdings: partner.holdings.iter().map(write_holding).collect::<Result<_, Fault>>()?,
        activities: partner.activities.iter().map(write_activity).collect::<Result<_, Fault>>()?,
        deals: partner.deals.iter().map(write_deal).collect::<Result<_, Fault>>()?,
    })
}

fn restore_partner(input: &PartnerInput, path: &str, faults: &mut Faults) -> PartnerFacts {
    let categories = ProductCategories::default();
    let filling = filling(&categories);
    let under = |member: &str| format!("{path}.{member}");
    PartnerFacts {
        code: input.code.clone(),
        profiles: input.attributes.iter().map(|profile| read_profile(&input.code, profile)).collect(),
        enrollments: input.enrollments.iter().map(restore_enrollment).collect(),
        assignments: collect(&input.assignments, &under("assignments"), faults, |input| Ok(restore_assignment(input)?)),
        overrides: collect(&input.overrides, &under("overrides"), faults, |input| Ok(restore_override(input)?)),
        admissions: collect(&input.admissions, &under("admissions"), faults, |input| Ok(restore_admission(input)?)),
        contracts: collect(&input.contracts, &under("contracts"), faults, |input| Ok(restore_contract(input)?)),
        exceptions: collect(&input.exceptions, &under("exceptions"), faults, |input| Ok(restore_exception(input)?)),
        transactions: collect(&input.transactions, &under("transactions"), faults, |input| filling.transaction(input)),
        sums: Vec::new(),
        holdings: collect(&input.holdings, &under("holdings"), faults, |input| filling.holding(input)),
        activities: collect(&input.activities, &under("activities"), faults, |input| filling.activity(input)),
        deals: collect(&input.deals, &under("deals"), faults, |input| filling.deal(input)),
    }
}

fn write_profile(profile: &PartnerProfile) -> Result<ProfileInput, Fault> {
    Ok(ProfileInput {
        from: (profile.from != Date::MIN).then_some(profile.from),
        name: Some(profile.name.clone()),
        r#type: profile.partner_type.clone(),
        region: profile.region.clone(),
        parent: profile.parent.clone(),
        currency: profile.currency,
        status: profile.status,
        attributes: attributes(&profile.attributes)?,
    })
}

fn write_enrollment(held: &Enrollment) -> EnrollmentInput {
    EnrollmentInput { since: held.since, until: held.until, track: held.track.clone(), region: held.region.clone() }
}

fn restore_enrollment(input: &EnrollmentInput) -> Enrollment {
    Enrollment { since: input.since, until: input.until, track: input.track.clone(), region: input.region.clone() }
}

fn write_assignment(held: &TierAssignment) -> AssignmentInput {
    AssignmentInput {
        ladder: Some(held.ladder.clone()),
        region: held.region.clone(),
        tier: held.tier.clone(),
        from: held.from,
        until: held.until,
        cause: held.cause,
    }
}

/// The ladder of a written fact; no ladder is the main one here.
fn named(ladder: Option<&String>) -> Result<String, Fault> {
    ladder.cloned().ok_or_else(|| Fault::new("MISSING_MEMBER", "ladder", "a written fact names its ladder"))
}

fn restore_assignment(input: &AssignmentInput) -> Result<TierAssignment, Fault> {
    Ok(TierAssignment {
        ladder: named(input.ladder.as_ref())?,
        region: input.region.clone(),
        tier: input.tier.clone(),
        from: input.from,
        until: input.until,
        cause: input.cause,
    })
}

fn write_override(held: &TierOverride) -> OverrideInput {
    OverrideInput {
        ladder: Some(held.ladder.clone()),
        region: held.region.clone(),
        kind: held.kind,
        tier: held.tier.clone(),
        from: held.span.from,
        until: until(held.span),
        reason: held.reason.clone(),
        proposed_by: held.proposed_by.clone(),
        approved_by: held.approved_by.clone(),
    }
}

fn restore_override(input: &OverrideInput) -> Result<TierOverride, Fault> {
    Ok(TierOverride {
        ladder: named(input.ladder.as_ref())?,
        region: input.region.clone(),
        kind: input.kind,
        tier: input.tier.clone(),
        span: read_span(input.from, input.until)?,
        reason: input.reason.clone(),
        proposed_by: input.proposed_by.clone(),
        approved_by: input.approved_by.clone(),
    })
}

fn write_admission(held: &TierAdmission) -> AdmissionInput {
    AdmissionInput {
        ladder: Some(held.ladder.clone()),
        region: held.region.clone(),
        tier: held.tier.clone(),
        kind: held.kind,
        from: held.span.from,
        until: until(held.span),
    }
}

fn restore_admission(input: &AdmissionInput) -> Result<TierAdmission, Fault> {
    let span = read_span(input.from, input.until)?;
    Ok(TierAdmission { ladder: named(input.ladder.as_ref())?, region: input.region.clone(), tier: input.tier.clone(), kind: input.kind, span })
}

fn write_contract(contract: &Contract) -> ContractInput {
    ContractInput {
        key: contract.key.clone(),
        template: contract.template.clone(),
        status: contract.status,
        from: contract.span.from,
        until: until(contract.span),
        terms: contract.terms.clone(),
    }
}

fn restore_contract(input: &ContractInput) -> Result<Contract, Fault> {
    let span = read_span(input.from, input.until)?;
    Ok(Contract { key: input.key.clone(), template: input.template.clone(), status: input.status, span, terms: input.terms.clone() })
}

fn write_exception(held: &EntitlementException) -> ExceptionInput {
    ExceptionInput { grant: held.grant.clone(), from: held.span.from, until: until(held.span), reason: held.reason.clone() }
}

fn restore_exception(input: &ExceptionInput) -> Result<EntitlementException, Fault> {
    Ok(EntitlementException { grant: input.grant.clone(), span: read_span(input.from, input.until)?, reason: input.reason.clone() })
}

fn write_transaction(line: &Transaction) -> Result<TransactionInput, Fault> {
    Ok(TransactionInput {
        id: line.id.external_id.clone(),
        source: Some(line.id.source.clone()),
        date: line.date,
        recorded_on: Some(line.recorded_on),
        kind: line.kind,
        product: line.product.clone(),
        category: line.category.clone(),
        quantity: Some(DecimalText(line.quantity.to_string())),
        amount: DecimalText(line.amount.amount()),
        currency: Some(line.amount.currency),
        customer: line.customer.clone(),
        deal: line.deal.clone(),
        corrects: line.corrects.clone(),
        region: line.region.clone(),
        attributes: attributes(&line.attributes)?,
    })
}

fn write_holding(holding: &Holding) -> Result<HoldingInput, Fault> {
    let of = |kind: HolderKind| holding.holder.clone().filter(|_| holding.holder_kind == kind);
    Ok(HoldingInput {
        id: holding.id.external_id.clone(),
        source: Some(holding.id.source.clone()),
        recorded_on: Some(holding.recorded_on),
        kind: holding.kind.clone(),
        r#type: holding.type_key.clone(),
        level: holding.level.clone(),
        holder_kind: Some(holding.holder_kind),
        person: of(HolderKind::Person),
        customer: of(HolderKind::Customer),
        offering: of(HolderKind::Offering),
        product: holding.product.clone(),
        category: holding.category.clone(),
        since: holding.since,
        until: holding.until,
        revoked_on: holding.revoked_on,
        value: holding.value.clone().map(decimal).transpose()?,
        currency: holding.currency,
        region: holding.region.clone(),
        attributes: attributes(&holding.attributes)?,
    })
}

fn write_activity(activity: &Activity) -> Result<ActivityInput, Fault> {
    Ok(ActivityInput {
        id: activity.id.external_id.clone(),
        source: Some(activity.id.source.clone()),
        date: activity.date,
        recorded_on: Some(activity.recorded_on),
        kind: activity.kind.clone(),
        value: Some(decimal(activity.value.clone())?),
        currency: activity.currency,
        subject: activity.subject.clone(),
        expires_on: activity.expires_on,
        region: activity.region.clone(),
        attributes: attributes(&activity.attributes)?,
    })
}

fn write_deal(deal: &Deal) -> Result<DealInput, Fault> {
    Ok(DealInput {
        id: deal.id.external_id.clone(),
        source: Some(deal.id.source.clone()),
        opened_on: deal.opened_on,
        recorded_on: Some(deal.recorded_on),
        stage: deal.stage.clone(),
        outcome: deal.outcome,
        closed_on: deal.closed_on,
        value: deal.value.map(|value| DecimalText(value.amount())),
        currency: deal.value.map(|value| value.currency),
        customer: deal.customer.clone(),
        kind: deal.kind.clone(),
        region: deal.region.clone(),
        attributes: attributes(&deal.attributes)?,
    })
}

fn write_rate(rate: &ExchangeRate) -> Result<ExchangeRateInput, Fault> {
    Ok(ExchangeRateInput {
        rate_type: Some(rate.rate_type.clone()),
        from: rate.from,
        to: rate.to,
        date: rate.date,
        rate: decimal(rate.rate.clone())?,
        recorded_on: Some(rate.recorded_on),
    })
}

fn write_budget(budget: &BudgetFact) -> BudgetInput {
    BudgetInput {
        key: budget.key.clone(),
        amount: DecimalText(budget.amount.amount()),
        currency: Some(budget.amount.currency),
        from: budget.span.from,
        until: budget.span.until,
    }
}

fn restore_budget(input: &BudgetInput) -> Result<BudgetFact, Fault> {
    let currency = input.currency.ok_or_else(|| Fault::new("MISSING_CURRENCY", "currency", "a written budget names its currency"))?;
    let amount = Money::parse(&input.amount.0, currency).map_err(|fault| fault.within("amount"))?;
    Ok(BudgetFact { key: input.key.clone(), amount, span: read_span(input.from, Some(input.until))? })
}

#[cfg(test)]
#[path = "written_tests.rs"]
mod tests;
