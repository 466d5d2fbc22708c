//! A line of a statement.

use sea_orm::entity::prelude::*;

/// A line of a statement.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "statement_line")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub statement_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub no: i64,
    pub run_id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub kind: String,
    pub band: Option<i64>,
    #[sea_orm(column_type = "Text")]
    pub band_from: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub band_to: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub tier: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub category: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub base: String,
    #[sea_orm(column_type = "Text")]
    pub rate: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub exact: String,
    pub amount_minor: i64,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(belongs_to = "super::statement::Entity", from = "Column::StatementId", to = "super::statement::Column::Id")]
    Statement,
    #[sea_orm(belongs_to = "super::rebate_run::Entity", from = "Column::RunId", to = "super::rebate_run::Column::Id")]
    Run,
}

impl Related<super::statement::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Statement.def()
    }
}

impl Related<super::rebate_run::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Run.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
