-- Each child's attendance beside its school days, as bits (see spans.sql).
-- Reads school_days, roster, cohort (features), child_spans.

-- One row per calendar and span: its school days, the last 60 reported ones, the last 20 in all, and
-- the reported ones among these.
CREATE OR REPLACE TEMP TABLE day_spans AS
WITH days AS (
    SELECT
        cal,
        (date - DATE '0001-01-01') // 60 AS span,
        CAST(1 AS BIGINT) << ((date - DATE '0001-01-01') % 60) AS bit,
        back,
        reported,
        row_number() OVER (PARTITION BY cal, reported ORDER BY date DESC) AS nth
    FROM school_days
)
SELECT
    cal,
    span,
    bit_or(bit) AS school_days,
    coalesce(bit_or(bit) FILTER (WHERE reported AND nth <= 60), 0) AS reported_60,
    coalesce(bit_or(bit) FILTER (WHERE back < 20), 0) AS last_20,
    coalesce(bit_or(bit) FILTER (WHERE back < 20 AND reported), 0) AS reported_20
FROM days
GROUP BY cal, span;

-- Bits before day number `first_day`.
CREATE OR REPLACE TEMP MACRO bits_before(first_day, span) AS CASE
    WHEN first_day <= span * 60 THEN 0
    WHEN first_day >= span * 60 + 60 THEN (CAST(1 AS BIGINT) << 60) - 1
    ELSE (CAST(1 AS BIGINT) << (first_day - span * 60)) - 1
END;

-- One row per child of the cohort and span with school days or with attendance of its own. Bits
-- before its enrolment stand in `early`, those before its first enrolment anywhere in `unenrolled`.
CREATE OR REPLACE TEMP TABLE child_days AS
WITH first_known AS (
    SELECT student_id, min(coalesce(enrolled_on, snapshot_date)) AS enrolled_on
    FROM snapshots
    GROUP BY student_id
),
children AS (
    SELECT
        r.student_id,
        r.cal,
        c.school_id,
        c.class_id,
        c.on_leave,
        k.private_to IS NULL AS follows_school,
        coalesce(c.enrolled_on - DATE '0001-01-01', 0) AS first_day,
        -- a record without the date says nothing of the days before it
        CASE WHEN c.enrolled_on IS NULL THEN 0 ELSE f.enrolled_on - DATE '0001-01-01' END
            AS first_day_anywhere
    FROM roster AS r
    JOIN cohort AS c ON c.student_id = r.student_id
    JOIN calendars AS k ON k.cal = r.cal
    JOIN first_known AS f ON f.student_id = r.student_id
),
wanted AS (
    SELECT c.student_id, d.span
    FROM children AS c
    JOIN day_spans AS d ON d.cal = c.cal
    UNION
    SELECT student_id, span FROM child_spans
)
SELECT
    c.student_id,
    c.school_id,
    c.class_id,
    c.on_leave,
    c.follows_school,
    w.span,
    bits_before(c.first_day, w.span) AS early,
    bits_before(c.first_day_anywhere, w.span) AS unenrolled,
    coalesce(s.recorded, 0) AS recorded,
    coalesce(s.absent, 0) AS absent,
    coalesce(d.school_days, 0) AS school_days,
    coalesce(d.reported_60, 0) AS reported_60,
    coalesce(d.last_20, 0) AS last_20,
    coalesce(d.reported_20, 0) AS reported_20
FROM wanted AS w
JOIN children AS c ON c.student_id = w.student_id
LEFT JOIN child_spans AS s ON s.student_id = w.student_id AND s.span = w.span
LEFT JOIN day_spans AS d ON d.cal = c.cal AND d.span = w.span;
