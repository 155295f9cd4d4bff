//! Which products match a search text, how well, and which correction applies if there are none.

use roaring::RoaringBitmap;

use super::asked::Asked;
use super::correct::corrected;
use super::index::Index;
use super::lexicon::{Ranking, Sought};
use super::place::Seal;
use super::query::Shown;
use super::stemming::{self, completions, stems_of};
use super::wanted::{Stems, Wanted, Word, counting};
use crate::error::Error;
use crate::views::Views;

/// The products that match, by their numbers in the index.
#[derive(Debug, Default)]
pub(super) struct Matches {
    /// All of them.
    pub all: RoaringBitmap,
    /// How well each matches.
    pub ranking: Ranking,
    /// The search text that was used instead of the given one.
    pub corrected: Option<String>,
    /// Whether the last word was completed.
    pub completed: bool,
}

impl Views {
    /// The products that match some words. When none of a status does, typos are corrected. The seal of a page before says how
    /// that was decided then, and how rare each word was.
    pub(super) async fn matches(&self, words: &str, shown: Shown, seal: Option<&Seal>) -> Result<Matches, Error> {
        let asked = Asked::read(seal.and_then(|seal| seal.corrected.as_deref()).unwrap_or(words));
        let stems = self.stems(&asked).await?;
        let mut found = matching(&self.catalog().index(), &asked, &stems, seal)?;
        let finds = |found: &Matches| !found.all.is_disjoint(&self.catalog().index().shown(shown));
        // Words that appear between two pages change nothing of how the first one was made.
        let is_to_complete = match seal {
            Some(seal) => seal.completed,
            None => !finds(&found) && !self.is_begun(&asked, &stems),
        };
        if is_to_complete && let Some(stems) = self.completed(&asked, &stems).await? {
            let completed = matching(&self.catalog().index(), &asked, &stems, seal)?;
            if seal.is_some() || finds(&completed) {
                found = Matches { completed: true, ..completed };
            }
        }
        if let Some(seal) = seal {
            return Ok(Matches { corrected: seal.corrected.clone(), ..found });
        }
        if finds(&found) {
            return Ok(found);
        }
        let meant = {
            let index = self.catalog().index();
            corrected(&asked, &stems, &index.lexicon, &index.shown(shown))
        };
        let Some(meant) = meant else { return Ok(found) };
        let text = meant.to_string();
        // A cursor has the text, so it is read from there on the first page too.
        let meant = Asked::read(&text);
        let stems = self.stems(&meant).await?;
        let better = matching(&self.catalog().index(), &meant, &stems, None)?;
        Ok(if finds(&better) { Matches { corrected: Some(text), ..better } } else { found })
    }

    /// The stems of the words of a search text; Postgres computes those that the index does not know.
    async fn stems(&self, asked: &Asked) -> Result<Stems, Error> {
        let mut stems = Stems::new();
        let mut unknown = Vec::new();
        {
            let index = self.catalog().index();
            let joined = asked.parts().filter(|part| part.words.len() > 1).map(|part| part.words.concat());
            for word in asked.parts().flat_map(|part| part.words.iter().cloned()).chain(joined) {
                match index.lexicon.stem(&word) {
                    Some(stem) => _ = stems.insert(word, stem.map(str::to_owned).into_iter().collect()),
                    None => unknown.push(word),
                }
            }
        }
        let found = stems_of(self.pool(), &unknown).await?;
        stemming::add(&mut stems, unknown, found);
        Ok(stems)
    }

    /// Whether a word of a product begins with the last word.
    fn is_begun(&self, asked: &Asked, stems: &Stems) -> bool {
        let Some(last) = asked.last_word() else { return false };
        let unfinished = Word { unfinished: true, ..Word::whole(last, stems) };
        let index = self.catalog().index();
        index.lexicon.count(&unfinished, &index.with_status(None)) > 0
    }

    /// The stems with those of the words that the last one may become.
    async fn completed(&self, asked: &Asked, stems: &Stems) -> Result<Option<Stems>, Error> {
        let Some(last) = asked.last_word() else { return Ok(None) };
        let words = completions(last);
        if words.is_empty() {
            return Ok(None);
        }
        let found = stems_of(self.pool(), &words).await?;
        let index = self.catalog().index();
        let mut known: Vec<String> = found.into_iter().flatten().filter(|stem| index.lexicon.has_stem(stem)).collect();
        known.sort_unstable();
        known.dedup();
        let mut stems = stems.clone();
        stems.entry(last.to_owned()).or_default().extend(known);
        Ok(Some(stems))
    }
}

/// The products that match, of all.
fn matching(index: &Index, asked: &Asked, stems: &Stems, seal: Option<&Seal>) -> Result<Matches, Error> {
    let Some(wanted) = Wanted::of(asked, stems) else { return Ok(Matches::default()) };
    let all = index.lexicon.find(&wanted, index.len());
    let sought = Sought { words: counting(asked, stems), plain: asked.plain() };
    let rarities = seal.map(|seal| seal.rarities.as_slice()).filter(|rarities| !rarities.is_empty());
    // A seal of other words than these was not made for them.
    let ranking = index.lexicon.rank(&sought, index.len(), rarities).ok_or(Error::Cursor)?;
    Ok(Matches { all, ranking, corrected: None, completed: false })
}
