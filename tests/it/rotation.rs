//! The data key is rotated while the shop runs, survives being killed anywhere on the way, and leaves nothing that opens what
//! was erased before.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use byteshop_domain::Subject;
use byteshop_domain::ids::AccountId;
use byteshop_domain::key_pool::KeyRange;
use byteshop_domain::personal::Personal;
use byteshop_domain::text::LicenceKey;
use byteshop_eventstore::erased::{ErasedFile, ErasedList as _};
use byteshop_eventstore::rotate::{self, RotateError};
use byteshop_eventstore::{Clock, DataKeys, Log, Vault};
use byteshop_gateway::rotation::{self, KeySource};
use byteshop_tests::patience::eventually;
use byteshop_tests::program::{Program, binary};
use byteshop_tests::servers::{fresh_database, migrated};
use futures_util::StreamExt as _;
use serde_json::{Value, json};

/// Bytes of a wrapped key: nonce, key and tag.
const WRAPPED: usize = 12 + 32 + 16;
/// Bytes that lie between a person's id and their wrapped key in a row of Postgres, at most.
const GAP: usize = 8;
/// People of the test that kills: enough batches to be killed between two of them.
const PEOPLE: usize = 3_000;

/// A vault of a process that reads its keys from a file.
fn vault(log: &Log, file: &Path) -> Vault {
    let keys = DataKeys::parse(&fs::read_to_string(file).unwrap()).unwrap();
    Vault::new(log.clone(), keys.kept_in(file.to_owned()))
}

fn keys_in(file: &Path) -> usize {
    fs::read_to_string(file).unwrap_or_default().lines().filter(|line| !line.is_empty()).count()
}

