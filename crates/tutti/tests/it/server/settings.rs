//! The settings of a server: file, environment, flags; and the administrator that a file brings.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;

use super::client::Server;

/// A token as whoever deploys a server makes one: the ULID may be any.
const TOKEN: &str = "tutti_00000000000000000000000000_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// How the documentation says to make one.
const MAKE: &str = r#"printf 'tutti_%026d_%s\n' 0 "$(head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=')""#;

fn directory() -> TempDir {
    tempfile::tempdir().expect("a directory can be made")
}

fn written(directory: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = directory.path().join(name);
    fs::write(&path, text).expect("it can be written");
    path
}

fn command(file: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tutti"));
    command.arg("server").arg("--config").arg(file).args(arguments);
    command.envs(variables.iter().copied());
    command
}

fn said(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn each_setting_is_taken_from_where_it_is_said_last() {
    let directory = directory();
    let text =
        "store = '/in/file'\n\n[calls]\nmax = 5\nallow-private = true\n\n[log]\nlevel = 'warn'\n";
    let file = written(&directory, "server.toml", text);
    let variables = [("TUTTI_SERVER__LOG__LEVEL", "error"), ("TUTTI_SERVER__CALLS__MAX", "6")];
    let arguments = ["--print-config", "--log-level", "debug"];
    let output = command(&file, &variables, &arguments).output().expect("it runs");
    assert_eq!(said(&output), (Some(0), String::new()));
    let printed = String::from_utf8_lossy(&output.stdout);
    let place = file.display();
    for expected in [
        format!("store = \"/in/file\" # {place}:1:1\n"),
        "listen = \"127.0.0.1:8420\" # default\n".to_owned(),
        "max = 6 # TUTTI_SERVER__CALLS__MAX\n".to_owned(),
        format!("allow-private = true # {place}:5:1\n"),
        "level = \"debug\" # --log-level\n".to_owned(),
    ] {
        assert!(printed.contains(&expected), "{expected}: {printed}");
    }
    let again = written(&directory, "again.toml", &printed);
    let output = command(&again, &[], &["--print-config"]).output().expect("it runs");
    assert_eq!(said(&output).0, Some(0), "what is printed is a configuration");
    let settings = |text: &str| -> Vec<String> {
        text.lines().filter_map(|line| Some(line.rsplit_once(" # ")?.0.to_owned())).collect()
    };
    assert_eq!(settings(&String::from_utf8_lossy(&output.stdout)), settings(&printed));
}

#[test]
fn what_is_misspelt_is_refused_with_its_place_and_what_was_meant() {
    let directory = directory();
    let check = |text: &str, variables: &[(&str, &str)], expected: &[&str]| {
        let file = written(&directory, "server.toml", text);
        let (code, told) = said(&command(&file, variables, &[]).output().expect("it runs"));
        assert_eq!(code, Some(2), "{told}");
        assert!(expected.iter().all(|it| told.contains(it)), "{expected:?}: {told}");
    };
    check(
        "\n[log]\nfromat = 'json'\n",
        &[],
        &["server.toml:3:1:", "`log.fromat`", "did you mean `log.format`?"],
    );
    check("[log\n", &[], &["server.toml:1:5:", "hint: the file is TOML"]);
    check("", &[("TUTTI_SERVER__STOER", "x")], &["TUTTI_SERVER__STOER", "did you mean `store`?"]);
    check("store = 'postgres://h/d'", &[], &["server.toml:1:1:", "PostgreSQL"]);
    let (code, told) = said(&command(Path::new("/none.toml"), &[], &[]).output().expect("it runs"));
    assert_eq!((code, told.contains("cannot read /none.toml")), (Some(2), true), "{told}");
}

#[test]
fn a_server_does_what_its_file_says() {
    let directory = directory();
    let data = directory.path().join("data");
    let text = format!(
        "store = 'sqlite:{}'\nlisten = '127.0.0.1:0'\nno-login = true\n[calls]\nmax = 7\n[log]\nformat = 'text'\n",
        data.display()
    );
    let file = written(&directory, "server.toml", &text);
    let mut server = Server::start_by(&data, &mut command(&file, &[], &[]));
    let told = server.get("/metrics").body;
    assert!(told.contains("\ntutti_calls_limit 7\n"), "{told}");
    let starting = server.said.iter().find(|line| line.contains(" starting ")).expect("it is said");
    assert!(starting.contains(&format!("config={}", file.display())), "{starting}");
    assert_eq!(server.stop().0, Some(0));
    assert!(data.join("journal.sqlite").is_file());
}

#[test]
fn a_file_brings_the_first_administrator_and_nothing_is_printed() {
    let directory = directory();
    let data = directory.path().join("data");
    let token = written(&directory, "token", &format!("{TOKEN}\n"));
    let file = written(&directory, "server.toml", "listen = '127.0.0.1:0'\n");
    let start = || {
        let mut command = command(&file, &[], &["--store"]);
        command.arg(&data).env("TUTTI_BOOTSTRAP_TOKEN_FILE", &token);
        Server::start_by(&data, &mut command)
    };
    let mut server = start();
    let told = server.said.join("\n");
    assert!(told.contains("the first administrator is made"), "{told}");
    assert!(!told.contains("tutti_0") && !told.contains("no administrator yet"), "{told}");
    assert_eq!(server.as_somebody(TOKEN, "GET", "/api/v1/audit", "").status, 200);
    let other = TOKEN.replace("AAEC", "AAED");
    assert_eq!(server.as_somebody(&other, "GET", "/api/v1/server", "").status, 401);
    assert_eq!(server.stop().0, Some(0));
    let again = start();
    assert!(!again.said.join("\n").contains("the first administrator"), "it is made once");
    let listed = again.as_somebody(TOKEN, "GET", "/api/v1/principals", "").expect(200);
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1), "{listed}");
    let actions = again.as_somebody(TOKEN, "GET", "/api/v1/audit", "").body;
    assert!(actions.contains("principal.create") && actions.contains("token.issue"), "{actions}");
}

#[test]
fn a_file_without_a_token_is_refused_and_not_shown() {
    let directory = directory();
    for text in ["", "hunter2-hunter2", &TOKEN[..60]] {
        let token = written(&directory, "token", text);
        let file = written(&directory, "server.toml", "listen = '127.0.0.1:0'\n");
        let mut command = command(&file, &[], &["--store"]);
        command.arg(directory.path().join("data")).env("TUTTI_BOOTSTRAP_TOKEN_FILE", &token);
        let (code, told) = said(&command.output().expect("it runs"));
        assert_eq!((code, told.contains("does not hold a token")), (Some(2), true), "{told}");
        assert!(text.is_empty() || !told.contains(text), "{told}");
    }
}

#[test]
fn a_token_that_is_made_as_the_documentation_says_is_one() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/server.md");
    let page = fs::read_to_string(page).expect("the page is there");
    assert!(page.contains(MAKE), "the page says it otherwise");
    let made = Command::new("sh").args(["-c", MAKE]).output().expect("it runs");
    let text = String::from_utf8(made.stdout).expect("it is text");
    let directory = directory();
    let (file, token) =
        (written(&directory, "server.toml", ""), written(&directory, "token", &text));
    let data = directory.path().join("data");
    let mut command = command(&file, &[], &["--listen", "127.0.0.1:0", "--store"]);
    command.arg(&data).env("TUTTI_BOOTSTRAP_TOKEN_FILE", &token);
    let server = Server::start_by(&data, &mut command);
    assert_eq!(server.as_somebody(text.trim(), "GET", "/api/v1/principals", "").status, 200);
}
