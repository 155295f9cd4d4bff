//! Files as evidence: sealed, submitted once, for staff alone, and unreadable once the buyer was erased.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use byteshop_domain::dispute::{Dispute, EVIDENCE_MAX, FILE_MAX};
use byteshop_domain::ids::DisputeId;
use reqwest::Client;
use reqwest::header::HeaderMap;
use serde_json::json;

use super::{Answer, Court};

/// A document.
const DOCUMENT: &[u8] = b"%PDF-1.7 Ada signed on 20 November";

/// A document of so many bytes.
fn document(bytes: usize) -> Vec<u8> {
    [DOCUMENT, &vec![b' '; bytes - DOCUMENT.len()]].concat()
}

/// The files in a directory; none if there is no such directory.
fn files_in(directory: &Path) -> Vec<PathBuf> {
    fs::read_dir(directory).map(|found| found.map(|entry| entry.unwrap().path()).collect()).unwrap_or_default()
}

impl Court {
    async fn dispute(&self) -> String {
        let sale = self.sold(&[&self.market.kettle]).await;
        self.record(&sale, 1_800, "recall 1").await.expect(201).id()
    }

    async fn upload(&self, dispute: &str, name: &str, content: Vec<u8>) -> Answer {
        let path = format!("/v1/admin/disputes/{dispute}/evidence/files?name={name}");
        self.market.shop.post(&path).by(&self.staff).body_raw(content).send().await
    }

    /// The status, the headers and the content of a file.
    async fn download(&self, dispute: &str, number: u32) -> (u16, HeaderMap, Vec<u8>) {
        let path = format!("/v1/admin/disputes/{dispute}/evidence/{number}/file");
        let request = Client::new().get(format!("{}{path}", self.market.shop.url)).bearer_auth(&self.staff);
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        (status, headers, response.bytes().await.unwrap().to_vec())
    }

    async fn is_missing(&self, dispute: &str, number: u32) {
        let path = format!("/v1/admin/disputes/{dispute}/evidence/{number}/file");
        self.market.shop.get(&path).by(&self.staff).send().await.expect_problem(404, "file.missing");
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.market.shop.files.path().join("private").join(name)
    }

