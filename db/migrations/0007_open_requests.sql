-- Open requests are found by their primary key alone. The index by node was written with every request and read only by
-- sweeps, which may as well walk the open requests of the shard; and a planner that believed the table to be small took
-- it for every closing, comparing all open requests of the node with all closings of the batch.
DROP INDEX IF EXISTS reservation_node;
