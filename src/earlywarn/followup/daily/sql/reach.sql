-- The first day of the last 60 school days: of all calendars but those of children with a past long
-- leave, and of each of these whose own days reach further back.
-- Reads calendars, school_days (features).

CREATE OR REPLACE TEMP TABLE reach AS
SELECT min(d.date) AS first_day
FROM school_days AS d
JOIN calendars AS k ON k.cal = d.cal
WHERE d.back < 60 AND k.private_to IS NULL;

CREATE OR REPLACE TEMP TABLE reach_back AS
SELECT k.private_to AS student_id, min(d.date) AS first_day
FROM school_days AS d
JOIN calendars AS k ON k.cal = d.cal
WHERE d.back < 60 AND k.private_to IS NOT NULL
GROUP BY k.private_to
HAVING min(d.date) < coalesce((SELECT first_day FROM reach), DATE '9999-12-31');
