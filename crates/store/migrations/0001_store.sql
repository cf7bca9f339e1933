-- Messages on their way to another city; a row stays as evidence after it is settled.
CREATE TABLE store_outbox (
    id TEXT NOT NULL PRIMARY KEY,
    recipient TEXT NOT NULL,
    service TEXT NOT NULL,
    case_id TEXT,
    envelope TEXT NOT NULL,
    body BYTEA NOT NULL,
    leaf BYTEA NOT NULL,
    evidence TEXT,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    next_try BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    problem TEXT,
    created BIGINT NOT NULL,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL
);

CREATE INDEX store_outbox_due ON store_outbox (next_try, id) WHERE state = 'waiting';
CREATE INDEX store_outbox_recipient ON store_outbox (recipient, created) WHERE state = 'waiting';
CREATE INDEX store_outbox_case ON store_outbox (case_id, created);

-- What receivers said became of a message; append-only.
CREATE TABLE store_receipt (
    message TEXT NOT NULL,
    kind TEXT NOT NULL,
    receipt TEXT NOT NULL,
    evidence TEXT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL,
    PRIMARY KEY (message, kind)
);

-- Messages and queries from other cities; the key makes each take effect once.
CREATE TABLE store_inbox (
    sender TEXT NOT NULL,
    id TEXT NOT NULL,
    service TEXT NOT NULL,
    case_id TEXT,
    envelope TEXT NOT NULL,
    body BYTEA NOT NULL,
    content BYTEA NOT NULL,
    base BYTEA NOT NULL,
    evidence TEXT NOT NULL,
    leaf BYTEA NOT NULL,
    state TEXT NOT NULL,
    answer TEXT,
    reply TEXT,
    received BIGINT NOT NULL,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL,
    PRIMARY KEY (sender, id)
);

CREATE INDEX store_inbox_case ON store_inbox (case_id, received);

-- Leaves of the log; position is NULL until the sequencer has placed the leaf.
CREATE TABLE store_leaf (
    hash BYTEA NOT NULL PRIMARY KEY,
    data BYTEA NOT NULL,
    kind BIGINT NOT NULL,
    message TEXT NOT NULL,
    position BIGINT,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL
);

CREATE UNIQUE INDEX store_leaf_position ON store_leaf (position) WHERE position IS NOT NULL;
CREATE INDEX store_leaf_waiting ON store_leaf (at, hash) WHERE position IS NULL;
CREATE INDEX store_leaf_message ON store_leaf (message, kind);

-- Salts that tie a leaf to a person; deleting a salt unties it for ever.
CREATE TABLE store_subject_salt (
    leaf BYTEA NOT NULL PRIMARY KEY,
    subject BYTEA NOT NULL,
    salt BYTEA NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL
);

CREATE INDEX store_subject_salt_subject ON store_subject_salt (subject);

-- Hashes of complete subtrees, numbered as in Go's sumdb/tlog.
CREATE TABLE store_hash (
    position BIGINT NOT NULL PRIMARY KEY,
    hash BYTEA NOT NULL
);

-- The one sequencer: size of the log and the fencing token of who may grow it.
CREATE TABLE store_sequencer (
    id BIGINT NOT NULL PRIMARY KEY,
    size BIGINT NOT NULL,
    fence BIGINT NOT NULL,
    holder TEXT NOT NULL,
    lease_until BIGINT NOT NULL,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL
);

INSERT INTO store_sequencer (id, size, fence, holder, lease_until, version, at, tx)
VALUES (1, 0, 0, '', 0, 1, 0, 'store.migrate');

CREATE TABLE store_checkpoint (
    size BIGINT NOT NULL PRIMARY KEY,
    root BYTEA NOT NULL,
    note TEXT NOT NULL,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL
);

CREATE TABLE store_cosignature (
    size BIGINT NOT NULL REFERENCES store_checkpoint (size),
    witness TEXT NOT NULL,
    line TEXT NOT NULL,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL,
    PRIMARY KEY (size, witness)
);

-- What this node, as a witness, last cosigned of another city's log.
CREATE TABLE store_witness (
    origin TEXT NOT NULL PRIMARY KEY,
    size BIGINT NOT NULL,
    root BYTEA NOT NULL,
    note TEXT NOT NULL,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL
);

-- Things to do; the version tells a job that was put again while it ran.
CREATE TABLE store_job (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    due BIGINT NOT NULL,
    payload TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    problem TEXT,
    version BIGINT NOT NULL,
    tx TEXT NOT NULL,
    PRIMARY KEY (kind, key)
);

CREATE INDEX store_job_due ON store_job (due);

CREATE TABLE store_audit (
    id TEXT NOT NULL PRIMARY KEY,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    outcome TEXT NOT NULL,
    trace TEXT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL
);

CREATE INDEX store_audit_object ON store_audit (object, id);
CREATE INDEX store_audit_action ON store_audit (action, id);

-- Texts to be found; the words stand in the engine's own index.
CREATE TABLE store_search (
    -- only sqlite
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    UNIQUE (kind, key)
);

-- only sqlite
CREATE VIRTUAL TABLE store_search_words USING fts5 (words, content = '', contentless_delete = 1);

CREATE TABLE store_search (
    -- only postgres
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    words TSVECTOR NOT NULL,
    PRIMARY KEY (kind, key)
);

-- only postgres
CREATE INDEX store_search_words ON store_search USING gin (words);
