-- The marks of the last two loads, paper by paper, by the school of the child's record.
-- Reads known_students (features).
CREATE OR REPLACE TEMP TABLE load_rows AS
WITH rows AS (
    SELECT TRUE AS now, student_id, date, exam, subject FROM read_parquet($now)
    UNION ALL
    SELECT FALSE, student_id, date, exam, subject FROM read_parquet($before)
)
SELECT r.now, k.school_id, concat_ws(chr(31), r.date, r.exam, r.subject) AS unit
FROM rows AS r
JOIN known_students AS k ON k.student_id = r.student_id;
