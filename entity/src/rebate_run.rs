//! A rebate run: one period of one program, from draft to paid.

use sea_orm::entity::prelude::*;

/// A rebate run: one period of one program, from draft to paid.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "rebate_run")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub program_id: Uuid,
    pub version_id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub period: String,
    pub period_from: Date,
    pub period_until: Date,
    #[sea_orm(column_type = "Text")]
    pub kind: String,
    #[sea_orm(column_type = "Text")]
    pub state: String,
    pub of_run_id: Option<Uuid>,
    #[sea_orm(column_type = "Text")]
    pub reason: Option<String>,
    pub run_on: Option<Date>,
    pub cut_off: Option<i64>,
    pub book: Option<i64>,
    pub adjustments: Option<i64>,
    pub fence: i64,
    pub row_version: i64,
    pub partners_done: i64,
    pub partners_total: Option<i64>,
    pub statements: i64,
    #[sea_orm(column_type = "Text")]
    pub totals: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub content_hash: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub failure: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub prepared_by: String,
    pub prepared_at: DateTimeUtc,
    #[sea_orm(column_type = "Text")]
    pub calculated_by: Option<String>,
    pub calculated_at: Option<DateTimeUtc>,
    #[sea_orm(column_type = "Text")]
    pub submitted_by: Option<String>,
    pub submitted_at: Option<DateTimeUtc>,
    #[sea_orm(column_type = "Text")]
    pub approved_by: Option<String>,
    pub approved_at: Option<DateTimeUtc>,
    #[sea_orm(column_type = "Text")]
    pub rejected_by: Option<String>,
    pub rejected_at: Option<DateTimeUtc>,
    #[sea_orm(column_type = "Text")]
    pub decision_note: Option<String>,
    pub second_approver: i64,
    #[sea_orm(column_type = "Text")]
    pub posted_by: Option<String>,
    pub posted_at: Option<DateTimeUtc>,
    pub posting_number: Option<i64>,
    #[sea_orm(column_type = "Text")]
    pub paid_by: Option<String>,
    pub paid_at: Option<DateTimeUtc>,
    pub paid_on: Option<Date>,
    #[sea_orm(column_type = "Text")]
    pub payment_reference: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub voided_by: Option<String>,
    pub voided_at: Option<DateTimeUtc>,
    pub reversed_by_run_id: Option<Uuid>,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(belongs_to = "super::program::Entity", from = "Column::ProgramId", to = "super::program::Column::Id")]
    Program,
    #[sea_orm(belongs_to = "super::program_version::Entity", from = "Column::VersionId", to = "super::program_version::Column::Id")]
    Version,
    #[sea_orm(belongs_to = "Entity", from = "Column::OfRunId", to = "Column::Id")]
    OfRun,
    #[sea_orm(belongs_to = "Entity", from = "Column::ReversedByRunId", to = "Column::Id")]
    ReversedByRun,
}

impl Related<super::program::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Program.def()
    }
}

impl Related<super::program_version::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Version.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
