//! What a snapshot answered already. The same question has the same answer in it, so that it is not asked twice: what a request asks
//! about a partner mostly begins with the same program, the same state and the same rates.

use std::sync::Arc;

use guerdon_domain::access::Scope;
use guerdon_domain::date::Date;
use guerdon_domain::facts::ExchangeRate;
use tokio::sync::Mutex;

use crate::fault::StoreError;
use crate::program::{ProgramKey, PublishedProgram};
use crate::state::LoadedState;
use crate::{PartnerId, ProgramId};

/// Which state was asked for. It is read whole, whatever the date of the question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StateAsked {
    pub(crate) scope: Scope,
    pub(crate) ids: Vec<PartnerId>,
    pub(crate) program: ProgramId,
    pub(crate) subtree: bool,
    pub(crate) records: Option<i64>,
}

/// Answers by what was asked. Whoever asks the same at the same time waits for the answer.
pub(crate) struct Kept<Q, A>(Mutex<Vec<(Q, A)>>);

impl<Q, A> Default for Kept<Q, A> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<Q: PartialEq, A: Clone> Kept<Q, A> {
    /// The answer that is kept, or the one that `ask` gives now.
    pub(crate) async fn or_ask(&self, question: Q, ask: impl AsyncFnOnce() -> Result<A, StoreError>) -> Result<A, StoreError> {
        let mut kept = self.0.lock().await;
        if let Some((_, answer)) = kept.iter().find(|(asked, _)| *asked == question) {
            return Ok(answer.clone());
        }
        let answer = ask().await?;
        kept.push((question, answer.clone()));
        Ok(answer)
    }

    /// Keeps an answer that came with another one.
    pub(crate) async fn keep(&self, question: Q, answer: A) {
        self.0.lock().await.push((question, answer));
    }
}

/// The answers of one snapshot.
#[derive(Default)]
pub(crate) struct Answered {
    pub(crate) programs: Kept<Option<ProgramKey>, Vec<Arc<PublishedProgram>>>,
    pub(crate) states: Kept<StateAsked, Arc<LoadedState>>,
    pub(crate) rates: Kept<(Date, Date), Arc<Vec<ExchangeRate>>>,
}
