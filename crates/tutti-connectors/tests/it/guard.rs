//! The guarded client against hosts that would lead it astray.

use std::{
    io,
    net::IpAddr,
    sync::{Arc, Mutex},
};

use tutti_connectors::{
    BoxFuture, Connector, Guard, GuardOptions, Policy, Resolve,
    http::{Http, HttpOptions},
};

use crate::{
    server::{Server, json},
    world::{World, call, shown},
};

/// Gives one answer after another, the last one for ever.
#[derive(Debug)]
struct Answers(Mutex<Vec<Vec<IpAddr>>>);

impl Resolve for Answers {
    fn resolve<'a>(&'a self, _host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        let mut answers = self.0.lock().expect("a lock");
        let answer = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
        Box::pin(async move { Ok(answer) })
    }
}

fn connector(policy: Policy, answers: &[&[&str]]) -> Http {
    let parse =
        |answer: &&[&str]| answer.iter().map(|it| it.parse().expect("an address")).collect();
    let resolver = Arc::new(Answers(Mutex::new(answers.iter().map(parse).collect())));
    let guard = Guard::new(GuardOptions { policy, resolver, ..GuardOptions::default() });
    Http::new(guard, HttpOptions::default())
}

async fn get(connector: &Http, uri: &str) -> String {
    let (_world, context) = World::new(None);
    let arguments = format!(r#"{{"method":"post","uri":"{uri}","redirect":true}}"#);
    shown(&connector.call(call(&arguments), context).await)
}

const LOOPBACK: Policy = Policy { allow_loopback: true, allow_private: false };

#[tokio::test]
async fn a_name_is_judged_by_every_address_it_has() {
    let server = Server::always(json("1")).await;
    let uri = format!("http://name.example:{}/", server.port());
    for (answer, reached) in [
        (&["127.0.0.1"][..], true),
        (&["::ffff:127.0.0.1"], true),
        (&["127.0.0.1", "169.254.169.254"], false),
        (&["169.254.169.254"], false),
        (&["::ffff:169.254.169.254"], false),
        (&["10.0.0.1", "127.0.0.1"], false),
        (&["0.0.0.0"], false),
        (&[], false),
    ] {
        let shown = get(&connector(LOOPBACK, &[answer]), &uri).await;
        assert_eq!(shown == "1", reached, "{answer:?}: {shown}");
    }
}

/// The first answer is fine, the second would lead inside: a client that asks twice for one connection falls for it.
#[tokio::test]
async fn an_answer_that_changes_after_the_check_gains_nothing() {
    let server = Server::always(json("1")).await;
    let uri = format!("http://rebind.example:{}/", server.port());
    let connector = connector(Policy::default(), &[&["198.51.100.1"], &["127.0.0.1"]]);
    for _ in 0..3 {
        let shown = get(&connector, &uri).await;
        assert!(shown.starts_with("known policy-denied 403"), "{shown}");
    }
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn a_name_is_asked_once_for_each_connection() {
    let server = Server::always(json("1")).await;
    let uri = format!("http://rebind.example:{}/", server.port());
    let connector = connector(LOOPBACK, &[&["127.0.0.1"], &["10.0.0.1"]]);
    // The second call goes over the connection that was checked, wherever the name leads by now.
    for _ in 0..2 {
        assert_eq!(get(&connector, &uri).await, "1");
    }
    assert_eq!(server.received().iter().map(|it| it.connection).max(), Some(0));
}

#[tokio::test]
async fn loopback_is_not_reached_without_leave() {
    let server = Server::always(json("1")).await;
    let connector = connector(Policy::default(), &[&["127.0.0.1"]]);
    for host in ["127.0.0.1", "localhost", "name.example", "[::1]", "[::ffff:127.0.0.1]"] {
        let shown = get(&connector, &format!("http://{host}:{}/", server.port())).await;
        assert!(shown.starts_with("known policy-denied 403"), "{host}: {shown}");
    }
    assert!(server.received().is_empty());
}
