-- The school: the same for all its students, over its cohort.
-- Reads cohort, known_students, day_masks, exam_standings (marks.sql), registry_features, schools,
-- outcomes.

CREATE OR REPLACE TEMP TABLE school_features AS
WITH days AS (  -- children on leave left out
    SELECT
        m.school_id,
        CAST(sum(bit_count(m.absent & 1048575)) AS BIGINT) AS absent,
        CAST(sum(bit_count(m.recorded & 1048575)) AS BIGINT) AS recorded,
        CAST(sum(m.days_20) AS BIGINT) AS days
    FROM day_masks AS m
    JOIN cohort AS c ON c.sid = m.sid
    WHERE NOT c.on_leave
    GROUP BY m.school_id
),
dropouts AS (  -- events, not children; in the cohort or not
    SELECT k.school_id, count(*) AS events
    FROM outcomes AS o
    JOIN known_students AS k ON k.student_id = o.student_id
    WHERE o.event = 'dropped_out' AND o.date <= $as_of AND o.date > $three_years_ago
    GROUP BY k.school_id
),
standings AS (
    SELECT school_id, CAST(sum(z) AS DOUBLE) AS z, count(*) AS children
    FROM exam_standings
    GROUP BY school_id
),
shares AS (
    SELECT
        c.school_id,
        count(*) AS students,
        count(*) FILTER (WHERE r.poor_family) AS poor,
        count(r.poor_family) AS poor_known,
        count(*) FILTER (WHERE r.left_behind) AS left_behind,
        count(r.left_behind) AS left_behind_known,
        count(*) FILTER (WHERE r.migrant) AS migrant,
        count(r.migrant) AS migrant_known
    FROM cohort AS c
    JOIN registry_features AS r ON r.sid = c.sid
    GROUP BY c.school_id
)
SELECT
    s.school_id,
    CASE WHEN d.recorded > 0 THEN round(CAST(d.absent AS DOUBLE) / d.recorded, 9) END
        AS school_absence_rate_20d,
    CASE WHEN d.days > 0 THEN round(CAST(d.days - d.recorded AS DOUBLE) / d.days, 9) END
        AS school_gap_20d,
    round(CAST(coalesce(o.events, 0) AS DOUBLE) / s.students, 9) AS school_dropouts_3y_rate,
    round(e.z / e.children, 9) AS school_exam_z,
    t.rural AS school_rural,
    t.remote AS school_remote,
    CASE WHEN s.poor_known > 0 THEN round(CAST(s.poor AS DOUBLE) / s.poor_known, 9) END
        AS school_poor_share,
    CASE WHEN s.left_behind_known > 0
        THEN round(CAST(s.left_behind AS DOUBLE) / s.left_behind_known, 9)
    END AS school_left_behind_share,
    CASE WHEN s.migrant_known > 0 THEN round(CAST(s.migrant AS DOUBLE) / s.migrant_known, 9) END
        AS school_migrant_share
FROM shares AS s
LEFT JOIN days AS d ON d.school_id = s.school_id
LEFT JOIN dropouts AS o ON o.school_id = s.school_id
LEFT JOIN standings AS e ON e.school_id = s.school_id
LEFT JOIN schools AS t ON t.school_id = s.school_id;
