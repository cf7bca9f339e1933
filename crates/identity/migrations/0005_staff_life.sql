-- An office that is closed keeps its name for what it did; nobody is entered there any more.
ALTER TABLE identity_office ADD COLUMN closed BIGINT NOT NULL DEFAULT 0;

-- Days on which a member of staff is away, and who of the same office and role does the work.
CREATE TABLE identity_leave (
    id TEXT NOT NULL PRIMARY KEY,
    staff TEXT NOT NULL,
    substitute TEXT NOT NULL,
    first_day TEXT NOT NULL,
    last_day TEXT NOT NULL,
    ended BIGINT,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL
);

CREATE INDEX identity_leave_staff ON identity_leave (staff, last_day);

CREATE INDEX identity_leave_substitute ON identity_leave (substitute, last_day);
