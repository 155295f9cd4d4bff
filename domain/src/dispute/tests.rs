//! Rules of disputes: one outcome, no evidence after it, and one reminder.

use super::*;
use crate::personal::Subject;
use crate::testing::{cents, given, golden, id as number, noon, text, well_said};

fn opening(provider: Option<Provider>) -> Opening {
    Opening {
        payment: number(1),
        order: number(2),
        provider,
        reference: text("PP-R-1"),
        cause: Cause::NotReceived,
        amount: cents(3_500),
        held: cents(2_500),
        shares: vec![Share { seller: number(71), amount: cents(900) }],
        respond_by: Some(noon()),
    }
}

fn opened() -> Event {
    Event::Opened { content: Box::new(opening(None)), at: noon() }
}

fn sealed() -> Personal<Comment> {
    Personal::new(Subject(Uuid::from_u128(7)), "AAECAw")
}

fn evidence() -> Event {
    Event::EvidenceSubmitted { text: Some(sealed()), file: None, at: noon() }
}

fn file(bytes: u64) -> EvidenceFile {
    let name = Personal::new(Subject(Uuid::from_u128(7)), "BBECAw");
    EvidenceFile { file: number(8), name, media_type: FileKind::Pdf, bytes }
}

fn file_submitted(bytes: u64) -> Event {
    Event::EvidenceSubmitted { text: None, file: Some(file(bytes)), at: noon() }
}

fn submit() -> Command {
    Command::SubmitEvidence { text: sealed() }
}

fn won() -> Event {
    Event::Won { order: number(2), sellers: vec![number(71)] }
}

fn loss() -> Loss {
    Loss {
        amount: cents(2_500),
        named: cents(3_500),
        shares: vec![Share { seller: number(71), amount: cents(900) }],
        beyond: Some(cents(100)),
        fee: Some(cents(1_500)),
        by_hand: true,
        credit_note: Some(number(5)),
    }
}

fn lost() -> Event {
    let Loss { amount, named, shares, beyond, fee, by_hand, credit_note } = loss();
    let (order, sellers, named) = (number(2), vec![number(71)], Some(named));
    Event::Lost { order, sellers, amount, named, shares, beyond, fee, by_hand, credit_note }
}

fn reminded() -> Event {
    Event::Reminded { order: number(2), sellers: vec![number(71)], respond_by: noon() }
}

#[test]
fn it_is_recorded_once() {
    let open = Command::Open(Box::new(opening(None)));
    given::<Dispute>([]).when(&open).then([opened()]);
    given::<Dispute>([opened()]).when(&open).then_refused(Rejection::Exists);
    given::<Dispute>([]).when(&Command::Accept {}).then_refused(Rejection::Missing);
    let (one, other) = (text::<Reference>("PP-R-1"), text::<Reference>("PP-R-2"));
    assert_eq!(id_at(Provider::Paypal, &one), id_at(Provider::Paypal, &one));
    assert_ne!(id_at(Provider::Paypal, &one), id_at(Provider::Paypal, &other));
    assert_ne!(id_at(Provider::Paypal, &one), id_at(Provider::Test, &one));
    // Two payments may have letters with the same reference.
    assert_ne!(id_of(number(1), &one), id_of(number(2), &one));
}

#[test]
fn evidence_is_submitted_until_there_is_an_outcome() {
    given::<Dispute>([opened()]).when(&submit()).then([evidence()]);
    given::<Dispute>([opened(), evidence()]).when(&submit()).then([evidence()]);
    given::<Dispute>([opened(), Event::Accepted {}]).when(&submit()).then_refused(Rejection::Accepted);
    for (end, status) in [(won(), Status::Won), (lost(), Status::Lost)] {
        given::<Dispute>([opened(), end]).when(&submit()).then_refused(Rejection::Ended { status });
    }
    let many = [vec![opened()], vec![evidence(); EVIDENCE_MAX]].concat();
    given::<Dispute>(many).when(&submit()).then_refused(Rejection::TooMuchEvidence);
}

#[test]
fn files_are_evidence_and_have_a_size_together() {
    let submit = |bytes| Command::SubmitFile(file(bytes));
    given::<Dispute>([opened()]).when(&submit(5)).then([file_submitted(5)]);
    let most = [opened(), evidence(), file_submitted(FILES_MAX - 5)];
    given::<Dispute>(most.clone()).when(&submit(5)).then([file_submitted(5)]);
    given::<Dispute>(most.clone()).when(&submit(6)).then_refused(Rejection::FilesTooLarge);
    given::<Dispute>([&most[..], &[file_submitted(5)]].concat()).when(&self::submit()).then([evidence()]);
    let many = [vec![opened()], vec![file_submitted(1); EVIDENCE_MAX]].concat();
    given::<Dispute>(many).when(&submit(1)).then_refused(Rejection::TooMuchEvidence);
    given::<Dispute>([opened(), Event::Accepted {}]).when(&submit(1)).then_refused(Rejection::Accepted);
    let status = Status::Lost;
    given::<Dispute>([opened(), lost()]).when(&submit(1)).then_refused(Rejection::Ended { status });
    let known = crate::fold::<Dispute>(&most);
    let known = known.live().unwrap();
    assert_eq!(known.status, Status::Answered);
    let of = |number| known.file(number).map(|file| file.bytes);
    assert_eq!([of(0), of(1), of(2), of(3)], [None, None, Some(FILES_MAX - 5), None]);
}

