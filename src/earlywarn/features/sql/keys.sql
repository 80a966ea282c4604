-- What does not depend on the as-of date, made once for a connection: whole-number keys for children
-- and exams, one attendance row for a child and day, and every mark in its exam. Rows keep their
-- dates; each as-of date reads only those up to it.
-- Reads students, attendance, exams, core_subjects.

CREATE OR REPLACE TEMP TABLE student_keys AS
SELECT student_id, CAST(row_number() OVER (ORDER BY student_id) AS INTEGER) AS sid
FROM (SELECT DISTINCT student_id FROM students);

-- One row per known child and day: how bad the day was.
CREATE OR REPLACE TEMP TABLE attendance_days AS
WITH days AS (
    SELECT
        k.sid,
        a.date,
        CAST(CASE a.status
            WHEN 'present' THEN 0
            WHEN 'home_teaching' THEN 1
            WHEN 'left_early' THEN 2
            WHEN 'late' THEN 3
            WHEN 'sick' THEN 4
            WHEN 'leave' THEN 5
            ELSE 6
        END AS TINYINT) AS severity
    FROM attendance AS a
    JOIN student_keys AS k ON k.student_id = a.student_id
),
worst AS (SELECT sid, date, max(severity) AS severity FROM days GROUP BY sid, date)
SELECT sid, date, severity FROM /*one row a day*/ worst;

-- Every mark in its exam. An exam is (school, grade, school year, name), school and grade being those
-- of the snapshot in force on the row's date, or of the first one if the row is older (then the row
-- exists only from that snapshot on).
CREATE OR REPLACE TEMP TABLE placed_marks AS
WITH in_force AS (
    SELECT
        k.sid,
        s.school_id,
        s.grade,
        CASE
            WHEN row_number() OVER (PARTITION BY k.sid ORDER BY s.snapshot_date) = 1
                THEN DATE '0001-01-01'
            ELSE s.snapshot_date
        END AS first_day,
        coalesce(
            lead(s.snapshot_date) OVER (PARTITION BY k.sid ORDER BY s.snapshot_date),
            DATE '9999-12-31'
        ) AS next_day,
        min(s.snapshot_date) OVER (PARTITION BY k.sid) AS known_from
    FROM students AS s
    JOIN student_keys AS k ON k.student_id = s.student_id
),
rows AS (
    SELECT
        k.sid,
        e.exam,
        e.subject,
        e.date,
        year(e.date) - CASE
            WHEN month(e.date) * 100 + day(e.date) < $year_start_md THEN 1 ELSE 0
        END AS school_year,
        CAST(e.score * 1000000 AS BIGINT) AS score,
        CAST(coalesce(e.full_mark, 100) * 1000000 AS BIGINT) AS full_mark
    FROM exams AS e
    JOIN student_keys AS k ON k.student_id = e.student_id
)
SELECT
    r.sid,
    s.school_id,
    s.grade,
    r.school_year,
    r.exam,
    r.subject,
    r.date,
    s.known_from,
    -- p = score / full mark in whole millionths, halves away from zero
    CAST((2000000 * CAST(r.score AS HUGEINT) + r.full_mark) // (2 * CAST(r.full_mark AS HUGEINT))
        AS INTEGER) AS p
FROM rows AS r
JOIN in_force AS s ON s.sid = r.sid AND r.date >= s.first_day AND r.date < s.next_day;

-- Exam keys follow the names, so that their order is the order of names. The exams of one sitting
-- (grade, school year, name) differ in their school only.
CREATE OR REPLACE TEMP TABLE exam_keys AS
SELECT
    school_id,
    grade,
    school_year,
    exam,
    CAST(row_number() OVER (ORDER BY exam, school_id, grade, school_year) AS INTEGER) AS exam_key,
    CAST(dense_rank() OVER (ORDER BY exam, grade, school_year) AS INTEGER) AS sitting_key
FROM (SELECT DISTINCT school_id, grade, school_year, exam FROM placed_marks);

CREATE OR REPLACE TEMP TABLE subject_keys AS
SELECT
    subject,
    CAST(row_number() OVER (ORDER BY subject) AS INTEGER) AS subject_key,
    subject IN (SELECT subject FROM core_subjects) AS is_core,
    subject = 'maths' AS is_maths
FROM (SELECT DISTINCT subject FROM placed_marks);

-- One row per mark. Of several for one child, exam and subject the latest dated counts: a row counts
-- until `next_date`.
CREATE OR REPLACE TEMP TABLE exam_rows AS
WITH keyed AS (
    SELECT
        m.sid, k.exam_key, s.subject_key, s.is_core, s.is_maths, m.date, m.known_from, m.p
    FROM placed_marks AS m
    JOIN exam_keys AS k
        ON k.school_id = m.school_id
        AND k.grade = m.grade
        AND k.school_year = m.school_year
        AND k.exam = m.exam
    JOIN subject_keys AS s ON s.subject = m.subject
),
repeated AS (
    SELECT sid, exam_key, subject_key
    FROM keyed
    GROUP BY sid, exam_key, subject_key
    HAVING count(*) > 1
),
later AS (
    SELECT
        k.sid, k.exam_key, k.subject_key, k.date,
        lead(k.date) OVER (
            PARTITION BY k.sid, k.exam_key, k.subject_key ORDER BY k.date
        ) AS next_date
    FROM keyed AS k
    JOIN repeated AS r
        ON r.sid = k.sid AND r.exam_key = k.exam_key AND r.subject_key = k.subject_key
)
SELECT
    k.*,
    coalesce(l.next_date, DATE '9999-12-31') AS next_date
FROM keyed AS k
LEFT JOIN later AS l
    ON l.sid = k.sid
    AND l.exam_key = k.exam_key
    AND l.subject_key = k.subject_key
    AND l.date = k.date;

DROP TABLE placed_marks;
