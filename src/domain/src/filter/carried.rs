//! What facts carry themselves, by the names of fields.

use super::{FieldValue, Fields};
use crate::date::Date;
use crate::exact::Exact;
use crate::facts::{Activity, Attributes, Deal, DealOutcome, HolderKind, Holding, SalesSum, Transaction, TransactionKind};

/// A text, where there is one.
pub(super) fn text(value: Option<&String>) -> Option<FieldValue<'_>> {
    value.map(|value| FieldValue::text(value))
}

const fn kind_name(kind: TransactionKind) -> &'static str {
    match kind {
        TransactionKind::Sale => "SALE",
        TransactionKind::Return => "RETURN",
        TransactionKind::Adjustment => "ADJUSTMENT",
    }
}

impl Fields for Transaction {
    fn own_field(&self, name: &str) -> Option<FieldValue<'_>> {
        match name {
            "kind" => Some(FieldValue::text(kind_name(self.kind))),
            "product" => text(self.product.as_ref()),
            "category" => text(self.category.as_ref()),
            "customer" => text(self.customer.as_ref()),
            "deal" => text(self.deal.as_ref()),
            "currency" => Some(FieldValue::text(self.amount.currency.code())),
            "amount" => Some(FieldValue::Number(self.signed_amount().exact())),
            "quantity" => Some(FieldValue::Number(self.signed_quantity().exact())),
            "date" => Some(FieldValue::Date(self.date)),
            "corrects" => text(self.corrects.as_ref()),
            _ => None,
        }
    }

    fn attributes(&self) -> Option<&Attributes> {
        Some(&self.attributes)
    }

    fn own_region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    fn date(&self) -> Date {
        self.date
    }
}

impl Fields for Holding {
    fn own_field(&self, name: &str) -> Option<FieldValue<'_>> {
        let of_kind = |kind: HolderKind| (self.holder_kind == kind).then(|| text(self.holder.as_ref())).flatten();
        match name {
            "kind" => Some(FieldValue::text(&self.kind)),
            "type" => text(self.type_key.as_ref()),
            "level" => text(self.level.as_ref()),
            "holder" => text(self.holder.as_ref()),
            "holderKind" => Some(FieldValue::text(match self.holder_kind {
                HolderKind::Partner => "PARTNER",
                HolderKind::Person => "PERSON",
                HolderKind::Customer => "CUSTOMER",
                HolderKind::Offering => "OFFERING",
            })),
            "person" => of_kind(HolderKind::Person),
            "customer" => of_kind(HolderKind::Customer),
            "offering" => of_kind(HolderKind::Offering),
            "product" => text(self.product.as_ref()),
            "category" => text(self.category.as_ref()),
            "value" => self.value.clone().map(FieldValue::Number),
            "currency" => self.currency.map(|currency| FieldValue::text(currency.code())),
            "date" | "since" => Some(FieldValue::Date(self.since)),
            "until" => self.until.map(FieldValue::Date),
            _ => None,
        }
    }

    fn attributes(&self) -> Option<&Attributes> {
        Some(&self.attributes)
    }

    fn own_region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    fn date(&self) -> Date {
        self.since
    }
}

impl Fields for Activity {
    fn own_field(&self, name: &str) -> Option<FieldValue<'_>> {
        match name {
            "kind" => Some(FieldValue::text(&self.kind)),
            "subject" => text(self.subject.as_ref()),
            "value" => Some(FieldValue::Number(self.value.clone())),
            "currency" => self.currency.map(|currency| FieldValue::text(currency.code())),
            "date" => Some(FieldValue::Date(self.date)),
            "expiresOn" => self.expires_on.map(FieldValue::Date),
            _ => None,
        }
    }

    fn attributes(&self) -> Option<&Attributes> {
        Some(&self.attributes)
    }

    fn own_region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    fn date(&self) -> Date {
        self.date
    }
}

impl Fields for Deal {
    fn own_field(&self, name: &str) -> Option<FieldValue<'_>> {
        match name {
            "kind" => text(self.kind.as_ref()),
            "deal" => Some(FieldValue::text(&self.id.external_id)),
            "stage" => text(self.stage.as_ref()),
            "outcome" => Some(FieldValue::text(match self.outcome {
                DealOutcome::Open => "OPEN",
                DealOutcome::Won => "WON",
                DealOutcome::Lost => "LOST",
            })),
            "customer" => text(self.customer.as_ref()),
            "value" | "amount" => self.value.map(|value| FieldValue::Number(value.exact())),
            "currency" => self.value.map(|value| FieldValue::text(value.currency.code())),
            "date" | "openedOn" => Some(FieldValue::Date(self.opened_on)),
            "closedOn" => self.closed_on.map(FieldValue::Date),
            "cycleDays" => self.closed_on.map(|closed| FieldValue::Number(Exact::from_int(closed.days_since(self.opened_on)))),
            _ => None,
        }
    }

    fn attributes(&self) -> Option<&Attributes> {
        Some(&self.attributes)
    }

    fn own_region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    fn date(&self) -> Date {
        self.opened_on
    }
}

impl Fields for SalesSum {
    fn own_field(&self, name: &str) -> Option<FieldValue<'_>> {
        match name {
            "kind" => Some(FieldValue::text(kind_name(self.kind))),
            "category" => text(self.category.as_ref()),
            "currency" => Some(FieldValue::text(self.amount.currency.code())),
            _ => None,
        }
    }

    fn attributes(&self) -> Option<&Attributes> {
        None
    }

    fn own_region(&self) -> Option<&str> {
        None
    }

    fn date(&self) -> Date {
        self.days.from
    }
}
