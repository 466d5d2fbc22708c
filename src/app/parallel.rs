//! Work on many partners at once, on every processor.

use std::sync::Arc;
use std::thread::available_parallelism;

use tokio::task::{JoinHandle, spawn_blocking};

use crate::error::AppError;

/// Works on parts of a list at once, one for each processor, and answers in the order of the list. The threads are those
/// that the runtime keeps for what computes.
///
/// # Errors
/// `Internal` when the work panics.
pub(super) async fn in_parallel<T: Send + 'static, U: Send + 'static>(
    mut list: Vec<T>,
    work: impl Fn(Vec<T>) -> Vec<U> + Send + Sync + 'static,
) -> Result<Vec<U>, AppError> {
    let size = list.len().div_ceil(available_parallelism().map_or(1, usize::from)).max(1);
    let mut parts = Vec::new();
    while list.len() > size {
        let rest = list.split_off(size);
        parts.push(std::mem::replace(&mut list, rest));
    }
    parts.push(list);
    let work = Arc::new(work);
    let begin = |part: Vec<T>| {
        let work = Arc::clone(&work);
        spawn_blocking(move || work(part))
    };
    let running: Vec<JoinHandle<Vec<U>>> = parts.into_iter().map(begin).collect();
    let mut done = Vec::new();
    for part in running {
        done.extend(part.await.map_err(AppError::internal)?);
    }
    Ok(done)
}

/// Work that goes on beside other work. Whoever lets go of it ends it.
pub(super) struct Working<T>(JoinHandle<Result<T, AppError>>);

impl<T: Send + 'static> Working<T> {
    /// Begins.
    pub(super) fn begin(work: impl Future<Output = Result<T, AppError>> + Send + 'static) -> Self {
        Self(tokio::spawn(work))
    }

    /// Waits for what comes of it.
    ///
    /// # Errors
    /// Those of the work; `Internal` when it panics.
    pub(super) async fn done(mut self) -> Result<T, AppError> {
        (&mut self.0).await.map_err(AppError::internal)?
    }
}

impl<T> Drop for Working<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
