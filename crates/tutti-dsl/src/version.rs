//! Names and versions of workflows.

/// Whether a text is a semantic version by `SemVer` 2.0.
pub(crate) fn is_semantic(text: &str) -> bool {
    let (rest, build) = split(text, '+');
    let (release, pre_release) = split(rest, '-');
    let numbers: Vec<&str> = release.split('.').collect();
    numbers.len() == 3
        && numbers.iter().all(|number| is_number(number))
        && text.len() <= 256
        && build.is_none_or(|build| build.split('.').all(is_word))
        && pre_release.is_none_or(|pre| {
            pre.split('.').all(|part| {
                is_word(part) && (is_number(part) || !part.bytes().all(|b| b.is_ascii_digit()))
            })
        })
}

/// Whether a text is a DNS label: 1 to 63 letters, digits and hyphens, a hyphen neither first nor last.
pub(crate) fn is_dns_label(text: &str) -> bool {
    let edges = !text.starts_with('-') && !text.ends_with('-');
    edges && text.len() <= 63 && is_word(text)
}

fn split(text: &str, at: char) -> (&str, Option<&str>) {
    text.split_once(at).map_or((text, None), |(before, after)| (before, Some(after)))
}

fn is_number(part: &str) -> bool {
    !part.is_empty()
        && part.bytes().all(|byte| byte.is_ascii_digit())
        && (part.len() == 1 || !part.starts_with('0'))
}

fn is_word(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}
