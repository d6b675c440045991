//! The command line. Whoever carries the tablet never sees it; setting up a tablet and the tests do.

use clap::Parser;
use lamplight_domain::refusal::Refusal;
use std::path::PathBuf;

/// The tablet that a technician carries on a psychiatric ward.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Arguments {
    /// Folder of this tablet's encrypted file; each folder is a tablet of its own [default: in the user's data folder]
    #[arg(long, value_name = "DIR", env = "LAMPLIGHT_DATA")]
    pub data: Option<PathBuf>,
    /// Keep this tablet's key in a file, not in the machine's key store; for a machine whose store asks for a password
    /// at every start, on an encrypted disk. A key that the store holds already is asked of it all the same
    #[arg(long, env = "LAMPLIGHT_NO_KEY_STORE")]
    pub no_key_store: bool,
    /// Join a facility with this invite at the first start; a tablet that has joined stays what it is
    #[arg(long, value_name = "INVITE", env = "LAMPLIGHT_JOIN", hide_env_values = true)]
    pub join: Option<String>,
    /// Name to join under, such as W-1; without it the server chooses the next free one
    #[arg(long, value_name = "NAME", requires = "join", default_value = "")]
    pub name: String,
}

impl Arguments {
    /// The given folder, else `lamplight` in the user's data folder (XDG); absolute. Errors: "folder.unknown".
    pub fn data_dir(&self) -> Result<PathBuf, Refusal> {
        let user_data = || {
            std::env::var_os("XDG_DATA_HOME")
                .map(PathBuf::from)
                .filter(|p| p.is_absolute())
                .or_else(|| std::env::home_dir().map(|home| home.join(".local/share")))
                .map(|p| p.join("lamplight"))
        };
        let given = self.data.as_ref().and_then(|dir| std::path::absolute(dir).ok());
        given.or_else(user_data).ok_or_else(|| {
            Refusal::new(
                "folder.unknown",
                "This user has no home folder to keep the tablet's file in.",
                "Start Lamplight with --data and a folder.",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_an_invite_is_refused_and_a_folder_is_taken_as_given() {
        assert!(Arguments::try_parse_from(["lamplight", "--name", "W-1"]).is_err());
        let given = Arguments::try_parse_from(["lamplight", "--data", "/x/y"]).unwrap();
        assert_eq!(given.data_dir().unwrap(), PathBuf::from("/x/y"));
        assert_eq!(given.join, None);
        let relative = Arguments::try_parse_from(["lamplight", "--data", "x"]).unwrap();
        assert!(relative.data_dir().unwrap().is_absolute());
    }
}
