-- Every mark in its exam, whatever the as-of date. An exam is (school, grade, school year, name),
-- school and grade being those of the snapshot in force on the row's date, or of the first one if the
-- row is older (then the row exists only from that snapshot on).
-- Reads exams, core_subjects, student_keys and registry_rows (keys.sql).

CREATE OR REPLACE TEMP TABLE place_keys AS
SELECT
    school_id,
    grade,
    CAST(row_number() OVER (ORDER BY school_id, grade) AS BIGINT) AS place
FROM (SELECT DISTINCT school_id, grade FROM registry_rows);

CREATE OR REPLACE TEMP TABLE name_keys AS
SELECT exam, CAST(row_number() OVER (ORDER BY exam) AS BIGINT) AS name
FROM (SELECT DISTINCT exam FROM exams);

-- Whether it is a core subject, or maths, stands in the key's last two bits.
CREATE OR REPLACE TEMP TABLE subject_keys AS
SELECT
    subject,
    CAST(
        4 * row_number() OVER (ORDER BY subject)
        + CASE WHEN subject IN (SELECT subject FROM core_subjects) THEN 2 ELSE 0 END
        + CASE WHEN subject = 'maths' THEN 1 ELSE 0 END
        AS INTEGER
    ) AS subject_key
FROM (SELECT DISTINCT subject FROM exams);

-- In which place (school and grade) a child is from `first_day` until before `next_day`.
CREATE OR REPLACE TEMP TABLE place_spans AS
WITH said AS (
    SELECT
        r.sid,
        p.place,
        r.snapshot_date,
        lag(p.place) OVER (PARTITION BY r.sid ORDER BY r.snapshot_date) AS before
    FROM registry_rows AS r
    JOIN place_keys AS p ON p.school_id = r.school_id AND p.grade = r.grade
)
SELECT
    sid,
    place,
    CASE WHEN before IS NULL THEN DATE '0001-01-01' ELSE snapshot_date END AS first_day,
    coalesce(
        lead(snapshot_date) OVER (PARTITION BY sid ORDER BY snapshot_date), DATE '9999-12-31'
    ) AS next_day,
    min(snapshot_date) OVER (PARTITION BY sid) AS known_from
FROM said
WHERE before IS NULL OR place <> before;

-- One row per mark. In exam_key stand, from the highest bits down, the name (its keys are in the
-- order of names, and so are those of exams), the place (22 bits) and the school year (14 bits).
CREATE OR REPLACE TEMP TABLE exam_rows AS
WITH keyed AS (
    SELECT
        k.sid,
        (n.name << 36) | (s.place << 14) | (
            year(e.date) - CASE
                WHEN month(e.date) * 100 + day(e.date) < $year_start_md THEN 1 ELSE 0
            END
        ) AS exam_key,
        j.subject_key,
        e.date,
        s.known_from,
        CAST(e.score * 1000000 AS BIGINT) AS score,
        CAST(coalesce(e.full_mark, 100) * 1000000 AS BIGINT) AS full_mark
    FROM exams AS e
    JOIN student_keys AS k ON k.student_id = e.student_id
    JOIN name_keys AS n ON n.exam = e.exam
    JOIN subject_keys AS j ON j.subject = e.subject
    JOIN place_spans AS s ON s.sid = k.sid AND e.date >= s.first_day AND e.date < s.next_day
)
SELECT
    sid,
    exam_key,
    subject_key,
    date,
    known_from,
    -- p = score / full mark in whole millionths, halves away from zero
    CAST((2000000 * score + full_mark) // (2 * full_mark) AS INTEGER) AS p
FROM keyed;

-- Of several rows for one child, exam and subject the latest dated counts: the others until
-- `next_date`. Where an exam's subject has one date, there can be none.
CREATE OR REPLACE TEMP TABLE superseded_marks AS
WITH spread AS (
    SELECT exam_key, subject_key
    FROM exam_rows
    GROUP BY exam_key, subject_key
    HAVING min(date) < max(date)
),
rows AS (
    SELECT
        r.sid, r.exam_key, r.subject_key, r.date,
        lead(r.date) OVER (
            PARTITION BY r.sid, r.exam_key, r.subject_key ORDER BY r.date
        ) AS next_date
    FROM exam_rows AS r
    JOIN spread AS s ON s.exam_key = r.exam_key AND s.subject_key = r.subject_key
)
SELECT sid, exam_key, subject_key, date, next_date
FROM rows
WHERE next_date IS NOT NULL;

-- The exams, numbered in their order. Those of one sitting (grade, school year, name) differ in their
-- school only: sitting_key is exam_key with the grade in the place of school and grade.
CREATE OR REPLACE TEMP TABLE exam_keys AS
SELECT
    e.exam_key,
    row_number() OVER (ORDER BY e.exam_key) AS number,
    ((e.exam_key >> 36) << 36) | (CAST(p.grade AS BIGINT) << 14) | (e.exam_key & 16383)
        AS sitting_key
FROM (SELECT DISTINCT exam_key FROM exam_rows) AS e
JOIN place_keys AS p ON p.place = (e.exam_key >> 14) & 4194303;
