//! Corrections that were decided (accepted disputes): the next run takes them in, once, as part of what the period is worth.

use guerdon_domain::money::Money;
use sea_orm::QueryResult;
use uuid::Uuid;

use crate::convert::Row;
use crate::fault::StoreError;
use crate::sql::{is_one_of_uuids, uuids};
use crate::tx::{ReadTx, WriteTx};
use crate::{PartnerId, ProgramId};

/// A correction to be put on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAdjustment {
    /// The program.
    pub program: ProgramId,
    /// The partner.
    pub partner: PartnerId,
    /// The schedule.
    pub schedule: String,
    /// The period that it belongs to.
    pub period: String,
    /// The amount, in the schedule's currency; negative takes away.
    pub amount: Money,
    /// Why.
    pub reason: String,
    /// What it came from: a dispute.
    pub cause: Option<Uuid>,
}

/// A correction on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAdjustment {
    /// Its id.
    pub id: Uuid,
    /// Its place among all corrections, in the order of commits.
    pub number: i64,
    /// The partner.
    pub partner: PartnerId,
    /// The schedule.
    pub schedule: String,
    /// The period that it belongs to.
    pub period: String,
    /// The amount.
    pub amount: Money,
    /// Why.
    pub reason: String,
    /// What it came from.
    pub cause: Option<Uuid>,
}

impl ReadTx {
    /// The corrections up to a number, of partners in a program.
    pub async fn adjustments_many(&self, program: ProgramId, up_to: i64, partners: &[PartnerId]) -> Result<Vec<StoredAdjustment>, StoreError> {
        let sql = format!(
            "SELECT a.id, a.number, a.partner_id, a.schedule, a.period, a.amount_minor, a.currency, a.reason, a.cause_id FROM rebate_adjustment a \
             WHERE {} AND a.program_id = $2 AND a.number <= $3 ORDER BY a.number",
            is_one_of_uuids(self.backend(), "a.partner_id", 1)
        );
        let adjustment = |row: &QueryResult| {
            let row = Row::new(row, "rebate_adjustment");
            Ok(StoredAdjustment {
                id: row.get(0)?,
                number: row.get(1)?,
                partner: row.get(2)?,
                schedule: row.get(3)?,
                period: row.get(4)?,
                amount: Money::new(row.get(5)?, row.currency(6)?),
                reason: row.get(7)?,
                cause: row.get(8)?,
            })
        };
        self.all(sql, vec![uuids(self.backend(), partners), program.into(), up_to.into()]).await?.iter().map(adjustment).collect()
    }
}

impl WriteTx {
    /// Puts a correction on record: the next run of the program posts it.
    pub async fn record_adjustment(&self, new: &NewAdjustment) -> Result<Uuid, StoreError> {
        let (id, number) = (self.new_id(), self.next_number("rebate_adjustment").await?);
        let sql = "INSERT INTO rebate_adjustment (id, number, program_id, partner_id, schedule, period, currency, amount_minor, reason, cause_id, \
             decided_by, decided_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
        let values = vec![
            id.into(),
            number.into(),
            new.program.into(),
            new.partner.into(),
            new.schedule.clone().into(),
            new.period.clone().into(),
            new.amount.currency.code().into(),
            new.amount.minor.into(),
            new.reason.clone().into(),
            new.cause.into(),
            self.context().actor.clone().into(),
            self.now().into(),
        ];
        self.execute(sql, values).await?;
        Ok(id)
    }
}
