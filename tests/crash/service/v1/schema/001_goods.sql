CREATE TABLE goods (name text PRIMARY KEY, amount integer NOT NULL);
INSERT INTO goods VALUES ('tea', 1), ('rice', 2), ('salt', 3);
