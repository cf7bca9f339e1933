-- Reading the same again within minutes is one look: the fingerprint says what was the same. A row without one
-- stands for itself.
ALTER TABLE identity_look ADD COLUMN fingerprint BYTEA;
CREATE INDEX identity_look_fingerprint ON identity_look (fingerprint, at);
