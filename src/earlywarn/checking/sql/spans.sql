-- Attendance read once and folded: days stand as bits in spans of 60 calendar days, counted from
-- 1 January of year 1 (bit 0 is a span's first day). Sessions of a day fold by themselves.
-- Reads attendance, known_students.

CREATE OR REPLACE TEMP TABLE child_spans AS
WITH rows AS (
    SELECT
        student_id,
        (date - DATE '0001-01-01') // 60 AS span,
        CAST(1 AS BIGINT) << ((date - DATE '0001-01-01') % 60) AS bit,
        status IN ('sick', 'leave', 'unexcused') AS away
    FROM attendance
    WHERE date <= $as_of
)
SELECT
    student_id,
    span,
    bit_or(bit) AS recorded,
    coalesce(bit_or(bit) FILTER (WHERE away), 0) AS absent
FROM rows
GROUP BY student_id, span;

-- Days on which any child of a school has a row, one child standing for all of them. calendar.sql
-- (features) asks for whose and when, never for the status.
CREATE OR REPLACE TEMP TABLE attendance_days AS
WITH spans AS (
    SELECT k.school_id, c.span, bit_or(c.recorded) AS recorded, min(k.sid) AS sid
    FROM child_spans AS c
    JOIN known_students AS k ON k.student_id = c.student_id
    GROUP BY k.school_id, c.span
)
SELECT
    s.sid,
    DATE '0001-01-01' + CAST(s.span * 60 + b.bit AS INTEGER) AS date,
    CAST(0 AS TINYINT) AS severity
FROM spans AS s
JOIN range(60) AS b (bit) ON (s.recorded >> b.bit) & 1 = 1;
