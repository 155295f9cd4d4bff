//! Files of SEPA credit transfers for a bank: `pain.001.001.09` of ISO 20022, as the rulebook of the European Payments Council uses it
//! (EPC132-08).
//!
//! The message id is the id of the file and the end-to-end id of a transfer that of its payout, so that a bank carries neither out
//! twice. The character set of SEPA has no underscore, so the ids have a hyphen in its place, and names have the characters
//! that banks must read.

use std::fmt::Display;
use std::io;

use byteshop_domain::ids::{PayoutFileId, PayoutId};
use byteshop_domain::money::Money;
use byteshop_domain::payout_file::Debtor;
use byteshop_domain::text::{Holder, Iban, bank_form};
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

/// The namespace of the message.
const NAMESPACE: &str = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09";

/// A transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// The payout.
    pub payout: PayoutId,
    /// The amount, in euros.
    pub amount: Money,
    /// The account that gets it.
    pub iban: Iban,
    /// The holder of that account.
    pub holder: Holder,
}

/// A file of transfers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferFile {
    /// The file.
    pub id: PayoutFileId,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// The day on which the bank is to carry the transfers out.
    pub execute_on: NaiveDate,
    /// The account that they are paid from.
    pub debtor: Debtor,
    /// The transfers.
    pub transfers: Vec<Transfer>,
}

type Xml = Writer<Vec<u8>>;

impl TransferFile {
    /// The file, as the bank reads it.
    ///
    /// # Errors
    /// Never, as it is written into memory.
    pub fn xml(&self) -> io::Result<Vec<u8>> {
        let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
        xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        let document = BytesStart::new("Document").with_attributes([("xmlns", NAMESPACE)]);
        xml.write_event(Event::Start(document))?;
        within(&mut xml, "CstmrCdtTrfInitn", |xml| {
            within(xml, "GrpHdr", |xml| self.header(xml))?;
            within(xml, "PmtInf", |xml| self.payment(xml))
        })?;
        xml.write_event(Event::End(BytesEnd::new("Document")))?;
        Ok(xml.into_inner())
    }

    fn header(&self, xml: &mut Xml) -> io::Result<()> {
        text(xml, "MsgId", named(self.id))?;
        text(xml, "CreDtTm", self.created_at.to_rfc3339_opts(SecondsFormat::Secs, true))?;
        self.sums(xml)?;
        within(xml, "InitgPty", |xml| text(xml, "Nm", bank_form(self.debtor.name.as_str())))
    }

    fn sums(&self, xml: &mut Xml) -> io::Result<()> {
        let cents = self.transfers.iter().fold(0, |sum: i64, it| sum.saturating_add(it.amount.amount));
        text(xml, "NbOfTxs", self.transfers.len())?;
        text(xml, "CtrlSum", Money::new(cents, byteshop_domain::Currency::EUR).decimal())
    }

    fn payment(&self, xml: &mut Xml) -> io::Result<()> {
        text(xml, "PmtInfId", named(self.id))?;
        text(xml, "PmtMtd", "TRF")?;
        text(xml, "BtchBookg", true)?;
        self.sums(xml)?;
        within(xml, "PmtTpInf", |xml| within(xml, "SvcLvl", |xml| text(xml, "Cd", "SEPA")))?;
        within(xml, "ReqdExctnDt", |xml| text(xml, "Dt", self.execute_on))?;
        within(xml, "Dbtr", |xml| text(xml, "Nm", bank_form(self.debtor.name.as_str())))?;
        within(xml, "DbtrAcct", |xml| account(xml, &self.debtor.iban))?;
        // A bank finds itself by the IBAN.
        within(xml, "DbtrAgt", |xml| {
            within(xml, "FinInstnId", |xml| within(xml, "Othr", |xml| text(xml, "Id", "NOTPROVIDED")))
        })?;
        text(xml, "ChrgBr", "SLEV")?;
        self.transfers.iter().try_for_each(|it| within(xml, "CdtTrfTxInf", |xml| it.write(xml)))
    }
}

impl Transfer {
    fn write(&self, xml: &mut Xml) -> io::Result<()> {
        within(xml, "PmtId", |xml| text(xml, "EndToEndId", named(self.payout)))?;
        within(xml, "Amt", |xml| {
            let amount = BytesStart::new("InstdAmt").with_attributes([("Ccy", self.amount.currency.code())]);
            xml.write_event(Event::Start(amount))?;
            xml.write_event(Event::Text(BytesText::new(&self.amount.decimal())))?;
            xml.write_event(Event::End(BytesEnd::new("InstdAmt")))
        })?;
        within(xml, "Cdtr", |xml| text(xml, "Nm", bank_form(self.holder.as_str())))?;
        within(xml, "CdtrAcct", |xml| account(xml, &self.iban))?;
        within(xml, "RmtInf", |xml| text(xml, "Ustrd", named(self.payout)))
    }
}

fn account(xml: &mut Xml, iban: &Iban) -> io::Result<()> {
    within(xml, "Id", |xml| text(xml, "IBAN", iban))
}

/// An id in the character set of SEPA.
fn named(id: impl Display) -> String {
    id.to_string().replace('_', "-")
}

fn within(xml: &mut Xml, name: &str, inside: impl FnOnce(&mut Xml) -> io::Result<()>) -> io::Result<()> {
    xml.write_event(Event::Start(BytesStart::new(name)))?;
    inside(xml)?;
    xml.write_event(Event::End(BytesEnd::new(name)))
}

fn text(xml: &mut Xml, name: &str, text: impl Display) -> io::Result<()> {
    xml.write_event(Event::Start(BytesStart::new(name)))?;
    xml.write_event(Event::Text(BytesText::new(&text.to_string())))?;
    xml.write_event(Event::End(BytesEnd::new(name)))
}

#[cfg(test)]
mod tests {
    use byteshop_domain::Currency;
    use byteshop_domain::ids::Id as _;
    use uuid::Uuid;

    use super::*;

    fn file(holder: &str) -> String {
        let transfer = |number, amount| Transfer {
            payout: PayoutId::from_uuid(Uuid::from_u128(number)),
            amount: Money::new(amount, Currency::EUR),
            iban: Iban::new("FR1420041010050500013M02606").unwrap(),
            holder: Holder::new(holder).unwrap(),
        };
        let created_at = DateTime::from_timestamp(1_767_268_800, 0).unwrap();
        let file = TransferFile {
            id: PayoutFileId::from_uuid(Uuid::from_u128(9)),
            created_at,
            execute_on: created_at.date_naive(),
            debtor: Debtor {
                name: Holder::new("ByteShop GmbH").unwrap(),
                iban: Iban::new("DE89370400440532013000").unwrap(),
            },
            transfers: vec![transfer(1, 123_456), transfer(2, 5)],
        };
        String::from_utf8(file.xml().unwrap()).unwrap()
    }

    #[test]
    fn a_file_has_the_transfers_and_their_sum() {
        insta::assert_snapshot!("pain", file("Ada Lovelace"));
    }

    #[test]
    fn what_a_seller_writes_has_the_characters_that_banks_read_and_is_no_markup() {
        let xml = file("Müller & <Söhne> \"]]>");
        assert!(xml.contains("<Nm>Muller + .Sohne. ....</Nm>"), "{xml}");
    }
}
