-- Marks, as far as they are known on the as-of date. p = score / full mark in whole millionths.
-- Reads exam_rows, superseded_marks and exam_keys (exams.sql), cohort.

CREATE OR REPLACE TEMP VIEW exam_marks AS
SELECT r.sid, r.exam_key, r.subject_key, r.date, CAST(r.p AS BIGINT) AS p
FROM exam_rows AS r
ANTI JOIN superseded_marks AS s
    ON s.sid = r.sid
    AND s.exam_key = r.exam_key
    AND s.subject_key = r.subject_key
    AND s.date = r.date
    AND s.next_date <= $as_of
WHERE r.date <= $as_of AND r.known_from <= $as_of;

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

-- One row per child and exam. (CASE inside an aggregate is a fifth faster than FILTER behind it.)
-- A child's exams are in the order of `nth_key`: latest date, then name.
CREATE OR REPLACE TEMP TABLE student_exams AS
WITH marks AS (
    SELECT
        m.sid,
        m.exam_key,
        m.date,
        m.p,
        m.p < $pass_mark AS failed,
        m.subject_key & 2 = 2 AS is_core,
        m.subject_key & 1 = 1 AS is_maths,
        CAST((d.n * m.p - d.s) / d.spread AS DECIMAL(18, 12)) AS z
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
        count(CASE WHEN failed THEN 1 END) AS failed,
        count(CASE WHEN is_core THEN p END) AS taken_core,
        max(CASE WHEN is_maths THEN p END) AS maths,
        count(CASE WHEN failed AND is_core THEN 1 END) AS failed_core,
        CAST(CAST(sum(z) AS DOUBLE) / nullif(count(z), 0) AS DECIMAL(18, 12)) AS z
    FROM marks
    GROUP BY sid, exam_key
)
SELECT
    c.*,
    -- mean of p in whole billionths, halves up
    CASE WHEN taken > 0 THEN (2000 * p + taken) // (2 * taken) END AS mean_p,
    (CAST(c.date - DATE '0001-01-01' AS BIGINT) << 40) | n.number AS nth_key
FROM counted AS c
JOIN exam_keys AS n ON n.exam_key = c.exam_key;

-- The last exam of each child.
CREATE OR REPLACE TEMP TABLE last_exams AS
WITH newest AS (SELECT sid, max(nth_key) AS nth_key FROM student_exams GROUP BY sid)
SELECT e.*
FROM student_exams AS e
JOIN newest AS n ON n.sid = e.sid AND n.nth_key = e.nth_key;

-- One row per child of the cohort, also for those who have taken no exam.
CREATE OR REPLACE TEMP TABLE mark_features AS
WITH results AS (  -- how many have which mean
    SELECT exam_key, mean_p, count(*) AS ties
    FROM student_exams
    WHERE mean_p IS NOT NULL AND exam_key IN (SELECT exam_key FROM last_exams)
    GROUP BY exam_key, mean_p
),
ranked AS (
    SELECT
        exam_key,
        mean_p,
        ties,
        sum(ties) OVER (PARTITION BY exam_key) AS n,
        sum(ties) OVER (PARTITION BY exam_key ORDER BY mean_p DESC) - ties + 1 AS rank
    FROM results
),
before AS (
    SELECT e.sid, arg_max(e.z, e.nth_key) AS z
    FROM student_exams AS e
    JOIN last_exams AS l ON l.sid = e.sid AND e.nth_key < l.nth_key
    WHERE e.z IS NOT NULL
    GROUP BY e.sid
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
    c.sid,
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
    -- whole billionths, halves up
    CASE WHEN y.p_exams > 0 THEN (2 * y.p + y.p_exams) // (2 * y.p_exams) / 1e9 END
        AS exam_pct_mean_3y,
    CASE WHEN y.z_exams > 0 THEN round(y.z / y.z_exams, 9) END AS exam_z_mean_3y,
    coalesce(y.taken_365d, 0) AS exams_taken_365d
FROM cohort AS c
LEFT JOIN last_exams AS e ON e.sid = c.sid
LEFT JOIN years AS y ON y.sid = e.sid
LEFT JOIN ranked AS r ON r.exam_key = e.exam_key AND r.mean_p = e.mean_p
LEFT JOIN before AS b ON b.sid = e.sid;

-- One row per child of the cohort with a score in its latest exam, where that can be compared: z of
-- its mean among all results of the sitting, whatever the school; none under 5 results, where all are
-- equal, or where only one school has any. With integers, as above: mean_p in whole billionths.
CREATE OR REPLACE TEMP TABLE exam_standings AS
WITH sittings AS (
    SELECT DISTINCT k.sitting_key
    FROM last_exams AS l
    JOIN exam_keys AS k ON k.exam_key = l.exam_key
    WHERE l.mean_p IS NOT NULL
),
sums AS (
    SELECT
        k.sitting_key,
        count(*) AS n,
        CAST(sum(e.mean_p) AS BIGINT) AS s,
        CAST(sum(CAST(e.mean_p AS HUGEINT) * e.mean_p) AS HUGEINT) AS q
    FROM sittings AS t
    JOIN exam_keys AS k ON k.sitting_key = t.sitting_key
    JOIN student_exams AS e ON e.exam_key = k.exam_key
    WHERE e.mean_p IS NOT NULL
    GROUP BY k.sitting_key
    HAVING count(*) >= 5 AND min(e.exam_key) < max(e.exam_key)
),
spreads AS (
    SELECT
        sitting_key,
        n,
        s,
        sqrt(CAST(n * q - CAST(s AS HUGEINT) * s AS DOUBLE) * n / (n - 1)) AS spread
    FROM sums
    WHERE n * q > CAST(s AS HUGEINT) * s
)
SELECT
    c.sid,
    c.school_id,
    CAST((d.n * l.mean_p - d.s) / d.spread AS DECIMAL(18, 12)) AS z
FROM cohort AS c
JOIN last_exams AS l ON l.sid = c.sid
JOIN exam_keys AS k ON k.exam_key = l.exam_key
JOIN spreads AS d ON d.sitting_key = k.sitting_key
WHERE l.mean_p IS NOT NULL;
