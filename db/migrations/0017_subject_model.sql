-- Quotas and rate limits of one model: what an organization, a team or a key may use of one model alias, beside what it
-- may use of all of them.
--
-- Such an allowance, its accounts, its bucket and its noted changes stand in the tables that are there, under a subject of
-- their own: `subject_kind` as it is, and the negative `subject_id` that this table gives to what the subject uses of one
-- model. So no key and no row of those tables changes, accounts keep their numbers, and a node of the version before,
-- which asks for positive ids alone, goes on as it did; what it serves does not count against a quota of one model.
CREATE TABLE IF NOT EXISTS subject_model (
    shard int2 NOT NULL,
    subject_kind int2 NOT NULL CHECK (subject_kind BETWEEN 1 AND 3),
    owner_id int8 NOT NULL CHECK (owner_id > 0),
    model_name text NOT NULL CHECK (octet_length(model_name) BETWEEN 1 AND 128),
    subject_id int8 NOT NULL CHECK (subject_id < 0),
    organization_id int8 NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shard, subject_kind, owner_id, model_name),
    UNIQUE (shard, subject_kind, subject_id)
);
