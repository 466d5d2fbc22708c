//! Flags that several commands share, and opening the database.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use guerdon_store::{Store, StoreOptions, missing_file};

use super::migrate::migrations;

use crate::app::App;
use crate::config::{Config, Flags, load};
use crate::error::AppError;
use crate::idgen::{IdGen as _, SystemIds};

/// Where settings and data are.
#[derive(Debug, Clone, Default, Args)]
pub struct Common {
    /// A file with settings; GUERDON_CONFIG.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// sqlite://FILE or postgres://USER:PASSWORD@HOST/NAME; GUERDON_DATABASE_URL.
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,
}

impl Common {
    /// The settings, with these flags and further ones by their keys.
    pub fn load(&self, further: Vec<(&'static str, String)>) -> Result<Config, AppError> {
        let mut set = further;
        if let Some(url) = &self.database_url {
            set.push(("database.url", url.clone()));
        }
        Ok(load(&Flags { config: self.config.clone(), set })?)
    }
}

/// How long a command waits for a connection or a lock, and PostgreSQL for a statement: nobody else waits for a command as for a service.
const PATIENCE: Duration = Duration::from_secs(60);
const LONG_STATEMENT: Duration = Duration::from_secs(600);

/// Opens the database of these settings for a command. It is not migrated here, nor is a file made: whoever misspelled its name is told.
pub async fn open(config: &Config) -> Result<App, AppError> {
    if let Some(path) = missing_file(config.database.url.expose())? {
        return Err(no_database(format!("there is no file {}: name the right one, or make it with `guerdon migrate`", path.display())));
    }
    let patient = |options| StoreOptions { acquire_timeout: PATIENCE, lock_timeout: PATIENCE, statement_timeout: LONG_STATEMENT, ..options };
    let app = open_with(config, patient).await.map_err(unopened)?;
    app.ready().await.map_err(unopened)?;
    Ok(app)
}

/// Why a command has no database to work on, and what to do.
fn unopened(error: AppError) -> AppError {
    match error {
        AppError::Busy => {
            no_database(format!("the database did not answer within {} seconds: look whether it runs, and whether this is its address", PATIENCE.as_secs()))
        }
        AppError::Internal(cause) => no_database(format!("the database cannot be opened: {}", innermost(&*cause))),
        other => other,
    }
}

fn no_database(message: String) -> AppError {
    AppError::conflict("NO_DATABASE", "--database-url", message)
}

fn innermost(error: &dyn Error) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}

/// The same with other options; those of a service are given.
pub async fn open_with(config: &Config, change: impl FnOnce(StoreOptions) -> StoreOptions) -> Result<App, AppError> {
    let connections = config.database.connections_max;
    let options = StoreOptions {
        readers: connections,
        writers: connections.div_ceil(2),
        slow_statement: config.database.slow_query,
        new_id: Arc::new(|| SystemIds.id()),
        ..StoreOptions::default()
    };
    let store = Store::connect(config.database.url.expose(), change(options)).await?;
    let mut app = App::new(store).requiring(migrations());
    app.limits.run_chunk = config.jobs.run_chunk;
    app.limits.second_approver_above = config.runs.second_approver_above;
    Ok(app)
}