async fn shop() -> (Log, tempfile::TempDir, std::path::PathBuf) {
    let log = Log::open(&migrated(&fresh_database().await).await).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("data.key");
    fs::write(&file, DataKeys::random().unwrap()).unwrap();
    (log, directory, file)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keys_of_a_pool_can_be_read_after_a_rotation_and_are_the_same_keys() {
    let (log, _directory, file) = shop().await;
    let pool = Clock.new_id();
    let before = vault(&log, &file);
    before.check().await.unwrap();
    let [one, other] = ["AAAA-1", "AAAA-2"].map(|key| LicenceKey::new(key).unwrap());
    let mut import = before.import_keys(pool).await.unwrap().unwrap();
    assert!(before.import_keys(pool).await.unwrap().is_none(), "two imports at once");
    assert_eq!(import.add(1, &[one.clone(), one.clone(), other.clone()]).await.unwrap(), [true, false, true]);
    drop(import);
    assert!(rotate::rotate_file(&log, &file).await.unwrap().rewrapped >= 2);
    let after = vault(&log, &file);
    let keys = after.pool_keys(pool, &[KeyRange { batch: 1, first: 0, count: 2 }]).await.unwrap();
    assert_eq!(after.open(&keys[0]).await.unwrap(), Some(one.clone()));
    assert_eq!(after.open(&keys[1]).await.unwrap(), Some(other));
    assert!(
        after.pool_keys(pool, &[KeyRange { batch: 1, first: 1, count: 2 }]).await.is_err(),
        "there is no third key"
    );
    let mut again = eventually("the lock is gone", async || after.import_keys(pool).await.unwrap()).await;
    assert_eq!(again.add(2, &[one]).await.unwrap(), [false]);
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_take_a_new_data_key_up_by_themselves() {
    let (log, _directory, file) = shop().await;
    let (one, other) = (vault(&log, &file), vault(&log, &file));
    let [ada, bob, eve] = [(); 3].map(|()| Subject(Clock.new_id()));
    one.check().await.unwrap();
    let of_ada = one.seal(ada, &"Ada".to_owned()).await.unwrap();
    for round in 0..3 {
        let rotated = rotate::rotate_file(&log, &file).await.unwrap();
        assert!(rotated.rewrapped >= 2, "{round}: {rotated:?}");
        assert_eq!(keys_in(&file), 1);
    }
    // The first one stores with a key that is destroyed by now, and the second one reads with it.
    let of_bob = one.seal(bob, &"Bob".to_owned()).await.unwrap();
    assert_eq!(other.open(&of_ada).await.unwrap().as_deref(), Some("Ada"));
    assert_eq!(other.open(&of_bob).await.unwrap().as_deref(), Some("Bob"));
    let of_eve = other.seal(eve, &"Eve".to_owned()).await.unwrap();
    let fresh = vault(&log, &file);
    for (sealed, text) in [(&of_ada, "Ada"), (&of_bob, "Bob"), (&of_eve, "Eve")] {
        assert_eq!(fresh.open(sealed).await.unwrap().as_deref(), Some(text));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_stored_during_rotations_open_afterwards() {
    let (log, _directory, file) = shop().await;
    let writers = [(); 4].map(|()| vault(&log, &file));
    writers[0].check().await.unwrap();
    let write = async |vault: &Vault| {
        let mut sealed: Vec<Personal<usize>> = Vec::new();
        for number in 0..150 {
            sealed.push(vault.seal(Subject(Clock.new_id()), &number).await.unwrap());
        }
        sealed
    };
    let rotate = async {
        for _ in 0..6 {
            match rotate::rotate_file(&log, &file).await {
                Ok(_) | Err(RotateError::Busy) => {}
                Err(error) => panic!("{error}"),
            }
        }
    };
    let ((), sealed) = tokio::join!(rotate, futures_util::future::join_all(writers.iter().map(write)));
    let fresh = vault(&log, &file);
    fresh.check().await.unwrap();
    for (number, sealed) in sealed.iter().flat_map(|all| all.iter().enumerate()) {
        assert_eq!(fresh.open(sealed).await.unwrap(), Some(number));
    }
    assert_eq!(keys_in(&file), 1);
}

/// `byteshop data-key rotate` on that database.
fn rotation(log_url: &str, data: &Path) -> Child {
    let mut command = Command::new(binary());
    command.arg("--data").arg(data).args(["data-key", "rotate"]).env("BYTESHOP_DATABASE_URL", log_url);
    command.current_dir(data).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_that_is_killed_leaves_nothing_unreadable_and_is_finished_by_the_next() {
    let url = migrated(&fresh_database().await).await;
    let log = Log::open(&url).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("data.key");
    fs::write(&file, DataKeys::random().unwrap()).unwrap();
    let first = vault(&log, &file);
    let sealing = (0..PEOPLE).map(|number| {
        let first = first.clone();
        async move { first.seal(Subject(Clock.new_id()), &number).await.unwrap() }
    });
    let sealed: Vec<Personal<usize>> = futures_util::stream::iter(sealing).buffered(16).collect().await;
    // A rotation wraps keys in batches, of which a tenth of the people has some in each.
    let open = async |first: usize, step: usize| {
        let fresh = vault(&log, &file);
        fresh.check().await.unwrap();
        let opening = sealed.iter().skip(first).step_by(step).map(|sealed| fresh.open(sealed));
        let opened = futures_util::stream::iter(opening).buffered(16).map(Result::unwrap).collect::<Vec<_>>().await;
        assert_eq!(opened, (first..PEOPLE).step_by(step).map(Some).collect::<Vec<_>>());
    };
    let current = fs::read_to_string(&file).unwrap();
    let mut cut_short = 0;
    for round in 0..10 {
        let mut child = rotation(&url, directory.path());
        // Once the new key is in the file, it is killed: at once, or when so much more of it is done.
        let begun = async || (keys_in(&file) == 2 || child_ended(directory.path(), &current)).then_some(());
        eventually("the rotation has begun", begun).await;
        for _ in 0..round * 8 {
            sqlx::query("select 1").execute(log.pool()).await.unwrap();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        cut_short += usize::from(keys_in(&file) == 2);
        open(round, 10).await;
    }
    assert!(cut_short > 0, "no rotation was killed on its way");
    let output = rotation(&url, directory.path()).wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(keys_in(&file), 1);
    assert!(fs::read_to_string(&file).unwrap() != current, "it is the old key");
    open(0, 1).await;
    let names: Vec<_> = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    let old: Vec<_> = names.iter().filter(|name| name.to_string_lossy().ends_with(".old")).collect();
    assert_eq!(old, [] as [&std::ffi::OsString; 0], "{names:?}");
}

/// Whether a rotation came to its end before it was seen on its way.
fn child_ended(data: &Path, first: &str) -> bool {
    let file = data.join("data.key");
    keys_in(&file) == 1 && fs::read_to_string(&file).is_ok_and(|text| text != first)
}

/// The data key in a file, as bytes.
fn key_in(file: &Path) -> [u8; 32] {
    let text = fs::read_to_string(file).unwrap();
    STANDARD.decode(text.trim()).unwrap().try_into().unwrap()
}

/// Everywhere in the files below a directory that somebody's wrapped key opens with a data key.
fn opened(directory: &Path, subject: Subject, key: [u8; 32]) -> Vec<String> {
    let (id, mut found) = (*subject.0.as_bytes(), Vec::new());
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(opened(&path, subject, key));
            continue;
        }
        let bytes = fs::read(&path).unwrap_or_default();
        for at in (0..bytes.len().saturating_sub(id.len())).filter(|at| bytes[*at..].starts_with(&id)) {
            for start in (at + id.len()..at + id.len() + GAP).filter(|start| start + WRAPPED <= bytes.len()) {
                if opens(key, &id, &bytes[start..start + WRAPPED]) {
                    found.push(format!("{} at {start}", path.display()));
                }
            }
        }
    }
    found
}

fn opens(key: [u8; 32], subject: &[u8], wrapped: &[u8]) -> bool {
    let nonce = Nonce::try_assume_unique_for_key(&wrapped[..12]).unwrap();
    let mut text = wrapped[12..].to_vec();
    let key = RandomizedNonceKey::new(&AES_256_GCM, &key).unwrap();
    key.open_in_place(nonce, Aad::from(subject), &mut text).is_ok()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else if path.is_file()
            && let Err(error) = fs::copy(&path, &target)
        {
            // What Postgres removes meanwhile is in no base backup either.
            assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{}", path.display());
        }
    }
}

/// Makes a confirmed account; gives its id and its password.
fn account(program: &Program, email: &str) -> (AccountId, String) {
    let made = program.say(&["grant", email, "customer", "--create"]);
    let (id, password) = made.split_once(" is customer\npassword ").unwrap();
    (id.parse().unwrap(), password.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_erasure_and_a_rotation_no_old_copy_opens() {
    let mut program = Program::new();
    program.start().await;
    let (ada, _) = account(&program, "ada@example.org");
    let (_, password) = account(&program, "bob@example.org");
    let subject = Subject::from(ada);
    let (postgres, file) = (program.data().join("postgres"), program.data().join("data.key"));
    let copies = tempfile::tempdir().unwrap();
    let base = copies.path().join("base");
    copy(&postgres, &base);
    let old = key_in(&file);
    assert!(!opened(&postgres, subject, old).is_empty() && !opened(&base, subject, old).is_empty());

    program.say(&["erase", &ada.to_string(), "--yes"]);
    assert!(!opened(&postgres, subject, old).is_empty(), "the file of the test finds nothing");
    let said = program.say(&["data-key", "rotate"]);
    assert!(said.contains("the old data key is destroyed"), "{said}");
    let acts = program.say(&["audit", "log"]);
    let rotated = acts.lines().find(|line| line.contains("shop.data_key_rotated"));
    assert!(rotated.is_some_and(|line| line.contains("\"operator\"")), "{acts}");
    let new = key_in(&file);
    assert_ne!(new, old);
    assert_eq!(opened(program.data(), subject, new), [""; 0]);
    assert_eq!(opened(&base, subject, new), [""; 0]);
    let listed = ErasedFile::new(program.data().join("erased.list")).all().await.unwrap();
    assert!(listed.contains(&subject), "{listed:?}");

    // The shop that ran all the while knows whoever was not erased, and takes in whoever comes.
    let http = program.run_json().unwrap()["http"].as_str().unwrap().to_owned();
    let client = reqwest::Client::new();
    let login =
        client.post(format!("{http}/v1/auth/login")).json(&json!({"email": "bob@example.org", "password": password}));
    let keys: Value = login.send().await.unwrap().error_for_status().unwrap().json().await.unwrap();
    let me = client.get(format!("{http}/v1/me")).bearer_auth(keys["access_token"].as_str().unwrap());
    let me: Value = me.send().await.unwrap().error_for_status().unwrap().json().await.unwrap();
    assert_eq!(me["email"], "bob@example.org", "{me}");
    let new = json!({"email": "eve@example.org", "password": "correct horse battery staple"});
    let register = client.post(format!("{http}/v1/auth/register")).json(&new).send().await.unwrap();
    assert_eq!(register.status(), 202);
    program.interrupt().await;
    program.start().await;
    program.say(&["check"]);

    // A day after the next erasure the shop rotates by itself.
    let (bob, new) = (me["id"].as_str().unwrap(), key_in(&file));
    program.say(&["erase", bob, "--yes"]);
    let url = program.run_json().unwrap()["database_url"].as_str().unwrap().to_owned();
    age_rotation(&Log::open(&url).unwrap()).await;
    program.interrupt().await;
    assert_eq!(key_in(&file), new, "a command of before has rotated it");
    program.start().await;
    let rotated = async || (keys_in(&file) == 1 && key_in(&file) != new).then_some(());
    eventually("the shop has rotated the data key", rotated).await;
    program.interrupt().await;
}

/// Sets the last rotation two days back.
async fn age_rotation(log: &Log) {
    let back = "update log.data_key set rotated_at = rotated_at - interval '2 days'";
    assert_eq!(sqlx::query(back).execute(log.pool()).await.unwrap().rows_affected(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shop_rotates_when_it_is_due_and_only_a_key_that_is_its_own() {
    let (log, directory, file) = shop().await;
    let vault = vault(&log, &file);
    vault.list_erased(Arc::new(ErasedFile::new(directory.path().join("erased.list"))));
    let [ada, bob] = [(); 2].map(|()| Subject(Clock.new_id()));
    let of_bob = vault.seal(bob, &"Bob".to_owned()).await.unwrap();
    vault.seal(ada, &"Ada".to_owned()).await.unwrap();
    let (first, own) = (key_in(&file), KeySource::File(file.clone()));
    age_rotation(&log).await;
    rotation::look(&log, &own).await;
    assert_eq!(key_in(&file), first, "no one has been erased");
    // The request that erases and the process that makes sure of it.
    let both = tokio::join!(vault.erase(ada), vault.erase(ada));
    assert_eq!([both.0.unwrap(), both.1.unwrap()].into_iter().filter(|erased| *erased).count(), 1);
    assert!(!vault.erase(ada).await.unwrap());
    let listed = ErasedFile::new(directory.path().join("erased.list")).all().await.unwrap();
    assert_eq!(listed, [ada], "everyone is listed once");
    rotation::look(&log, &KeySource::Given).await;
    assert_eq!((keys_in(&file), key_in(&file)), (1, first), "a configured key is not the shop's to rotate");
    rotation::look(&log, &own).await;
    let second = key_in(&file);
    assert_ne!(second, first);
    assert_eq!(vault.open(&of_bob).await.unwrap().as_deref(), Some("Bob"));
    vault.erase(bob).await.unwrap();
    rotation::look(&log, &own).await;
    assert_eq!(key_in(&file), second, "it was rotated less than a day ago");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_erased_before_a_restored_backup_is_erased_again() {
    let (log, directory, file) = shop().await;
    let list = || Arc::new(ErasedFile::new(directory.path().join("erased.list")));
    let before = vault(&log, &file);
    before.list_erased(list());
    let [ada, bob, eve] = [(); 3].map(|()| Subject(Clock.new_id()));
    let mut sealed = Vec::new();
    for subject in [ada, bob, eve] {
        sealed.push(before.seal(subject, &"somebody".to_owned()).await.unwrap());
    }
    before.erase(ada).await.unwrap();
    // As a backup has it that was made before.
    let backup: (Vec<u8>, String) = {
        let row = "select wrapped, wrapped_by from log.subject_key where subject = $1";
        sqlx::query_as(row).bind(bob.0).fetch_one(log.pool()).await.unwrap()
    };
    before.erase(bob).await.unwrap();
    sqlx::query("update log.subject_key set wrapped = $2, wrapped_by = $3, erased_at = null where subject = $1")
        .bind(bob.0)
        .bind(backup.0)
        .bind(backup.1)
        .execute(log.pool())
        .await
        .unwrap();
    let after = vault(&log, &file);
    assert!(after.open(&sealed[1]).await.unwrap().is_some(), "the backup has him again");
    let restored = vault(&log, &file);
    restored.list_erased(list());
    assert_eq!(restored.apply_erased().await.unwrap(), [bob]);
    assert_eq!(restored.apply_erased().await.unwrap(), []);
    let opened = futures_util::future::join_all(sealed.iter().map(|sealed| restored.open(sealed))).await;
    let opened: Vec<bool> = opened.into_iter().map(|opened| opened.unwrap().is_some()).collect();
    assert_eq!(opened, [false, false, true]);
    // Whoever was erased before there was a list is on it from then on.
    fs::remove_file(directory.path().join("erased.list")).unwrap();
    assert_eq!(restored.apply_erased().await.unwrap(), []);
    let mut listed = list().all().await.unwrap();
    listed.sort_unstable();
    let mut erased = vec![ada, bob];
    erased.sort_unstable();
    assert_eq!(listed, erased);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_keys_are_a_shops_own_and_stay_when_its_data_key_changes() {
    let ((log, _directory, file), (other_log, _other, other_file)) = (shop().await, shop().await);
    let (one, other) = (vault(&log, &file), vault(&other_log, &other_file));
    let (name, key) = (one.blind("email", "ada@example.org").await.unwrap(), one.derive("tokens").await.unwrap());
    assert_ne!(name, other.blind("email", "ada@example.org").await.unwrap());
    assert_ne!(key, other.derive("tokens").await.unwrap());
    rotate::rotate_file(&log, &file).await.unwrap();
    let fresh = vault(&log, &file);
    assert_eq!(fresh.blind("email", "ada@example.org").await.unwrap(), name);
    assert_eq!(fresh.derive("tokens").await.unwrap(), key);
    assert_eq!(
        Vault::key_in_use(&log).await.unwrap(),
        Some(DataKeys::parse(&fs::read_to_string(&file).unwrap()).unwrap().current().unwrap())
    );
    assert_eq!(Vault::key_in_use(&Log::open(&migrated(&fresh_database().await).await).unwrap()).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_with_other_data_keys_is_refused_and_an_erasure_happens_once() {
    let (log, directory, file) = shop().await;
    let ours = vault(&log, &file);
    ours.check().await.unwrap();
    let foreign = directory.path().join("other.key");
    fs::write(&foreign, DataKeys::random().unwrap()).unwrap();
    assert!(vault(&log, &foreign).check().await.is_err());
    let ada = Subject(Clock.new_id());
    ours.seal(ada, &"Ada".to_owned()).await.unwrap();
    assert!(ours.erase(ada).await.unwrap());
    assert!(!ours.erase(ada).await.unwrap());
}
