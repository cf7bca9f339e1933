CREATE TABLE counter_day (
    office TEXT NOT NULL,
    day TEXT NOT NULL,
    last BIGINT NOT NULL,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL,
    PRIMARY KEY (office, day)
);

CREATE TABLE counter_ticket (
    ticket TEXT PRIMARY KEY,
    office TEXT NOT NULL,
    day TEXT NOT NULL,
    number BIGINT NOT NULL,
    purpose TEXT NOT NULL,
    item BIGINT,
    city TEXT,
    taken BIGINT NOT NULL,
    state TEXT NOT NULL,
    clerk TEXT,
    calls BIGINT NOT NULL,
    called BIGINT,
    ended BIGINT,
    case_id TEXT,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL,
    UNIQUE (office, day, number)
);
CREATE INDEX counter_ticket_state ON counter_ticket (office, day, state, number);

CREATE TABLE counter_act (
    id TEXT PRIMARY KEY,
    office TEXT NOT NULL,
    day TEXT NOT NULL,
    clerk TEXT NOT NULL,
    kind TEXT NOT NULL,
    case_id TEXT NOT NULL,
    item BIGINT NOT NULL,
    city TEXT,
    ground TEXT,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL
);
CREATE INDEX counter_act_day ON counter_act (office, day, at);
