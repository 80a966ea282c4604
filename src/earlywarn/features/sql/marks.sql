-- Marks, as far as they are known on the as-of date. p = score / full mark in whole millionths.
-- Reads exam_rows and student_keys (keys.sql), cohort.

CREATE OR REPLACE TEMP TABLE exam_marks AS
SELECT sid, exam_key, subject_key, is_core, is_maths, date, CAST(p AS BIGINT) AS p
FROM exam_rows
WHERE date <= $as_of AND next_date > $as_of AND known_from <= $as_of;

-- z of p among all with a score in that exam and subject; none under 5 or where all are equal.
-- With integers: z = (n*p - S) / sqrt((n*Q - S*S) * n / (n - 1)), S and Q sums of p and p*p.
CREATE OR REPLACE TEMP TABLE subject_spreads AS
WITH sums AS (
    SELECT
        exam_key,
        subject_key,
        count(*) AS n,
        CAST(sum(p) AS BIGINT) AS s,
        CAST(sum(p * p) AS HUGEINT) AS q
    FROM exam_marks
    WHERE p IS NOT NULL
    GROUP BY exam_key, subject_key
)
SELECT
    exam_key,
    subject_key,
    n,
    s,
    sqrt(CAST(n * q - CAST(s AS HUGEINT) * s AS DOUBLE) * n / (n - 1)) AS spread
FROM sums
WHERE n >= 5 AND n * q > CAST(s AS HUGEINT) * s;

-- One row per child and exam.
CREATE OR REPLACE TEMP TABLE student_exams AS
WITH marks AS (
    SELECT m.*, CAST((d.n * m.p - d.s) / d.spread AS DECIMAL(18, 12)) AS z
    FROM exam_marks AS m
    LEFT JOIN subject_spreads AS d
        ON d.exam_key = m.exam_key AND d.subject_key = m.subject_key
),
counted AS (
    SELECT
        sid,
        exam_key,
        max(date) AS date,
        count(p) AS taken,
        count(*) - count(p) AS missed,
        CAST(sum(p) AS BIGINT) AS p,
        count(*) FILTER (WHERE p < $pass_mark) AS failed,
        count(p) FILTER (WHERE is_core) AS taken_core,
        max(p) FILTER (WHERE is_maths) AS maths,
        count(*) FILTER (WHERE p < $pass_mark AND is_core) AS failed_core,
        CAST(CAST(sum(z) AS DOUBLE) / nullif(count(z), 0) AS DECIMAL(18, 12)) AS z
    FROM marks
    GROUP BY sid, exam_key
)
SELECT
    *,
    -- mean of p in whole billionths, halves up
    CASE WHEN taken > 0 THEN (2000 * p + taken) // (2 * taken) END AS mean_p,
    row_number() OVER (PARTITION BY sid ORDER BY date DESC, exam_key DESC) AS nth
FROM counted;

-- One row per child of the cohort, also for those who have taken no exam.
CREATE OR REPLACE TEMP TABLE mark_features AS
WITH ranked AS (
    SELECT
        sid,
        nth,
        count(*) OVER (PARTITION BY exam_key) AS n,
        rank() OVER (PARTITION BY exam_key ORDER BY mean_p DESC) AS rank,
        count(*) OVER (PARTITION BY exam_key, mean_p) AS ties
    FROM student_exams
    WHERE mean_p IS NOT NULL
        AND exam_key IN (SELECT exam_key FROM student_exams WHERE nth = 1)
),
before AS (
    SELECT sid, arg_min(z, nth) AS z
    FROM student_exams
    WHERE nth > 1 AND z IS NOT NULL
    GROUP BY sid
),
years AS (
    SELECT
        sid,
        CAST(sum(mean_p) FILTER (WHERE date > $three_years_ago) AS BIGINT) AS p,
        count(mean_p) FILTER (WHERE date > $three_years_ago) AS p_exams,
        CAST(sum(z) FILTER (WHERE date > $three_years_ago) AS DOUBLE) AS z,
        count(z) FILTER (WHERE date > $three_years_ago) AS z_exams,
        count(*) FILTER (WHERE date > $year_ago AND taken > 0) AS taken_365d
    FROM student_exams
    GROUP BY sid
)
SELECT
    c.student_id,
    e.date AS exam_date,
    round(e.mean_p / 1e9, 9) AS exam_mean_pct,
    round(e.maths / 1e6, 9) AS exam_maths_pct,
    round(CAST(e.z AS DOUBLE), 9) AS exam_z,
    round(CAST(b.z AS DOUBLE), 9) AS exam_z_prev,
    round(CAST(e.z - b.z AS DOUBLE), 9) AS exam_z_change,
    CASE WHEN e.taken > 0 THEN e.failed END AS failed_subjects,
    CASE WHEN e.taken_core > 0 THEN e.failed_core END AS failed_core,
    e.missed AS missed_subjects,
    CASE WHEN r.n >= 5
        THEN round(CAST(2 * (r.rank - 1) + r.ties - 1 AS DOUBLE) / (2 * (r.n - 1)), 9)
    END AS exam_rank_pct,
    CASE WHEN y.p_exams > 0 THEN round(y.p / 1e9 / y.p_exams, 9) END AS exam_pct_mean_3y,
    CASE WHEN y.z_exams > 0 THEN round(y.z / y.z_exams, 9) END AS exam_z_mean_3y,
    coalesce(y.taken_365d, 0) AS exams_taken_365d
FROM cohort AS c
JOIN student_keys AS k ON k.student_id = c.student_id
LEFT JOIN student_exams AS e ON e.sid = k.sid AND e.nth = 1
LEFT JOIN years AS y ON y.sid = e.sid
LEFT JOIN ranked AS r ON r.sid = e.sid AND r.nth = 1
LEFT JOIN before AS b ON b.sid = e.sid;
