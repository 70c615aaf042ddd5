-- Prices as a register of versions: which is in force for what since when, by whose word; and records that are priced
-- anew by rows beside them. An older program writes and reads as before; nothing that is large is rewritten.

-- What sound and a search cost, where that is said. Null: sound costs what text costs.
ALTER TABLE price
    ADD COLUMN IF NOT EXISTS audio_prompt_nanousd int8 CHECK (audio_prompt_nanousd >= 0),
    ADD COLUMN IF NOT EXISTS audio_completion_nanousd int8 CHECK (audio_completion_nanousd >= 0),
    ADD COLUMN IF NOT EXISTS fee_nanousd int8 NOT NULL DEFAULT 0 CHECK (fee_nanousd >= 0);

-- Which version of a model's price came into force, appended only; in shard 0 alone, as models are of no organization.
-- The newest row of a model and its terms is in force. source: 1 a gateway's file, 2 an administrator.
CREATE TABLE IF NOT EXISTS price_change (
    shard int2 NOT NULL DEFAULT 0 CHECK (shard = 0),
    model_id int4 NOT NULL,
    terms text NOT NULL,
    at timestamptz NOT NULL,
    price_version int8,
    source int2 NOT NULL CHECK (source BETWEEN 1 AND 2),
    set_by text NOT NULL,
    PRIMARY KEY (shard, model_id, terms, at)
);

-- Tokens of sound in records that have some; the normal request has no row.
CREATE TABLE IF NOT EXISTS usage_audio (
    shard int2 NOT NULL,
    day date NOT NULL,
    request_id uuid NOT NULL,
    prompt_tokens int8 NOT NULL CHECK (prompt_tokens >= 0),
    completion_tokens int8 NOT NULL CHECK (completion_tokens >= 0),
    PRIMARY KEY (shard, day, request_id)
);

-- A record's cost by another price version, as the difference from what it was before. Appended only: the record itself
-- stays as it is, and what it costs is its own cost and all of these.
CREATE TABLE IF NOT EXISTS price_correction (
    shard int2 NOT NULL,
    day date NOT NULL,
    request_id uuid NOT NULL,
    number int2 NOT NULL CHECK (number > 0),
    price_version int8 NOT NULL,
    delta_nanousd int8 NOT NULL,
    key_id int8 NOT NULL,
    model_id int4 NOT NULL,
    admitted_at timestamptz NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shard, day, request_id, number)
);

-- What corrections of prices owe an account in cost whose period still ran, and what of it has been applied.
CREATE TABLE IF NOT EXISTS repriced_account (
    shard int2 NOT NULL,
    account_id int8 NOT NULL,
    due_nanousd int8 NOT NULL,
    applied_nanousd int8 NOT NULL DEFAULT 0,
    applications int8 NOT NULL DEFAULT 0,
    PRIMARY KEY (shard, account_id)
);

-- Each application, as a change of the account's `used`. Appended only.
CREATE TABLE IF NOT EXISTS repriced_account_adj (
    shard int2 NOT NULL,
    account_id int8 NOT NULL,
    number int8 NOT NULL CHECK (number > 0),
    delta_nanousd int8 NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shard, account_id, number)
);
