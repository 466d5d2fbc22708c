//! Each kind of fact as a row: its table, its columns, its digest. What is common to all of them is done once, in `record` and
//! `import`.

use guerdon_domain::date::Date;
use guerdon_domain::facts::{Activity, Deal, FactId, Holding, Transaction};
use sea_orm::Value;
use sha2::{Digest, Sha256};

use crate::bulk::{Column, Kind};
use crate::convert::{TextEnum, attributes_text, decimal_parts, decimal_text};
use crate::rollup::{ACTIVITY_MONTHLY, Rollup, TRANSACTION_MONTHLY};

/// The table of a kind of fact.
#[derive(Debug)]
pub struct FactTable {
    pub(crate) kind: &'static str,
    pub(crate) table: &'static str,
    pub(crate) staged: &'static str,
    /// The columns of the kind's own, after those that all kinds have.
    pub(crate) columns: &'static [Column],
    /// Whether a further body under the same id may supersede the earlier one.
    pub(crate) revisions: bool,
    pub(crate) rollup: Option<&'static Rollup>,
}

mod sealed {
    pub trait Sealed {}
}

/// A kind of fact that can be recorded: transactions, holdings, activities, deals.
pub trait Fact: sealed::Sealed + Send + Sync + 'static {
    /// Its table.
    #[doc(hidden)]
    const TABLE: &'static FactTable;

    /// Its identity.
    fn id(&self) -> &FactId;

    /// When it came to be known.
    fn recorded_on(&self) -> Date;

    /// The product that it names, the date on which the product's category is asked, and the category that it names itself.
    #[doc(hidden)]
    fn product(&self) -> Option<(&str, Date, Option<&str>)>;

    /// The values of the kind's own columns, with the category found for it. None when a decimal has more digits than are kept.
    #[doc(hidden)]
    fn cells(&self, category: Option<String>) -> Option<Vec<Value>>;
}

/// The body of a fact as 128 bits: two bodies with the same are taken as equal. Whose it is belongs to it, when it came to be
/// known does not, and neither does a category that was only looked up.
pub(crate) fn digest<F: Fact>(partner: &str, fact: &F) -> Option<Vec<u8>> {
    let own = fact.product().and_then(|(_, _, category)| category.map(str::to_owned));
    let mut hasher = Sha256::new();
    feed(&mut hasher, partner.as_bytes());
    for cell in fact.cells(own)? {
        match cell {
            Value::String(Some(text)) => feed(&mut hasher, text.as_bytes()),
            Value::BigInt(Some(number)) => feed(&mut hasher, &number.to_be_bytes()),
            Value::ChronoDate(Some(date)) => feed(&mut hasher, &chrono::Datelike::num_days_from_ce(&date).to_be_bytes()),
            _ => hasher.update([0xff; 8]),
        }
    }
    Some(hasher.finalize().iter().take(16).copied().collect())
}

/// With its length before it, so that no two lists of values read alike.
fn feed(hasher: &mut Sha256, bytes: &[u8]) {
    hasher.update((bytes.len() as u64).to_be_bytes());
    hasher.update(bytes);
}

fn date(date: Date) -> Value {
    date.naive().into()
}

fn maybe_date(date: Option<Date>) -> Value {
    date.map(Date::naive).into()
}

impl sealed::Sealed for Transaction {}

impl Fact for Transaction {
    const TABLE: &'static FactTable = &FactTable {
        kind: "TRANSACTIONS",
        table: "transactions",
        staged: "staged_transaction",
        columns: &[
            ("occurred_on", Kind::Date),
            ("kind", Kind::Text),
            ("product", Kind::Text),
            ("category", Kind::Text),
            ("quantity_micros", Kind::Int),
            ("amount_minor", Kind::Int),
            ("currency", Kind::Text),
            ("customer", Kind::Text),
            ("deal", Kind::Text),
            ("corrects", Kind::Text),
            ("region", Kind::Text),
            ("attributes", Kind::Text),
        ],
        revisions: false,
        rollup: Some(&TRANSACTION_MONTHLY),
    };

    fn id(&self) -> &FactId {
        &self.id
    }

    fn recorded_on(&self) -> Date {
        self.recorded_on
    }

    fn product(&self) -> Option<(&str, Date, Option<&str>)> {
        self.product.as_deref().map(|product| (product, self.date, self.category.as_deref()))
    }

    fn cells(&self, category: Option<String>) -> Option<Vec<Value>> {
        Some(vec![
            date(self.date),
            self.kind.text().into(),
            self.product.clone().into(),
            category.or_else(|| self.category.clone()).into(),
            self.quantity.0.into(),
            self.amount.minor.into(),
            self.amount.currency.code().into(),
            self.customer.clone().into(),
            self.deal.clone().into(),
            self.corrects.clone().into(),
            self.region.clone().into(),
            attributes_text(&self.attributes).into(),
        ])
    }
}

