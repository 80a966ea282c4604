-- Whole-number keys for children, in the order of their ids, and the registry by these. Reads students.

CREATE OR REPLACE TEMP TABLE student_keys AS
SELECT student_id, CAST(row_number() OVER (ORDER BY student_id) AS INTEGER) AS sid
FROM (SELECT DISTINCT student_id FROM students);

-- One row per student and snapshot, with the little of it that is asked for again and again. In
-- `said` stands which fields of a record are filled in; of birth_date the as-of date decides.
CREATE OR REPLACE TEMP TABLE registry_rows AS
SELECT
    k.sid,
    s.snapshot_date,
    s.school_id,
    s.grade,
    s.guardian,
    s.birth_date,
    /*a bit for each field that is filled in*/ AS said
FROM students AS s
JOIN student_keys AS k ON k.student_id = s.student_id;
