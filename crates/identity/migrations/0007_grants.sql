-- Who acts for an enterprise: in what, from which day to which, given by whom, ended when and by whom.
CREATE TABLE identity_grant (
    id TEXT NOT NULL PRIMARY KEY,
    enterprise TEXT NOT NULL,
    agent TEXT NOT NULL,
    matters TEXT NOT NULL,
    first_day TEXT NOT NULL,
    last_day TEXT NOT NULL,
    given_by TEXT NOT NULL,
    given BIGINT NOT NULL,
    ended BIGINT,
    ended_by TEXT,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL
);

CREATE INDEX identity_grant_enterprise ON identity_grant (enterprise, given);

CREATE INDEX identity_grant_agent ON identity_grant (agent, given);

-- What was begun for an enterprise: a draft and the case that it becomes have one id.
CREATE TABLE identity_filed (
    case_id TEXT NOT NULL PRIMARY KEY,
    enterprise TEXT NOT NULL,
    person TEXT NOT NULL,
    item BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL
);

CREATE INDEX identity_filed_enterprise ON identity_filed (enterprise, at);

-- For which enterprise the session acts, and from which device and network it was begun.
ALTER TABLE identity_session ADD COLUMN acting TEXT;

ALTER TABLE identity_session ADD COLUMN about TEXT;
