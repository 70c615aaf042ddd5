-- Riding out an outage: a lease that its node may use up while the ledger cannot be reached says so, by the node's own
-- word and before the node believes it. When such a node dies, another one settles its open requests and folds what is
-- settled, but what is free stays with the lease until the node's journal was presented or an operator writes it off:
-- the node may have spent it where the ledger could not see.
ALTER TABLE lease ADD COLUMN rides bool NOT NULL DEFAULT false;
