-- Attendance that counts in nothing: before a child was enrolled anywhere, or on days that are no
-- school days. Days at its school before are no fault, nor are those of its own past long leave.
-- Reads child_days.
WITH stray AS (
    SELECT school_id, student_id, span, 'before_enrolment' AS kind, recorded & unenrolled AS bits
    FROM child_days
    UNION ALL
    SELECT school_id, student_id, span, 'outside_calendar', recorded & ~school_days & ~early
    FROM child_days
    WHERE follows_school
),
spans AS (
    SELECT school_id, kind, span, bit_or(bits) AS bits
    FROM stray
    WHERE bits <> 0
    GROUP BY school_id, kind, span
),
days AS (
    SELECT
        s.school_id,
        s.kind,
        count(*) AS days,
        min(DATE '0001-01-01' + CAST(s.span * 60 + b.bit AS INTEGER)) AS first_day,
        max(DATE '0001-01-01' + CAST(s.span * 60 + b.bit AS INTEGER)) AS last_day
    FROM spans AS s
    JOIN range(60) AS b (bit) ON (s.bits >> b.bit) & 1 = 1
    GROUP BY s.school_id, s.kind
)
SELECT
    s.kind,
    s.school_id,
    CAST(sum(bit_count(s.bits)) AS BIGINT) AS child_days,
    count(DISTINCT s.student_id) AS children,
    d.days,
    d.first_day,
    d.last_day,
    min(DISTINCT s.student_id, 5) AS examples
FROM stray AS s
JOIN days AS d ON d.school_id = s.school_id AND d.kind = s.kind
WHERE s.bits <> 0
GROUP BY s.kind, s.school_id, d.days, d.first_day, d.last_day
ORDER BY s.kind, s.school_id
