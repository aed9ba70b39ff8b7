//! `tutti lsp` as an editor sees it: a scripted conversation with the real binary.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    process::{Child, ChildStdin, ChildStdout, Stdio},
};

use serde_json::{Value, json};

use crate::world::World;

const URI: &str = "file:///w.yaml";
const HEAD: &str = "document: { dsl: '1.0.3', namespace: test, name: w, version: '1.0.0' }\n";

/// An editor that speaks to the binary.
struct Editor {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    last_id: i64,
    _world: World,
}

impl Editor {
    fn started() -> Self {
        let world = World::new();
        let mut command = world.command(&["lsp", "--stdio"]);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().expect("the binary starts");
        let input = process.stdin.take();
        let output = BufReader::new(process.stdout.take().expect("its output"));
        Self { process, input, output, last_id: 0, _world: world }
    }

    fn initialized() -> Self {
        let mut editor = Self::started();
        let answer = editor.ask("initialize", &json!({ "processId": null, "capabilities": {} }));
        assert_eq!(answer["result"]["capabilities"]["hoverProvider"], json!(true), "{answer}");
        assert_eq!(answer["result"]["capabilities"]["positionEncoding"], json!("utf-16"));
        editor.tell("initialized", &json!({}));
        editor
    }

    fn send_bytes(&mut self, body: &[u8]) {
        let input = self.input.as_mut().expect("its input is open");
        write!(input, "Content-Length: {}\r\n\r\n", body.len()).expect("it reads");
        input.write_all(body).expect("it reads");
        input.flush().expect("it reads");
    }

    fn send(&mut self, message: &Value) {
        self.send_bytes(message.to_string().as_bytes());
    }

    fn tell(&mut self, method: &str, params: &Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// Asks and returns the answer, whatever is told in between.
    fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.last_id += 1;
        let id = json!(self.last_id);
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        self.next(|message| message["id"] == id)
    }

    fn ask_at(&mut self, method: &str, line: u64, character: u64) -> Value {
        let position = json!({ "line": line, "character": character });
        let params = json!({ "textDocument": { "uri": URI }, "position": position });
        self.ask(method, &params)["result"].clone()
    }

    fn open(&mut self, text: &str) {
        let document = json!({ "uri": URI, "languageId": "yaml", "version": 1, "text": text });
        self.tell("textDocument/didOpen", &json!({ "textDocument": document }));
    }

    fn change(&mut self, version: i64, text: &str) {
        let document = json!({ "uri": URI, "version": version });
        let changes = json!([{ "text": text }]);
        let params = json!({ "textDocument": document, "contentChanges": changes });
        self.tell("textDocument/didChange", &params);
    }

    /// The next diagnostics of a version: their codes and ranges.
    fn diagnostics(&mut self, version: i64) -> Vec<Value> {
        let told = self.next(|message| {
            message["method"] == json!("textDocument/publishDiagnostics")
                && message["params"]["version"] == json!(version)
        });
        told["params"]["diagnostics"].as_array().cloned().expect("a list")
    }

    /// The next message that fits.
    fn next(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            let message = self.read().expect("a message before the end");
            if fits(&message) {
                return message;
            }
        }
    }

    fn read(&mut self) -> Option<Value> {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if self.output.read_line(&mut line).expect("UTF-8") == 0 {
                return None;
            }
            match line.trim_end().split_once(": ") {
                Some((_, value)) => length = value.parse().expect("a length"),
                None => break,
            }
        }
        let mut body = vec![0; length];
        self.output.read_exact(&mut body).expect("a whole message");
        Some(serde_json::from_slice(&body).expect("JSON"))
    }

    /// Says goodbye; how the process ended.
    fn left(mut self) -> Option<i32> {
        assert_eq!(self.ask("shutdown", &Value::Null)["result"], Value::Null);
        self.tell("exit", &Value::Null);
        self.ended()
    }

    fn ended(mut self) -> Option<i32> {
        let code = self.process.wait().expect("it ends").code();
        let mut said = String::new();
        let stderr = self.process.stderr.as_mut().expect("its stderr");
        stderr.read_to_string(&mut said).expect("UTF-8");
        assert!(!said.contains("panicked"), "{said}");
        code
    }
}

#[test]
fn an_editor_is_helped_from_opening_to_closing() {
    let mut editor = Editor::initialized();
    // `🎉` takes two units, `ü` one.
    let broken = format!(
        "{HEAD}do:\n  - 🎉ü: {{ wait: PT1S, then: nowhere }}\n  - b: {{ set: {{ x: 1 }} }}\n"
    );
    editor.open(&broken);
    let found = editor.diagnostics(1);
    let target = found.iter().find(|one| one["message"].to_string().contains("nowhere"));
    let target = target.expect("the target is told");
    assert_eq!(target["range"]["start"], json!({ "line": 2, "character": 29 }), "{target}");
    assert_eq!(target["range"]["end"], json!({ "line": 2, "character": 36 }), "{target}");
    assert_eq!((&target["severity"], &target["source"]), (&json!(1), &json!("tutti")));

    let hover = editor.ask_at("textDocument/hover", 2, 12);
    assert!(hover["contents"]["value"].to_string().contains("Waits."), "{hover}");
    let completion = editor.ask_at("textDocument/completion", 2, 31);
    let labels: Vec<&str> = completion["items"]
        .as_array()
        .expect("items")
        .iter()
        .filter_map(|i| i["label"].as_str())
        .collect();
    assert_eq!(labels, ["🎉ü", "b", "continue", "exit", "end"]);
    let replaced = &completion["items"][0]["textEdit"]["range"];
    assert_eq!(replaced["start"], json!({ "line": 2, "character": 29 }));

    let mended = broken.replace("nowhere", "b");
    editor.change(2, &mended);
    assert_eq!(editor.diagnostics(2), Vec::<Value>::new());
    let definition = editor.ask_at("textDocument/definition", 2, 29);
    assert_eq!(definition["uri"], json!(URI));
    assert_eq!(definition["range"]["start"], json!({ "line": 3, "character": 4 }));
    let params = json!({ "textDocument": { "uri": URI } });
    let symbols = editor.ask("textDocument/documentSymbol", &params)["result"].clone();
    assert_eq!((&symbols[0]["name"], &symbols[1]["name"]), (&json!("🎉ü"), &json!("b")));

    editor.tell("textDocument/didClose", &params);
    let cleared =
        editor.next(|message| message["method"] == json!("textDocument/publishDiagnostics"));
    assert_eq!(cleared["params"]["diagnostics"], json!([]));
    assert_eq!(editor.ask_at("textDocument/hover", 2, 12), Value::Null);
    assert_eq!(editor.left(), Some(0));
}

