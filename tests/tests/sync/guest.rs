//! Somebody from an agency, let in on one tablet without a network, works on the ward's other tablets once both were in
//! touch.

use crate::fixture::Ward;
use lamplight_tablet::Tablet;
use serde_json::{Value, json};

const PIN: &str = "351806";

async fn sign_in(tablet: &Tablet, staff: &Value, pin: &str) -> Result<Value, String> {
    tablet.call("sign_in", json!({ "staff": staff, "pin": pin })).await.map_err(|refusal| refusal.code)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_s_pin_reaches_the_ward_s_other_tablets_with_the_next_contact_and_opens_for_nobody_on_the_way() {
    let ward = Ward::open();
    let (one, two) = (ward.tablet("one").await, ward.tablet("two").await);
    ward.cable.cut();
    ward.sign_in(&one, "charge nurse").await;
    let access = json!({ "family": "Novak", "given": "Eva", "number": "Northstaff 118", "pin": PIN, "hours": 8 });
    let people = one.call("give_access", access).await.unwrap();
    let guest = people["guests"][0]["staff"].clone();
    sign_in(&one, &guest, PIN).await.expect("here at once");
    assert_eq!(sign_in(&two, &guest, PIN).await.unwrap_err(), "staff.unknown");
    ward.cable.restore();
    one.sync_now().await.unwrap();
    two.sync_now().await.unwrap();
    assert_eq!(sign_in(&two, &guest, "351807").await.unwrap_err(), "pin.wrong");
    sign_in(&two, &guest, PIN).await.expect("and there");
    one.sync_now().await.unwrap();
    one.lock();
    sign_in(&one, &guest, PIN).await.expect("and here still");
    ward.facility.verify().unwrap();
}
