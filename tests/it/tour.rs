//! docs/tour.md and docs/marketplace.md are true: their commands are run in their order against a new shop, and what they print is
//! what the pages say.
//!
//! Commands are the blocks marked `sh`; the block marked `text` that follows one is what it prints. Ids, times and secrets
//! differ from run to run, so they are compared by their kind and by where else they appear. With `BYTESHOP_TEST_WRITE` set
//! the outputs in the pages are written anew.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use byteshop_domain::ids;
use byteshop_tests::paypal::StandIn;
use byteshop_tests::program::{Program, binary};
use tokio::process::Command;
use uuid::Uuid;

/// What the pages call the shop's address.
const ADDRESS: &str = "http://127.0.0.1:8080";
/// What they call that of the stand-in for PayPal.
const SANDBOX: &str = "http://127.0.0.1:8095";
/// How long all of it may take.
const PATIENCE: Duration = Duration::from_mins(5);
/// Between the outputs of two blocks.
const MARK: &str = "---8<---";
/// What a line is about that another walk through the same shop prints otherwise: what the first one sold, and its prices.
const DIFFERS: [&str; 3] = ["of them are new", "\"available\"", "\"lowest_before\""];
/// What is at least so long and mixes letters and digits is a secret or a hash.
const SECRET: usize = 20;

/// A piece of a page.
#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Prose(String),
    Command(String),
    Output(String),
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tour_can_be_walked() {
    let page = page("tour.md");
    let mut program = Program::new();
    program.start().await;
    let printed = page.walk(&program, &[]).await;
    let again = page.walk(&program, &[]).await;
    page.compare(&printed);
    let (mut first, mut second) = (Names::default(), Names::default());
    for (block, repeated) in printed.iter().zip(&again) {
        let (block, repeated) = (first.of(block), second.of(repeated));
        let pairs = block.lines().zip(repeated.lines());
        let other = pairs.into_iter().find(|(one, other)| one != other && !DIFFERS.iter().any(|it| one.contains(it)));
        assert_eq!(
            (other, block.lines().count()),
            (None, repeated.lines().count()),
            "the tour cannot be repeated: {repeated}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tour_of_the_marketplace_can_be_walked() {
    let page = page("marketplace.md");
    let paypal = StandIn::start().await;
    let mut program = Program::new();
    paypal.connects(&mut program, "paypal,test").await;
    // As the page starts the shop.
    program.set("BYTESHOP_PAYOUT_IBAN", "NL91ABNA0417164300");
    program.set("BYTESHOP_PAYOUT_HOLD_DAYS", "0");
    program.set("BYTESHOP_PAYOUT_DESTINATION_HOURS", "0");
    program.start().await;
    paypal.tells(program.run_json().unwrap()["http"].as_str().unwrap());
    let printed = page.walk(&program, &[(SANDBOX, &paypal.url)]).await;
    page.compare(&printed);
}

#[test]
fn no_wait_of_the_tour_is_without_end() {
    let texts = ["tour.md", "marketplace.md"].map(|name| std::fs::read_to_string(page(name).file).unwrap());
    let lines = || texts.iter().flat_map(|text| text.lines());
    let endless = lines().find(|line| line.starts_with("until ") || line.starts_with("while "));
    assert_eq!(endless, None, "wait with `wait_until`, which gives up");
    let wait = lines().find(|line| line.starts_with("wait_until() {")).unwrap();
    let script = format!("{wait}\nseq() {{ command seq 2; }}\nwait_until '[ 1 = 1 ]'\nwait_until '[ 1 = 2 ]'");
    let output = std::process::Command::new("bash").args(["-c", &script]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "gave up waiting until [ 1 = 2 ]\n");
}

/// A page of docs/.
struct Page {
    file: PathBuf,
    pieces: Vec<Piece>,
}

fn page(name: &str) -> Page {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
    let pieces = read(&std::fs::read_to_string(&file).unwrap());
    Page { file, pieces }
}

impl Page {
    /// Runs the commands in one shell, and gives what each block printed. The addresses on the page stand for others.
    async fn walk(&self, program: &Program, addresses: &[(&str, &str)]) -> Vec<String> {
        let run = program.run_json().unwrap();
        let shop = run["http"].as_str().unwrap();
        let addresses = [&[(ADDRESS, shop)], addresses].concat();
        let (program_file, data) = (binary(), program.data());
        let mut script = format!("byteshop() {{ '{}' --data '{}' \"$@\"; }}\n", program_file.display(), data.display());
        let mut blocks = 0;
        for piece in &self.pieces {
            if let Piece::Command(text) = piece {
                let text = addresses.iter().fold(text.clone(), |text, (here, there)| text.replace(here, there));
                writeln!(script, "{{\n{text}\n}} 2>&1\necho '{MARK}'").unwrap();
                blocks += 1;
            }
        }
        let directory = tempfile::tempdir().unwrap();
        let mut bash = Command::new("bash");
        bash.args(["-c", &script]).current_dir(directory.path()).stdin(Stdio::null()).kill_on_drop(true);
        let output = tokio::time::timeout(PATIENCE, bash.output()).await.expect("the tour ends in time").unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        let printed = addresses.iter().fold(printed, |text, (here, there)| text.replace(there, here));
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{printed}");
        let marked = format!("{MARK}\n");
        let mut printed: Vec<String> = printed.split(&marked).map(str::to_owned).collect();
        printed.pop();
        assert_eq!(printed.len(), blocks, "the shell ended early:\n{}", printed.join("\n"));
        printed
    }

    /// Compares what was printed with what the page says, or writes it there.
    fn compare(&self, printed: &[String]) {
        let pieces = with_outputs(&self.pieces, printed);
        #[expect(clippy::disallowed_methods, reason = "the tests have no configuration but the environment")]
        if std::env::var_os("BYTESHOP_TEST_WRITE").is_some() {
            let pieces: Vec<Piece> = pieces.into_iter().map(|(piece, _)| piece).collect();
            std::fs::write(&self.file, write(&pieces)).unwrap();
            return;
        }
        let (mut said, mut seen) = (Names::default(), Names::default());
        for (piece, expected) in &pieces {
            if let Piece::Output(output) = piece {
                let (expected, output) = (said.of(expected.as_deref().unwrap_or_default()), seen.of(output));
                assert_eq!(output, expected, "\nthe tour prints something else; `make tour` writes what it prints now");
            }
        }
    }
}

fn read(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut lines = text.lines();
    let mut prose = String::new();
    while let Some(line) = lines.next() {
        let language = match line {
            "```sh" => Piece::Command,
            "```text" => Piece::Output,
            _ => {
                prose.push_str(line);
                prose.push('\n');
                continue;
            }
        };
        pieces.push(Piece::Prose(std::mem::take(&mut prose)));
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        pieces.push(language(block.join("\n")));
    }
    pieces.push(Piece::Prose(prose));
    pieces
}

fn write(pieces: &[Piece]) -> String {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Prose(prose) => text.push_str(prose),
            Piece::Command(block) => writeln!(text, "```sh\n{block}\n```").unwrap(),
            Piece::Output(block) => writeln!(text, "```text\n{block}\n```").unwrap(),
        }
    }
    text
}

