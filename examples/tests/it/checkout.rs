//! `checkout.yaml`: the sale, the payment that fails, and the death in the middle of the charge.

use serde_json::{Value, json};

use crate::{
    program::{Ended, Scratch},
    shop::Shop,
};

const FILE: &str = "examples/checkout.yaml";
const PAYMENT: &str = "charge-order-1001";

/// The arguments of a sale at `shop`, with `more` of an input.
fn sale(shop: &Shop, more: &Value) -> Vec<String> {
    let order =
        std::fs::read_to_string(crate::program::repository().join("examples/checkout.order.json"));
    let mut input: Value =
        serde_json::from_str(&order.expect("the sample order")).expect("it is JSON");
    for members in [shop.places(), more] {
        for (name, value) in members.as_object().expect("members of the input") {
            input[name] = value.clone();
        }
    }
    [FILE, "--secret", "PAYMENT_TOKEN", "--input", &input.to_string()].map(str::to_owned).to_vec()
}

fn run(scratch: &Scratch, shop: &Shop, more: &Value, arguments: &[&str]) -> Ended {
    let sale = sale(shop, more);
    let all: Vec<&str> = sale.iter().map(String::as_str).chain(arguments.iter().copied()).collect();
    scratch.run(&all)
}

/// The repetitions of charges: even where the shop sees through them, there must be none that nobody asked for.
fn repeated_charges(shop: &Shop) -> usize {
    shop.effects("repeat").iter().filter(|repeat| repeat["key"] == PAYMENT).count()
}

/// Starts a sale whose charge is never answered, and kills it once the charge has been made.
fn die_while_charging(scratch: &Scratch, shop: &Shop, on_unknown: &str) -> String {
    let store = scratch.path("store");
    let sale = sale(shop, &json!({ "rehearse": "hold", "onUnknown": on_unknown }));
    let all: Vec<&str> = sale.iter().map(String::as_str).chain(["--store", &store]).collect();
    let mut tutti = scratch.start(&all);
    assert_eq!(shop.wait_for("charge", 1).len(), 1);
    tutti.kill().expect("tutti can be killed");
    let status = tutti.wait().expect("tutti has ended");
    assert_eq!(status.code(), None, "it did not end by itself");
    store
}

/// Goes on with what is in `store`; secrets are given again, they are not kept in the open.
fn resume(scratch: &Scratch, store: &str, arguments: &[&str]) -> Ended {
    let all = [&["--secret", "PAYMENT_TOKEN", "--store", store, "--resume"], arguments].concat();
    scratch.run(&all)
}

/// What was done to the shop, in the order of reservation, charge, shipment, refund and release.
#[track_caller]
fn check_effects(shop: &Shop, expected: [usize; 5]) {
    let kinds = ["reservation", "charge", "shipment", "refund", "release"];
    let counts = kinds.map(|kind| shop.effects(kind).len());
    assert_eq!(counts, expected, "{}", shop.get("payment", "/ledger"));
}

#[test]
fn an_order_is_reserved_charged_and_shipped() {
    let (scratch, shop) = (Scratch::new(), Shop::open());
    let output = run(&scratch, &shop, &json!({}), &[]).output();
    assert_eq!((&output["status"], &output["amount"]), (&json!("sold"), &json!(88)), "{output}");
    check_effects(&shop, [1, 1, 1, 0, 0]);
    assert_eq!(shop.effects("charge")[0]["key"], PAYMENT);
}

#[test]
fn a_declined_payment_gives_the_stock_back() {
    let (scratch, shop) = (Scratch::new(), Shop::open());
    let output = run(&scratch, &shop, &json!({ "rehearse": "decline" }), &[]).output();
    assert_eq!(output["status"], "not-sold");
    assert_eq!(output["reason"], "the card was declined");
    check_effects(&shop, [1, 0, 0, 0, 1]);
    assert_eq!(shop.get("inventory", "/stock/desk-lamp")["free"], 1000);
}

