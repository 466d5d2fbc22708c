//! The synthetic partners as the engines see them, without a database.

use std::collections::BTreeMap;

use guerdon_domain::date::{Date, Span};
use guerdon_domain::facts::{Enrollment, Facts, PartnerFacts, SalesSum, TierAssignment, TransactionKind};
use guerdon_domain::money::{Currency, Money, Quantity};
use guerdon_store::{SeedFact, SeedPartner};

use super::shape::Shape;
use super::{partners, people, sales};

/// What is known about all partners up to a date: kept monthly sums in place of sale lines.
pub fn facts(shape: &Shape, as_of: Date) -> Facts {
    let partners = (0..shape.amounts.partners).map(|number| partner_facts(shape, number, as_of));
    Facts { partners: partners.map(|facts| (facts.code.clone(), facts)).collect(), ..Facts::default() }
}

fn partner_facts(shape: &Shape, number: u32, as_of: Date) -> PartnerFacts {
    let SeedPartner { code, profile, since, track, assignments, .. } = partners::partner(shape, number);
    let held = assignments.into_iter().map(|held| TierAssignment {
        ladder: held.ladder,
        region: None,
        tier: held.tier,
        from: held.from,
        until: held.until,
        cause: held.cause,
    });
    let mut facts = PartnerFacts {
        code,
        profiles: vec![profile],
        enrollments: vec![Enrollment { since, until: None, track, region: None }],
        assignments: held.collect(),
        sums: monthly(shape, number, as_of),
        ..PartnerFacts::default()
    };
    let (mut holdings, mut activities, mut deals) = (Vec::new(), Vec::new(), Vec::new());
    people::holdings(shape, number, &mut holdings);
    people::activities(shape, number, &mut activities);
    people::deals(shape, number, &mut deals);
    facts.holdings = bare(holdings);
    facts.activities = bare(activities);
    facts.deals = bare(deals);
    facts
}

fn bare<F>(facts: Vec<SeedFact<F>>) -> Vec<F> {
    facts.into_iter().map(|fact| fact.fact).collect()
}

/// Month, category, kind.
type Key = (Date, Option<String>, TransactionKind);

fn monthly(shape: &Shape, number: u32, as_of: Date) -> Vec<SalesSum> {
    let mut lines = Vec::new();
    for month in 0..shape.amounts.months {
        sales::lines(shape, number, month, false, &mut lines);
        sales::lines(shape, number, month, true, &mut lines);
    }
    let mut sums: BTreeMap<Key, (i64, i64, i64)> = BTreeMap::new();
    for line in lines.iter().filter(|line| line.fact.date <= as_of) {
        let sum = sums.entry((line.fact.date.first_of_month(), line.category.clone(), line.fact.kind)).or_default();
        sum.0 += line.fact.signed_amount().minor;
        sum.1 += line.fact.signed_quantity().0;
        sum.2 += 1;
    }
    let rollup = |((month, category, kind), (amount, quantity, lines))| SalesSum {
        days: Span::month_from(month),
        category,
        kind,
        amount: Money::new(amount, Currency::USD),
        quantity: Quantity(quantity),
        lines,
    };
    sums.into_iter().map(rollup).collect()
}
