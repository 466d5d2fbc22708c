//! Single facts: checked, and filled in where something was left out.

use super::input::{ActivityInput, DealInput, ExchangeRateInput, HoldingInput, TransactionInput};
use super::read::{ProductCategories, read_attributes, read_span};
use super::{Activity, Deal, ExchangeRate, FactId, HolderKind, Holding, Transaction};
use crate::date::Date;
use crate::exact::Exact;
use crate::fault::{Fault, Faults};
use crate::money::{Currency, DecimalText, Money, Quantity};

/// Characters of an id.
const ID_CHARS: usize = 200;

/// What fills in what a fact leaves out.
#[derive(Debug, Clone, Copy)]
pub struct Filling<'a> {
    /// The currency of amounts without one; none: they must have one.
    pub currency: Option<Currency>,
    /// The source of facts without one.
    pub source: &'a str,
    /// The categories of products.
    pub categories: &'a ProductCategories,
    /// When facts without a `recordedOn` came to be known; none: on the day on which they happened.
    pub recorded_on: Option<Date>,
}

impl Filling<'_> {
    /// Reads a sale line. All faults at once, with paths relative to the line.
    pub fn transaction(&self, input: &TransactionInput) -> Result<Transaction, Faults> {
        let mut faults = Faults::new();
        let id = self.id(&input.id, input.source.as_ref(), &mut faults);
        let currency = self.currency(input.currency, &mut faults);
        let amount = currency.and_then(|currency| faults.keep("amount", Money::parse(&input.amount.0, currency)));
        let one = || Quantity::parse("1");
        let quantity = faults.keep("quantity", input.quantity.as_ref().map_or_else(one, |text| Quantity::parse(&text.0)));
        let (Some(amount), Some(quantity), true) = (amount, quantity, faults.is_empty()) else { return Err(faults) };
        Ok(Transaction {
            id,
            date: input.date,
            recorded_on: self.recorded(input.recorded_on, input.date),
            sealed: 0,
            kind: input.kind,
            product: input.product.clone(),
            category: self.category(input.category.as_ref(), input.product.as_ref(), input.date),
            quantity,
            amount,
            customer: input.customer.clone(),
            deal: input.deal.clone(),
            corrects: input.corrects.clone(),
            region: input.region.clone(),
            attributes: read_attributes(&input.attributes),
        })
    }

    /// Reads a holding. All faults at once.
    pub fn holding(&self, input: &HoldingInput) -> Result<Holding, Faults> {
        let mut faults = Faults::new();
        let id = self.id(&input.id, input.source.as_ref(), &mut faults);
        faults.keep("until", read_span(input.since, input.until));
        let value = input.value.as_ref().and_then(|text| faults.keep("value", exact(text)));
        let (holder_kind, holder) = holder(input, &mut faults);
        faults.is_empty().then_some(()).ok_or(faults)?;
        Ok(Holding {
            id,
            recorded_on: self.recorded(input.recorded_on, input.since),
            kind: input.kind.clone(),
            type_key: input.r#type.clone(),
            level: input.level.clone(),
            holder_kind,
            holder,
            product: input.product.clone(),
            category: self.category(input.category.as_ref(), input.product.as_ref(), input.since),
            since: input.since,
            until: input.until,
            revoked_on: input.revoked_on,
            value,
            currency: input.currency,
            region: input.region.clone(),
            attributes: read_attributes(&input.attributes),
        })
    }

    /// Reads an activity. All faults at once.
    pub fn activity(&self, input: &ActivityInput) -> Result<Activity, Faults> {
        let mut faults = Faults::new();
        let id = self.id(&input.id, input.source.as_ref(), &mut faults);
        let value = faults.keep("value", input.value.as_ref().map_or_else(|| Ok(Exact::from_int(1)), exact));
        let (Some(value), true) = (value, faults.is_empty()) else { return Err(faults) };
        Ok(Activity {
            id,
            date: input.date,
            recorded_on: self.recorded(input.recorded_on, input.date),
            kind: input.kind.clone(),
            value,
            currency: input.currency,
            subject: input.subject.clone(),
            expires_on: input.expires_on,
            region: input.region.clone(),
            attributes: read_attributes(&input.attributes),
        })
    }

    /// Reads a deal. All faults at once.
    pub fn deal(&self, input: &DealInput) -> Result<Deal, Faults> {
        let mut faults = Faults::new();
        let id = self.id(&input.id, input.source.as_ref(), &mut faults);
        faults.keep("closedOn", read_span(input.opened_on, input.closed_on));
        let value = input.value.as_ref().and_then(|text| {
            let currency = self.currency(input.currency, &mut faults)?;
            faults.keep("value", Money::parse(&text.0, currency))
        });
        faults.is_empty().then_some(()).ok_or(faults)?;
        Ok(Deal {
            id,
            opened_on: input.opened_on,
            recorded_on: self.recorded(input.recorded_on, input.opened_on),
            stage: input.stage.clone(),
            outcome: input.outcome,
            closed_on: input.closed_on,
            value,
            customer: input.customer.clone(),
            kind: input.kind.clone(),
            region: input.region.clone(),
            attributes: read_attributes(&input.attributes),
        })
    }

    /// Reads an exchange rate. All faults at once.
    pub fn exchange_rate(&self, input: &ExchangeRateInput) -> Result<ExchangeRate, Faults> {
        let mut faults = Faults::new();
        let positive = |rate: Exact| if rate > Exact::from_int(0) { Ok(rate) } else { Err(Fault::new("OUT_OF_RANGE", "", "a rate is more than zero")) };
        let rate = faults.keep("rate", exact(&input.rate).and_then(positive));
        if input.from == input.to {
            faults.add("SAME_CURRENCY", "to", "a currency has no rate with itself");
        }
        let (Some(rate), true) = (rate, faults.is_empty()) else { return Err(faults) };
        let rate_type = input.rate_type.clone().unwrap_or_else(|| "SPOT".to_owned());
        Ok(ExchangeRate {
            rate_type,
            from: input.from,
            to: input.to,
            date: input.date,
            rate,
            recorded_on: self.recorded(input.recorded_on, input.date),
            sealed: 0,
        })
    }

    fn id(&self, external_id: &str, source: Option<&String>, faults: &mut Faults) -> FactId {
        let source = source.map_or(self.source, String::as_str);
        for (path, text) in [("id", external_id), ("source", source)] {
            if text.is_empty() || text.chars().count() > ID_CHARS {
                faults.add("INVALID_ID", path, format!("write 1 to {ID_CHARS} characters"));
            }
        }
        FactId { source: source.to_owned(), external_id: external_id.to_owned() }
    }

    fn currency(&self, given: Option<Currency>, faults: &mut Faults) -> Option<Currency> {
        let currency = given.or(self.currency);
        if currency.is_none() {
            faults.add("MISSING_CURRENCY", "currency", "name the currency of the amount, such as \"USD\"");
        }
        currency
    }

    fn recorded(&self, given: Option<Date>, happened: Date) -> Date {
        given.or(self.recorded_on).unwrap_or(happened)
    }

    fn category(&self, given: Option<&String>, product: Option<&String>, date: Date) -> Option<String> {
        given.cloned().or_else(|| self.categories.on(product?, date).map(str::to_owned))
    }
}

fn exact(text: &DecimalText) -> Result<Exact, Fault> {
    Exact::parse(&text.0, 15, 10)
}

/// Whose holding it is: as stated, or by which of person, customer and offering is given.
fn holder(input: &HoldingInput, faults: &mut Faults) -> (HolderKind, Option<String>) {
    let by_given = match (&input.person, &input.customer, &input.offering) {
        (Some(_), ..) => HolderKind::Person,
        (None, Some(_), _) => HolderKind::Customer,
        (None, None, Some(_)) => HolderKind::Offering,
        (None, None, None) => HolderKind::Partner,
    };
    let kind = input.holder_kind.unwrap_or(by_given);
    let (member, holder) = match kind {
        HolderKind::Partner => return (kind, None),
        HolderKind::Person => ("person", &input.person),
        HolderKind::Customer => ("customer", &input.customer),
        HolderKind::Offering => ("offering", &input.offering),
    };
    if holder.is_none() {
        faults.add("MISSING_HOLDER", member, "the holding is said to be this one's, and it is not named");
    }
    (kind, holder.clone())
}
