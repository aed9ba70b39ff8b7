//! The page of the settings, made from their catalog, and the test that holds it fresh.

use std::{env, fmt::Write as _, fs, path::Path};

use super::catalog::SETTINGS;

const HEAD: &str = "\
# Configuration of the server

*Generated* from the program's own catalog; `TUTTI_UPDATE=1 cargo test -p tutti` rewrites it.

`tutti server` takes each setting from where it is said last: its default, the configuration file, the environment, a flag. The file is
`/etc/tutti/server.toml` where there is one, or the one that `--config FILE` names. It is TOML: the part of a key before its dot is a section.

```toml
listen = \"0.0.0.0:8420\"

[calls]
allow-private = true
```

A variable is `TUTTI_SERVER__` and the key in capitals, `__` for the dot, `_` for `-`: `TUTTI_SERVER__CALLS__ALLOW_PRIVATE=true`. One that is empty says
nothing. `TUTTI_BOOTSTRAP_TOKEN_FILE` is short for `TUTTI_SERVER__BOOTSTRAP_TOKEN_FILE`.

A key or variable that is none of these is refused, with its place and the one that is most like it. `tutti server --print-config` prints all of them as a file,
each with who said it, and starts nothing. No setting is a secret: what is secret stands in a file that a setting names.

| key | default | flag | variable | meaning |
|---|---|---|---|---|
";

fn page() -> String {
    let mut page = HEAD.to_owned();
    for setting in &SETTINGS {
        let code =
            |text: &str| if text.is_empty() { "—".to_owned() } else { format!("`{text}`") };
        let (default, flag) = (code(setting.default), code(setting.flag.unwrap_or_default()));
        let (key, variable) = (setting.key, setting.variable());
        writeln!(page, "| `{key}` | {default} | {flag} | `{variable}` | {} |", setting.meaning)
            .ok();
    }
    page
}

#[test]
fn the_page_of_the_settings_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/configuration.md");
    let page = page();
    if env::var_os("TUTTI_UPDATE").is_some() {
        fs::write(&path, &page).expect("the page can be written");
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == page,
        "docs/reference/configuration.md is out of date; hint: TUTTI_UPDATE=1 rewrites it"
    );
}
