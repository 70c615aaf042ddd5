-- Clients of systems that tell a model's reasoning as `reasoning` find it there, beside `reasoning_content`, when their
-- key says so. An older program reads and writes keys as before.
ALTER TABLE api_key ADD COLUMN IF NOT EXISTS mirror_reasoning bool NOT NULL DEFAULT false;
