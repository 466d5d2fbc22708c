//! Sale lines. A partner orders a few lines of one category at a time; some come back, and a few are reported late.

use guerdon_domain::date::Date;
use guerdon_domain::facts::{AttributeValue, Attributes, FactId, Transaction, TransactionKind};
use guerdon_domain::money::{Currency, Money, Quantity};
use guerdon_store::SeedFact;

use super::SOURCE;
use super::partners;
use super::random::Draws;
use super::shape::{Shape, Stream};

/// Categories with the price of their things, in percent of the mean.
const CATEGORIES: [(&str, i64); 7] = [("SERVERS", 170), ("STORAGE", 130), ("NETWORK", 100), ("LICENSES", 90), ("CLOUD", 80), ("TRAINING", 40), ("SUPPORT", 60)];
/// Products of each category.
const PRODUCTS: u64 = 10;
/// Lines of an order at most.
const ORDER: u32 = 6;
/// A late line is recorded so many months after the month of its sale.
pub const LATE_MONTHS: u32 = 2;

/// Every product with its category.
pub fn products() -> impl Iterator<Item = (String, &'static str)> {
    CATEGORIES.iter().flat_map(|(category, _)| (0..PRODUCTS).map(move |number| (product(category, number), *category)))
}

fn product(category: &str, number: u64) -> String {
    format!("BENCH-{category}-{number}")
}

fn last_of_month(day: Date) -> Date {
    day.first_of_month().plus_months(1).plus_days(-1)
}

struct Order {
    date: Date,
    category: &'static str,
    price: i64,
    customer: String,
    attributes: Attributes,
}

fn order(shape: &Shape, partner: u32, month: u32, number: u32) -> Order {
    let mut draws = shape.draws(Stream::Order, [partner.into(), month.into(), number.into()]);
    let first = shape.month(month);
    let date = first.plus_days(draws.days(u64::try_from(last_of_month(first).days_since(first)).unwrap_or(27) + 1));
    // Two categories of its own make three quarters of a partner's orders.
    let own = u64::from(partner) % 7;
    let at = if draws.happens(3, 4) { (own + draws.below(2)) % 7 } else { draws.below(7) };
    let (category, price) = CATEGORIES.get(usize::try_from(at).unwrap_or_default()).copied().unwrap_or(("SUPPORT", 60));
    let customers = 3 * shape.size(partner).rank() as u64 * shape.size(partner).rank() as u64;
    let attributes = if draws.happens(1, 8) { Attributes::from([("dealType".to_owned(), AttributeValue::Text("NEW".to_owned()))]) } else { Attributes::new() };
    Order { date, category, price, customer: format!("C{partner}-{}", draws.below(customers)), attributes }
}

/// The lines of a partner of one month that were recorded in it, or those that were recorded late.
pub fn lines(shape: &Shape, partner: u32, month: u32, late: bool, into: &mut Vec<SeedFact<Transaction>>) {
    let count = shape.lines(partner, month);
    // The last months have nothing late: it would be recorded after the end.
    let may_be_late = month + LATE_MONTHS < shape.amounts.months;
    let mut current: Option<(u32, Order)> = None;
    let (id, code) = (partners::id(shape, partner), partners::code(partner));
    let mut returnable = false;
    for line in 0..count {
        let mut draws = shape.draws(Stream::Line, [partner.into(), month.into(), line.into()]);
        let is_late = may_be_late && draws.happens(1, 200);
        let is_return = line % ORDER != 0 && returnable && draws.happens(1, 40);
        returnable = !is_return;
        if is_late != late {
            continue;
        }
        let number = line / ORDER;
        if current.as_ref().is_none_or(|(held, _)| *held != number) {
            current = Some((number, order(shape, partner, month, number)));
        }
        let Some((_, order)) = &current else { continue };
        let fact = transaction(shape, [partner, month, line], order, is_return, late, &mut draws);
        into.push(SeedFact { partner: id, code: code.clone(), category: Some(order.category.to_owned()), fact });
    }
}

fn transaction(shape: &Shape, [partner, month, line]: [u32; 3], order: &Order, is_return: bool, late: bool, draws: &mut Draws) -> Transaction {
    let external = |line: u32| format!("{partner}-{month}-{line}");
    let last = last_of_month(order.date);
    let date = if is_return { order.date.plus_days(draws.days(12)).min(last) } else { order.date };
    let recorded_on = if late { shape.month(month + LATE_MONTHS).plus_days(draws.days(28)) } else { date.next().min(last) };
    let spread = 20 + draws.days(160);
    let amount = (shape.mean_amount.saturating_mul(order.price) / 100).saturating_mul(spread) / 100 + draws.days(100);
    let quantity = 1 + draws.days(12);
    Transaction {
        id: FactId { source: SOURCE.to_owned(), external_id: external(line) },
        date,
        recorded_on,
        sealed: 0,
        kind: if is_return { TransactionKind::Return } else { TransactionKind::Sale },
        product: Some(product(order.category, draws.below(PRODUCTS))),
        category: None,
        quantity: Quantity(quantity * 1_000_000),
        amount: Money::new(if is_return { amount / 2 } else { amount }, Currency::USD),
        customer: Some(order.customer.clone()),
        deal: None,
        corrects: is_return.then(|| external(line - 1)),
        region: None,
        attributes: order.attributes.clone(),
    }
}
