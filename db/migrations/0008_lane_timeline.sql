-- The server's timeline on which a lane's node has seen that the ledger holds all that the node holds. A promoted standby
-- has a new one, and grants nothing until every node that lives has looked. Null: the lane has nothing to look for.
ALTER TABLE node_lane ADD COLUMN IF NOT EXISTS timeline int8;
