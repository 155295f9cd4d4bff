//! Digital goods: what variants deliver as downloads, set by staff and by the members of a seller.
//!
//! The domain decides ([`byteshop_domain::digital_delivery`]); here is loaded what it looks at, and sealed what is secret.

use byteshop_domain::Subject;
use byteshop_domain::digital_delivery;
use byteshop_domain::digital_good::{self, Command, DigitalGood, Limits, Uploaded, check_link};
use byteshop_domain::ids::{FileId, Id as _, VariantId};
use byteshop_domain::product::Product;
use byteshop_domain::stock::{self, StockLevel};
use byteshop_domain::text::{FileName, Hash, Link, MediaType};

use crate::Commands;
use crate::engine::error::{Error, Rejected};
use crate::engine::unit::{Loaded, Unit};
use crate::ports::private_files::{Stored, Waiting, digest_of};
use crate::use_cases::products;
use crate::use_cases::sellers::ActsFor;

/// The good of a variant, at the version that the caller expects, with its stock; for staff and the members of the seller whose
/// product it is of.
async fn load(
    unit: &Unit,
    variant: VariantId,
    acts_for: ActsFor,
) -> Result<(Loaded<DigitalGood>, Loaded<StockLevel>), Error> {
    let stock = unit.load::<StockLevel>(variant).await?;
    if stock.version == 0 {
        return Err(Rejected::missing("variant").into());
    }
    products::require_stock(unit, &stock, acts_for).await?;
    let good = unit.load::<DigitalGood>(digital_good::id(variant)).await?;
    unit.check_version(&good)?;
    Ok((good, stock))
}

/// Changes the good of a variant; the first change opens it.
async fn change(
    unit: &Unit,
    variant: VariantId,
    (mut good, stock): (Loaded<DigitalGood>, Loaded<StockLevel>),
    command: &Command,
) -> Result<Loaded<DigitalGood>, Error> {
    let product = stock.state.product.ok_or(stock::Rejection::Missing)?;
    let mut together = unit.together();
    together.hold(&good);
    together.hold(&stock);
    together.load::<Product>(&[product]).await?;
    together.decide(|work| digital_delivery::change(work, product, variant, command))?;
    unit.refresh(&mut good);
    Ok(good)
}

/// Sets the link that a variant delivers, or removes it.
pub async fn set_link(
    unit: &Unit,
    variant: VariantId,
    acts_for: ActsFor,
    link: Option<&Link>,
) -> Result<Loaded<DigitalGood>, Error> {
    let loaded = load(unit, variant, acts_for).await?;
    let link = match link {
        Some(link) => {
            check_link(link)?;
            Some(unit.commands().vault().seal(Subject(variant.uuid()), link).await?)
        }
        None => None,
    };
    change(unit, variant, loaded, &Command::SetLink { link }).await
}

/// Sets how long and how often buyers can download what a variant delivers.
pub async fn set_limits(
    unit: &Unit,
    variant: VariantId,
    acts_for: ActsFor,
    limits: Limits,
) -> Result<Loaded<DigitalGood>, Error> {
    let loaded = load(unit, variant, acts_for).await?;
    change(unit, variant, loaded, &Command::SetLimits(limits)).await
}

/// A file that is in the store, and how buyers get it.
#[derive(Debug, Clone)]
pub struct NewFile {
    /// The name; that of the version before if absent.
    pub name: Option<FileName>,
    /// The media type.
    pub media_type: MediaType,
    /// What was stored.
    pub stored: Stored,
}

impl NewFile {
    /// The file with its address sealed.
    async fn sealed(&self, unit: &Unit, variant: VariantId, name: FileName) -> Result<Uploaded, Error> {
        let address = unit.commands().vault().seal(Subject(variant.uuid()), &self.stored.address).await?;
        Ok(Uploaded { name, media_type: self.media_type.clone(), bytes: self.stored.bytes, address })
    }
}

/// Refuses a file before it is uploaded: who may not change the variant, or expects another version, or names no file of it.
pub async fn check_upload(
    unit: &Unit,
    variant: VariantId,
    acts_for: ActsFor,
    file: Option<FileId>,
) -> Result<(), Error> {
    let (good, _) = load(unit, variant, acts_for).await?;
    if let Some(file) = file {
        good.state.file(file)?;
    }
    Ok(())
}

/// Adds a file to what a variant delivers.
pub async fn add_file(
    unit: &Unit,
    variant: VariantId,
    acts_for: ActsFor,
    file: FileId,
    name: &FileName,
    new: &NewFile,
) -> Result<Loaded<DigitalGood>, Error> {
    let loaded = load(unit, variant, acts_for).await?;
    let uploaded = new.sealed(unit, variant, name.clone()).await?;
    change(unit, variant, loaded, &Command::AddFile { file, uploaded }).await
}

/// Adds a new version of a file.
pub async fn add_version(
    unit: &Unit,
    variant: VariantId,
    acts_for: ActsFor,
    file: FileId,
    new: &NewFile,
) -> Result<Loaded<DigitalGood>, Error> {
    let loaded = load(unit, variant, acts_for).await?;
    let current = loaded.0.state.file(file)?.current().ok_or(digital_good::Rejection::NoSuchFile)?.clone();
    let known = unit.commands().vault().open(&current.address).await?;
    let is_same = known.is_some_and(|known| digest_of(&known) == digest_of(&new.stored.address));
    let uploaded = new.sealed(unit, variant, new.name.clone().unwrap_or(current.name)).await?;
    change(unit, variant, loaded, &Command::AddVersion { file, uploaded, is_same }).await
}

/// Removes a file from what a variant delivers; orders that were placed before keep it.
pub async fn remove_file(
    unit: &Unit,
    variant: VariantId,
    acts_for: ActsFor,
    file: FileId,
) -> Result<Loaded<DigitalGood>, Error> {
    let loaded = load(unit, variant, acts_for).await?;
    change(unit, variant, loaded, &Command::RemoveFile { file }).await
}

impl Commands {
    /// The address of a file that waits, if a version of a file of its variant has it.
    pub async fn address_of(&self, waiting: Waiting) -> Result<Option<Hash>, Error> {
        let Some(good) = self.get::<DigitalGood>(digital_good::id(waiting.variant)).await? else { return Ok(None) };
        // The newest version of a file is the likeliest.
        for version in good.state.files.values().rev().flat_map(|file| file.versions.iter().rev()) {
            let address = self.vault().open(&version.address).await?;
            if let Some(address) = address.filter(|address| waiting.is_at(address)) {
                return Ok(Some(address));
            }
        }
        Ok(None)
    }
}
