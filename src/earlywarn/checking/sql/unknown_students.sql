-- Children with attendance up to the as-of date and no record in the registry: how many, how many
-- child-days, from when until when.
-- Reads child_spans, known_students (features).
WITH unknown AS (
    SELECT c.student_id, c.span, c.recorded
    FROM child_spans AS c
    ANTI JOIN known_students AS k ON k.student_id = c.student_id
),
spans AS (SELECT span, bit_or(recorded) AS recorded FROM unknown GROUP BY span),
days AS (
    SELECT DATE '0001-01-01' + CAST(s.span * 60 + b.bit AS INTEGER) AS date
    FROM spans AS s
    JOIN range(60) AS b (bit) ON (s.recorded >> b.bit) & 1 = 1
)
SELECT
    count(DISTINCT student_id) AS children,
    CAST(sum(bit_count(recorded)) AS BIGINT) AS child_days,
    (SELECT min(date) FROM days) AS first_day,
    (SELECT max(date) FROM days) AS last_day,
    min(DISTINCT student_id, 5) AS examples
FROM unknown
HAVING count(*) > 0
