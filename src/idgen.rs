//! The port of identities and secrets. The only file that asks the system for randomness.

use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

use crate::error::AppError;

/// Where identities and secrets come from.
pub trait IdGen: Send + Sync {
    /// A new identity: a UUIDv7, so that rows of one time lie together.
    fn id(&self) -> Uuid;

    /// 256 bits that nobody can guess.
    fn secret(&self) -> Result<[u8; 32], AppError>;
}

/// Identities and secrets from the system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemIds;

impl IdGen for SystemIds {
    fn id(&self) -> Uuid {
        Uuid::now_v7()
    }

    fn secret(&self) -> Result<[u8; 32], AppError> {
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes).map_err(|error| AppError::internal(format!("the system gave no randomness: {error}")))?;
        Ok(bytes)
    }
}

/// Identities that count up, for tests. Their secrets are no secrets.
#[derive(Debug, Default)]
pub struct CountingIds(AtomicU64);

impl IdGen for CountingIds {
    fn id(&self) -> Uuid {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        uuid::Builder::from_unix_timestamp_millis(number, &[0; 10]).into_uuid()
    }

    fn secret(&self) -> Result<[u8; 32], AppError> {
        let mut bytes = [0_u8; 32];
        for (byte, source) in bytes.iter_mut().zip(self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes().into_iter().cycle()) {
            *byte = source;
        }
        Ok(bytes)
    }
}