/// The page with what its commands printed, each output beside what the page said.
fn with_outputs(pieces: &[Piece], printed: &[String]) -> Vec<(Piece, Option<String>)> {
    let mut printed = printed.iter();
    let mut told = Vec::new();
    let mut pieces = pieces.iter().peekable();
    while let Some(piece) = pieces.next() {
        match piece {
            Piece::Prose(_) => told.push((piece.clone(), None)),
            // One that follows no command prints nothing any more.
            Piece::Output(_) => {}
            Piece::Command(_) => {
                told.push((piece.clone(), None));
                let output = printed.next().map(|text| text.trim_end().to_owned()).unwrap_or_default();
                let expected = pieces
                    .next_if(|next| matches!(next, Piece::Prose(prose) if prose.is_empty()))
                    .and_then(|_| pieces.next_if(|next| matches!(next, Piece::Output(_))));
                let expected = match expected {
                    Some(Piece::Output(text)) => Some(text.clone()),
                    Some(_) | None => None,
                };
                if !output.is_empty() || expected.is_some() {
                    told.push((Piece::Output(output), expected));
                }
            }
        }
    }
    told
}

/// What differs from run to run, by a name that does not.
#[derive(Default)]
struct Names(HashMap<String, String>);

impl Names {
    /// A text in which every such word is replaced by its kind and its number.
    fn of(&mut self, text: &str) -> String {
        let mut out = String::new();
        for line in text.lines() {
            let is_part = |letter: char| letter.is_ascii_alphanumeric() || "_-:.+".contains(letter);
            let mut rest = line;
            while !rest.is_empty() {
                let end = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
                let (word, tail) = rest.split_at(end);
                out.push_str(&self.named(word));
                let next = tail.find(is_part).unwrap_or(tail.len());
                out.push_str(&tail[..next]);
                rest = &tail[next..];
            }
            // Columns are as wide as what is in them.
            out = out.trim_end().to_owned();
            out.push('\n');
        }
        out
    }

    fn named(&mut self, word: &str) -> String {
        let Some(kind) = kind(word) else { return word.to_owned() };
        if kind == "time" {
            return "<time>".to_owned();
        }
        let number = self.0.len() + 1;
        self.0.entry(word.to_owned()).or_insert_with(|| format!("<{kind} {number}>")).clone()
    }
}

fn kind(word: &str) -> Option<String> {
    if let Ok((prefix, _)) = ids::parse(word) {
        return Some(prefix.to_owned());
    }
    if Uuid::try_parse(word).is_ok() {
        return Some("uuid".to_owned());
    }
    if chrono::DateTime::parse_from_rfc3339(word).is_ok() {
        return Some("time".to_owned());
    }
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let letters = word.bytes().filter(u8::is_ascii_alphabetic).count();
    (word.len() >= SECRET && digits > 0 && letters > digits / 2).then(|| "secret".to_owned())
}

#[test]
fn a_page_is_read_and_written_as_it_is() {
    let text = "Hello.\n\n```sh\necho 1\necho 2\n```\n```text\n1\n2\n```\n\nBye.\n";
    assert_eq!(write(&read(text)), text);
    let printed = ["3\n".to_owned()];
    let pieces = with_outputs(&read(text), &printed);
    assert!(pieces.contains(&(Piece::Output("3".into()), Some("1\n2".into()))), "{pieces:?}");
}

#[test]
fn what_differs_is_compared_by_its_kind_and_place() {
    let one = "ord_01h455vb4pex5vsknk084sn02q then ord_01h455vb4pex5vsknk084sn02r at 2026-01-01T00:00:00Z";
    let other = "ord_01h455vb4pex5vsknk084sn03q then ord_01h455vb4pex5vsknk084sn03r at 2026-01-02T00:00:00Z";
    let twice = "ord_01h455vb4pex5vsknk084sn03q then ord_01h455vb4pex5vsknk084sn03q at 2026-01-02T00:00:00Z";
    let of = |text| Names::default().of(text);
    assert_eq!(of(one), of(other));
    assert_ne!(of(one), of(twice));
}
