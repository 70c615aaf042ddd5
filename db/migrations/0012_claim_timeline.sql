-- The server's timeline on which a node last saw to it that the ledger has its claims on `Idempotency-Key`s. A promoted
-- standby has a new one, and may lack claims of requests whose clients have their answer: it takes none before every node
-- that lives has written its own once more.
CREATE TABLE IF NOT EXISTS idempotent_node (
    shard int2 NOT NULL,
    node_id int8 NOT NULL,
    timeline int8 NOT NULL,
    PRIMARY KEY (shard, node_id)
);
