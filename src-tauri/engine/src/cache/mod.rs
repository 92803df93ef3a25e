//! The response cache: the seam the path of a call looks through.

use crate::call::{Answer, Call};

/// Answers kept from earlier calls.
pub trait AnswerCache: Send + Sync {
    /// An answer that still holds for `call`.
    fn get(&self, call: &Call) -> Option<Answer>;
    /// Keeps an answer, if the policy of its endpoint says so.
    fn put(&self, call: &Call, answer: &Answer);
}

/// Keeps nothing: every call leaves the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct KeepsNothing;

impl AnswerCache for KeepsNothing {
    fn get(&self, _call: &Call) -> Option<Answer> {
        None
    }

    fn put(&self, _call: &Call, _answer: &Answer) {}
}
