//! `tutti explain`

use tutti_dsl::Code;

use crate::{
    codes, console,
    exit::{Exit, Failure},
};

/// Prints the page of a code, or the list of all codes.
pub(crate) fn explain(code: Option<&str>) -> Result<Exit, Failure> {
    let Some(code) = code else { return console::print(&list()) };
    let own = codes::all().find(|own| own.text.eq_ignore_ascii_case(code.trim()));
    match tutti_dsl::explain(code).or(own.map(|own| own.page)) {
        Some(page) => console::print(&format!("{}\n", page.trim_end())),
        None => Err(unknown(code)),
    }
}

fn list() -> String {
    let of_documents = Code::ALL.iter().map(|code| format!("{code}  {}\n", code.summary()));
    let others = codes::all().map(|code| format!("{}  {}\n", code.text, code.summary));
    of_documents.chain(others).collect()
}

fn unknown(code: &str) -> Failure {
    let shown: String = code.chars().take(40).collect();
    let failure = Failure::usage(format!("there is no code `{shown}`"));
    match nearest(code) {
        Some(near) => failure.hint(format!("did you mean {near} ({})?", near.summary())),
        None => failure.hint("`tutti explain` lists all codes"),
    }
}

/// The code that differs in the fewest characters, at most two.
fn nearest(code: &str) -> Option<Code> {
    let code = code.trim().to_ascii_uppercase();
    let code: Vec<char> = code.chars().take(16).collect();
    let differences = |known: &str| {
        let known: Vec<char> = known.chars().collect();
        let same = known.iter().zip(&code).filter(|(left, right)| left == right).count();
        known.len().max(code.len()) - same
    };
    let nearest = Code::ALL.iter().copied().min_by_key(|known| differences(known.as_str()))?;
    (differences(nearest.as_str()) <= 2).then_some(nearest)
}
