//! A chunk of a run, committed with its results.

use sea_orm::entity::prelude::*;

/// A chunk of a run, committed with its results.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "rebate_run_chunk")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub run_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub pass: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub no: i64,
    #[sea_orm(column_type = "Text")]
    pub last_code: String,
    pub partners: i64,
    pub statements: i64,
    pub fence: i64,
    #[sea_orm(column_type = "Text")]
    pub failure: Option<String>,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(belongs_to = "super::rebate_run::Entity", from = "Column::RunId", to = "super::rebate_run::Column::Id")]
    Run,
}

impl Related<super::rebate_run::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Run.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
