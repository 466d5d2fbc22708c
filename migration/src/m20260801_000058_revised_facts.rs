//! Whether a holding or a deal was revised is looked up among those that were: most never are, and the key of all of them is large.

use sea_orm_migration::prelude::*;

use crate::dialect::run;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            &[
                "CREATE INDEX IF NOT EXISTS holding_revised_idx ON holding (source, external_id, revision) WHERE revision > 1",
                "CREATE INDEX IF NOT EXISTS deal_revised_idx ON deal (source, external_id, revision) WHERE revision > 1",
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, &["DROP INDEX IF EXISTS holding_revised_idx", "DROP INDEX IF EXISTS deal_revised_idx"]).await
    }
}
