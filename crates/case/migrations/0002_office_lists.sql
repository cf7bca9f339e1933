-- Drafts are listed by the counter that they lie on.
CREATE INDEX case_draft_office ON case_draft (office, at);