#[test]
fn an_error_that_is_no_refusal_goes_on_once_the_stock_is_given_back() {
    let (scratch, shop) = (Scratch::new(), Shop::open());
    let mut sale = sale(&shop, &json!({}));
    sale.retain(|argument| argument != "--secret" && argument != "PAYMENT_TOKEN");
    let ended = scratch.run(&sale.iter().map(String::as_str).collect::<Vec<_>>());
    let problem = ended.problem();
    let kind = problem["type"].as_str().expect("a type");
    assert!(kind.ends_with("/errors/authorization"), "{problem}");
    assert_eq!(
        (&problem["status"], &problem["instance"]),
        (&json!(403), &json!("/do/0/sell/try/1/pay/do/1/chargeOnce/try/0/charge"))
    );
    check_effects(&shop, [1, 0, 0, 0, 1]);
}

#[test]
fn what_cannot_be_shipped_is_refunded_before_the_goods_are_given_back() {
    let (scratch, shop) = (Scratch::new(), Shop::open());
    let output = run(&scratch, &shop, &json!({ "rehearse": "stranded" }), &[]).output();
    let expected =
        json!({ "order": "order-1001", "status": "not-sold", "reason": "no carrier goes there" });
    assert_eq!(output, expected);
    check_effects(&shop, [1, 1, 0, 1, 1]);
    let ledger = shop.get("payment", "/ledger");
    let kinds = ledger.as_array().expect("a list").iter().map(|effect| &effect["kind"]);
    assert_eq!(kinds.skip(2).collect::<Vec<_>>(), ["refund", "release"]);
}

#[test]
fn a_charge_whose_answer_is_lost_is_looked_up() {
    let (scratch, shop) = (Scratch::new(), Shop::open());
    let output = run(&scratch, &shop, &json!({ "rehearse": "drop" }), &[]).output();
    assert_eq!(output["charge"], shop.effects("charge")[0]["id"]);
    check_effects(&shop, [1, 1, 1, 0, 0]);
    assert_eq!(repeated_charges(&shop), 0);
}

#[test]
fn a_death_during_the_charge_charges_once() {
    let (scratch, shop) = (Scratch::new(), Shop::open());
    let store = die_while_charging(&scratch, &shop, "look-up");
    let output = resume(&scratch, &store, &[]).output();
    assert_eq!(output["status"], "sold");
    assert_eq!(output["charge"], shop.effects("charge")[0]["id"]);
    check_effects(&shop, [1, 1, 1, 0, 0]);
    assert_eq!(repeated_charges(&shop), 0);
}

#[test]
fn a_death_during_the_charge_can_be_left_to_a_person() {
    let ask = |answer: &str| {
        let (scratch, shop) = (Scratch::new(), Shop::open());
        let store = die_while_charging(&scratch, &shop, "ask");
        let asked = resume(&scratch, &store, &[]);
        assert_eq!(asked.code, Some(4), "{asked:?}");
        assert!(asked.stderr.contains("--unknown"), "{asked:?}");
        check_effects(&shop, [1, 1, 0, 0, 0]);
        (resume(&scratch, &store, &["--unknown", answer]), shop)
    };
    for (answer, repeated) in [("retry", 1), (r#"complete={"id":"charge-by-telephone"}"#, 0)] {
        let (ended, shop) = ask(answer);
        assert_eq!(ended.output()["status"], "sold", "{answer}");
        check_effects(&shop, [1, 1, 1, 0, 0]);
        assert_eq!(repeated_charges(&shop), repeated, "{answer}");
    }
    // Whether there was a charge is still unknown, so nothing is refunded; the goods are ours again.
    let (ended, shop) = ask("fault");
    assert_eq!(ended.problem()["type"], "tutti://errors/outcome-unknown");
    check_effects(&shop, [1, 1, 0, 0, 1]);
}

#[test]
fn the_token_is_nowhere_in_what_is_printed() {
    let (scratch, shop) = (Scratch::new(), Shop::open());
    let ended = run(&scratch, &shop, &json!({ "rehearse": "drop" }), &["-o", "pretty"]);
    assert!(!format!("{ended:?}").contains("token-of-the-tests"), "{ended:?}");
}
