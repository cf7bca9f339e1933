-- Messages to a city by time, for figures; each kind counts from the index alone.
CREATE INDEX store_outbox_sent ON store_outbox (recipient, created, service);

-- Queries that this city asked: nothing of them waits, so they stand in no outbox; only added.
CREATE TABLE store_asked (
    id TEXT NOT NULL PRIMARY KEY,
    recipient TEXT NOT NULL,
    service TEXT NOT NULL,
    asked BIGINT NOT NULL,
    tx TEXT NOT NULL
);

CREATE INDEX store_asked_recipient ON store_asked (recipient, asked, service);

-- Figures of days that are over, counted once; a row without a service says that the day was counted.
CREATE TABLE store_usage (
    peer TEXT NOT NULL,
    day BIGINT NOT NULL,
    way TEXT NOT NULL,
    service TEXT NOT NULL,
    messages BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL,
    PRIMARY KEY (peer, day, way, service)
);

-- When another city was heard of last, since when it does not answer, and how far its clock is off.
CREATE TABLE store_contact (
    peer TEXT NOT NULL PRIMARY KEY,
    heard BIGINT,
    silent_since BIGINT,
    problem TEXT,
    skew_millis BIGINT,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL
);

-- Messages that were given up, and what people do about them.
CREATE TABLE store_dead (
    message TEXT NOT NULL PRIMARY KEY,
    recipient TEXT NOT NULL,
    service TEXT NOT NULL,
    problem TEXT NOT NULL,
    died BIGINT NOT NULL,
    state TEXT NOT NULL,
    owner TEXT,
    taken BIGINT,
    closed BIGINT,
    closed_by TEXT,
    successor TEXT,
    why TEXT,
    done TEXT,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL
);

CREATE INDEX store_dead_state ON store_dead (state, died, message);

INSERT INTO store_dead (message, recipient, service, problem, died, state, version, at, tx)
SELECT id, recipient, service, COALESCE(problem, ''), at, 'open', 1, at, 'store.migrate'
FROM store_outbox
WHERE state = 'dead';

-- Audit lines of one actor and of one trace, the newest first.
CREATE INDEX store_audit_actor ON store_audit (actor, id);
CREATE INDEX store_audit_trace ON store_audit (trace, id);

-- The newest cosignature of a witness.
CREATE INDEX store_cosignature_witness ON store_cosignature (witness, size);
