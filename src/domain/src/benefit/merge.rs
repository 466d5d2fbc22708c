//! Merge rules: several sources of one benefit become one value (semantics 9).
//!
//! Which of two rates is more generous: the higher rate, whatever the caps; of equal rates the one without a cap, then the
//! larger cap, then the cap for the shorter thing. A RATE with rows is compared row by row: for every product, category and deal
//! type that any source names, each source answers with its most specific row for it, or with its general rate.

use std::collections::BTreeSet;

use super::source::SourceKind;
use crate::document::benefit::{Benefit, BenefitKind, BenefitValue, CapPer, MergeRule, RateRow, RateValue};
use crate::exact::{Exact, Overflow};
use crate::money::{Number, Rate};
use crate::region::Tree;

/// Whether the value is of the benefit's kind.
pub(super) fn fits(benefit: &Benefit, value: &BenefitValue) -> bool {
    match (benefit.kind, value) {
        (BenefitKind::Access, BenefitValue::Access(_))
        | (BenefitKind::Allowance, BenefitValue::Allowance(_) | BenefitValue::Unlimited {})
        | (BenefitKind::Rate, BenefitValue::Rate(_) | BenefitValue::Unlimited {})
        | (BenefitKind::Money, BenefitValue::Money(_) | BenefitValue::Unlimited {}) => true,
        (BenefitKind::Level, BenefitValue::Level(level)) => benefit.levels.contains(level),
        _ => false,
    }
}

/// Whether the value is more than no and nothing.
pub(super) fn gives_something(value: &BenefitValue) -> bool {
    match value {
        BenefitValue::Access(yes) => *yes,
        BenefitValue::Allowance(number) | BenefitValue::Money(number) => number.0.is_positive(),
        BenefitValue::Rate(rate) => rate.rate.as_ref().is_some_and(|rate| rate.0.is_positive()) || rate.rows.iter().any(|row| row.rate.0.is_positive()),
        BenefitValue::Level(_) | BenefitValue::Unlimited {} => true,
    }
}

/// A merged value, and the positions of the sources that made it.
pub(super) struct Merged {
    pub(super) value: BenefitValue,
    pub(super) by: Vec<usize>,
}

/// Merges values of the benefit's kind; none when there is none.
pub(super) fn merge(benefit: &Benefit, categories: &Tree, values: &[(SourceKind, &BenefitValue)]) -> Result<Option<Merged>, Overflow> {
    let all: Vec<usize> = (0..values.len()).collect();
    match benefit.merge {
        MergeRule::MostGenerous => Ok(most_generous(benefit, categories, values, &all)),
        MergeRule::Sum => sum(benefit, categories, values, &all),
        MergeRule::Strict => {
            let first = values.iter().map(|(kind, _)| *kind).min();
            let of_first: Vec<usize> = all.into_iter().filter(|at| values.get(*at).map(|(kind, _)| *kind) == first).collect();
            Ok(most_generous(benefit, categories, values, &of_first))
        }
    }
}

/// What values of a scalar kind are compared by: unlimited above every number.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    Number(Exact),
    Unlimited,
}

fn weight(benefit: &Benefit, value: &BenefitValue) -> Weight {
    let whole = |number: usize| Weight::Number(Exact::from_int(i64::try_from(number).unwrap_or(i64::MAX)));
    match value {
        BenefitValue::Access(yes) => whole(usize::from(*yes)),
        BenefitValue::Allowance(number) | BenefitValue::Money(number) => Weight::Number(number.0.clone()),
        BenefitValue::Level(level) => whole(benefit.levels.iter().position(|known| known == level).map_or(0, |at| at + 1)),
        BenefitValue::Rate(rate) => Weight::Number(rate.rate.as_ref().map_or(Exact::ZERO, |rate| rate.0.clone())),
        BenefitValue::Unlimited {} => Weight::Unlimited,
    }
}

fn most_generous(benefit: &Benefit, categories: &Tree, values: &[(SourceKind, &BenefitValue)], among: &[usize]) -> Option<Merged> {
    let chosen: Vec<(usize, &BenefitValue)> = among.iter().filter_map(|at| values.get(*at).map(|(_, value)| (*at, *value))).collect();
    // One source is taken as it is written: its rows keep their order.
    if let [(at, value)] = chosen.as_slice() {
        return Some(Merged { value: (*value).clone(), by: vec![*at] });
    }
    if benefit.kind == BenefitKind::Rate {
        let value = merge_rates(categories, &chosen, |left, right| Ok(left.max(right))).ok().flatten()?;
        return Some(Merged { value, by: chosen.into_iter().map(|(at, _)| at).collect() });
    }
    let best = chosen.iter().map(|(_, value)| weight(benefit, value)).max()?;
    let winners: Vec<(usize, &BenefitValue)> = chosen.into_iter().filter(|(_, value)| weight(benefit, value) == best).collect();
    let value = winners.first().map(|(_, value)| (*value).clone())?;
    Some(Merged { value, by: winners.into_iter().map(|(at, _)| at).collect() })
}