#[test]
fn the_kind_of_a_file_is_known_by_its_beginning() {
    for (content, kind) in [
        (&b"%PDF-1.7"[..], Some(FileKind::Pdf)),
        (b"\x89PNG\r\n\x1a\n\0", Some(FileKind::Png)),
        (b"\xff\xd8\xff\xe0", Some(FileKind::Jpeg)),
        (b"GIF89a", Some(FileKind::Gif)),
        (b"GIF87a", Some(FileKind::Gif)),
        (b"GIF88a", None),
        (b"<html>", None),
        (b"PK\x03\x04", None),
        (b"%PDF", None),
        (b"", None),
    ] {
        assert_eq!(FileKind::of(content), kind, "{content:?}");
    }
    for kind in [FileKind::Pdf, FileKind::Png, FileKind::Jpeg, FileKind::Gif] {
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.media_type());
    }
}

#[test]
fn it_has_one_outcome() {
    let (win, lose, accept) = (Command::Win {}, Command::Lose(loss()), Command::Accept {});
    for history in [vec![opened()], vec![opened(), evidence()], vec![opened(), Event::Accepted {}]] {
        given::<Dispute>(history.clone()).when(&win).then([won()]);
        given::<Dispute>(history).when(&lose).then([lost()]);
    }
    given::<Dispute>([opened(), won()]).when(&win).then_nothing();
    given::<Dispute>([opened(), lost()]).when(&lose).then_nothing();
    given::<Dispute>([opened(), won()]).when(&lose).then_refused(Rejection::Ended { status: Status::Won });
    given::<Dispute>([opened(), lost()]).when(&win).then_refused(Rejection::Ended { status: Status::Lost });
    given::<Dispute>([opened()]).when(&accept).then([Event::Accepted {}]);
    given::<Dispute>([opened(), Event::Accepted {}]).when(&accept).then_nothing();
    given::<Dispute>([opened(), lost()]).when(&accept).then_nothing();
    given::<Dispute>([opened(), won()]).when(&accept).then_refused(Rejection::Ended { status: Status::Won });
}

fn corrected(fee: Option<i64>, difference: i64) -> Event {
    Event::FeeCorrected { order: number(2), fee: fee.map(cents), difference: cents(difference), by_hand: true }
}

#[test]
fn another_loss_is_another_outcome() {
    let dispute = crate::fold::<Dispute>(&[opened(), lost()]);
    let known = dispute.live().unwrap();
    let otherwise = Err(Rejection::LostOtherwise { amount: cents(2_500), fee: Some(cents(1_500)) });
    for (amount, fee, said) in [
        (None, None, Ok(())),
        (Some(3_500), None, Ok(())),
        (None, Some(1_500), Ok(())),
        // What the buyer got back of what was named is not what was named.
        (Some(2_500), None, otherwise.clone()),
        (Some(1), Some(1_500), otherwise.clone()),
        (None, Some(1_501), otherwise.clone()),
        (None, Some(0), otherwise),
    ] {
        assert_eq!(known.ensure_lost_so(amount.map(cents), fee.map(cents)), said, "{amount:?} {fee:?}");
    }
    let dispute = crate::fold::<Dispute>(&[opened()]);
    assert_eq!(dispute.live().unwrap().ensure_lost_so(Some(cents(1)), None), Ok(()));
}

#[test]
fn a_fee_is_corrected_by_the_difference() {
    let correct = |fee: Option<i64>| Command::CorrectFee { fee: fee.map(cents) };
    let history = || vec![opened(), lost()];
    given::<Dispute>(history()).when(&correct(Some(2_000))).then([corrected(Some(2_000), 500)]);
    given::<Dispute>(history()).when(&correct(Some(1))).then([corrected(Some(1), -1_499)]);
    for nothing in [None, Some(0)] {
        given::<Dispute>(history()).when(&correct(nothing)).then([corrected(None, -1_500)]);
    }
    given::<Dispute>(history()).when(&correct(Some(1_500))).then_nothing();
    let again = [history(), vec![corrected(None, -1_500)]].concat();
    given::<Dispute>(again.clone()).when(&correct(None)).then_nothing();
    given::<Dispute>(again).when(&correct(Some(700))).then([corrected(Some(700), 700)]);
    given::<Dispute>(history()).when(&correct(Some(-1))).then_refused(Rejection::NotAFee);
    for (history, status) in [(vec![opened()], Status::Open), (vec![opened(), won()], Status::Won)] {
        given::<Dispute>(history).when(&correct(Some(1))).then_refused(Rejection::NotLost { status });
    }
}

