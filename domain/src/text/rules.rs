//! The rules of one kind of text, and their check.

use std::borrow::Cow;

use super::asked::is_asked;
use super::error::TextError;
use super::form::nfc;
use super::letter::has_meaning;

/// The rules of one kind of text.
pub(super) struct Rules {
    pub(super) what: &'static str,
    pub(super) max: usize,
    /// Whether surrounding space is removed; otherwise it is refused.
    pub(super) trim: bool,
    /// Whether the text may be empty.
    pub(super) empty: bool,
    pub(super) allowed: &'static str,
    pub(super) fits: fn(&str) -> bool,
    /// The error of a text that does not fit, if the alphabet does not describe it.
    pub(super) unfit: Option<TextError>,
    /// The least and the greatest number of digits, if they are limited.
    pub(super) digits: Option<(usize, usize)>,
    /// The further rule for a text from outside, and its form.
    pub(super) fresh: for<'a> fn(&Self, &'a str) -> Result<Cow<'a, str>, TextError>,
}

impl Rules {
    /// The text in its stored form, if it is allowed.
    pub(super) fn check<'a>(&self, text: &'a str) -> Result<Cow<'a, str>, TextError> {
        if is_asked() { self.check_fresh(text) } else { self.check_written(text).map(Cow::Borrowed) }
    }

    /// A text from outside is stored in Normalization Form C, so that texts that look the same are the same.
    fn check_fresh<'a>(&self, text: &'a str) -> Result<Cow<'a, str>, TextError> {
        match nfc(text) {
            Cow::Borrowed(text) => self.check_composed(text),
            Cow::Owned(text) => Ok(Cow::Owned(self.check_composed(&text)?.into_owned())),
        }
    }

    fn check_composed<'a>(&self, text: &'a str) -> Result<Cow<'a, str>, TextError> {
        let text = self.check_written(text)?;
        match text.chars().find(|letter| !has_meaning(*letter)) {
            Some(letter) => Err(TextError::Meaningless { what: self.what, letter }),
            None => (self.fresh)(self, text),
        }
    }

    fn check_written<'a>(&self, text: &'a str) -> Result<&'a str, TextError> {
        let what = self.what;
        let trimmed = text.trim();
        if trimmed.is_empty() && !self.empty {
            return Err(TextError::Empty { what });
        }
        // Bytes are at least as many as characters, so most texts are counted once.
        if trimmed.len() > self.max && trimmed.chars().count() > self.max {
            return Err(TextError::TooLong { what, max: self.max });
        }
        if !(self.fits)(trimmed) || (!self.trim && trimmed.len() != text.len()) {
            return Err(self.unfit());
        }
        if let Some((least, most)) = self.digits
            && !(least..=most).contains(&trimmed.bytes().filter(u8::is_ascii_digit).count())
        {
            return Err(TextError::Digits { what, least, most });
        }
        Ok(trimmed)
    }

    /// The error of a text that does not fit.
    pub(super) fn unfit(&self) -> TextError {
        self.unfit.clone().unwrap_or(TextError::Characters { what: self.what, allowed: self.allowed })
    }
}
