CREATE TABLE identity_person (
    id TEXT PRIMARY KEY,
    tag BYTEA NOT NULL UNIQUE,
    sealed BYTEA NOT NULL,
    division TEXT NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL
);

CREATE TABLE identity_pseudonym (
    contract TEXT NOT NULL,
    pseudonym BYTEA NOT NULL,
    person TEXT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL,
    PRIMARY KEY (contract, pseudonym)
);

CREATE TABLE identity_enterprise (
    uscc TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    representative TEXT,
    division TEXT NOT NULL,
    address TEXT NOT NULL,
    status TEXT NOT NULL,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL
);
CREATE INDEX identity_enterprise_representative ON identity_enterprise (representative);

CREATE TABLE identity_office (
    id TEXT PRIMARY KEY,
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    kind TEXT NOT NULL,
    division TEXT NOT NULL,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL
);

CREATE TABLE identity_staff (
    id TEXT PRIMARY KEY,
    login TEXT NOT NULL UNIQUE,
    office TEXT NOT NULL,
    role TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL
);
CREATE INDEX identity_staff_office ON identity_staff (office);

CREATE TABLE identity_account (
    id TEXT PRIMARY KEY,
    login_tag BYTEA NOT NULL UNIQUE,
    alias_tag BYTEA UNIQUE,
    hash TEXT NOT NULL,
    person TEXT UNIQUE,
    staff TEXT UNIQUE,
    enterprise TEXT,
    level BIGINT NOT NULL,
    state TEXT NOT NULL,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL
);

CREATE TABLE identity_session (
    id TEXT PRIMARY KEY,
    token BYTEA NOT NULL UNIQUE,
    account TEXT NOT NULL,
    csrf BYTEA NOT NULL,
    created BIGINT NOT NULL,
    seen BIGINT NOT NULL,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL
);
CREATE INDEX identity_session_account ON identity_session (account, created);

CREATE TABLE identity_attempt (
    subject BYTEA PRIMARY KEY,
    counted BIGINT NOT NULL,
    since BIGINT NOT NULL,
    until BIGINT NOT NULL,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL
);

CREATE TABLE identity_source (
    account TEXT NOT NULL,
    source BYTEA NOT NULL,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL,
    PRIMARY KEY (account, source)
);

CREATE TABLE identity_reset (
    id BYTEA PRIMARY KEY,
    purpose TEXT NOT NULL,
    account TEXT,
    level BIGINT NOT NULL,
    code BYTEA NOT NULL,
    expires BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    state TEXT NOT NULL,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL
);

CREATE TABLE identity_sms (
    id TEXT PRIMARY KEY,
    phone BYTEA NOT NULL,
    purpose TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    sent_at BIGINT,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL
);
CREATE INDEX identity_sms_phone ON identity_sms (phone, at);
CREATE INDEX identity_sms_waiting ON identity_sms (sent_at, at);

CREATE TABLE identity_message (
    id TEXT PRIMARY KEY,
    person TEXT NOT NULL,
    template TEXT NOT NULL,
    params TEXT NOT NULL,
    case_id TEXT,
    read_at BIGINT,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL
);
CREATE INDEX identity_message_person ON identity_message (person, at);

CREATE TABLE identity_look (
    id TEXT PRIMARY KEY,
    person TEXT NOT NULL,
    content TEXT NOT NULL,
    salt BYTEA NOT NULL,
    leaf BYTEA NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL
);
CREATE INDEX identity_look_person ON identity_look (person, at);

CREATE TABLE identity_seed (
    name TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL
);
