//! Where a key stands in a TOML text that is known to be whole.

/// The line and column, from 1, of a key; of the section where the key is one.
///
/// A line within a text of many lines may be taken for a key: a place is for people, nothing is decided by it.
pub(super) fn place(text: &str, key: &[String]) -> Option<(usize, usize)> {
    let mut section: Vec<String> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let trimmed = line.trim_start();
        let column = line.len() - trimmed.len();
        if let Some(header) = trimmed.strip_prefix('[') {
            section = keys(header.trim_start_matches('[').split(']').next().unwrap_or_default());
            if section == key {
                return Some((number + 1, column + 1));
            }
            continue;
        }
        let Some((left, right)) = trimmed.split_once('=') else { continue };
        let path: Vec<String> = section.iter().cloned().chain(keys(left)).collect();
        if path == key {
            return Some((number + 1, column + 1));
        }
        if key.starts_with(&path) && !path.is_empty() {
            // A table in one line: the last of its names.
            let before = column + left.len() + 1;
            let within = key.last().and_then(|name| right.find(name.as_str())).unwrap_or(0);
            return Some((number + 1, before + within + 1));
        }
    }
    None
}

fn keys(text: &str) -> Vec<String> {
    // A dot in quotes does not part names; names of ours have none.
    if let Some(quoted) =
        text.trim().strip_prefix(['"', '\'']).and_then(|it| it.strip_suffix(['"', '\'']))
    {
        return vec![quoted.to_owned()];
    }
    text.split('.').map(|name| name.trim().trim_matches(['"', '\'']).to_owned()).collect()
}
