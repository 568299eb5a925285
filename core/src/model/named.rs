//! Enums without data that have a name each, by which they are stored, shown and read.

/// An enum without data, each variant with its name.
pub(crate) trait Named: Copy + 'static {
    /// Every variant with its name.
    const VARIANTS: &'static [(Self, &'static str)];

    /// The name of this variant.
    fn name(self) -> &'static str;

    /// The variant of this name.
    fn named(name: &str) -> Option<Self> {
        Self::VARIANTS
            .iter()
            .find(|(_, other)| *other == name)
            .map(|(variant, _)| *variant)
    }
}

/// Gives an enum without data its names.
macro_rules! named {
    ($name:ident { $($variant:ident = $text:literal),* $(,)? }) => {
        impl $crate::model::named::Named for $name {
            const VARIANTS: &'static [(Self, &'static str)] = &[$((Self::$variant, $text)),*];

            fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }
    };
}
pub(crate) use named;
