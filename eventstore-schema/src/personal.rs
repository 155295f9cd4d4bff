//! Sealing and opening: AES-256-GCM under a person's own key, and the keyed hash that stands for a personal name.
//!
//! A sealed text is base64 of nonce, ciphertext and tag (NIST SP 800-38D); the subject is its additional data, so that
//! nothing sealed for one person opens as another's.

use std::path::PathBuf;

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use byteshop_domain::Subject;

use crate::envelope::to_hex;

/// Bytes of a key.
pub const KEY: usize = 32;
/// Bytes of the hash of a key of a pool: two of a million keys have the same one once in 10²⁶ pools.
pub(crate) const HASH: usize = 16;
/// Bytes of the nonce before a ciphertext.
const NONCE: usize = 12;

/// Why something cannot be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The value was sealed with another key, or was changed.
    #[error("the sealed text was changed or sealed with another key")]
    Broken,
    /// There was no randomness for it.
    #[error("the system provides no random numbers")]
    NoRandomness,
    /// The person was forgotten: there is no key any more.
    #[error("the person's data was erased")]
    Erased,
    /// No key of the configuration fits.
    #[error(
        "the keys of people are wrapped by the data key {0}, which is not configured: put it back where it was, into the file \
         `data.key` of the shop's data directory or into BYTESHOP_DATA_KEY"
    )]
    OtherDataKey(KeyName),
    /// The text is no key.
    #[error("a data key is 32 bytes as base64, as `openssl rand -base64 32` writes them")]
    NoKey,
}

/// The name of a key of the configuration: the beginning of its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyName([u8; 8]);

impl KeyName {
    fn of(key: &[u8; KEY]) -> Self {
        let hash = digest(&SHA256, key);
        let mut name = [0; 8];
        name.copy_from_slice(&hash.as_ref()[..8]);
        Self(name)
    }

    /// A name that was written down.
    pub(crate) fn read(text: &str) -> Option<Self> {
        crate::envelope::from_hex(text)?.try_into().ok().map(Self)
    }
}

impl std::fmt::Display for KeyName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&to_hex(&self.0))
    }
}

/// Unpredictable bytes for keys, codes and tokens.
///
/// # Errors
/// [`SealError::NoRandomness`].
pub fn random<const BYTES: usize>() -> Result<[u8; BYTES], SealError> {
    let mut bytes = [0; BYTES];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| SealError::NoRandomness)?;
    Ok(bytes)
}

/// A key of one person. It never leaves this crate.
#[derive(Clone)]
pub(crate) struct SubjectKey([u8; KEY]);

impl SubjectKey {
    pub(crate) fn random() -> Result<Self, SealError> {
        random().map(Self)
    }

    pub(crate) fn seal(&self, subject: Subject, plain: &[u8]) -> Result<String, SealError> {
        seal(&self.0, subject, plain).map(|sealed| STANDARD.encode(sealed))
    }

    pub(crate) fn open(&self, subject: Subject, sealed: &str) -> Result<Vec<u8>, SealError> {
        let sealed = STANDARD.decode(sealed).map_err(|_| SealError::Broken)?;
        open(&self.0, subject, sealed)
    }

    /// HMAC-SHA256 (RFC 2104) of a text under a kind, as hexadecimal digits.
    pub(crate) fn blind(&self, kind: &str, text: &str) -> String {
        to_hex(self.mac(kind, 0, text).as_ref())
    }

    /// Seals bytes: a file, or the JSON of a key of a pool.
    pub(crate) fn seal_bytes(&self, subject: Subject, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        seal(&self.0, subject, plain)
    }

    /// Opens bytes.
    pub(crate) fn open_bytes(&self, subject: Subject, sealed: Vec<u8>) -> Result<Vec<u8>, SealError> {
        open(&self.0, subject, sealed)
    }

