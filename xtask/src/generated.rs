//! Everything that is generated, from the facade as it is now.

use anyhow::Result;

use crate::{
    api, c_face,
    facade::Facade,
    metadata, python_face, rules, scenarios, uniffi_face,
    workspace::{Files, Workspace},
};

pub(crate) struct Generated {
    pub(crate) facade: Facade,
    pub(crate) files: Files,
}

impl Generated {
    /// Builds the binding library, so that its metadata are never stale, and makes all files from it.
    pub(crate) fn make(workspace: &Workspace) -> Result<Self> {
        let library = workspace.build("keyplate-uniffi", "keyplate_uniffi")?;
        let facade = metadata::read(&library)?;
        rules::check(&facade)?;
        let authority = api::authority(&facade, keyplate::authority_table())?;
        let mut files = Files::new();
        files.insert("core/api.txt".into(), api::list(&facade, &authority));
        c_face::write(workspace, &facade, &mut files)?;
        python_face::write(&facade, &mut files)?;
        scenarios::write(&facade, &mut files)?;
        uniffi_face::write(&library, &facade, &mut files)?;
        Ok(Self { facade, files })
    }
}