#[test]
fn amounts_of_a_loss_are_of_the_claim() {
    let dispute = crate::fold::<Dispute>(&[opened()]);
    let known = dispute.live().unwrap();
    assert_eq!(known.amount_of_loss(None), Ok(cents(3_500)));
    assert_eq!(known.amount_of_loss(Some(cents(1))), Ok(cents(1)));
    let dollars = Money::new(100, crate::Currency::USD);
    for amount in [cents(0), cents(3_501), dollars] {
        assert_eq!(known.amount_of_loss(Some(amount)), Err(Rejection::NotAnAmount { most: cents(3_500) }));
    }
    assert_eq!((known.fee_of_loss(None), known.fee_of_loss(Some(cents(0)))), (Ok(None), Ok(None)));
    assert_eq!(known.fee_of_loss(Some(cents(1_500))), Ok(Some(cents(1_500))));
    for fee in [cents(-1), cents(1_000_001), dollars] {
        assert_eq!(known.fee_of_loss(Some(fee)), Err(Rejection::NotAFee));
    }
}

#[test]
fn a_deadline_is_told_once_while_there_is_no_answer() {
    let remind = Command::Remind {};
    given::<Dispute>([opened()]).when(&remind).then([reminded()]);
    given::<Dispute>([opened(), reminded()]).when(&remind).then_nothing();
    for answer in [evidence(), Event::Accepted {}, won(), lost()] {
        given::<Dispute>([opened(), answer]).when(&remind).then_nothing();
    }
    let unknown = Opening { respond_by: None, ..opening(None) };
    given::<Dispute>([Event::Opened { content: Box::new(unknown), at: noon() }]).when(&remind).then_nothing();
}

#[test]
fn a_provider_gets_evidence_once_and_is_asked_until_it_has_decided() {
    let at_provider = Event::Opened { content: Box::new(opening(Some(Provider::Paypal))), at: noon() };
    let (note, sent) = (|count| Command::NoteSent { count }, |count| Event::EvidenceSent { count });
    let answered = [at_provider.clone(), evidence(), evidence()];
    given::<Dispute>(answered.clone()).when(&note(2)).then([sent(2)]);
    given::<Dispute>(answered.clone()).when(&note(3)).then_nothing();
    let all = [&answered[..], &[sent(2)]].concat();
    given::<Dispute>(all.clone()).when(&note(2)).then_nothing();
    let unsent = |history: &[Event]| crate::fold::<Dispute>(history).live().unwrap().unsent().len();
    assert_eq!((unsent(&answered), unsent(&all), unsent(&[&all[..], &[evidence()]].concat())), (2, 0, 1));
    let (wait, waited) = (Command::Wait { check_at: noon() }, Event::Waited { check_at: noon() });
    given::<Dispute>(all.clone()).when(&wait).then([waited]);
    given::<Dispute>([&all[..], &[won()]].concat()).when(&wait).then_nothing();
    given::<Dispute>([opened()]).when(&wait).then_nothing();
}

#[test]
fn events_keep_their_stored_form() {
    let bare = Opening { shares: vec![], respond_by: None, ..opening(Some(Provider::Paypal)) };
    let samples = [
        opened(),
        Event::Opened { content: Box::new(bare), at: noon() },
        evidence(),
        Event::EvidenceSent { count: 1 },
        Event::Waited { check_at: noon() },
        Event::Accepted {},
        won(),
        lost(),
        Event::Won { order: number(2), sellers: vec![] },
        Event::Lost {
            order: number(2),
            sellers: vec![],
            amount: cents(0),
            named: None,
            shares: vec![],
            beyond: None,
            fee: None,
            by_hand: false,
            credit_note: None,
        },
        // As it was recorded before `named` and `shares`.
        Event::Lost {
            order: number(2),
            sellers: vec![number(71)],
            amount: cents(2_500),
            named: None,
            shares: vec![],
            beyond: Some(cents(100)),
            fee: Some(cents(1_500)),
            by_hand: true,
            credit_note: Some(number(5)),
        },
        corrected(Some(2_000), 500),
        Event::FeeCorrected { order: number(2), fee: None, difference: cents(-1_500), by_hand: false },
        reminded(),
        Event::Reminded { order: number(2), sellers: vec![], respond_by: noon() },
        file_submitted(5),
    ];
    golden(include_str!("golden.json"), &samples);
}

#[test]
fn rejections_are_well_said() {
    well_said(&[
        Rejection::Missing,
        Rejection::Exists,
        Rejection::Ended { status: Status::Won },
        Rejection::LostOtherwise { amount: cents(2_500), fee: Some(cents(1_500)) },
        Rejection::NotLost { status: Status::Open },
        Rejection::Accepted,
        Rejection::TooMuchEvidence,
        Rejection::FilesTooLarge,
        Rejection::NotAnAmount { most: cents(3_500) },
        Rejection::NotAFee,
        Rejection::OfProvider,
    ]);
}
