//! From the JSON shape of facts to the facts that engines read: every amount, date and name judged, every default filled in.

mod fact;
mod partner;

use super::input::{BudgetInput, ExchangeRateInput, FactsInput, ProductInput, TransactionInput};
use super::read::{Filling, ProductCategories, read_span};
use super::{BudgetFact, ExchangeRate, Facts, Transaction};
use crate::date::{Date, Span};
use crate::document::Document;
use crate::document::ladder::{Ladder, LadderScope};
use crate::document::shape::nearest;
use crate::fault::Faults;
use crate::money::Money;
use crate::program::Program;
use crate::region::Tree;

/// The source of a fact that names none.
pub const DEFAULT_SOURCE: &str = "evaluate";
/// The source of the lines of a hypothetical order.
const ORDER_SOURCE: &str = "order";
/// A code or id of a source is at most this long.
const MAX_CODE: usize = 200;

/// The names that facts may use.
#[derive(Debug, Clone, Copy)]
pub struct Vocabulary<'p> {
    /// The document that defines them.
    pub document: &'p Document,
    /// Its regions.
    pub regions: &'p Tree,
    /// Its categories.
    pub categories: &'p Tree,
    /// The key of its main ladder.
    pub main_ladder: Option<&'p str>,
}

impl<'p> Vocabulary<'p> {
    /// The names of a compiled program.
    pub fn of(program: &'p Program) -> Self {
        let main_ladder = program.ladder(None).map(|ladder| ladder.key.as_str());
        Self { document: &program.document, regions: &program.geography.regions, categories: &program.categories, main_ladder }
    }

    fn ladder(self, key: &str) -> Option<&'p Ladder> {
        self.document.ladders.iter().find(|ladder| ladder.key == key)
    }
}

/// Reads facts. Partners by code, facts by date, source and id; the same fact twice counts once. All faults at once.
///
/// # Errors
/// Amounts with too many decimals or not in the one spelling; names that the program does not define (where it defines any of
/// that kind); one id with two contents (`CONFLICT`); overlapping tiers or overrides; partners that are their own ancestors.
pub fn convert(input: &FactsInput, vocabulary: Vocabulary<'_>) -> Result<Facts, Faults> {
    let mut faults = Faults::new();
    let categories = ProductCategories::new(&input.products).unwrap_or_else(|found| {
        faults.0.extend(found.0);
        ProductCategories::default()
    });
    let filling = Filling { currency: Some(vocabulary.document.program.currency), source: DEFAULT_SOURCE, categories: &categories, recorded_on: None };
    let mut reader = Reader { vocabulary, filling, faults };
    for (at, product) in input.products.iter().enumerate() {
        reader.category(Some(&product.category), &format!("products[{at}]"));
    }
    let mut facts = Facts { partners: reader.partners(&input.partners), ..Facts::default() };
    facts.exchange_rates = reader.exchange_rates(&input.exchange_rates);
    facts.budgets = reader.budgets(&input.budgets);
    reader.faults.or(facts)
}

/// Reads the lines of a hypothetical order, with the names that facts may use and the products of facts. All faults at once, with paths such as
/// `order[0].amount`.
///
/// # Errors
/// As [`convert`], of each line by itself: every line is one more.
pub fn convert_order(lines: &[TransactionInput], products: &[ProductInput], vocabulary: Vocabulary<'_>) -> Result<Vec<Transaction>, Faults> {
    let categories = ProductCategories::new(products)?;
    let filling = Filling { currency: Some(vocabulary.document.program.currency), source: ORDER_SOURCE, categories: &categories, recorded_on: None };
    let mut reader = Reader { vocabulary, filling, faults: Faults::new() };
    let lines = reader.order(lines);
    reader.faults.or(lines)
}

/// The state of one conversion.
struct Reader<'p> {
    vocabulary: Vocabulary<'p>,
    filling: Filling<'p>,
    faults: Faults,
}

impl<'p> Reader<'p> {
    fn fault(&mut self, code: &str, path: impl Into<String>, message: impl Into<String>) {
        self.faults.add(code, path, message);
    }

