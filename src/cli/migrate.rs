//! `guerdon migrate`.

use std::process::ExitCode;

use guerdon_migration::{Migrator, MigratorTrait as _};
use guerdon_store::connect_for_migration;

use super::{Common, Outcome};
use crate::error::AppError;

/// Bring the database to the schema of this version.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    common: Common,
}

/// Runs the command.
pub async fn run(args: Args) -> Outcome {
    let config = args.common.load(Vec::new())?;
    let applied = migrate(config.database.url.expose()).await?;
    match applied.as_slice() {
        [] => println!("nothing to do: the database has this version's schema"),
        applied => println!("{} migrations applied, the last one {}", applied.len(), applied.last().map_or("", String::as_str)),
    }
    Ok(ExitCode::SUCCESS)
}

/// Brings the database at `url` to the schema of this version; answers the names of what was applied. Two that start together
/// on PostgreSQL migrate once.
pub async fn migrate(url: &str) -> Result<Vec<String>, AppError> {
    let connection = connect_for_migration(url).await?;
    let pending = Migrator::get_pending_migrations(&connection).await.map_err(AppError::internal)?;
    let names = pending.iter().map(|migration| migration.name().to_owned()).collect();
    Migrator::up(&connection, None).await.map_err(AppError::internal)?;
    connection.close().await.map_err(AppError::internal)?;
    Ok(names)
}

/// The names of the migrations that this version needs.
pub fn migrations() -> Vec<String> {
    Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect()
}
