//! Kept monthly sums, added up as far as the rules of a question cannot tell them apart.
//!
//! A question about the last twelve months and the twelve before needs two figures of a partner, not twenty-four. Months are told apart
//! by the windows that read them, categories by the tests that name them, kinds only where a filter asks for the kind. A law holds
//! that standings of folded sums are those of the sums.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::date::{Date, Span};
use crate::document::metric::{FieldTest, Filter, Measure};
use crate::document::scoped::Scalar;
use crate::facts::{PartnerFacts, SalesSum, TransactionKind};
use crate::filter::{Fact, FactView, FilterContext, FirstDates};
use crate::money::{Currency, Money, Quantity};
use crate::program::Program;

/// How sums are added up.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fold {
    /// Stretches of months: a sum is as good as one of the stretch's first month. None: months stay apart.
    pub months: Option<Vec<Span>>,
    /// Categories that count alike (an empty one stands for none); all others count alike too. None: categories stay apart.
    pub categories: Option<Vec<Vec<String>>>,
    /// Whether sales, returns and adjustments stay apart.
    pub kinds: bool,
    /// Whether anybody asks for quantities; nobody adds them up otherwise.
    pub quantities: bool,
}

/// A category that no test knows: one of those that are not listed.
const UNLISTED: &str = "\u{1}";

/// What the filters of a question ask of monthly sums.
#[derive(Debug, Default)]
pub(super) struct Asked {
    cuts: BTreeSet<Date>,
    by_month: bool,
    by_kind: bool,
    quantities: bool,
    categories: Vec<FieldTest>,
}

impl Asked {
    /// `measure` reads the whole months of `span`.
    pub(super) fn read(&mut self, span: Span, measure: &Measure) {
        self.cuts.extend([span.from, span.until]);
        self.quantities |= measure.of.as_deref() == Some("quantity");
        measure.filter.iter().chain(measure.share.as_deref()).for_each(|filter| self.filter(filter));
    }

    fn filter(&mut self, filter: &Filter) {
        match filter {
            Filter::AllOf(of) | Filter::AnyOf(of) => of.iter().for_each(|filter| self.filter(filter)),
            Filter::Not(of) => self.filter(of),
            Filter::Test(test) => match test.field.as_str() {
                "category" => self.categories.push(test.clone()),
                "kind" => self.by_kind = true,
                "currency" => {}
                _ => self.by_month = true,
            },
            Filter::LastVersions(_) | Filter::FirstFact(_) => self.by_month = true,
        }
    }

    /// How the sums of `monthly` may be added up.
    pub(super) fn fold(&self, program: &Program, monthly: &[Span]) -> Fold {
        let months = (!self.by_month).then(|| monthly.iter().flat_map(|span| self.cut(*span)).collect());
        Fold { months, categories: classes(program, &self.categories), kinds: self.by_kind, quantities: self.quantities }
    }

    fn cut(&self, span: Span) -> Vec<Span> {
        let inner = self.cuts.iter().copied().filter(|cut| span.from < *cut && *cut < span.until);
        let mut starts: Vec<Date> = std::iter::once(span.from).chain(inner).collect();
        starts.push(span.until);
        starts.windows(2).filter_map(|pair| Some(Span::new(*pair.first()?, *pair.get(1)?))).collect()
    }
}

fn literals(test: &FieldTest) -> impl Iterator<Item = &str> {
    let scalars = [&test.equals, &test.at_least, &test.above, &test.at_most, &test.below].into_iter().flatten();
    let lists = test.r#in.iter().chain(&test.not_in).flatten();
    let texts = scalars.chain(lists).filter_map(|scalar| if let Scalar::Text(text) = scalar { Some(text.as_str()) } else { None });
    texts.chain(test.under.as_deref())
}

/// Categories by what the tests say about them, without those of which they say the same as of an unknown one.
fn classes(program: &Program, tests: &[FieldTest]) -> Option<Vec<Vec<String>>> {
    // A name that a FOR_EACH binds may stand for any category.
    if tests.iter().flat_map(literals).any(|literal| literal.starts_with('$')) {
        return None;
    }
    let tests: Vec<Filter> = tests.iter().cloned().map(Filter::Test).collect();
    let (first_dates, owner) = (FirstDates::default(), PartnerFacts::default());
    let context = FilterContext::new(program, Date::MIN, &first_dates);
    let outcome = |category: Option<&str>| {
        let sum = sum_of(category);
        let view = FactView { fact: Fact::Rollup(&sum), owner: &owner };
        tests.iter().map(|test| context.matches(test, view)).collect::<Vec<bool>>()
    };
    let mut known: BTreeSet<&str> = program.categories.keys().iter().map(String::as_str).collect();
    for test in &tests {
        if let Filter::Test(test) = test {
            known.extend(literals(test));
        }
    }
    let rest = outcome(Some(UNLISTED));
    let mut classes: BTreeMap<Vec<bool>, Vec<String>> = BTreeMap::new();
    for (category, name) in known.into_iter().map(|key| (Some(key), key)).chain([(None, "")]) {
        let outcome = outcome(category);
        if outcome != rest {
            classes.entry(outcome).or_default().push(name.to_owned());
        }
    }
    Some(classes.into_values().collect())
}

fn sum_of(category: Option<&str>) -> SalesSum {
    SalesSum {
        days: Span::day(Date::MIN),
        category: category.map(str::to_owned),
        kind: TransactionKind::Sale,
        amount: Money::zero(Currency::USD),
        quantity: Quantity(0),
        lines: 0,
    }
}

/// What sums that are added up have in common: month, class, category where these stay apart, kind likewise, currency.
type Alike<'s> = (Date, usize, Option<&'s str>, Option<TransactionKind>, Currency);

impl Fold {
    /// A category of the class with this number, as good as any other of it; none where that is no category.
    pub fn category_of(&self, class: usize) -> Option<&str> {
        let name = self.categories.as_ref().and_then(|classes| classes.get(class)).map_or(UNLISTED, |class| class.first().map_or("", String::as_str));
        (!name.is_empty()).then_some(name)
    }

    /// The sums, added up. Months that no stretch holds are left out: nothing reads them.
    pub fn apply(&self, sums: &[SalesSum]) -> Vec<SalesSum> {
        let mut folded: BTreeMap<Alike<'_>, SalesSum> = BTreeMap::new();
        for sum in sums {
            let Some(month) = self.month(sum.days.from) else { continue };
            let (class, category) = self.class(sum.category.as_deref());
            let key = (month, class, category, self.kinds.then_some(sum.kind), sum.amount.currency);
            let held = folded.entry(key).or_insert_with(|| SalesSum {
                days: Span::month_from(month),
                amount: Money::zero(sum.amount.currency),
                quantity: Quantity(0),
                lines: 0,
                ..sum.clone()
            });
            held.amount.minor = held.amount.minor.saturating_add(sum.amount.minor);
            if self.quantities {
                held.quantity.0 = held.quantity.0.saturating_add(sum.quantity.0);
            }
            held.lines += sum.lines;
        }
        folded.into_values().collect()
    }

    fn month(&self, month: Date) -> Option<Date> {
        match &self.months {
            None => Some(month),
            Some(stretches) => stretches.iter().find(|stretch| stretch.contains(month)).map(|stretch| stretch.from),
        }
    }

    fn class<'c>(&self, category: Option<&'c str>) -> (usize, Option<&'c str>) {
        let Some(classes) = &self.categories else { return (0, category) };
        let name = category.unwrap_or_default();
        (classes.iter().position(|class| class.iter().any(|known| known == name)).unwrap_or(classes.len()), None)
    }
}
