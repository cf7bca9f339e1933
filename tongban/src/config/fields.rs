//! The fields of `city.toml` (配置项): one table from which the check, the example and the document are made.

/// One field.
pub struct Field {
    /// With the table before it, such as `log.level`.
    pub path: &'static str,
    /// What its value must be.
    pub kind: Kind,
    /// What holds where it is left out; nothing where it must be there.
    pub usual: Option<&'static str>,
    /// A value as it stands in the example, in TOML.
    pub example: &'static str,
    /// What it is for, in Chinese and in English.
    pub what: (&'static str, &'static str),
}

/// What a value must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A division code of six digits.
    Node,
    /// An address and port.
    Address,
    /// `http://` or `https://`, without a slash at the end.
    Site,
    /// `sqlite` or a PostgreSQL address.
    Database,
    /// Small letters, digits and underscores.
    Schema,
    /// A folder that is there.
    Folder,
    /// The folder of the keys, with its files.
    Keys,
    /// A file that is there.
    File,
    /// A list of networks.
    Networks,
    /// A log level or filter.
    Level,
    /// `text` or `json`.
    Format,
    /// `on` or `off`.
    Switch,
    /// How the database is sealed.
    Seal,
    /// The address of a collector, `http://` only.
    Collector,
    /// A whole number within bounds.
    Number(i64, i64),
}

impl Kind {
    /// The rule, as the document and a problem say it.
    pub fn rule(self) -> String {
        let rule = match self {
            Kind::Node => "the six digits of a division, such as \"430100\"",
            Kind::Address => "an address and a port, such as \"127.0.0.1:8401\"",
            Kind::Site => {
                "an address that begins with https:// (or http:// on loopback) and ends without a slash"
            }
            Kind::Database => "\"sqlite\", or a PostgreSQL address that begins with postgres:// or host=",
            Kind::Schema => "small letters, digits and underscores, at most 63; only with PostgreSQL",
            Kind::Folder => "a folder that is there, meant from the folder of this file",
            Kind::Keys => "a folder that holds secrets.json, witness.json and tls.json",
            Kind::File => "a file that is there, meant from the folder of this file",
            Kind::Networks => "a list of networks, such as [\"10.1.0.0/16\", \"::1\"]",
            Kind::Level => "error, warn, info, debug or trace, or a filter such as \"info,tb_node=debug\"",
            Kind::Format => "\"text\" or \"json\"",
            Kind::Switch => "\"on\" or \"off\"",
            Kind::Seal => "\"aes-256-gcm\" or \"sm4-gcm\"",
            Kind::Collector => {
                "an address such as \"http://127.0.0.1:4318/v1/traces\"; TLS ends at a collector on this machine"
            }
            Kind::Number(least, most) => return format!("a whole number from {least} to {most}"),
        };
        rule.to_owned()
    }
}

const fn field(
    path: &'static str,
    kind: Kind,
    usual: Option<&'static str>,
    example: &'static str,
    what: (&'static str, &'static str),
) -> Field {
    Field { path, kind, usual, example, what }
}

