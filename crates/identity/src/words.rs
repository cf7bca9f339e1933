//! Closed lists of words as they stand in columns (代码表): one enum, one word each.

/// Makes an enum that is stored and shown in JSON by one lower-case word each.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant),+
        }

        impl $name {
            /// The word that is stored.
            pub const fn word(self) -> &'static str {
                match self {
                    $($name::$variant => $word),+
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = tb_base::Refusal;

            fn from_str(text: &str) -> std::result::Result<$name, tb_base::Refusal> {
                match text {
                    $($word => Ok($name::$variant),)+
                    _ => Err(tb_base::Refusal::invalid("IDN-WRD-001", "代码不在代码表中", "The word is not in the list")),
                }
            }
        }
    };
}

pub(crate) use words;