impl sealed::Sealed for Holding {}

impl Fact for Holding {
    const TABLE: &'static FactTable = &FactTable {
        kind: "HOLDINGS",
        table: "holding",
        staged: "staged_holding",
        columns: &[
            ("kind", Kind::Text),
            ("type_key", Kind::Text),
            ("level", Kind::Text),
            ("holder_kind", Kind::Text),
            ("holder", Kind::Text),
            ("product", Kind::Text),
            ("category", Kind::Text),
            ("since_on", Kind::Date),
            ("until_on", Kind::Date),
            ("revoked_on", Kind::Date),
            ("value", Kind::Text),
            ("currency", Kind::Text),
            ("region", Kind::Text),
            ("attributes", Kind::Text),
        ],
        revisions: true,
        rollup: None,
    };

    fn id(&self) -> &FactId {
        &self.id
    }

    fn recorded_on(&self) -> Date {
        self.recorded_on
    }

    fn product(&self) -> Option<(&str, Date, Option<&str>)> {
        self.product.as_deref().map(|product| (product, self.since, self.category.as_deref()))
    }

    fn cells(&self, category: Option<String>) -> Option<Vec<Value>> {
        let value = match &self.value {
            Some(value) => Some(decimal_text(value)?),
            None => None,
        };
        Some(vec![
            self.kind.clone().into(),
            self.type_key.clone().into(),
            self.level.clone().into(),
            self.holder_kind.text().into(),
            self.holder.clone().into(),
            self.product.clone().into(),
            category.or_else(|| self.category.clone()).into(),
            date(self.since),
            maybe_date(self.until),
            maybe_date(self.revoked_on),
            value.into(),
            self.currency.map(|currency| currency.code().to_owned()).into(),
            self.region.clone().into(),
            attributes_text(&self.attributes).into(),
        ])
    }
}

impl sealed::Sealed for Activity {}

impl Fact for Activity {
    const TABLE: &'static FactTable = &FactTable {
        kind: "ACTIVITIES",
        table: "activity",
        staged: "staged_activity",
        columns: &[
            ("occurred_on", Kind::Date),
            ("kind", Kind::Text),
            ("value", Kind::Text),
            ("value_units", Kind::Int),
            ("value_fraction", Kind::Int),
            ("currency", Kind::Text),
            ("subject", Kind::Text),
            ("expires_on", Kind::Date),
            ("region", Kind::Text),
            ("attributes", Kind::Text),
        ],
        revisions: false,
        rollup: Some(&ACTIVITY_MONTHLY),
    };

    fn id(&self) -> &FactId {
        &self.id
    }

    fn recorded_on(&self) -> Date {
        self.recorded_on
    }

    fn product(&self) -> Option<(&str, Date, Option<&str>)> {
        None
    }

    fn cells(&self, _: Option<String>) -> Option<Vec<Value>> {
        let (units, fraction) = decimal_parts(self.value.clone())?;
        Some(vec![
            date(self.date),
            self.kind.clone().into(),
            decimal_text(&self.value)?.into(),
            units.into(),
            fraction.into(),
            self.currency.map(|currency| currency.code().to_owned()).into(),
            self.subject.clone().into(),
            maybe_date(self.expires_on),
            self.region.clone().into(),
            attributes_text(&self.attributes).into(),
        ])
    }
}

impl sealed::Sealed for Deal {}

impl Fact for Deal {
    const TABLE: &'static FactTable = &FactTable {
        kind: "DEALS",
        table: "deal",
        staged: "staged_deal",
        columns: &[
            ("opened_on", Kind::Date),
            ("stage", Kind::Text),
            ("outcome", Kind::Text),
            ("closed_on", Kind::Date),
            ("value_minor", Kind::Int),
            ("currency", Kind::Text),
            ("customer", Kind::Text),
            ("kind", Kind::Text),
            ("region", Kind::Text),
            ("attributes", Kind::Text),
        ],
        revisions: true,
        rollup: None,
    };

    fn id(&self) -> &FactId {
        &self.id
    }

    fn recorded_on(&self) -> Date {
        self.recorded_on
    }

    fn product(&self) -> Option<(&str, Date, Option<&str>)> {
        None
    }

    fn cells(&self, _: Option<String>) -> Option<Vec<Value>> {
        Some(vec![
            date(self.opened_on),
            self.stage.clone().into(),
            self.outcome.text().into(),
            maybe_date(self.closed_on),
            self.value.map(|value| value.minor).into(),
            self.value.map(|value| value.currency.code().to_owned()).into(),
            self.customer.clone().into(),
            self.kind.clone().into(),
            self.region.clone().into(),
            attributes_text(&self.attributes).into(),
        ])
    }
}
