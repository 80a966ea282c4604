-- Whole-number keys for children, in the order of their ids. Reads students.

CREATE OR REPLACE TEMP TABLE student_keys AS
SELECT student_id, CAST(row_number() OVER (ORDER BY student_id) AS INTEGER) AS sid
FROM (SELECT DISTINCT student_id FROM students);
