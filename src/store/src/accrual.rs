//! What was set aside for partners at a date: kept as it was computed, never changed.

use guerdon_domain::date::Date;
use guerdon_domain::money::Money;
use sea_orm::Value;
use uuid::Uuid;

use crate::bulk::{self, Column, Kind};
use crate::fault::StoreError;
use crate::tx::WriteTx;
use crate::{PartnerId, ProgramId, VersionId};

/// An accrual to be put on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccrual {
    /// The program.
    pub program: ProgramId,
    /// The version that it is computed by.
    pub version: VersionId,
    /// The period's name.
    pub period: String,
    /// Sales after this day do not count.
    pub as_of: Date,
    /// The last sealed batch whose facts count.
    pub cut_off: i64,
}

/// What is set aside for a partner and a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccrualLine {
    /// The partner.
    pub partner: PartnerId,
    /// The schedule.
    pub schedule: String,
    /// What is set aside.
    pub accrued: Money,
}

const COLUMNS: [Column; 5] =
    [("accrual_id", Kind::Uuid), ("partner_id", Kind::Uuid), ("schedule", Kind::Text), ("currency", Kind::Text), ("accrued_minor", Kind::Int)];

impl WriteTx {
    /// Puts an accrual with its lines on record. The books are written by [`WriteTx::accrue_to`].
    pub async fn insert_accrual(&self, new: &NewAccrual, lines: &[AccrualLine]) -> Result<Uuid, StoreError> {
        let id = self.new_id();
        let sql = "INSERT INTO rebate_accrual (id, program_id, version_id, period, as_of, cut_off, created_by, created_at) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let values = vec![
            id.into(),
            new.program.into(),
            new.version.into(),
            new.period.clone().into(),
            new.as_of.naive().into(),
            new.cut_off.into(),
            self.context().actor.clone().into(),
            self.now().into(),
        ];
        self.execute(sql, values).await?;
        let cells = |line: &AccrualLine| -> Vec<Value> {
            vec![id.into(), line.partner.into(), line.schedule.clone().into(), line.accrued.currency.code().into(), line.accrued.minor.into()]
        };
        if !lines.is_empty() {
            bulk::insert(self, "rebate_accrual_line", &COLUMNS, lines.iter().map(cells).collect(), "").await?;
        }
        Ok(id)
    }
}
