//! Code lists and regions.
use crate::market::Market;

#[actix_web::test]
async fn every_code_has_its_labels() {
    let market = Market::open();
    let codes = market.get("", "/codes").await.with(200);
    assert_eq!(codes["field"].as_array().unwrap().len(), 11);
    assert_eq!(codes["stage"][0]["en"], "Early");
    let zone = codes["regions"].as_array().unwrap().iter().any(|r| r["code"] == "LNZ-SF");
    assert!(zone && codes["cooperation_modes"][0]["zh"] == "委托开发");
}

#[actix_web::test]
async fn regions_are_told_by_what_they_lie_in() {
    let market = Market::open();
    let below = async |query: &str| market.get("", &format!("/regions{query}")).await;
    assert_eq!(below("").await.with(200).as_array().unwrap().len(), 34);
    assert_eq!(below("?parent=210000").await.with(200).as_array().unwrap().len(), 15);
    assert!(below("?parent=210100").await.with(200).to_string().contains("210106"));
    assert_eq!(below("?parent=999999").await.faults(), ["parent unknown_region"]);
    below("?of=210000").await.with(422);
}
