-- The keys of the admin HTTP API, of the whole installation and so all in shard 0. Only a digest is kept, under the
-- pepper of the API keys. role: 1 owner, 2 operator, 3 auditor. `organization_id`: the one organization that the key
-- may see, null for all. `last_used_at`: to the minute.
CREATE TABLE IF NOT EXISTS admin_key (
    shard int2 NOT NULL DEFAULT 0 CHECK (shard = 0),
    admin_key_id int8 NOT NULL,
    name text NOT NULL CHECK (octet_length(name) BETWEEN 1 AND 64),
    role int2 NOT NULL CHECK (role BETWEEN 1 AND 3),
    organization_id int8,
    mac bytea NOT NULL CHECK (octet_length(mac) = 32),
    pepper_id int2 NOT NULL,
    last4 text NOT NULL CHECK (octet_length(last4) = 4),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz,
    PRIMARY KEY (shard, admin_key_id)
);

-- What a creation over the API with an Idempotency-Key made, written in the same transaction: a repetition makes
-- nothing more. In the shard of what was made. `name_digest`: SHA-256 of the header; `fingerprint`: of the request.
-- Never the secret of a key.
CREATE TABLE IF NOT EXISTS admin_creation (
    shard int2 NOT NULL,
    admin_key_id int8 NOT NULL,
    name_digest bytea NOT NULL CHECK (octet_length(name_digest) = 32),
    fingerprint bytea NOT NULL CHECK (octet_length(fingerprint) = 32),
    created_id int8 NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shard, admin_key_id, name_digest)
);
CREATE INDEX IF NOT EXISTS admin_creation_age ON admin_creation (shard, created_at);
