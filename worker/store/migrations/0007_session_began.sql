-- When a login began: used_at moves with each refresh, and what cannot be undone asks for a login of
-- late or for the password.

ALTER TABLE session ADD COLUMN began_at INTEGER NOT NULL DEFAULT 0; -- 0: before this was kept
