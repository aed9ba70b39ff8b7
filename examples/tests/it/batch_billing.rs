//! `batch-billing.yaml`: a thousand customers, and two deaths in the middle.

use std::collections::BTreeMap;

use crate::{program::Scratch, shop::Shop};

const FILE: &str = "examples/batch-billing.yaml";
const CUSTOMERS: usize = 1_000;
/// Every ninety-seventh card is declined.
const DECLINED: usize = CUSTOMERS / 97;

/// Bills by customer; each customer has at most one.
#[track_caller]
fn bills_by_customer(shop: &Shop) -> BTreeMap<String, u64> {
    let mut bills = BTreeMap::new();
    for bill in shop.effects("bill") {
        let customer = bill["customer"].as_str().expect("a customer").to_owned();
        let twice = bills.insert(customer, bill["amount"].as_u64().expect("an amount"));
        assert!(twice.is_none(), "billed twice: {bill}");
    }
    bills
}

#[track_caller]
fn check_all_are_billed(shop: &Shop, report: &serde_json::Value) {
    let bills = bills_by_customer(shop);
    assert_eq!(bills.len(), CUSTOMERS - DECLINED);
    assert_eq!(report["customers"], CUSTOMERS, "{report}");
    assert_eq!(report["billed"], bills.len(), "{report}");
    assert_eq!(report["amount"], bills.values().sum::<u64>(), "{report}");
    assert_eq!(report["failed"], serde_json::json!([]), "{report}");
    let declined = report["declined"].as_array().expect("a list");
    assert_eq!(declined.len(), DECLINED, "{report}");
    let refused = declined.iter().filter_map(|it| it.as_str());
    assert!(refused.into_iter().all(|it| !bills.contains_key(it)), "{report}");
}

#[test]
fn every_customer_is_billed_and_refusals_are_reported() {
    let (scratch, shop) = (Scratch::new(), Shop::open());
    let place = format!("payment={}", shop.place("payment"));
    let ended = scratch.run(&[FILE, "-q", "--secret", "PAYMENT_TOKEN", "--set", &place]);
    check_all_are_billed(&shop, &ended.output());
}

#[test]
fn nobody_is_billed_twice_across_two_deaths() {
    let (scratch, shop) = (Scratch::new(), Shop::open());
    let (place, store) = (format!("payment={}", shop.place("payment")), scratch.path("store"));
    let again = ["-q", "--secret", "PAYMENT_TOKEN", "--store", &store];
    // One bill is certain to be on its way at the first death.
    let anew = [FILE, "--set", &place, "--set", "unanswered:=100"];
    for (part, arguments) in [(1, anew.as_slice()), (2, &["--resume"])] {
        let mut tutti = scratch.start(&[&again, arguments].concat());
        let before = shop.wait_for("bill", part * CUSTOMERS / 3).len();
        tutti.kill().expect("tutti can be killed");
        let status = tutti.wait().expect("tutti has ended");
        assert_eq!(status.code(), None, "it was killed in the middle, {before} bills in");
    }

    let ended = scratch.run(&[&again, ["--resume"].as_slice()].concat());
    let report = ended.output();
    check_all_are_billed(&shop, &report);
    // No more were on their way than may be at a time, twice.
    assert!(
        report["lookedUp"].as_u64().is_some_and(|count| (1..=100).contains(&count)),
        "{report}"
    );
}