fn sum(benefit: &Benefit, categories: &Tree, values: &[(SourceKind, &BenefitValue)], among: &[usize]) -> Result<Option<Merged>, Overflow> {
    let amounts: Option<Vec<Exact>> = values
        .iter()
        .map(|(_, value)| match value {
            BenefitValue::Allowance(number) | BenefitValue::Money(number) => Some(number.0.clone()),
            _ => None,
        })
        .collect();
    let whole = |value| Merged { value, by: among.to_vec() };
    match (benefit.kind, amounts) {
        (_, Some(amounts)) if !amounts.is_empty() => {
            let total = Number(Exact::sum(amounts)?);
            Ok(Some(whole(if benefit.kind == BenefitKind::Money { BenefitValue::Money(total) } else { BenefitValue::Allowance(total) })))
        }
        (BenefitKind::Rate, _) => {
            let chosen: Vec<(usize, &BenefitValue)> = values.iter().map(|(_, value)| *value).enumerate().collect();
            Ok(merge_rates(categories, &chosen, Quote::plus)?.map(whole))
        }
        // A sum of yes and no is OR, levels compare by rank, unlimited absorbs: each is the most generous one.
        _ => Ok(most_generous(benefit, categories, values, among)),
    }
}

/// A cap as it compares: none is most, then the amount, then the shorter thing that it is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Ceiling {
    At(Number, std::cmp::Reverse<Option<CapPer>>),
    None,
}

/// A rate with its cap.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Quote {
    rate: Rate,
    ceiling: Ceiling,
}

impl Quote {
    fn new(rate: Rate, cap: Option<Number>, per: Option<CapPer>) -> Self {
        Self { rate, ceiling: cap.map_or(Ceiling::None, |cap| Ceiling::At(cap, std::cmp::Reverse(per))) }
    }

    /// Both together. Caps for one thing add up; of caps for different things the larger stays.
    fn plus(self, other: Self) -> Result<Self, Overflow> {
        let ceiling = match (self.ceiling, other.ceiling) {
            (Ceiling::At(left, per), Ceiling::At(right, same)) if per == same => Ceiling::At(Number(left.0.add(&right.0)?), per),
            (left, right) => left.max(right),
        };
        Ok(Self { rate: Rate(self.rate.0.add(&other.rate.0)?), ceiling })
    }

    fn cap(self) -> (Option<Number>, Option<CapPer>) {
        match self.ceiling {
            Ceiling::At(cap, per) => (Some(cap), per.0),
            Ceiling::None => (None, None),
        }
    }
}

/// What a row is for: product, category, deal type.
type RowKey = (Option<String>, Option<String>, Option<String>);

fn key_of(row: &RateRow) -> RowKey {
    (row.product.clone(), row.category.clone(), row.deal_type.clone())
}

/// What a source answers for a key: its most specific row that covers it, else its general rate.
fn quote_for(categories: &Tree, rate: &RateValue, key: &RowKey) -> Option<Quote> {
    let covers = |row: &&RateRow| {
        (row.product.is_none() || row.product == key.0)
            && row.category.as_ref().is_none_or(|category| key.1.as_ref().is_some_and(|own| categories.is_under(own, category)))
            && (row.deal_type.is_none() || row.deal_type == key.2)
    };
    let depth = |row: &&RateRow| {
        let category = row.category.as_ref().map_or(0, |category| categories.path(category).count());
        (row.product.is_some(), category, row.deal_type.is_some())
    };
    let row = rate.rows.iter().filter(covers).max_by_key(depth).map(|row| Quote::new(row.rate.clone(), row.cap.clone(), row.cap_per));
    row.or_else(|| rate.rate.clone().map(|general| Quote::new(general, rate.cap.clone(), rate.cap_per)))
}

fn merge_rates(
    categories: &Tree,
    values: &[(usize, &BenefitValue)],
    combine: impl Fn(Quote, Quote) -> Result<Quote, Overflow>,
) -> Result<Option<BenefitValue>, Overflow> {
    let rates: Vec<&RateValue> = values.iter().filter_map(|(_, value)| if let BenefitValue::Rate(rate) = value { Some(rate) } else { None }).collect();
    if rates.is_empty() {
        return Ok(values.first().map(|(_, value)| (*value).clone()));
    }
    let uncapped = values.iter().any(|(_, value)| matches!(value, BenefitValue::Unlimited {}));
    let best = |quotes: Vec<Quote>| -> Result<Option<Quote>, Overflow> {
        let mut quotes = quotes.into_iter();
        let Some(first) = quotes.next() else { return Ok(None) };
        let merged = quotes.try_fold(first, &combine)?;
        Ok(Some(if uncapped { Quote { ceiling: Ceiling::None, ..merged } } else { merged }))
    };
    let general = best(rates.iter().filter_map(|rate| rate.rate.clone().map(|general| Quote::new(general, rate.cap.clone(), rate.cap_per))).collect())?;
    let keys: BTreeSet<RowKey> = rates.iter().flat_map(|rate| rate.rows.iter().map(key_of)).collect();
    let mut rows = Vec::new();
    for key in keys {
        if let Some(quote) = best(rates.iter().filter_map(|rate| quote_for(categories, rate, &key)).collect())? {
            let (cap, cap_per) = quote.clone().cap();
            rows.push(RateRow { product: key.0, category: key.1, deal_type: key.2, rate: quote.rate, cap, cap_per });
        }
    }
    let (cap, cap_per) = general.clone().map_or((None, None), Quote::cap);
    Ok(Some(BenefitValue::Rate(RateValue { rate: general.map(|quote| quote.rate), rows, cap, cap_per })))
}
