-- The quota of a contract is counted by sender and service: within the index alone, without the bodies.
CREATE INDEX store_inbox_count ON store_inbox (sender, service, received);