    /// The hash by which a key of a pool is found again.
    pub(crate) fn hash_of_key(&self, key: &str) -> [u8; HASH] {
        let mut hash = [0; HASH];
        hash.copy_from_slice(&self.mac("pool_key", 0, key).as_ref()[..HASH]);
        hash
    }

    /// A key for one purpose.
    pub(crate) fn derive(&self, purpose: &str) -> [u8; KEY] {
        let mut key = [0; KEY];
        key.copy_from_slice(self.mac(purpose, 1, "").as_ref());
        key
    }

    /// The byte between label and text tells keys from names, so neither can stand for the other.
    fn mac(&self, label: &str, use_of_it: u8, text: &str) -> hmac::Tag {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        let mut context = hmac::Context::with_key(&key);
        context.update(label.as_bytes());
        context.update(&[use_of_it]);
        context.update(text.as_bytes());
        context.sign()
    }
}

/// The keys of the configuration: the first wraps, all unwrap.
#[derive(Clone)]
pub struct DataKeys {
    keys: Vec<(KeyName, [u8; KEY])>,
    /// The file of the keys, if they are in one: it is read again after a rotation.
    file: Option<PathBuf>,
}

impl std::fmt::Debug for DataKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|(name, _)| name)).finish()
    }
}

impl DataKeys {
    /// A set of one key that encrypts, and older ones that only decrypt.
    pub fn new(current: [u8; KEY], older: &[[u8; KEY]]) -> Self {
        let keys = [&current].into_iter().chain(older).map(|key| (KeyName::of(key), *key)).collect();
        Self { keys, file: None }
    }

    /// No key, for a process that neither seals nor opens anything.
    pub fn none() -> Self {
        Self { keys: Vec::new(), file: None }
    }

    /// The same keys, of which this file has more when one of them was rotated.
    pub fn kept_in(self, file: PathBuf) -> Self {
        Self { file: Some(file), ..self }
    }

    /// Reads them again; nothing when they are not kept in a file, or it cannot be read.
    pub(crate) fn read_again(&self) -> Option<Self> {
        let file = self.file.as_ref()?;
        let text = std::fs::read_to_string(file)
            .inspect_err(|error| tracing::error!(%error, file = %file.display(), "the data keys cannot be reloaded"));
        Some(Self::parse(&text.ok()?).ok()?.kept_in(file.clone()))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.keys.len()
    }

    /// The name of the one that wraps.
    ///
    /// # Errors
    /// [`SealError::NoKey`] when there is none.
    pub fn current(&self) -> Result<KeyName, SealError> {
        self.keys.first().map(|(name, _)| *name).ok_or(SealError::NoKey)
    }

    /// Wraps with this one from now on; false when it is not among them.
    pub(crate) fn prefer(&mut self, name: KeyName) -> bool {
        let Some(at) = self.keys.iter().position(|(known, _)| *known == name) else { return false };
        self.keys[..=at].rotate_right(1);
        true
    }

    /// A text that [`DataKeys::parse`] reads: one key a line, the one that wraps first.
    pub(crate) fn to_text(&self) -> String {
        self.keys.iter().flat_map(|(_, key)| [STANDARD.encode(key), "\n".to_owned()]).collect()
    }

    /// These, with a new one that wraps.
    pub(crate) fn with_new(&self) -> Result<Self, SealError> {
        let new = SubjectKey::random()?.0;
        let keys = std::iter::once((KeyName::of(&new), new)).chain(self.keys.iter().copied()).collect();
        Ok(Self { keys, file: self.file.clone() })
    }

    /// The one that wraps alone.
    pub(crate) fn newest(&self) -> Self {
        Self { keys: self.keys.iter().take(1).copied().collect(), file: self.file.clone() }
    }

