-- Requests that came with an `Idempotency-Key`, for a day: a retry finds the first one here. Whether that is still open,
-- and what it used, is read from `reservation` and `usage` by its id, so that a kill leaves nothing to put right.

-- One row for each key of a client that is taken. `is_accepted` is set once the ledger has accepted the request, before
-- its client has a byte; until then the claim lasts as long as the life of the node that made it.
CREATE TABLE IF NOT EXISTS idempotent_request (
    shard int2 NOT NULL,
    key_id int8 NOT NULL,
    name_digest bytea NOT NULL CHECK (octet_length(name_digest) = 32),
    fingerprint bytea NOT NULL CHECK (octet_length(fingerprint) = 32),
    request_id uuid NOT NULL,
    node_id int8 NOT NULL,
    epoch uuid NOT NULL,
    is_accepted bool NOT NULL DEFAULT false,
    claimed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shard, key_id, name_digest)
);
CREATE INDEX IF NOT EXISTS idempotent_request_age ON idempotent_request (shard, claimed_at);

-- Answers kept to be given again, where the operator has turned that on; empty otherwise.
CREATE TABLE IF NOT EXISTS idempotent_answer (
    shard int2 NOT NULL,
    request_id uuid NOT NULL,
    content_type text NOT NULL,
    body bytea NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shard, request_id)
);
CREATE INDEX IF NOT EXISTS idempotent_answer_age ON idempotent_answer (shard, stored_at);