    /// How many files are kept, and how many wait.
    fn stored(&self) -> [usize; 2] {
        ["evidence", "evidence-waiting"].map(|name| files_in(&self.folder(name)).len())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_submits_a_file_and_downloads_it() {
    let court = Court::open().await;
    let shop = &court.market.shop;
    let dispute = court.dispute().await;
    let path = format!("/v1/admin/disputes/{dispute}/evidence/files?name=Ada%20Lovelace.pdf");
    for _ in 0..2 {
        // The second one is a repetition.
        let sent = shop.post(&path).by(&court.staff).key("one").body_raw(DOCUMENT.to_vec()).send().await.expect(201);
        let shown = &sent.body["evidence"];
        assert_eq!((sent.text("/status"), shown.as_array().unwrap().len()), ("answered", 1));
        let file = json!({"name": "Ada Lovelace.pdf", "media_type": "application/pdf", "bytes": DOCUMENT.len()});
        assert_eq!((&shown[0]["number"], &shown[0]["text"], &shown[0]["file"]), (&json!(1), &json!(null), &file));
        assert_eq!(court.stored(), [1, 0]);
    }
    let texts = format!("/v1/admin/disputes/{dispute}/evidence");
    let both = court.post(&texts, json!({"text": "Signed."})).await.expect(201);
    assert_eq!((&both.body["evidence"][1]["number"], &both.body["evidence"][1]["file"]), (&json!(2), &json!(null)));
    let (status, headers, content) = court.download(&dispute, 1).await;
    assert_eq!((status, content.as_slice()), (200, DOCUMENT));
    let header = |name: &str| headers[name].to_str().unwrap();
    assert_eq!((header("content-type"), header("x-content-type-options")), ("application/pdf", "nosniff"));
    assert_eq!(header("cache-control"), "private, no-store");
    let saved = "attachment; filename=\"Ada Lovelace.pdf\"; filename*=UTF-8''Ada%20Lovelace.pdf";
    assert_eq!(header("content-disposition"), saved);
    for number in [0, 2, 3] {
        court.is_missing(&dispute, number).await;
    }
    // Neither the content nor the name is in the clear.
    let sealed = fs::read(&files_in(&court.folder("evidence"))[0]).unwrap();
    assert!(!sealed.windows(6).any(|part| part == b"signed"), "the file is in the clear");
    let known = shop.commands.get::<Dispute>(dispute.parse::<DisputeId>().unwrap()).await.unwrap().unwrap();
    let known = serde_json::to_string(&known.state).unwrap();
    assert!(!known.contains("Lovelace"), "{known}");
    court.is_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_for_others_of_other_kinds_and_beyond_the_limits_are_refused() {
    let court = Court::open().await;
    let dispute = court.dispute().await;
    for content in [b"PK\x03\x04".to_vec(), b"<html>".to_vec(), vec![], b"--form\r\n%PDF-1.7".to_vec()] {
        court.upload(&dispute, "a.pdf", content).await.expect_problem(415, "request.unsupported_media_type");
    }
    court.upload(&dispute, "a.pdf", document(FILE_MAX + 1)).await.expect_problem(413, "request.too_large");
    court.upload(&dispute, "a%2Fb.pdf", DOCUMENT.to_vec()).await.expect_problem(400, "request.invalid_query");
    let path = format!("/v1/admin/disputes/{dispute}/evidence/files");
    let shop = &court.market.shop;
    let unnamed = shop.post(&path).by(&court.staff).body_raw(DOCUMENT.to_vec()).send().await;
    unnamed.expect_problem(400, "request.invalid_query");
    let missing = "dsp_00000000000000000000000001";
    court.upload(missing, "a.pdf", DOCUMENT.to_vec()).await.expect_problem(404, "dispute.missing");
    for _ in 0..3 {
        court.upload(&dispute, "a.pdf", document(FILE_MAX)).await.expect(201);
    }
    court.upload(&dispute, "a.pdf", DOCUMENT.to_vec()).await.expect_problem(409, "dispute.files_too_large");
    for token in [&court.market.buyer.token, &court.market.ada.token] {
        let named = format!("{path}?name=a.pdf");
        shop.post(&named).by(token).body_raw(DOCUMENT.to_vec()).send().await.expect_problem(403, "auth.forbidden");
        let file = format!("/v1/admin/disputes/{dispute}/evidence/1/file");
        shop.get(&file).by(token).send().await.expect_problem(403, "auth.forbidden");
    }
    let texts = format!("/v1/admin/disputes/{dispute}/evidence");
    for _ in 3..EVIDENCE_MAX {
        court.post(&texts, json!({"text": "More."})).await.expect(201);
    }
    court.upload(&dispute, "a.pdf", DOCUMENT.to_vec()).await.expect_problem(409, "dispute.too_much_evidence");
    court.conclude(&dispute, json!({"outcome": "won"})).await.expect(200);
    court.upload(&dispute, "a.pdf", DOCUMENT.to_vec()).await.expect_problem(409, "dispute.ended");
    // What was refused left nothing.
    assert_eq!(court.stored(), [3, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_unreadable_once_its_buyer_was_erased() {
    let court = Court::open().await;
    let dispute = court.dispute().await;
    court.upload(&dispute, "a.pdf", DOCUMENT.to_vec()).await.expect(201);
    let commands = &court.market.shop.commands;
    let known = commands.get::<Dispute>(dispute.parse::<DisputeId>().unwrap()).await.unwrap().unwrap();
    let buyer = known.state.live().unwrap().file(1).unwrap().name.subject();
    commands.vault().erase(buyer).await.unwrap();
    court.is_missing(&dispute, 1).await;
    let shown = court.get(&format!("/v1/admin/disputes/{dispute}")).await;
    assert_eq!((&shown["evidence"][0]["file"]["name"], &shown["status"]), (&json!(null), &json!("answered")));
    court.upload(&dispute, "b.pdf", DOCUMENT.to_vec()).await.expect_problem(409, "account.erased");
    assert_eq!(court.stored(), [1, 0]);
}

/// A crash before the event leaves a file that is deleted, and one after the event leaves a file that is kept.
#[tokio::test(flavor = "multi_thread")]
async fn files_that_wait_since_a_crash_are_settled_a_day_later() {
    let court = Court::open().await;
    let dispute = court.dispute().await;
    court.upload(&dispute, "a.pdf", DOCUMENT.to_vec()).await.expect(201);
    let waiting = court.folder("evidence-waiting");
    let kept = files_in(&court.folder("evidence")).remove(0);
    let name = kept.file_name().unwrap().to_str().unwrap().to_owned();
    let unknown = format!("{}{}", &name[..name.len() - 1], if name.ends_with('0') { '1' } else { '0' });
    fs::copy(&kept, waiting.join(&unknown)).unwrap();
    fs::rename(&kept, waiting.join(&name)).unwrap();
    assert_eq!(court.download(&dispute, 1).await.2, DOCUMENT);
    court.upload(&dispute, "b.pdf", DOCUMENT.to_vec()).await.expect(201);
    assert_eq!(court.stored(), [1, 2], "they do not wait long enough");
    for file in files_in(&waiting) {
        let file = fs::OpenOptions::new().append(true).open(file).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_hours(25)).unwrap();
    }
    court.upload(&dispute, "c.pdf", DOCUMENT.to_vec()).await.expect(201);
    assert_eq!(court.stored(), [3, 0]);
    for number in [1, 2, 3] {
        assert_eq!(court.download(&dispute, number).await.2, DOCUMENT);
    }
}