    /// A name that the program must define, where it defines any of that kind.
    fn known<'k>(&mut self, what: &str, key: &str, path: &str, known: impl Iterator<Item = &'k str> + Clone) {
        let mut all = known.clone().peekable();
        if all.peek().is_none() || all.any(|known| known == key) {
            return;
        }
        let advice = nearest(key, known).map_or_else(|| "use one that it defines".to_owned(), |near| format!("did you mean `{near}`?"));
        self.fault("UNKNOWN_KEY", path, format!("the program has no {what} `{key}`: {advice}"));
    }

    fn region(&mut self, region: Option<&String>, path: &str) {
        let regions = self.vocabulary.regions;
        if let Some(region) = region.filter(|region| !regions.contains(region)) {
            self.known("region", region, &format!("{path}.region"), regions.keys().iter().map(String::as_str));
        }
    }

    fn category(&mut self, category: Option<&String>, path: &str) {
        let categories = self.vocabulary.categories;
        if let Some(category) = category.filter(|category| !categories.contains(category)) {
            self.known("category", category, &format!("{path}.category"), categories.keys().iter().map(String::as_str));
        }
    }

    fn partner_type(&mut self, key: Option<&String>, path: String) {
        let document = self.vocabulary.document;
        if let Some(key) = key {
            self.known("partner type", key, &path, document.partner_types.iter().map(|known| known.key.as_str()));
        }
    }

    fn code(&mut self, code: &str, path: String) {
        if code.is_empty() || code.len() > MAX_CODE || code.chars().any(char::is_control) || code.trim() != code {
            self.fault("INVALID_CODE", path, format!("write 1 to {MAX_CODE} bytes without control characters, not padded with spaces"));
        }
    }

    /// The ladder that is meant, the main one when none is named.
    fn ladder(&mut self, key: Option<&String>, path: &str) -> Option<&'p Ladder> {
        let Some(key) = key.map(String::as_str).or(self.vocabulary.main_ladder) else {
            self.fault("MISSING_MEMBER", format!("{path}.ladder"), "the program has no main ladder: name the ladder");
            return None;
        };
        let ladder = self.vocabulary.ladder(key);
        if ladder.is_none() {
            let document = self.vocabulary.document;
            let advice =
                nearest(key, document.ladders.iter().map(|ladder| ladder.key.as_str())).map_or_else(String::new, |near| format!(": did you mean `{near}`?"));
            self.fault("UNKNOWN_KEY", format!("{path}.ladder"), format!("the program has no ladder `{key}`{advice}"));
        }
        ladder
    }

    fn tier(&mut self, ladder: &Ladder, tier: Option<&String>, path: &str) {
        if let Some(tier) = tier.filter(|tier| ladder.tier(tier).is_none()) {
            let advice = nearest(tier, ladder.tiers.iter().map(|tier| tier.key.as_str())).map_or_else(String::new, |near| format!(": did you mean `{near}`?"));
            self.fault("UNKNOWN_KEY", format!("{path}.tier"), format!("the ladder `{}` has no tier `{tier}`{advice}", ladder.key));
        }
    }

    /// A region where tiers are held per region, and none where they are held by the partner as a whole: anything else would count nowhere.
    fn place(&mut self, ladder: &Ladder, region: Option<&String>, path: &str) {
        let path = format!("{path}.region");
        match (ladder.scope, region) {
            (LadderScope::Partner, Some(_)) => {
                self.fault("OUT_OF_PLACE", path, format!("tiers of the ladder `{}` are held by the partner as a whole: leave `region` out", ladder.key));
            }
            (LadderScope::PartnerInRegion, None) => {
                self.fault("MISSING_MEMBER", path, format!("tiers of the ladder `{}` are held per region: name the region", ladder.key));
            }
            _ => {}
        }
    }

    /// A half-open span; for ever without an end.
    fn span(&mut self, from: Date, until: Option<Date>, path: &str) -> Span {
        self.faults.keep(&format!("{path}.until"), read_span(from, until)).unwrap_or(Span::ALWAYS)
    }

    /// Keeps what was read, or its faults.
    fn collect<T>(&mut self, path: &str, read: Result<T, Faults>) -> Option<T> {
        read.map_err(|found| self.faults.0.extend(found.0.into_iter().map(|fault| fault.within(path)))).ok()
    }

    fn exchange_rates(&mut self, rates: &[ExchangeRateInput]) -> Vec<ExchangeRate> {
        let mut read: Vec<ExchangeRate> = Vec::new();
        for (at, input) in rates.iter().enumerate() {
            let path = format!("exchangeRates[{at}]");
            let Some(rate) = self.collect(&path, self.filling.exchange_rate(input)) else { continue };
            let place = |rate: &ExchangeRate| (rate.rate_type.clone(), rate.from, rate.to, rate.date, rate.recorded_on);
            match read.iter().find(|known| place(known) == place(&rate)) {
                Some(known) if known.rate != rate.rate => {
                    self.fault("CONFLICT", path, format!("there is another rate from {} to {} for {}: keep one", input.from, input.to, input.date));
                }
                Some(_) => {}
                None => read.push(rate),
            }
        }
        read.sort_by(|one, other| {
            (one.date, one.recorded_on, &one.rate_type, one.from, one.to).cmp(&(other.date, other.recorded_on, &other.rate_type, other.from, other.to))
        });
        read
    }

    fn budgets(&mut self, budgets: &[BudgetInput]) -> Vec<BudgetFact> {
        let mut read: Vec<BudgetFact> = Vec::new();
        for (at, input) in budgets.iter().enumerate() {
            let path = format!("budgets[{at}]");
            self.code(&input.key, format!("{path}.key"));
            let currency = input.currency.unwrap_or(self.vocabulary.document.program.currency);
            let amount = self.faults.keep(&format!("{path}.amount"), Money::parse(&input.amount.0, currency)).unwrap_or(Money::zero(currency));
            if amount.minor < 0 {
                self.fault("OUT_OF_RANGE", format!("{path}.amount"), "a budget is zero or more");
            }
            let span = self.span(input.from, Some(input.until), &path);
            if read.iter().any(|other| other.key == input.key && !other.span.intersect(span).is_empty()) {
                self.fault("OVERLAP", path, format!("another budget `{}` covers some of these days", input.key));
            }
            read.push(BudgetFact { key: input.key.clone(), amount, span });
        }
        read
    }
}

#[cfg(test)]
mod tests;
