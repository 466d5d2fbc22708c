//! What partners hold and do besides selling: certificates of their people, answers of customers, trainings, deals.

use guerdon_domain::date::Date;
use guerdon_domain::exact::Exact;
use guerdon_domain::facts::{Activity, Attributes, Deal, DealOutcome, FactId, HolderKind, Holding};
use guerdon_domain::money::{Currency, Money};
use guerdon_store::SeedFact;

use super::SOURCE;
use super::partners;
use super::random::Draws;
use super::shape::{Shape, Stream};

fn fact_id(kind: char, partner: u32, number: u32) -> FactId {
    FactId { source: SOURCE.to_owned(), external_id: format!("{kind}{partner}-{number}") }
}

fn some_day(shape: &Shape, draws: &mut Draws) -> Date {
    shape.from.plus_days(draws.days(u64::try_from(shape.amounts.until.days_since(shape.from)).unwrap_or(1)))
}

fn of_partner<F>(shape: &Shape, partner: u32, fact: F) -> SeedFact<F> {
    SeedFact { partner: partners::id(shape, partner), code: partners::code(partner), category: None, fact }
}

/// The certificates of a partner's people, each for two years.
pub fn holdings(shape: &Shape, partner: u32, into: &mut Vec<SeedFact<Holding>>) {
    for number in 0..shape.holdings(partner) {
        let mut draws = shape.draws(Stream::Holding, [partner.into(), number.into(), 0]);
        let since = some_day(shape, &mut draws);
        let level = if draws.happens(1, 6) { "ARCHITECT" } else { "PROFESSIONAL" };
        let holding = Holding {
            id: fact_id('H', partner, number),
            recorded_on: since,
            kind: "CERTIFICATION".to_owned(),
            type_key: draws.one_of(&["COMPUTE", "CLOUD", "SALES"]).map(|key| (*key).to_owned()),
            level: Some(level.to_owned()),
            holder_kind: HolderKind::Person,
            // Every fourth certificate is a second one of the person before.
            holder: Some(format!("E{partner}-{}", number - u32::from(number % 4 == 3))),
            product: None,
            category: None,
            since,
            until: Some(since.plus_months(24)),
            revoked_on: draws.happens(1, 50).then(|| since.plus_days(30 + draws.days(300))),
            value: None,
            currency: None,
            region: None,
            attributes: Attributes::new(),
        };
        into.push(of_partner(shape, partner, holding));
    }
}

/// Two answers of customers for each training that was done.
pub fn activities(shape: &Shape, partner: u32, into: &mut Vec<SeedFact<Activity>>) {
    for number in 0..shape.activities(partner) {
        let mut draws = shape.draws(Stream::Activity, [partner.into(), number.into(), 0]);
        let date = some_day(shape, &mut draws);
        let answer = number % 3 != 2;
        let tenths = if answer { 20 + draws.days(31) } else { 10 };
        let activity = Activity {
            id: fact_id('A', partner, number),
            date,
            recorded_on: date,
            kind: if answer { "CSAT" } else { "TRAINING" }.to_owned(),
            value: Exact::scaled(tenths.into(), 1),
            currency: None,
            subject: Some(if answer { format!("C{partner}-{}", draws.below(9)) } else { format!("E{partner}-{}", draws.below(4)) }),
            expires_on: None,
            region: None,
            attributes: Attributes::new(),
        };
        into.push(of_partner(shape, partner, activity));
    }
}

/// Deals: half of them won, a quarter lost, a quarter open.
pub fn deals(shape: &Shape, partner: u32, into: &mut Vec<SeedFact<Deal>>) {
    for number in 0..shape.deals(partner) {
        let mut draws = shape.draws(Stream::Deal, [partner.into(), number.into(), 0]);
        let opened_on = some_day(shape, &mut draws);
        let closing = opened_on.plus_days(10 + draws.days(120));
        let outcome = match draws.below(4) {
            _ if closing >= shape.amounts.until => DealOutcome::Open,
            0 | 1 => DealOutcome::Won,
            2 => DealOutcome::Lost,
            _ => DealOutcome::Open,
        };
        let deal = Deal {
            id: fact_id('D', partner, number),
            opened_on,
            recorded_on: if outcome == DealOutcome::Open { opened_on } else { closing },
            stage: None,
            outcome,
            closed_on: (outcome != DealOutcome::Open).then_some(closing),
            value: Some(Money::new(shape.mean_amount.saturating_mul(1 + draws.days(20)), Currency::USD)),
            customer: Some(format!("C{partner}-{}", draws.below(9))),
            kind: draws.one_of(&["RESALE", "REFERRAL"]).map(|key| (*key).to_owned()),
            region: None,
            attributes: Attributes::new(),
        };
        into.push(of_partner(shape, partner, deal));
    }
}
