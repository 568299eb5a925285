//! Everything that is generated, from the facade as it is now.

use anyhow::{Result, bail};

use crate::{
    api, c_face,
    facade::Facade,
    metadata,
    numbers::{self, Numbers},
    postgres, python_face, rules, scenarios, uniffi_face,
    workspace::{Files, Workspace},
};

/// Folders in which nothing else is than what is generated and committed.
pub(crate) const FOLDERS: &[&str] = &[c_face::FOLDER];

pub(crate) struct Generated {
    pub(crate) facade: Facade,
    /// The committed files.
    pub(crate) files: Files,
    /// What UniFFI writes for Kotlin and Swift; made when those packages are built.
    pub(crate) hosts: Files,
}

impl Generated {
    /// Builds the binding library, so that its metadata are never stale, and makes all files from it.
    pub(crate) fn make(workspace: &Workspace) -> Result<Self> {
        let library = workspace.build("keyplate-uniffi", "keyplate_uniffi")?;
        let mut facade = metadata::read(&library)?;
        rules::check(&facade)?;
        let numbers = Numbers::parse(&workspace.read(numbers::PATH)?)?.current(&facade)?;
        numbers.assign(&mut facade)?;
        let authority = api::authority(&facade, keyplate::authority_table())?;
        let (mut files, mut hosts) = (Files::new(), Files::new());
        files.insert("core/api.txt".into(), api::list(&facade, &authority));
        files.insert(numbers::PATH.into(), numbers.text());
        postgres::write(workspace, &mut files)?;
        c_face::write(workspace, &facade, &mut files)?;
        python_face::write(&facade, &mut files)?;
        scenarios::write(&facade, &mut files)?;
        uniffi_face::write(&library, &facade, &mut files, &mut hosts)?;
        Ok(Self {
            facade,
            files,
            hosts,
        })
    }
}

/// `cargo xtask generate`: the committed files; with a language, the sources of its package instead.
pub(crate) fn generate(workspace: &Workspace, language: Option<&str>) -> Result<()> {
    let Some(language) = language else {
        let files = Generated::make(workspace)?.files;
        workspace.write(&files)?;
        for path in workspace.strays(FOLDERS, &files)? {
            std::fs::remove_file(workspace.root.join(path))?;
        }
        return Ok(());
    };
    let mut packages = uniffi_face::PACKAGES.iter();
    let Some((_, folder)) = packages.find(|(name, _)| *name == language) else {
        bail!("no package is generated for {language}");
    };
    let mut hosts = Generated::make(workspace)?.hosts;
    hosts.retain(|path, _| path.starts_with(folder));
    workspace.write(&hosts)
}
