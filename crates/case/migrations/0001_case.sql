CREATE TABLE case_event (
    case_id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    kind TEXT NOT NULL,
    event TEXT NOT NULL,
    command TEXT NOT NULL,
    part BIGINT NOT NULL,
    prev TEXT NOT NULL,
    hash TEXT NOT NULL,
    leaf BYTEA,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL,
    PRIMARY KEY (case_id, seq),
    UNIQUE (case_id, command, part)
);
CREATE INDEX case_event_command ON case_event (command);

CREATE TABLE case_head (
    case_id TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    seq BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    head_hash TEXT NOT NULL,
    person TEXT,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL
);

CREATE TABLE case_reference (
    case_id TEXT PRIMARY KEY,
    view TEXT NOT NULL,
    seq BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    head_hash TEXT NOT NULL,
    status TEXT NOT NULL,
    owner TEXT NOT NULL,
    person TEXT,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL
);

CREATE TABLE case_index (
    case_id TEXT PRIMARY KEY,
    owned BIGINT NOT NULL,
    item BIGINT NOT NULL,
    phase TEXT NOT NULL,
    is_over BIGINT NOT NULL,
    channel TEXT NOT NULL,
    query_code TEXT NOT NULL,
    office TEXT NOT NULL,
    collecting_office TEXT NOT NULL,
    deciding_office TEXT NOT NULL,
    person TEXT,
    due BIGINT,
    collected BIGINT NOT NULL,
    since BIGINT NOT NULL,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL
);
CREATE INDEX case_index_office ON case_index (office, is_over, due);
CREATE INDEX case_index_collecting ON case_index (collecting_office, collected);
CREATE INDEX case_index_person ON case_index (person, collected);
CREATE INDEX case_index_code ON case_index (query_code);

CREATE TABLE case_file (
    case_id TEXT NOT NULL,
    part TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    digest TEXT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL,
    PRIMARY KEY (case_id, part)
);

CREATE TABLE case_custody (
    case_id TEXT PRIMARY KEY,
    epoch BIGINT NOT NULL,
    answer TEXT NOT NULL,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL
);

CREATE TABLE case_draft (
    draft TEXT PRIMARY KEY,
    code TEXT NOT NULL,
    item BIGINT NOT NULL,
    item_version BIGINT NOT NULL,
    person TEXT NOT NULL,
    channel TEXT NOT NULL,
    clerk TEXT,
    office TEXT,
    deciding TEXT,
    checks TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    created BIGINT NOT NULL,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL
);
CREATE INDEX case_draft_person ON case_draft (person, created);
CREATE INDEX case_draft_clerk ON case_draft (clerk, created);

CREATE TABLE case_act (
    command TEXT PRIMARY KEY,
    case_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    refusal TEXT,
    sent BIGINT NOT NULL,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL
);
CREATE INDEX case_act_case ON case_act (case_id, sent);

CREATE TABLE case_rating (
    case_id TEXT NOT NULL,
    target TEXT NOT NULL,
    office TEXT NOT NULL,
    grade BIGINT NOT NULL,
    words TEXT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL,
    PRIMARY KEY (case_id, target)
);
CREATE INDEX case_rating_office ON case_rating (office, at);
