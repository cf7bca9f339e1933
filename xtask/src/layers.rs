//! The layers (分层): which crate may use which, and who may name which external crate.

/// Crates of the workspace by layer, lowest first. Within a layer a crate may use what stands before
/// it in the same inner list; different inner lists of a layer do not see each other.
pub const LAYERS: &[(&str, &[&[&str]])] = &[
    ("L0 vocabulary", &[&["tb-base"]]),
    ("L1 pure", &[&["tb-crypto", "tb-tlog", "tb-exchange"], &["tb-find"]]),
    ("L2 storage", &[&["tb-telemetry", "tb-store"]]),
    ("L3 blocks", &[&["tb-identity", "tb-licence", "tb-case", "tb-enquiry", "tb-counter"]]),
    ("L4 glue", &[&["tb-web"], &["tb-node"]]),
    (
        "L5 tasks",
        &[
            &["t01-data-platform"],
            &["t02-services"],
            &["t02-supervise"],
            &["t02-window"],
            &["t03-recognition"],
        ],
    ),
    ("L6 product", &[&["tongban"]]),
];

/// Crates for development only: tests, tools and benchmarks, free of the layers.
pub const DEVELOPMENT: &[&str] = &["tb-testkit", "tb-testregion", "tb-sim", "tb-bench", "tb-fuzz", "xtask"];

/// Who may name an external crate in `[dependencies]`; a crate not listed here is free above L1.
pub const OWNERS: &[(&str, &[&str])] = &[
    ("rusqlite", &["tb-store", "tb-bench"]),
    ("tokio-postgres", &["tb-store"]),
    (
        "axum",
        &[
            "tb-sim",
            "tb-testregion",
            "tb-fuzz",
            "tb-web",
            "tb-node",
            "t01-data-platform",
            "t02-services",
            "t02-supervise",
            "t02-window",
            "t03-recognition",
            "tongban",
        ],
    ),
    ("hyper", &["tb-node", "tongban"]),
    ("hyper-util", &["tb-node", "tongban"]),
    ("hyper-rustls", &["tb-node"]),
    ("rustls", &["tb-node", "tb-bench"]),
    ("tokio-rustls", &["tb-node", "tb-bench"]),
    ("rcgen", &["tb-node"]),
    ("getrandom", &["tongban"]),
    ("clap", &["tongban"]),
    ("argon2", &["tb-identity", "tongban"]),
    ("sm2", &["tb-crypto"]),
    ("sm3", &["tb-crypto"]),
    ("sm4", &["tb-crypto"]),
    ("p256", &["tb-crypto"]),
    ("ed25519-dalek", &["tb-crypto"]),
    ("aes-gcm", &["tb-crypto"]),
];

/// What the pure layers L0 and L1 may name, and nothing else.
pub const PURE: &[&str] = &[
    "aes-gcm",
    "base64",
    "ed25519-dalek",
    "hmac",
    "jiff",
    "p256",
    "serde",
    "serde_json",
    "sfv",
    "sha2",
    "sm2",
    "sm3",
    "sm4",
    "subtle",
    "elliptic-curve",
    "signature",
    "cipher",
    "csv",
    "toml",
];

/// Paths that pure crates must not hold: time, randomness, files, sockets, threads.
pub const IMPURE_PATHS: &[&str] = &[
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "std::env",
    "SystemTime",
    "Instant::now",
    "tokio",
    "getrandom",
    "OsRng",
    "thread_rng",
    "Timestamp::now",
    "Zoned::now",
];

/// Position of a crate: layer, list within the layer, place within the list.
pub fn place(name: &str) -> Option<(usize, usize, usize)> {
    LAYERS.iter().enumerate().find_map(|(layer, (_, lists))| {
        lists
            .iter()
            .enumerate()
            .find_map(|(list, crates)| crates.iter().position(|it| *it == name).map(|at| (layer, list, at)))
    })
}

/// Whether `user` may depend on `used`, both of the workspace.
pub fn may_use(user: &str, used: &str) -> bool {
    match (place(user), place(used)) {
        (Some(user), Some(used)) => {
            used.0 < user.0 || (used.0 == user.0 && used.1 == user.1 && used.2 < user.2)
        }
        (None, _) => DEVELOPMENT.contains(&user),
        (Some(_), None) => false,
    }
}
