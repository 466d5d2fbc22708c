//! A lock of a period.

use sea_orm::entity::prelude::*;

/// A lock of a period.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "period_lock")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub program_id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub period: String,
    pub period_from: Date,
    pub period_until: Date,
    pub run_id: Option<Uuid>,
    #[sea_orm(column_type = "Text")]
    pub reason: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub locked_by: String,
    pub locked_at: DateTimeUtc,
    #[sea_orm(column_type = "Text")]
    pub release_asked_by: Option<String>,
    pub release_asked_at: Option<DateTimeUtc>,
    #[sea_orm(column_type = "Text")]
    pub released_by: Option<String>,
    pub released_at: Option<DateTimeUtc>,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(belongs_to = "super::program::Entity", from = "Column::ProgramId", to = "super::program::Column::Id")]
    Program,
    #[sea_orm(belongs_to = "super::rebate_run::Entity", from = "Column::RunId", to = "super::rebate_run::Column::Id")]
    Run,
}

impl Related<super::program::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Program.def()
    }
}

impl Related<super::rebate_run::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Run.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
