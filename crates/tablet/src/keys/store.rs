//! What a machine's key store is to a tablet: a place for one secret, outside its folder.

use zeroize::Zeroizing;

pub trait KeyStore: Send + Sync {
    /// The secret of this name; None where there is none.
    fn secret(&self, name: &str) -> Result<Option<Zeroizing<[u8; 32]>>, StoreFault>;
    /// Durable before it returns, as far as the store says.
    fn keep(&self, name: &str, secret: &[u8; 32]) -> Result<(), StoreFault>;
    /// Where there is none, nothing is left to do.
    fn forget(&self, name: &str) -> Result<(), StoreFault>;
}

/// Why a key store did not do what it was asked, in words. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreFault(pub String);

impl std::fmt::Display for StoreFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
