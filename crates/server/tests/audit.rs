//! Audit records: filed in the facility's own feed, shown on no board and to no tablet, read and filtered; and people whom
//! a charge nurse gave access on a tablet.

#![allow(clippy::unwrap_used)] // A test may fail.

mod common;

use common::*;
use lamplight_domain::ids::{StaffId, StayId, WardId};
use lamplight_domain::kinds::{AccessGiven, Act, Audit, Event};
use lamplight_domain::record::{Body, Envelope};
use lamplight_domain::roster::{PinVerifier, Role, Staff};
use lamplight_domain::station::{AuditAsk, AuditPage};
use lamplight_domain::time::Ms;
use lamplight_domain::ward::WardRecords;
use lamplight_domain::wire::GivenPin;
use lamplight_server::commands::{Wanted, audit, backup, export, verify};
use lamplight_server::store::{bodies, flags};
use serde_json::Value;

const CHARGE: StaffId = StaffId(uuid::Uuid::from_u128(23));
const GUEST: StaffId = StaffId(uuid::Uuid::from_u128(24));
/// Nobody's on any ward.
const OTHER: StayId = StayId(uuid::Uuid::from_u128(0x99));

fn house() -> House {
    let mut roster = roster();
    let charge = Staff { id: CHARGE, family: "Charge".into(), role: Role::ChargeNurse, ..roster.staff[1].clone() };
    roster.staff.push(charge);
    House::of(roster)
}

fn signed_in(pad: &Pad, at: Ms) -> Vec<u8> {
    let audit = Audit { staff: Some(TECHNICIAN), tablet: Some(pad.tablet), ..Audit::of(Act::SignedIn) };
    Body::new(Envelope { ward: WardId::FACILITY, ..pad.envelope(at, None) }, Event::Audit(audit)).to_bytes().unwrap()
}

fn of_facility(house: &House) -> Vec<String> {
    let db = house.db();
    let mut statement = db
        .prepare("SELECT b.kind FROM feed f JOIN wards w ON w.no = f.ward JOIN bodies b ON b.no = f.body WHERE w.id = ?1 ORDER BY f.n")
        .unwrap();
    statement.query_map([WardId::FACILITY.0.as_bytes()], |r| r.get(0)).unwrap().map(Result::unwrap).collect()
}

fn flags_of(house: &House, body: &[u8]) -> Vec<String> {
    let db = house.db();
    let hash = lamplight_domain::chain::body_hash(body);
    flags::of(&db, bodies::find(&db, &hash).unwrap().unwrap()).unwrap()
}

