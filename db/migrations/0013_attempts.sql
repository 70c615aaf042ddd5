-- The calls that were made for a request when there was more to say than that the first one answered. Written in the
-- transaction that writes the request's usage row; the normal request has none.
CREATE TABLE IF NOT EXISTS request_attempt (
    shard int2 NOT NULL,
    day date NOT NULL,
    request_id uuid NOT NULL,
    number int2 NOT NULL,
    backend_id int4 NOT NULL,
    outcome int2 NOT NULL,
    status int2,
    begun_after_us int8 NOT NULL,
    duration_us int8 NOT NULL,
    prompt_tokens int8,
    completion_tokens int8,
    PRIMARY KEY (shard, day, request_id, number)
);
