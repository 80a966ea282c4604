-- Marks: an exam is (school, grade, school year, name), the school and grade being those of the
-- snapshot in force on the row's date. p = score / full mark, kept as whole millionths.
-- Reads exams, snapshots, current_records, core_subjects.

-- From which day on a snapshot is in force; the first one also for rows older than it.
CREATE OR REPLACE TEMP TABLE in_force AS
SELECT
    student_id,
    school_id,
    grade,
    CASE
        WHEN row_number() OVER (PARTITION BY student_id ORDER BY snapshot_date) = 1
            THEN DATE '0001-01-01'
        ELSE snapshot_date
    END AS first_day,
    coalesce(
        lead(snapshot_date) OVER (PARTITION BY student_id ORDER BY snapshot_date),
        DATE '9999-12-31'
    ) AS next_day
FROM snapshots;

-- One row per student, exam and subject: the latest dated row counts.
CREATE OR REPLACE TEMP TABLE exam_marks AS
WITH placed AS (
    SELECT
        e.student_id,
        s.school_id,
        s.grade,
        year(e.date) - CASE
            WHEN month(e.date) * 100 + day(e.date) < $year_start_md THEN 1 ELSE 0
        END AS school_year,
        e.exam,
        e.subject,
        e.date,
        CAST(e.score * 1000000 AS BIGINT) AS score,
        CAST(coalesce(e.full_mark, 100) * 1000000 AS BIGINT) AS full_mark
    FROM exams AS e
    JOIN in_force AS s
        ON s.student_id = e.student_id AND e.date >= s.first_day AND e.date < s.next_day
    WHERE e.date <= $as_of
),
ranked AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY student_id, school_id, grade, school_year, exam, subject
            ORDER BY date DESC
        ) AS nth
    FROM placed
)
SELECT
    student_id,
    school_id,
    grade,
    school_year,
    exam,
    subject,
    date,
    -- rounded to millionths, halves away from zero
    CASE WHEN score IS NOT NULL
        THEN (2 * CAST(score AS HUGEINT) * 1000000 + full_mark) // (2 * CAST(full_mark AS HUGEINT))
    END AS p
FROM ranked
WHERE nth = 1;

-- z of p among all with a score in that exam and subject; none under 5 or where all are equal.
-- With integers: z = (n*p - S) / sqrt((n*Q - S*S) * n / (n - 1)), S and Q sums of p and p*p.
CREATE OR REPLACE TEMP TABLE subject_z AS
WITH sums AS (
    SELECT
        school_id,
        grade,
        school_year,
        exam,
        subject,
        count(*) AS n,
        CAST(sum(p) AS HUGEINT) AS s,
        CAST(sum(p * p) AS HUGEINT) AS q
    FROM exam_marks
    WHERE p IS NOT NULL
    GROUP BY ALL
)
SELECT
    m.student_id,
    m.school_id,
    m.grade,
    m.school_year,
    m.exam,
    CAST(
        CAST(s.n * m.p - s.s AS DOUBLE)
        / sqrt(CAST(s.n * s.q - s.s * s.s AS DOUBLE) * s.n / (s.n - 1))
        AS DECIMAL(18, 12)
    ) AS z
FROM exam_marks AS m
JOIN sums AS s
    ON s.school_id = m.school_id
    AND s.grade = m.grade
    AND s.school_year = m.school_year
    AND s.exam = m.exam
    AND s.subject = m.subject
WHERE m.p IS NOT NULL AND s.n >= 5 AND s.n * s.q > s.s * s.s;

-- One row per student and exam.
CREATE OR REPLACE TEMP TABLE student_exams AS
WITH counted AS (
    SELECT
        student_id,
        school_id,
        grade,
        school_year,
        exam,
        max(date) AS date,
        count(p) AS taken,
        count(*) FILTER (WHERE p IS NULL) AS missed,
        CAST(sum(p) AS BIGINT) AS p,
        count(*) FILTER (WHERE p < $pass_mark) AS failed,
        count(p) FILTER (WHERE subject IN (SELECT subject FROM core_subjects)) AS taken_core,
        count(*) FILTER (
            WHERE p < $pass_mark AND subject IN (SELECT subject FROM core_subjects)
        ) AS failed_core
    FROM exam_marks
    GROUP BY student_id, school_id, grade, school_year, exam
),
standard AS (
    SELECT
        student_id, school_id, grade, school_year, exam,
        CAST(CAST(sum(z) AS DOUBLE) / count(*) AS DECIMAL(18, 12)) AS z
    FROM subject_z
    GROUP BY student_id, school_id, grade, school_year, exam
)
SELECT
    c.*,
    -- mean of p in whole billionths, halves up
    CASE WHEN c.taken > 0 THEN (2000 * c.p + c.taken) // (2 * c.taken) END AS mean_p,
    s.z,
    row_number() OVER (PARTITION BY c.student_id ORDER BY c.date DESC, c.exam DESC) AS nth
FROM counted AS c
LEFT JOIN standard AS s
    ON s.student_id = c.student_id
    AND s.school_id = c.school_id
    AND s.grade = c.grade
    AND s.school_year = c.school_year
    AND s.exam = c.exam;

CREATE OR REPLACE TEMP TABLE mark_features AS
WITH ranks AS (
    SELECT
        student_id,
        nth,
        count(*) OVER (PARTITION BY school_id, grade, school_year, exam) AS n,
        rank() OVER (PARTITION BY school_id, grade, school_year, exam ORDER BY mean_p DESC)
            AS rank,
        count(*) OVER (PARTITION BY school_id, grade, school_year, exam, mean_p) AS ties
    FROM student_exams
    WHERE mean_p IS NOT NULL
),
before AS (
    SELECT student_id, arg_min(z, nth) AS z
    FROM student_exams
    WHERE nth > 1 AND z IS NOT NULL
    GROUP BY student_id
),
years AS (
    SELECT
        student_id,
        CAST(sum(mean_p) FILTER (WHERE date > $three_years_ago) AS BIGINT) AS p,
        count(mean_p) FILTER (WHERE date > $three_years_ago) AS p_exams,
        CAST(sum(z) FILTER (WHERE date > $three_years_ago) AS DOUBLE) AS z,
        count(z) FILTER (WHERE date > $three_years_ago) AS z_exams,
        count(*) FILTER (WHERE date > $year_ago AND taken > 0) AS taken_365d
    FROM student_exams
    GROUP BY student_id
)
SELECT
    e.student_id,
    e.date AS exam_date,
    round(e.mean_p / 1e9, 9) AS exam_mean_pct,
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
    y.taken_365d AS exams_taken_365d
FROM student_exams AS e
JOIN years AS y ON y.student_id = e.student_id
LEFT JOIN ranks AS r ON r.student_id = e.student_id AND r.nth = 1
LEFT JOIN before AS b ON b.student_id = e.student_id
WHERE e.nth = 1;
