//! Every rule a document can break, with its page.

use std::fmt;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $text:literal,)+) => {
        /// The stable code of a rule: `E` refuses the document, `W` warns.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Code {
            /// Every code, in the order of their numbers.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The code as people read it, such as `E0107`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// What the code stands for, in one sentence.
            pub fn summary(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim_ascii(),)+ }
            }

            /// The code's page in Markdown: what it means, an example that fails, the fix.
            pub fn page(self) -> &'static str {
                match self {
                    $(Self::$variant => include_str!(
                        concat!("../../../docs/reference/errors/", $text, ".md")
                    ),)+
                }
            }
        }
    };
}

codes! {
    /// The text is not YAML or JSON.
    Syntax = "E0101",
    /// A key stands twice in one mapping.
    DuplicateKey = "E0102",
    /// The document is larger, deeper or more expanded than accepted.
    LimitExceeded = "E0103",
    /// The document uses something of YAML that JSON cannot say.
    UnsupportedYaml = "E0104",
    /// A value is of another type than its place asks for.
    WrongType = "E0105",
    /// A required key is missing.
    MissingKey = "E0106",
    /// A key has no meaning where it stands.
    UnknownKey = "E0107",
    /// A value is not one of those allowed.
    NotAllowed = "E0108",
    /// Exactly one of several keys is needed.
    ExactlyOne = "E0109",
    /// A number or a list has a size that makes no sense there.
    OutOfRange = "E0110",
    /// The document is written in a version of the language this version does not know.
    DslVersion = "E0111",
    /// A name is not a DNS label.
    InvalidName = "E0112",
    /// A version is not a semantic version.
    InvalidVersion = "E0113",
    /// Two tasks of one list have the same name.
    DuplicateTask = "E0114",
    /// A flow directive names no task of its own list.
    UnknownTarget = "E0115",
    /// A task does nothing, or two things.
    TaskKind = "E0116",
    /// A call names a function that nothing declares.
    UnknownFunction = "E0117",
    /// A name stands for an error that nothing declares.
    UnknownError = "E0118",
    /// A name stands for a retry policy that nothing declares.
    UnknownRetry = "E0119",
    /// A name stands for a timeout that nothing declares.
    UnknownTimeout = "E0120",
    /// A name stands for an authentication policy that nothing declares.
    UnknownAuthentication = "E0121",
    /// A secret is used that the document does not declare.
    UndeclaredSecret = "E0122",
    /// An expression does not compile.
    InvalidExpression = "E0123",
    /// A text has an expression inside it.
    EmbeddedExpression = "E0124",
    /// A variable does not exist where it is used.
    UnknownVariable = "E0125",
    /// A text or mapping is not a duration.
    InvalidDuration = "E0126",
    /// A text is not a URI or URI template.
    InvalidUri = "E0127",
    /// A JSON Schema cannot be used.
    InvalidSchema = "E0128",
    /// A schema is written in a format this version does not know.
    SchemaFormat = "E0129",
    /// Functions call each other in a circle.
    FunctionCycle = "E0130",
    /// A switch has more than one default case.
    SecondDefault = "E0131",
    /// A setting or function is known, and this version does not support it yet.
    NotSupportedYet = "E0132",
    /// A retry would repeat a call whose outcome is unknown.
    UnsafeRetry = "E0133",
    /// A schedule cannot be kept.
    InvalidSchedule = "E0134",
    /// A branch of a fork jumps.
    BranchJumps = "E0135",
    /// A name cannot be a variable.
    InvalidVariable = "E0136",
    /// A text is not a JSON pointer.
    InvalidPointer = "E0137",
    /// A resource cannot be loaded.
    CannotLoad = "E0138",
    /// What a call names is not a function.
    NotAFunction = "E0139",
    /// A resource is not UTF-8.
    ResourceNotText = "E0140",
    /// A resource is too large, or one too many.
    ResourceTooLarge = "E0141",
    /// A key of the document's root has no meaning.
    UnknownRootKey = "W0101",
    /// No way through the document leads to a task.
    UnreachableTask = "W0102",
    /// A shell command or script does not say what it does to the world.
    UndeclaredEffect = "W0103",
    /// `exit` in a loop ends the iteration, not the loop.
    ExitInLoop = "W0104",
    /// A secret is used where it easily ends up in data.
    SecretOutsideInput = "W0105",
    /// Code has a `${` that the shell or the script sees, not the workflow.
    ExpressionInCode = "W0106",
    /// A task is valid, and this version does not execute it yet.
    NotExecutedYet = "W0107",
    /// A text looks like an expression and is none.
    LooksLikeExpression = "W0108",
    /// A resource was not loaded, and so not checked.
    NotLoaded = "W0109",
    /// A text of an event filter looks like a pattern and is none.
    NotAPattern = "W0110",
}

/// Whether a rule refuses the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The document cannot be used.
    Error,
    /// The document can be used; it probably does not mean what it says.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

impl Code {
    /// Whether the rule refuses the document.
    pub fn severity(self) -> Severity {
        if self.as_str().starts_with('E') { Severity::Error } else { Severity::Warning }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The page of a code such as `E0117`, in Markdown; upper or lower case.
pub fn explain(code: &str) -> Option<&'static str> {
    let known = Code::ALL.iter().find(|known| known.as_str().eq_ignore_ascii_case(code.trim()));
    known.map(|known| known.page())
}
