CREATE TABLE licence_licence (
    id TEXT PRIMARY KEY,
    oid TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    edition BIGINT NOT NULL,
    holder TEXT,
    holder_tag BYTEA NOT NULL,
    state TEXT NOT NULL,
    valid_from TEXT NOT NULL,
    valid_to TEXT,
    void_from TEXT,
    record TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    digest BYTEA NOT NULL,
    signature BYTEA NOT NULL,
    predecessor TEXT,
    issued_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL
);
CREATE INDEX licence_licence_holder ON licence_licence (holder);
CREATE INDEX licence_licence_holder_tag ON licence_licence (holder_tag);

CREATE TABLE licence_version (
    licence TEXT NOT NULL,
    seq BIGINT NOT NULL,
    edition BIGINT NOT NULL,
    oid TEXT NOT NULL,
    event TEXT NOT NULL,
    state TEXT NOT NULL,
    void_from TEXT,
    reason TEXT NOT NULL,
    actor TEXT NOT NULL,
    digest BYTEA NOT NULL,
    record TEXT,
    sealed BYTEA,
    signature BYTEA,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL,
    PRIMARY KEY (licence, seq)
);
CREATE INDEX licence_version_oid ON licence_version (oid);

CREATE TABLE licence_consent (
    id TEXT PRIMARY KEY,
    case_id TEXT NOT NULL,
    item TEXT NOT NULL,
    deciding TEXT NOT NULL,
    person TEXT NOT NULL,
    asked TEXT NOT NULL,
    asked_by TEXT NOT NULL,
    state TEXT NOT NULL,
    manner TEXT,
    signature_hash BYTEA,
    code_tag BYTEA,
    code_expires BIGINT,
    tries_left BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    answered_at BIGINT,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL
);
CREATE INDEX licence_consent_case ON licence_consent (case_id);
CREATE INDEX licence_consent_person ON licence_consent (person);

CREATE TABLE licence_presentation (
    id TEXT PRIMARY KEY,
    code_hash BYTEA NOT NULL UNIQUE,
    licence TEXT NOT NULL,
    holder TEXT NOT NULL,
    expires BIGINT NOT NULL,
    state TEXT NOT NULL,
    verifier_city TEXT,
    verifier_actor TEXT,
    answer TEXT,
    redeemed_at BIGINT,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL
);
CREATE INDEX licence_presentation_holder ON licence_presentation (holder);
