-- Applied twice it would be seen: kilograms become grams.
ALTER TABLE goods ADD COLUMN unit text NOT NULL DEFAULT 'g';
UPDATE goods SET amount = amount * 1000;