    /// Keys as base64, one a line or separated by commas, the one that wraps first.
    ///
    /// # Errors
    /// [`SealError::NoKey`] when one of them is none, or there is none.
    pub fn parse(text: &str) -> Result<Self, SealError> {
        let keys = text.split([',', '\n']).map(str::trim).filter(|line| !line.is_empty());
        let key = |line| STANDARD.decode(line).ok().and_then(|key| key.try_into().ok()).ok_or(SealError::NoKey);
        let keys: Vec<[u8; KEY]> = keys.map(key).collect::<Result<_, _>>()?;
        let (current, older) = keys.split_first().ok_or(SealError::NoKey)?;
        Ok(Self::new(*current, older))
    }

    /// A new key, as base64.
    ///
    /// # Errors
    /// [`SealError::NoRandomness`].
    pub fn random() -> Result<String, SealError> {
        SubjectKey::random().map(|key| STANDARD.encode(key.0))
    }

    pub(crate) fn wrap(&self, subject: Subject, key: &SubjectKey) -> Result<(Vec<u8>, KeyName), SealError> {
        let (name, current) = self.keys.first().ok_or(SealError::NoKey)?;
        Ok((seal(current, subject, &key.0)?, *name))
    }

    pub(crate) fn unwrap(&self, subject: Subject, wrapped: Vec<u8>, by: KeyName) -> Result<SubjectKey, SealError> {
        let known = self.keys.iter().find(|(name, _)| *name == by);
        let (_, key) = known.ok_or(SealError::OtherDataKey(by))?;
        open(key, subject, wrapped)?.try_into().map(SubjectKey).map_err(|_| SealError::Broken)
    }

    /// Whether keys wrapped by this one stay as they are in a rotation.
    pub(crate) fn is_current(&self, by: KeyName) -> bool {
        self.keys.first().is_some_and(|(name, _)| *name == by)
    }
}

fn seal(key: &[u8; KEY], subject: Subject, plain: &[u8]) -> Result<Vec<u8>, SealError> {
    let key = RandomizedNonceKey::new(&AES_256_GCM, key).map_err(|_| SealError::NoRandomness)?;
    let mut text = plain.to_vec();
    let nonce = key
        .seal_in_place_append_tag(Aad::from(subject.0.as_bytes()), &mut text)
        .map_err(|_| SealError::NoRandomness)?;
    Ok([nonce.as_ref().as_slice(), &text].concat())
}

