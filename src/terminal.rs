//! Where diagnostics go: the standard error, in the form and with the colours that were asked for.

use std::io::{IsTerminal as _, Write as _};

use bpf::diagnostic::{Diagnostic, SourceMap};
use codespan_reporting::term::termcolor::{BufferedStandardStream, ColorChoice};

use crate::cli::{Color, ErrorFormat, TerminalOptions};
use crate::failure::Failure;
use crate::input::Assembled;
use crate::render;

/// The user's terminal.
#[derive(Debug)]
pub struct Terminal {
    options: TerminalOptions,
}

impl Terminal {
    /// A terminal as the command line describes it.
    #[must_use]
    pub fn new(options: TerminalOptions) -> Terminal {
        Terminal { options }
    }

    /// Shows a diagnostic. What cannot be shown is lost: there is nowhere else to say so.
    pub fn show(&self, map: &SourceMap, diagnostic: &Diagnostic) {
        match self.options.error_format {
            ErrorFormat::Json => self.line(&render::json(map, diagnostic).to_string()),
            ErrorFormat::Text => {
                let mut stream = BufferedStandardStream::stderr(self.choice());
                let _ = render::write(&mut stream, map, diagnostic);
                let _ = stream.flush();
            }
        }
    }

    /// Shows the warnings about a text that was assembled, and what it has printed.
    pub fn show_warnings(&self, assembled: &Assembled) {
        self.show_diagnostics(assembled);
        for message in &assembled.messages {
            self.line(message);
        }
    }

    /// Shows the warnings about a text that was assembled.
    pub fn show_diagnostics(&self, assembled: &Assembled) {
        for warning in &assembled.warnings {
            self.show(&assembled.map, warning);
        }
    }

    /// Shows a line of text as it is.
    pub fn line(&self, text: &str) {
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }

    /// Shows why a command stopped.
    pub fn failure(&self, failure: &Failure) {
        match failure {
            Failure::Refused { map, diagnostics } => {
                for diagnostic in diagnostics {
                    self.show(map, diagnostic);
                }
            }
            Failure::Closed | Failure::Rejected | Failure::Undecided => {}
            Failure::Usage(_) | Failure::Unsupported(_) | Failure::Io { .. } => {
                self.show(&SourceMap::new(), &Diagnostic::error(failure.to_string()));
            }
        }
    }

    /// Whether remarks and the like are wanted as JSON.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.options.error_format == ErrorFormat::Json
    }

    /// Whether the standard output shows colours.
    #[must_use]
    pub fn colours(&self) -> bool {
        match self.options.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => std::io::stdout().is_terminal(),
        }
    }

    fn choice(&self) -> ColorChoice {
        match self.options.color {
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
            Color::Auto if std::io::stderr().is_terminal() => ColorChoice::Auto,
            Color::Auto => ColorChoice::Never,
        }
    }
}
