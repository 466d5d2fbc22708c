//! On PostgreSQL the rows that a statement replaces go to the past in one statement, and tiers on record lose the foreign keys that say what
//! is held to anyway: a tier is put on record for a program, a version and a review that were read in the same transaction, and none of
//! them is ever deleted (a version that was published cannot be). A review that moves many tiers spent most of its writing on both.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::dialect::run;
use crate::m20260801_000050_recorded_numbers::RECORDED;
use crate::recorded::keep;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// The foreign keys, each by column and table.
const KEYS: [(&str, &str); 3] = [("program", "program"), ("review", "review"), ("version", "program_version")];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        for recorded in &RECORDED {
            keep(manager, recorded).await?;
        }
        let drops: Vec<String> = KEYS.iter().map(|(key, _)| format!("DROP CONSTRAINT IF EXISTS tier_assignment_{key}_fk")).collect();
        run(manager, &[&format!("ALTER TABLE tier_assignment {}", drops.join(", "))]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        let adds = |(key, table): &(&str, &str)| {
            let constraint = format!("tier_assignment_{key}_fk");
            format!("DROP CONSTRAINT IF EXISTS {constraint}, ADD CONSTRAINT {constraint} FOREIGN KEY ({key}_id) REFERENCES {table} (id)")
        };
        let adds: Vec<String> = KEYS.iter().map(adds).collect();
        run(manager, &[&format!("ALTER TABLE tier_assignment {}", adds.join(", "))]).await
    }
}
