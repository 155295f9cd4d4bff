//! Files of payouts against the schema of ISO 20022, which banks check first.
//!
//! `bank_files/pain.001.001.09.xsd` is the schema as ISO 20022 publishes it, royalty-free; only its line ends are others.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use byteshop_commands::ports::pain::{Transfer, TransferFile};
use byteshop_domain::Currency;
use byteshop_domain::ids::{Id as _, PayoutFileId, PayoutId};
use byteshop_domain::money::Money;
use byteshop_domain::payout_file::Debtor;
use byteshop_domain::text::{Holder, Iban};
use chrono::DateTime;
use uuid::Uuid;

/// What the schema says against a file; nothing if it is valid.
pub fn faults(xml: &str) -> Option<String> {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("it/bank_files/pain.001.001.09.xsd");
    let mut xmllint = Command::new("xmllint");
    xmllint.args(["--nonet", "--noout", "--schema"]).arg(schema).arg("-");
    let mut running = xmllint.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("xmllint; `make tools`");
    running.stdin.take().unwrap().write_all(xml.as_bytes()).unwrap();
    let done = running.wait_with_output().unwrap();
    (!done.status.success()).then(|| String::from_utf8_lossy(&done.stderr).into_owned())
}

fn file(holder: &str, amounts: &[i64]) -> String {
    let transfer = |(number, amount): (u128, &i64)| Transfer {
        payout: PayoutId::from_uuid(Uuid::from_u128(u128::MAX - number)),
        amount: Money::new(*amount, Currency::EUR),
        iban: Iban::new("FR1420041010050500013M02606").unwrap(),
        holder: Holder::new(holder).unwrap(),
    };
    let created_at = DateTime::from_timestamp(1_767_268_800, 123_456_000).unwrap();
    let file = TransferFile {
        id: PayoutFileId::from_uuid(Uuid::from_u128(u128::MAX)),
        created_at,
        execute_on: created_at.date_naive(),
        debtor: Debtor {
            name: Holder::new("ByteShop GmbH & Co. KG").unwrap(),
            iban: Iban::new("DE89370400440532013000").unwrap(),
        },
        transfers: (0..).zip(amounts).map(transfer).collect(),
    };
    String::from_utf8(file.xml().unwrap()).unwrap()
}

#[test]
fn files_of_payouts_are_valid_by_the_schema() {
    let longest = "Ä".repeat(70);
    for holder in ["Ada Lovelace", "Müller & <Söhne> \"]]>", "漢字 Иван", "-", longest.as_str()] {
        let all: Vec<i64> = (1..=200).collect();
        for amounts in [&[5][..], &[99_999_999_999], &all] {
            assert_eq!(faults(&file(holder, amounts)), None, "{holder}");
        }
    }
}

#[test]
fn the_schema_refuses_what_is_no_file_of_payouts() {
    let right = file("Ada Lovelace", &[5]);
    for (part, wrong) in [
        ("<NbOfTxs>1</NbOfTxs>", "<NbOfTxs>one</NbOfTxs>"),
        ("<InstdAmt Ccy=\"EUR\">0.05</InstdAmt>", "<InstdAmt>0.05</InstdAmt>"),
        ("<Nm>Ada Lovelace</Nm>", "<Nm></Nm>"),
        ("pain.001.001.09", "pain.001.001.03"),
    ] {
        assert!(right.contains(part), "{part} in {right}");
        assert!(faults(&right.replace(part, wrong)).is_some(), "{wrong}");
    }
}
