//! What was made of an immutable program version, kept by its id for ever.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use uuid::Uuid;

/// One value per program version. A published version never changes, so nothing here is ever invalidated.
#[derive(Debug)]
pub struct VersionCache<T>(RwLock<HashMap<Uuid, Arc<T>>>);

impl<T> Default for VersionCache<T> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<T> VersionCache<T> {
    /// What is kept for this version.
    pub fn find(&self, version: Uuid) -> Option<Arc<T>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&version).cloned()
    }

    /// Keeps it. Whoever comes second gets what the first one kept.
    pub fn keep(&self, version: Uuid, value: T) -> Arc<T> {
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        kept.entry(version).or_insert_with(|| Arc::new(value)).clone()
    }
}
