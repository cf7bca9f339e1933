CREATE TABLE enquiry_enquiry (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    from_city TEXT NOT NULL,
    to_city TEXT NOT NULL,
    office TEXT,
    person TEXT,
    asker_tag BYTEA NOT NULL,
    code_tag BYTEA,
    state TEXT NOT NULL,
    asked BIGINT NOT NULL,
    since BIGINT NOT NULL,
    due BIGINT NOT NULL,
    received BIGINT,
    turns BIGINT NOT NULL,
    agains BIGINT NOT NULL,
    passes BIGINT NOT NULL,
    content TEXT NOT NULL,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL
);
CREATE INDEX enquiry_enquiry_person ON enquiry_enquiry (person);
CREATE INDEX enquiry_enquiry_asker ON enquiry_enquiry (asker_tag);
CREATE INDEX enquiry_enquiry_code ON enquiry_enquiry (code_tag);
CREATE INDEX enquiry_enquiry_office ON enquiry_enquiry (to_city, office, state, due);
CREATE INDEX enquiry_enquiry_from ON enquiry_enquiry (from_city, state, due);
CREATE INDEX enquiry_enquiry_state ON enquiry_enquiry (state, at);

CREATE TABLE enquiry_turn (
    enquiry TEXT NOT NULL,
    turn TEXT NOT NULL,
    seq BIGINT NOT NULL,
    city TEXT NOT NULL,
    act TEXT NOT NULL,
    content TEXT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL,
    PRIMARY KEY (enquiry, turn)
);