/// Every field, in the order of the example; those of a table stand together, after those of none.
pub const FIELDS: &[Field] = &[
    field("node", Kind::Node, None, "\"430100\"", ("城市代码", "the division code of the city")),
    field(
        "site",
        Kind::Address,
        None,
        "\"127.0.0.1:8401\"",
        ("公众网站监听地址", "where the public site listens; a proxy with TLS stands before it"),
    ),
    field(
        "exchange",
        Kind::Address,
        None,
        "\"0.0.0.0:8411\"",
        ("节点交换监听地址", "where the other cities are answered, with TLS of its own; no proxy may end it"),
    ),
    field(
        "operations",
        Kind::Address,
        Some("none: no operations address"),
        "\"127.0.0.1:9101\"",
        (
            "运维监听地址，只放在内网",
            "where /healthz, /readyz and /metrics are answered; keep it on loopback or in the operators' network",
        ),
    ),
    field(
        "site_url",
        Kind::Site,
        Some("as the trust list says"),
        "\"https://www.example.gov.cn\"",
        (
            "公众访问网址，应与信任名单一致",
            "how people reach the site; must be what the trust list says. With https:// cookies travel over TLS only",
        ),
    ),
    field(
        "database",
        Kind::Database,
        None,
        "\"postgres://tongban@db1,db2/tongban?target_session_attrs=read-write\"",
        (
            "数据库",
            "one SQLite file city.db in the data folder, or PostgreSQL; several hosts with target_session_attrs=read-write follow a standby that was promoted",
        ),
    ),
    field(
        "schema",
        Kind::Schema,
        Some("\"\", right for sqlite"),
        "\"city_430100\"",
        ("数据库模式", "the schema within PostgreSQL that is this city's"),
    ),
    field("data", Kind::Folder, Some("\".\""), "\".\"", ("数据文件夹", "the folder of the data")),
    field(
        "keys",
        Kind::Keys,
        Some("\"keys\""),
        "\"keys\"",
        ("密钥文件夹", "the folder of the secret keys; its files are for the node's user alone (0600)"),
    ),
    field(
        "seal",
        Kind::Seal,
        Some("\"aes-256-gcm\""),
        "\"sm4-gcm\"",
        (
            "数据库加密算法（国密填 sm4-gcm）",
            "how personal data and free texts are sealed in the database; after a change the node seals anew what the other suite sealed, and both open at any time",
        ),
    ),
    field(
        "seal_wait_seconds",
        Kind::Number(5, 86_400),
        Some("60"),
        "60",
        (
            "新密钥启用等待（秒）",
            "how long a key that `tongban keys rotate` made waits before it seals; by then keys/vault.json must lie on every machine of the city",
        ),
    ),
    field(
        "region",
        Kind::File,
        Some("none: the shipped region"),
        "\"region.toml\"",
        ("区域文件", "another region than the shipped one: names and colours of its cities"),
    ),
    field(
        "trusted_proxies",
        Kind::Networks,
        Some("[]: nobody"),
        "[\"127.0.0.1\"]",
        (
            "可信代理",
            "proxies whose X-Forwarded-For is believed, so that limits count the caller and not the proxy; from anybody else the header is what the caller likes to write",
        ),
    ),
    field(
        "shared_networks",
        Kind::Networks,
        Some("[]: none"),
        "[\"172.16.4.0/24\"]",
        (
            "共用地址网段",
            "halls and offices where many people share an address: pages and forms are counted by account only, and ten times as many wrong passwords, codes and verifications may come from there",
        ),
    ),
    field(
        "log.level",
        Kind::Level,
        Some("\"info\""),
        "\"info\"",
        ("日志级别", "what is logged; the variable TONGBAN_LOG goes before"),
    ),
    field(
        "log.format",
        Kind::Format,
        Some("\"text\""),
        "\"json\"",
        ("日志格式", "lines for people, or one JSON object a line for a collector; to standard error"),
    ),
    field(
        "telemetry.endpoint",
        Kind::Collector,
        Some("none: no traces"),
        "\"http://127.0.0.1:4318/v1/traces\"",
        ("链路追踪收集地址", "an OpenTelemetry collector that takes OTLP over HTTP with JSON"),
    ),
    field(
        "limits.stop_seconds",
        Kind::Number(1, 300),
        Some("10"),
        "10",
        ("停止时限（秒）", "how long requests in work may take when the city stops; longer ones are cut off"),
    ),
    field(
        "limits.requests",
        Kind::Switch,
        Some("\"on\""),
        "\"on\"",
        (
            "访问限额",
            "whether callers of the site are counted by address and account; off where a gateway in front does it, and for measuring",
        ),
    ),
    field(
        "warn.trust_days",
        Kind::Number(1, 1_000),
        Some("30"),
        "30",
        ("信任名单到期预警（天）", "so many days before the end of the trust list readiness and doctor warn"),
    ),
    field(
        "warn.outbox_minutes",
        Kind::Number(1, 10_080),
        Some("60"),
        "60",
        ("发件等待预警（分钟）", "doctor warns of messages that wait longer"),
    ),
    field(
        "warn.disk_free_mb",
        Kind::Number(1, 1_000_000_000),
        Some("1024"),
        "1024",
        ("磁盘剩余预警（MB）", "doctor warns where the disk of the data has less free space"),
    ),
    field(
        "backup.folder",
        Kind::Folder,
        Some("none: backups are not looked at"),
        "\"/var/backups/tongban\"",
        (
            "备份文件夹",
            "where `tongban backup` puts its archives; doctor looks at the age of the newest one (`*.tongban`) in it",
        ),
    ),
    field(
        "backup.hours_max",
        Kind::Number(1, 10_000),
        Some("26"),
        "26",
        ("备份最长间隔（小时）", "doctor fails where the newest backup is older"),
    ),
];
