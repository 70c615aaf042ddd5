-- For which user of its own a client asked, of requests that say so; the others have no row. Never the name: a hash of it
-- under a secret that the database does not have. An older program writes and reads as before.
CREATE TABLE IF NOT EXISTS usage_user (
    shard int2 NOT NULL,
    day date NOT NULL,
    request_id uuid NOT NULL,
    user_hash bytea NOT NULL CHECK (octet_length(user_hash) = 16),
    PRIMARY KEY (shard, day, request_id)
);
