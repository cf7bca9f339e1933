-- A consent ends with the case that it was given for.
ALTER TABLE licence_consent ADD COLUMN ended_at BIGINT;