fn lines(house: &House, wanted: &Wanted) -> Vec<Value> {
    let mut out = Vec::new();
    audit(&house.path, wanted, &mut out).unwrap();
    String::from_utf8(out).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

#[tokio::test]
async fn an_audit_record_is_the_facility_s_and_no_board_s_and_no_tablet_s() {
    let house = house();
    let server = house.open();
    let mut pad = house.tablet(&server, 1).await;
    let held = |ward| server.live().ward(ward).with(WardRecords::len);
    let (before, note) = (held(WARD), pad.note(house.now(), "seen"));
    let own = signed_in(&pad, house.now());
    pad.push(&server, vec![note, own.clone()]).await;
    server.audit(Some(NURSE), Audit { what: "at the station".into(), ..Audit::of(Act::SignedIn) }).await;
    assert_eq!(flags_of(&house, &own), Vec::<String>::new());
    assert_eq!((held(WARD), held(WardId::FACILITY)), (before + 1, 0), "boards hold the note alone");
    let (pages, cursor) = pad.opening(&server, 100).await;
    let kinds = |bodies: Vec<Vec<u8>>| bodies.iter().map(|b| Body::parse(b).unwrap().envelope.kind).collect::<Vec<_>>();
    assert!(!kinds(bytes_of(&pages)).contains(&"audit".to_owned()));
    server.audit(None, Audit::of(Act::Printed)).await;
    assert!(pad.read_from(&server, cursor).await.0.is_empty(), "nothing for a reader who waits");
    assert_eq!(of_facility(&house), ["audit", "audit", "audit"]);
    server.close().await;
    // A start loads no audit either.
    let server = house.open();
    assert_eq!(server.live().ward(WardId::FACILITY).with(WardRecords::len), 0);
    server.close().await;
    verify(&house.path).unwrap();
}

/// Whatever a tablet writes into it, an audit record reaches no ward.
#[tokio::test]
async fn an_audit_record_that_claims_a_ward_or_a_stay_is_flagged_and_stays_the_facility_s() {
    let house = house();
    let server = house.open();
    let mut pad = house.tablet(&server, 1).await;
    let first = admission(&pad, STAY, house.now());
    pad.push(&server, first).await;
    let of_ward = pad.body(house.now(), None, Event::Audit(Audit::of(Act::Printed)));
    let of_stay = pad.body(house.now(), Some(STAY), Event::Audit(Audit::of(Act::Viewed)));
    let newer = String::from_utf8(of_ward.clone()).unwrap().replace("\"kind_v\":1", "\"kind_v\":2");
    let newer = newer.replace(&Body::parse(&of_ward).unwrap().envelope.id.to_string(), &id(77).to_string());
    let held = server.live().ward(WARD).with(WardRecords::len);
    pad.push(&server, vec![of_ward.clone(), of_stay.clone(), newer.clone().into_bytes()]).await;
    assert_eq!(flags_of(&house, &of_ward), ["audit_of_ward"]);
    assert_eq!(flags_of(&house, &of_stay), ["audit_of_ward"]);
    assert_eq!(flags_of(&house, newer.as_bytes()), ["audit_of_ward", "unknown_kind"]);
    assert_eq!(server.live().ward(WARD).with(WardRecords::len), held);
    assert_eq!(of_facility(&house).len(), 3);
    // What is said of it is no audit, and goes to the ward that says it.
    let of = Body::parse(&of_ward).unwrap().envelope.id;
    let answer = pad.body(house.now(), None, Event::Claimed { of });
    pad.push(&server, vec![answer]).await;
    assert_eq!(of_facility(&house).len(), 3);
    server.close().await;
    verify(&house.path).unwrap();
}

#[tokio::test]
async fn the_audit_is_read_by_time_act_and_person() {
    let house = house();
    let server = house.open();
    let mut pad = house.tablet(&server, 1).await;
    let joined = house.now();
    house.wait(HOUR);
    let own = signed_in(&pad, house.now());
    pad.push(&server, vec![own]).await;
    house.wait(HOUR);
    let locked =
        Audit { staff: Some(TECHNICIAN), ward: Some(WARD), what: "6 tries".into(), ..Audit::of(Act::LockedOut) };
    server.audit(None, locked).await;
    server.close().await;
    let acts = |wanted: &Wanted| {
        lines(&house, wanted).iter().map(|l| l["act"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let all = Wanted::default();
    assert_eq!(acts(&all), ["tablet_joined", "signed_in", "locked_out"], "oldest first");
    assert_eq!(acts(&Wanted { from: Some(joined + 1), ..Wanted::default() }), ["signed_in", "locked_out"]);
    assert_eq!(acts(&Wanted { to: Some(joined + HOUR), ..Wanted::default() }), ["tablet_joined"]);
    assert_eq!(acts(&Wanted { act: Some("locked_out".into()), ..Wanted::default() }), ["locked_out"]);
    let staff = Some(TECHNICIAN.to_string());
    assert_eq!(acts(&Wanted { staff, ..Wanted::default() }), ["signed_in", "locked_out"], "by them, and done to them");
    let words: Vec<Value> = lines(&house, &all).iter().map(|l| l["words"].clone()).collect();
    assert_eq!(
        words,
        [
            "let a tablet join: W-1 (W-1)",
            "signed in: A. Okafor, W-1",
            "was locked out: A. Okafor, Willow Ward (6 tries)"
        ]
    );
    let by: Vec<Value> = lines(&house, &all).iter().map(|l| l["by"].clone()).collect();
    assert_eq!(by, ["the facility server", "A. Okafor, 1", "nobody signed in"]);
    let mut out = Vec::new();
    for (wanted, code) in [
        (Wanted { act: Some("danced".into()), ..Wanted::default() }, "act.unknown"),
        (Wanted { staff: Some("RN 9".into()), ..Wanted::default() }, "staff.unknown"),
    ] {
        assert_eq!(audit(&house.path, &wanted, &mut out).unwrap_err().code, code);
    }
}

#[tokio::test]
async fn an_export_and_a_backup_leave_a_line_each() {
    let house = house();
    let server = house.open();
    house.tablet(&server, 1).await;
    server.close().await;
    let mut out = Vec::new();
    export(&house.path, &mut out).unwrap();
    let exported = String::from_utf8(out).unwrap();
    assert!(!exported.contains("\"audit\""), "what is read is as of before");
    backup(&house.path, &house.folder().join("copy")).unwrap();
    let acts: Vec<Value> = lines(&house, &Wanted::default()).iter().map(|l| l["act"].clone()).collect();
    assert_eq!(acts, ["tablet_joined", "exported", "backed_up"]);
    verify(&house.path).unwrap();
    // The one who is interrupted while lines go out has left a line too.
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    assert_eq!(export(&house.path, &mut Full).unwrap_err().code, "export.broken_off");
    assert_eq!(lines(&house, &Wanted { act: Some("exported".into()), ..Wanted::default() }).len(), 2);
}

fn given(until: Ms) -> AccessGiven {
    AccessGiven {
        staff: GUEST,
        family: "Diaz".into(),
        given: "Ana".into(),
        number: "Agency Northstaff 118".into(),
        until,
        pin: None,
    }
}

fn by(pad: &Pad, who: StaffId, at: Ms, event: Event) -> Vec<u8> {
    Body::new(Envelope { by: Some(who), ..pad.envelope(at, None) }, event).to_bytes().unwrap()
}

#[tokio::test]
async fn whoever_is_given_access_is_on_the_list_as_the_record_comes_and_what_they_write_later_is_flagged() {
    let house = house();
    let server = house.open();
    let mut pad = house.tablet(&server, 1).await;
    let version = server.roster().version;
    let until = house.now() + 8 * HOUR;
    let access = by(&pad, CHARGE, house.now(), Event::AccessGiven(given(until)));
    let note = by(&pad, GUEST, house.now(), Event::Note { words: "first".into() });
    // In one batch: the second is theirs already.
    pad.push(&server, vec![access.clone(), note.clone()]).await;
    assert_eq!((flags_of(&house, &access), flags_of(&house, &note)), (vec![], vec![]));
    let roster = server.roster();
    let guest = roster.person(GUEST).unwrap();
    assert_eq!(roster.version, version + 1);
    assert_eq!(
        (guest.role, &guest.wards[..], guest.until, guest.active),
        (Role::Technician, &[WARD][..], Some(until), true)
    );
    assert!(guest.pin.is_none());
    // The same again changes nothing, and takes no wards or hours.
    let again = by(&pad, CHARGE, house.now(), Event::AccessGiven(given(until + HOUR)));
    pad.push(&server, vec![again]).await;
    assert_eq!((server.roster().version, server.roster().person(GUEST).unwrap().until), (version + 1, Some(until)));
    house.wait(8 * HOUR);
    let late = by(&pad, GUEST, house.now(), Event::Note { words: "after".into() });
    pad.push(&server, vec![late.clone()]).await;
    assert_eq!(flags_of(&house, &late), ["access_ended"]);
    server.close().await;
    assert_eq!(house.open().roster().person(GUEST).unwrap().family, "Diaz", "it stands in the file");
    verify(&house.path).unwrap();
}

fn with_pin(server: &lamplight_server::FacilityServer, staff: StaffId, until: Ms) -> (AccessGiven, PinVerifier) {
    let pin = PinVerifier { salt: [3; 16], argon2id: [4; 32] };
    let to = server.identity().opening.first().unwrap().public();
    let sealed = GivenPin::seal(server.roster().facility.id, staff, to, &pin, &[5; 32]);
    (AccessGiven { staff, pin: sealed, ..given(until) }, pin)
}

#[tokio::test]
async fn the_pin_of_a_guest_reaches_the_ward_s_other_tablets_where_a_charge_nurse_gave_the_access() {
    let house = house();
    let server = house.open();
    let (mut pad, other) = (house.tablet(&server, 1).await, house.tablet(&server, 2).await);
    let until = house.now() + 8 * HOUR;
    let (access, pin) = with_pin(&server, GUEST, until);
    let elsewhere = StaffId(id(97));
    // Somebody else's PIN under another name, and a person whom no charge nurse let in.
    let taken = AccessGiven { staff: elsewhere, ..access.clone() };
    let (unlawful, _) = with_pin(&server, StaffId(id(98)), until);
    let bodies = vec![
        by(&pad, CHARGE, house.now(), Event::AccessGiven(access)),
        by(&pad, CHARGE, house.now(), Event::AccessGiven(taken)),
        by(&pad, NURSE, house.now(), Event::AccessGiven(unlawful)),
    ];
    pad.push(&server, bodies).await;
    let held = |staff| server.roster().person(staff).unwrap().pin.clone();
    assert_eq!((held(GUEST), held(elsewhere), held(StaffId(id(98)))), (Some(pin.clone()), None, None));
    let (pages, _) = other.opening(&server, 100).await;
    let roster = pages.iter().rev().find_map(|page| page.header.roster.clone()).unwrap();
    assert_eq!(roster.person(GUEST).unwrap().pin, Some(pin.clone()), "as every other PIN of the ward");
    let mut out = Vec::new();
    server.close().await;
    export(&house.path, &mut out).unwrap();
    assert!(!String::from_utf8(out).unwrap().contains(&hex::encode(pin.argon2id)));
    verify(&house.path).unwrap();
}

/// Whoever answers for a ward reads what is about it, its patients of now and its tablets, and nothing else.
#[tokio::test]
async fn a_manager_is_given_the_audit_of_their_own_wards() {
    let house = house();
    let server = house.open();
    let mut pad = house.tablet(&server, 1).await;
    let far = Pad::join(&server, &house.code_for(OTHER_WARD, 1), 2, "").await;
    let first = admission(&pad, STAY, house.now());
    pad.push(&server, first).await;
    let of = |what: &str, audit: Audit| Audit { what: what.into(), ..audit };
    let said = [
        of("own ward", Audit { ward: Some(WARD), ..Audit::of(Act::WardChanged) }),
        of("other ward", Audit { ward: Some(OTHER_WARD), ..Audit::of(Act::WardChanged) }),
        of("own patient there", Audit { stay: Some(STAY), ward: Some(OTHER_WARD), ..Audit::of(Act::Viewed) }),
        of("foreign patient there", Audit { stay: Some(OTHER), ward: Some(OTHER_WARD), ..Audit::of(Act::Viewed) }),
        of("own tablet", Audit { tablet: Some(pad.tablet), ..Audit::of(Act::LockedOut) }),
        of("other tablet", Audit { tablet: Some(far.tablet), ..Audit::of(Act::LockedOut) }),
        of("own tablet there", Audit { tablet: Some(pad.tablet), ward: Some(OTHER_WARD), ..Audit::of(Act::SignedIn) }),
        of("settings", Audit::of(Act::SettingsChanged)),
        of("a person", Audit { staff: Some(TECHNICIAN), ..Audit::of(Act::StaffChanged) }),
    ];
    for audit in said {
        house.wait(1);
        server.audit(Some(NURSE), audit).await;
    }
    let read = async |wards: Option<Vec<WardId>>| {
        let page = server.audit_page(AuditAsk::default(), wards).await.unwrap();
        let words = page.rows.into_iter().rev().map(|row| row.words);
        words.map(|w| w.rsplit_once('(').map_or(w.clone(), |(_, what)| what.trim_end_matches(')').to_owned())).collect()
    };
    let own: Vec<String> = read(Some(vec![WARD])).await;
    assert_eq!(own, ["W-1", "own ward", "own patient there", "own tablet"]);
    let other: Vec<String> = read(Some(vec![OTHER_WARD])).await;
    assert_eq!(
        other,
        [
            far.name.as_str(),
            "other ward",
            "own patient there",
            "foreign patient there",
            "other tablet",
            "own tablet there"
        ]
    );
    assert_eq!(read(Some(vec![])).await, [""; 0], "of no ward: nothing");
    let all: Vec<String> = read(None).await;
    assert_eq!(all.len(), 11);
    // More than a page of others' lines hides none of one's own.
    for _ in 0..=AuditPage::MAX {
        server.audit(None, Audit { ward: Some(OTHER_WARD), ..Audit::of(Act::InviteMade) }).await;
    }
    assert_eq!(read(Some(vec![WARD])).await, own);
    server.close().await;
}

#[tokio::test]
async fn access_that_no_charge_nurse_of_the_ward_gave_is_flagged_and_attributable_all_the_same() {
    let house = house();
    let server = house.open();
    let mut pad = house.tablet(&server, 1).await;
    let until = house.now() + HOUR;
    let access = by(&pad, NURSE, house.now(), Event::AccessGiven(given(until)));
    let note = by(&pad, GUEST, house.now(), Event::Note { words: "hello".into() });
    pad.push(&server, vec![access.clone(), note.clone()]).await;
    assert_eq!(flags_of(&house, &access), ["beyond_role"]);
    assert_eq!(flags_of(&house, &note), Vec::<String>::new());
    assert!(server.roster().person(GUEST).is_some());
    // A batch that is refused lets nobody in.
    let stranger = AccessGiven { staff: StaffId(id(99)), ..given(until) };
    let body = by(&pad, CHARGE, house.now(), Event::AccessGiven(stranger));
    let mut forged = pad.clone().batch(vec![body]);
    forged.header.signature = pad.key.sign(b"something else");
    assert!(lamplight_domain::wire::Facility::push(&server, forged).await.unwrap().refused.is_some());
    assert!(server.roster().person(StaffId(id(99))).is_none());
    server.close().await;
}
