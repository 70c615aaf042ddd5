-- Who may call, and how much: organizations, teams, keys, quotas, rate limits, prices.
-- Every key starts with `shard` (0 to 255, from the organization's id), so that a Postgres that shards keeps
-- an organization's rows on one worker. No sequences: ids are random, or derived from what they name.

-- One number per shard, raised by every change of the directory under its row's lock: gateways poll it.
CREATE TABLE directory_revision (
    shard int2 NOT NULL PRIMARY KEY CHECK (shard BETWEEN 0 AND 255),
    revision int8 NOT NULL DEFAULT 0
);

-- Makes an organization's name unique over all shards; kept in shard 0 alone.
CREATE TABLE organization_name (
    shard int2 NOT NULL DEFAULT 0 CHECK (shard = 0),
    name text NOT NULL CHECK (octet_length(name) BETWEEN 1 AND 64),
    organization_id int8 NOT NULL,
    PRIMARY KEY (shard, name)
);

CREATE TABLE organization (
    shard int2 NOT NULL CHECK (shard BETWEEN 0 AND 255),
    organization_id int8 NOT NULL CHECK (organization_id > 0),
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shard, organization_id)
);

CREATE TABLE team (
    shard int2 NOT NULL,
    team_id int8 NOT NULL CHECK (team_id > 0),
    organization_id int8 NOT NULL,
    name text NOT NULL CHECK (octet_length(name) BETWEEN 1 AND 64),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shard, team_id),
    UNIQUE (shard, organization_id, name),
    FOREIGN KEY (shard, organization_id) REFERENCES organization (shard, organization_id)
);

-- A key's secret is never here: `mac` is HMAC-SHA-256 under a pepper that the database does not hold.
-- `subject_id` owns the key's quotas; a key that replaces another takes the same subject.
CREATE TABLE api_key (
    shard int2 NOT NULL,
    key_id int8 NOT NULL,
    organization_id int8 NOT NULL,
    team_id int8 NOT NULL,
    subject_id int8 NOT NULL CHECK (subject_id > 0),
    name text NOT NULL CHECK (octet_length(name) BETWEEN 1 AND 64),
    prefix text NOT NULL,
    mac bytea NOT NULL CHECK (octet_length(mac) = 32),
    pepper_id int2 NOT NULL,
    last4 text NOT NULL CHECK (octet_length(last4) = 4),
    models text[],
    default_completion_tokens int8 CHECK (default_completion_tokens > 0),
    always_usage bool NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    not_before timestamptz NOT NULL DEFAULT now(),
    not_after timestamptz,
    revoked_at timestamptz,
    PRIMARY KEY (shard, key_id),
    FOREIGN KEY (shard, team_id) REFERENCES team (shard, team_id)
);
CREATE INDEX api_key_team ON api_key (shard, team_id);
CREATE INDEX api_key_subject ON api_key (shard, subject_id);

-- subject_kind: 1 organization, 2 team, 3 key · resource: 1 tokens, 2 requests, 3 cost in nano-dollars
-- period: 1 day, 2 month, 3 total (UTC)
CREATE TABLE quota (
    shard int2 NOT NULL,
    organization_id int8 NOT NULL,
    subject_kind int2 NOT NULL CHECK (subject_kind BETWEEN 1 AND 3),
    subject_id int8 NOT NULL,
    resource int2 NOT NULL CHECK (resource BETWEEN 1 AND 3),
    period int2 NOT NULL CHECK (period BETWEEN 1 AND 3),
    limit_units int8 NOT NULL CHECK (limit_units >= 0),
    ride bool NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shard, subject_kind, subject_id, resource, period)
);

-- dimension: 1 requests per minute, 2 tokens per minute, 3 concurrent requests
CREATE TABLE rate_limit (
    shard int2 NOT NULL,
    organization_id int8 NOT NULL,
    subject_kind int2 NOT NULL CHECK (subject_kind BETWEEN 1 AND 3),
    subject_id int8 NOT NULL,
    dimension int2 NOT NULL CHECK (dimension BETWEEN 1 AND 3),
    limit_units int8 NOT NULL CHECK (limit_units > 0),
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shard, subject_kind, subject_id, dimension)
);

-- The names behind the numbers in ledger rows. A number is derived from its name, so that every node comes to
-- the same one without asking; a node refuses to start when two names meet in one number.
CREATE TABLE model (
    shard int2 NOT NULL,
    model_id int4 NOT NULL,
    name text NOT NULL,
    PRIMARY KEY (shard, model_id)
);
CREATE TABLE backend (
    shard int2 NOT NULL,
    backend_id int4 NOT NULL,
    name text NOT NULL,
    PRIMARY KEY (shard, backend_id)
);

-- Immutable: a change of price is a new version. Amounts are nano-dollars per million tokens.
CREATE TABLE price (
    shard int2 NOT NULL,
    price_version int8 NOT NULL,
    model_id int4 NOT NULL,
    prompt_nanousd int8 NOT NULL CHECK (prompt_nanousd >= 0),
    cached_nanousd int8 NOT NULL CHECK (cached_nanousd >= 0),
    cache_write_nanousd int8 NOT NULL CHECK (cache_write_nanousd >= 0),
    completion_nanousd int8 NOT NULL CHECK (completion_nanousd >= 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shard, price_version)
);

-- The organization of an installation that never thinks about organizations. Its shard is what
-- OrganizationID.shard gives for 1; a test holds the two together.
INSERT INTO organization_name (shard, name, organization_id) VALUES (0, 'default', 1);
INSERT INTO organization (shard, organization_id, name) VALUES (229, 1, 'default');
INSERT INTO directory_revision (shard, revision) VALUES (229, 1);
