//! How a command fails: a line on stderr and an exit code.

use std::error::Error;
use std::process::ExitCode;

use headroom_engine::contract::{ApiError, Code};

use crate::show::{BAD, paint, remark};

/// A failed command.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: u8,
    text: String,
}

impl Failure {
    /// Exit 1.
    pub(crate) fn failed(text: impl Into<String>) -> Self {
        Self { exit: 1, text: text.into() }
    }

    /// Exit 2.
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self { exit: 2, text: text.into() }
    }

    /// Exit 3.
    pub(crate) fn no_engine(dir: &std::path::Path) -> Self {
        let text = match headroom_engine::holder::of(dir) {
            // Starting, stopping, without a loopback server, or a command at work.
            Some(holder) => format!("{holder} holds {} and does not answer", dir.display()),
            None => format!(
                "no engine is running on {}: `headroomctl start` runs one, and so does the app",
                dir.display()
            ),
        };
        Self { exit: 3, text }
    }

    /// Whoever read what is written has seen enough: no failure at all.
    pub(crate) fn nobody_reads() -> Self {
        Self { exit: 0, text: String::new() }
    }

    /// Whether the engine has no such command: it is of another version.
    pub(crate) fn is_unknown_command(&self) -> bool {
        self.text.starts_with("There is no command ")
    }

    pub(crate) fn is_no_engine(&self) -> bool {
        self.exit == 3
    }

    /// The same, with more to say.
    pub(crate) fn and(self, more: &str) -> Self {
        Self { text: format!("{}; {more}", self.text), ..self }
    }

    /// Exit 4.
    pub(crate) fn refused(text: impl Into<String>) -> Self {
        Self { exit: 4, text: text.into() }
    }

    /// The command was done, and what it found is bad: exit 1 without another word.
    pub(crate) fn found() -> Self {
        Self { exit: 1, text: String::new() }
    }

    /// An error with all its causes.
    pub(crate) fn of(error: &dyn Error) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            let inner_text = inner.to_string();
            if !text.contains(&inner_text) {
                text.push_str(": ");
                text.push_str(&inner_text);
            }
            cause = inner.source();
        }
        Self::failed(text)
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }

    pub(crate) fn report(&self) -> ExitCode {
        if !self.text.is_empty() {
            remark!("{} {}", paint(BAD, "headroomctl:"), self.text);
        }
        ExitCode::from(self.exit)
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        match error.code {
            Code::Refused => Self::refused(error.message),
            _ => Self::failed(error.message),
        }
    }
}
