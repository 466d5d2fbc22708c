//! A number that only goes up, taken inside a transaction so that it is ordered as commits are.

use sea_orm::entity::prelude::*;

/// A number that only goes up, taken inside a transaction so that it is ordered as commits are.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "counter")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub name: String,
    pub value: i64,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
