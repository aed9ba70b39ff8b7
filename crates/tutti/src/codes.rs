//! The codes of what can be wrong beside a document, each with its page.

/// A stable code.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Code {
    /// As people read it.
    pub(crate) text: &'static str,
    /// What it stands for, in one sentence.
    pub(crate) summary: &'static str,
    /// Its page, in Markdown.
    pub(crate) page: &'static str,
}

/// A store of which something was altered or lost.
pub(crate) const DAMAGED_STORE: Code = Code {
    text: "E0201",
    summary: "The store is damaged.",
    page: include_str!("../../../docs/reference/errors/E0201.md"),
};

/// A file that was to be a document.
pub(crate) const UNREADABLE_FILE: Code = Code {
    text: "E0401",
    summary: "A file cannot be read as a document.",
    page: include_str!("../../../docs/reference/errors/E0401.md"),
};

/// All of them: those of stores, those of requests to a server, then those of files.
pub(crate) fn all() -> impl Iterator<Item = Code> {
    let of_api = tutti_api::Code::ALL.iter().map(|code| Code {
        text: code.as_str(),
        summary: code.title(),
        page: code.page(),
    });
    std::iter::once(DAMAGED_STORE).chain(of_api).chain([UNREADABLE_FILE])
}
