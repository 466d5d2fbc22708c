//! The plane of errors that the caller can mend: `userErrors` in a payload.

use guerdon_domain::fault::Fault;

use super::error::GqlFault;
use crate::error::AppError;

/// Something that the caller can mend, and what to do. Every mutation answers it as a type of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserError {
    /// Stable, in capitals. Expect codes that you do not know.
    pub code: String,
    /// Where in the arguments: member names and list indices, from `input` on. Null when it is about no single member.
    pub field: Option<Vec<String>>,
    /// What is wrong and what to do.
    pub message: String,
}

impl From<&Fault> for UserError {
    fn from(fault: &Fault) -> Self {
        let steps = fault.path.split(['.', '[', ']']).filter(|step| !step.is_empty()).map(str::to_owned);
        let field = (!fault.path.is_empty()).then(|| std::iter::once("input".to_owned()).chain(steps).collect());
        Self { code: fault.code.clone(), field, message: fault.message.clone() }
    }
}

/// What a mutation did, or what the caller has to mend; anything else is an error of the field.
pub fn settle<T>(result: Result<T, AppError>) -> Result<(Option<T>, Vec<UserError>), GqlFault> {
    match result {
        Ok(value) => Ok((Some(value), Vec::new())),
        Err(error) => user_errors(error).map(|errors| (None, errors)),
    }
}

/// The same of a mutation whose input has no `expectedVersion`: that somebody else was faster is about no single member of it.
pub fn settle_unversioned<T>(result: Result<T, AppError>) -> Result<(Option<T>, Vec<UserError>), GqlFault> {
    let (value, mut errors) = settle(result)?;
    for error in errors.iter_mut().filter(|error| error.code == "STALE") {
        error.field = None;
    }
    Ok((value, errors))
}

/// The user errors of a failure, or the failure itself if the caller cannot mend it.
pub fn user_errors(error: AppError) -> Result<Vec<UserError>, GqlFault> {
    if matches!(error, AppError::NotFound) {
        let fault = Fault::new("NOT_FOUND", "", "what the input names does not exist, or is not yours to see: check its ids and codes");
        return Ok(vec![UserError::from(&fault)]);
    }
    match error.faults() {
        Some(faults) => Ok(faults.0.iter().map(UserError::from).collect()),
        None => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_becomes_steps_from_input_on() {
        let error = UserError::from(&Fault::new("BAD", "lines[3].amount", "no"));
        assert_eq!(error.field, Some(vec!["input".into(), "lines".into(), "3".into(), "amount".into()]));
        assert_eq!(UserError::from(&Fault::new("BAD", "", "no")).field, None);
    }

    #[test]
    fn only_what_can_be_mended_is_a_user_error() {
        assert!(settle::<()>(Err(AppError::Stale)).is_ok_and(|(value, errors)| value.is_none() && errors.len() == 1));
        assert!(settle::<()>(Err(AppError::NotFound)).is_ok());
        for error in [AppError::Forbidden, AppError::Busy, AppError::Unauthenticated, AppError::internal("x")] {
            assert!(settle::<()>(Err(error)).is_err());
        }
    }
}
