//! What a server refuses, as a person is told.

use http::StatusCode;
use tutti_api::{Code, Problem};

use super::{address::Address, transport::Unreached};
use crate::{
    exit::{Exit, Failure, causes},
    progress::plain,
};

/// There is no answer.
pub(super) fn unreached(address: &Address, error: &Unreached) -> Failure {
    let failure = match error {
        Unreached::Connect(error) => {
            let message = format!("cannot reach the server at {address}: {}", causes(error));
            Failure::usage(message).hint(
                "start one with `tutti server`, or name another with --url, TUTTI_URL or a context",
            )
        }
        Unreached::Broken(why) => {
            Failure::usage(format!("the server at {address} did not answer: {why}"))
                .hint("whether it did what was asked is not known: look before asking again")
        }
    };
    failure.exit(Exit::Unreachable)
}

/// The server said no.
pub(super) fn refused(address: &Address, status: StatusCode, body: &[u8]) -> Failure {
    let Ok(problem) = serde_json::from_slice::<Problem>(body) else {
        return no_problem(address, status);
    };
    let message = plain(&problem.detail.unwrap_or(problem.title));
    let failure = Failure::coded(problem.code.as_str(), message).exit(exit_of(status));
    // What can be done is said in the words of this program, where it has some.
    match hint_about(problem.code).or_else(|| problem.hint.map(|hint| plain(&hint))) {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// Whoever answered does not speak as the contract says: a proxy, or something else altogether.
pub(super) fn no_problem(address: &Address, status: StatusCode) -> Failure {
    let failure = Failure::usage(format!("{address} answered {status}")).exit(exit_of(status));
    failure.hint(if status.is_redirection() {
        "redirects are not followed: name the server itself with --url"
    } else {
        "is this the address of a Tutti server?"
    })
}

/// 5 where another time, another token or another server may be the answer.
fn exit_of(status: StatusCode) -> Exit {
    match status.as_u16() {
        401 | 403 | 429 | 500.. => Exit::Unreachable,
        _ => Exit::Invalid,
    }
}

fn hint_about(code: Code) -> Option<String> {
    let hint = match code {
        Code::Unauthenticated => {
            "show a token with --token-file FILE or TUTTI_TOKEN; `tutti tokens create` issues one"
        }
        Code::Forbidden => {
            "ask with the token of somebody who has the role, or in another --namespace"
        }
        Code::NotFound => {
            "names count in their namespace (--namespace), and only what one may see is found"
        }
        Code::TooMany | Code::Unavailable => "ask again later",
        _ => return None,
    };
    Some(hint.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_says_whether_the_request_or_the_way_is_wrong() {
        let address = Address::parse("http://127.0.0.1:1").expect("an address");
        let check = |code: Code, expected: Exit| {
            let problem = Problem::new(code, "it is so");
            let status = StatusCode::from_u16(code.status()).expect("a status");
            let body = serde_json::to_vec(&problem).expect("JSON");
            let failure = refused(&address, status, &body);
            assert_eq!((failure.code, failure.exit), (Some(code.as_str()), expected), "{code:?}");
            assert_eq!(failure.message, "it is so");
        };
        check(Code::Unauthenticated, Exit::Unreachable);
        check(Code::Forbidden, Exit::Unreachable);
        check(Code::Unavailable, Exit::Unreachable);
        check(Code::NotFound, Exit::Invalid);
        check(Code::VersionTaken, Exit::Invalid);
        check(Code::InvalidWorkflow, Exit::Invalid);
    }

    #[test]
    fn what_is_no_problem_is_told_without_its_body() {
        let address = Address::parse("http://127.0.0.1:1").expect("an address");
        let check = |status: u16, expected: Exit| {
            let status = StatusCode::from_u16(status).expect("a status");
            let failure = refused(&address, status, b"<html>down</html>");
            assert_eq!(failure.exit, expected);
            assert!(!failure.message.contains("html"), "{}", failure.message);
        };
        check(502, Exit::Unreachable);
        check(301, Exit::Invalid);
        check(404, Exit::Invalid);
    }
}