fn open(key: &[u8; KEY], subject: Subject, mut sealed: Vec<u8>) -> Result<Vec<u8>, SealError> {
    if sealed.len() < NONCE {
        return Err(SealError::Broken);
    }
    let mut text = sealed.split_off(NONCE);
    let nonce = Nonce::try_assume_unique_for_key(&sealed).map_err(|_| SealError::Broken)?;
    let key = RandomizedNonceKey::new(&AES_256_GCM, key).map_err(|_| SealError::Broken)?;
    let plain =
        key.open_in_place(nonce, Aad::from(subject.0.as_bytes()), &mut text).map_err(|_| SealError::Broken)?.len();
    text.truncate(plain);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const ADA: Subject = Subject(Uuid::from_u128(1));

    #[test]
    fn what_was_sealed_opens_for_the_same_person_only() {
        let key = SubjectKey::random().unwrap();
        let sealed = key.seal(ADA, b"Ada").unwrap();
        assert_eq!(key.open(ADA, &sealed), Ok(b"Ada".to_vec()));
        assert_eq!(key.open(Subject(Uuid::from_u128(2)), &sealed), Err(SealError::Broken));
        assert_eq!(SubjectKey::random().unwrap().open(ADA, &sealed), Err(SealError::Broken));
        assert_ne!(key.seal(ADA, b"Ada").unwrap(), sealed, "equal values must not look equal");
        for broken in ["", "AAAA", "no base64!", &sealed[4..]] {
            assert_eq!(key.open(ADA, broken), Err(SealError::Broken), "{broken}");
        }
    }

    #[test]
    fn a_key_is_unwrapped_by_older_data_keys_too() {
        let (old, new) = (DataKeys::new([1; KEY], &[]), DataKeys::new([2; KEY], &[[1; KEY]]));
        let key = SubjectKey::random().unwrap();
        let (wrapped, by) = old.wrap(ADA, &key).unwrap();
        assert_eq!(new.unwrap(ADA, wrapped.clone(), by).map(|key| key.0), Ok(key.0));
        assert!(!new.is_current(by) && old.is_current(by));
        let other = DataKeys::new([3; KEY], &[]);
        assert_eq!(other.unwrap(ADA, wrapped, by).map(|key| key.0), Err(SealError::OtherDataKey(by)));
    }

    #[test]
    fn data_keys_are_rotated_one_step_at_a_time() {
        let old = DataKeys::new([1; KEY], &[]);
        let mut both = old.with_new().unwrap();
        assert_eq!((both.count(), old.count()), (2, 1));
        let (new, of_old) = (both.current().unwrap(), old.current().unwrap());
        assert!(both.prefer(of_old) && both.current() == Ok(of_old) && both.prefer(new) && both.current() == Ok(new));
        assert_eq!(DataKeys::parse(&both.to_text()).unwrap().current(), Ok(new));
        assert_eq!((both.newest().count(), both.newest().current()), (1, Ok(new)));
        assert!(!both.newest().prefer(of_old));
    }

    #[test]
    fn data_keys_are_read_as_openssl_writes_them() {
        let text = DataKeys::random().unwrap();
        assert!(DataKeys::parse(&format!("{text}\n")).is_ok());
        for wrong in ["", "AAAA", "not a key"] {
            assert_eq!(DataKeys::parse(wrong).map(|_| ()), Err(SealError::NoKey), "{wrong}");
        }
    }

    #[test]
    fn a_blind_name_is_the_same_each_time_and_tells_kinds_apart() {
        let key = SubjectKey([7; KEY]);
        assert_eq!(key.blind("email", "ada@example.org"), key.blind("email", "ada@example.org"));
        assert_ne!(key.blind("email", "ada@example.org"), key.blind("phone", "ada@example.org"));
        assert_eq!(key.blind("email", "ada@example.org").len(), 64);
    }

    /// Names and keys that were derived once are in the log and in tokens: a program must derive the same ones for ever.
    #[test]
    fn a_blind_name_is_the_hmac_of_kind_and_text_and_a_derived_key_is_no_name() {
        let key = SubjectKey([7; KEY]);
        assert_eq!(to_hex(&key.derive("tokens")), to_hex(key.mac("tokens", 1, "").as_ref()));
        assert_ne!(to_hex(&key.derive("tokens")), key.blind("tokens", ""));
        assert_ne!(key.derive("tokens"), key.derive("links"));
        assert_ne!(key.derive("tokens"), SubjectKey([8; KEY]).derive("tokens"));
    }

    #[test]
    fn a_data_key_is_known_by_its_name_and_never_shown() {
        let keys = DataKeys::new([1; KEY], &[[2; KEY]]);
        let name = keys.current().unwrap();
        assert_eq!(KeyName::read(&name.to_string()), Some(name));
        assert_eq!(name.to_string().len(), 16);
        assert_eq!((KeyName::read("no name"), KeyName::read("00")), (None, None));
        let second = keys.keys[1].0;
        assert_eq!(format!("{keys:?}"), format!("[{name:?}, {second:?}]"));
        assert_eq!(DataKeys::none().current(), Err(SealError::NoKey));
        assert_eq!(DataKeys::none().wrap(ADA, &SubjectKey([7; KEY])).map(|_| ()), Err(SealError::NoKey));
    }

    #[test]
    fn two_keys_are_never_the_same() {
        assert_ne!(random::<KEY>().unwrap(), random::<KEY>().unwrap());
        assert_ne!(DataKeys::random().unwrap(), DataKeys::random().unwrap());
        assert_ne!(SubjectKey::random().unwrap().0, SubjectKey::random().unwrap().0);
    }
}