#[test]
fn diagnostics_are_those_of_validate() {
    let world = World::new();
    let text = format!(
        "{HEAD}do:\n  - a: {{ cal: http, then: x }}\n  - b: {{ set: '${{ .a | }}' }}\nextra: 1\n"
    );
    world.write("w.yaml", &text);
    let said = world.tutti(&["validate", "w.yaml", "-o", "json"]);
    let validated: Vec<Value> = serde_json::from_str(&said.stdout).expect("a list");
    let mut editor = Editor::initialized();
    editor.open(&text);
    let told = editor.diagnostics(1);
    let codes = |all: &[Value]| all.iter().map(|one| one["code"].clone()).collect::<Vec<_>>();
    assert!(told.len() >= 3, "{told:?}");
    assert_eq!(codes(&told), codes(&validated));
    editor.left();
}

#[test]
fn the_newest_text_is_checked_and_older_ones_need_not_be() {
    let mut editor = Editor::initialized();
    editor.open(&format!("{HEAD}do: []\n"));
    for version in 2..200 {
        editor.change(version, "do: [");
    }
    editor.change(200, &format!("{HEAD}do:\n  - a: {{ wait: PT1S }}\n"));
    assert_eq!(editor.diagnostics(200), Vec::<Value>::new());
    assert_eq!(editor.left(), Some(0));
}

#[test]
fn messages_that_make_no_sense_are_refused_and_serving_goes_on() {
    let mut editor = Editor::started();
    assert_eq!(editor.ask("textDocument/hover", &json!({}))["error"]["code"], json!(-32002));
    editor.ask("initialize", &json!({}));
    let mut check = |body: &str, code: i64| {
        editor.send_bytes(body.as_bytes());
        let answer = editor.read().expect("an answer");
        assert_eq!(answer["error"]["code"], json!(code), "{body}: {answer}");
    };
    check("{ nonsense", -32700);
    check("\u{1}", -32700);
    check("[]", -32600);
    check("17", -32600);
    check(r#"{ "jsonrpc": "2.0", "id": 7 }"#, -32600);
    check(r#"{ "jsonrpc": "2.0", "id": 7, "method": "textDocument/rename" }"#, -32601);
    check(r#"{ "jsonrpc": "2.0", "id": 7, "method": "textDocument/hover", "params": [] }"#, -32602);
    check(r#"{ "jsonrpc": "2.0", "id": 7, "method": "initialize" }"#, -32600);
    editor.send_bytes(&[0xff, 0xfe, b'{']);
    assert_eq!(editor.read().expect("an answer")["error"]["code"], json!(-32700));
    for params in [json!({}), json!([]), json!(1), json!({ "textDocument": { "uri": URI } })] {
        editor.tell("textDocument/didOpen", &params);
        editor.tell("textDocument/didChange", &params);
        editor.tell("$/unknown", &params);
    }
    assert_eq!(editor.ask_at("textDocument/hover", 0, 0), Value::Null);
    assert_eq!(editor.left(), Some(0));
}

#[test]
fn a_document_above_the_limit_is_told_and_a_message_above_it_is_skipped() {
    let mut editor = Editor::initialized();
    editor.open(&format!("{HEAD}{}", "# much\n".repeat(100_000)));
    let found = editor.diagnostics(1);
    assert!(found[0]["message"].to_string().contains("bytes"), "{found:?}");
    assert_eq!(editor.ask_at("textDocument/hover", 3, 0), Value::Null);
    editor.send_bytes(&vec![b' '; 17 * 1024 * 1024]);
    let told = editor.next(|message| message["method"] == json!("window/logMessage"));
    assert!(told["params"]["message"].to_string().contains("skipped"), "{told}");
    assert_eq!(editor.left(), Some(0));
}

#[test]
fn a_conversation_cut_short_ends_with_a_code_that_says_so() {
    let mut editor = Editor::initialized();
    editor.tell("exit", &Value::Null);
    assert_eq!(editor.ended(), Some(1));
    let mut editor = Editor::initialized();
    drop(editor.input.take());
    assert_eq!(editor.ended(), Some(1));
    let mut editor = Editor::started();
    editor.input.as_mut().expect("its input").write_all(b"hello\r\n\r\n").expect("it reads");
    assert_eq!(editor.ended(), Some(2));
}
