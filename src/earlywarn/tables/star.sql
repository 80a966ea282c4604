-- The open data set Project STAR as the tables of the contract. Source: Achilles et al.,
-- Tennessee's Student Teacher Achievement Ratio (STAR) project, Harvard Dataverse,
-- doi:10.7910/DVN/SIWH9F, CC0 1.0. `pupils` are its rows, one a pupil, as star.py has checked
-- them: text in capitals, empty = NULL. Kindergarten is grade 0, in the school year 1985-86.

-- One row for each pupil and grade. What the data set does not ask in a grade is NULL.
-- Its g4nfreelunch is a count of classmates, not whether the pupil has free lunch.
CREATE TEMP TABLE years AS
SELECT *, make_date(1985 + grade, 10, 1) AS snapshot_date
FROM (
    SELECT stdntid, 0 AS grade, flaggk AS flag, gkschid AS school, gksurban AS area,
        gkfreelunch AS lunch, gkspeced AS speced, gkpresent AS present, gkabsent AS absent,
        gktreadss AS reading, gktmathss AS maths FROM pupils
    UNION ALL
    SELECT stdntid, 1, flagg1, g1schid, g1surban, g1freelunch, g1speced, g1present, g1absent,
        g1treadss, g1tmathss FROM pupils
    UNION ALL
    SELECT stdntid, 2, flagg2, g2schid, g2surban, g2freelunch, NULL, NULL, NULL,
        g2treadss, g2tmathss FROM pupils
    UNION ALL
    SELECT stdntid, 3, flagg3, g3schid, g3surban, g3freelunch, NULL, g3present, g3absent,
        g3treadss, g3tmathss FROM pupils
    UNION ALL
    SELECT stdntid, 4, flagg4, g4schid, g4surban, NULL, NULL, NULL, NULL,
        g4treadss, g4tmathss FROM pupils
    UNION ALL
    SELECT stdntid, 5, flagg5, g5schid, NULL, NULL, NULL, NULL, NULL,
        g5treadss, g5tmathss FROM pupils
    UNION ALL
    SELECT stdntid, 6, flagg6, g6schid, NULL, NULL, NULL, NULL, NULL,
        g6treadss, g6tmathss FROM pupils
    UNION ALL
    SELECT stdntid, 7, flagg7, g7schid, NULL, NULL, NULL, NULL, NULL,
        g7treadss, g7tmathss FROM pupils
    UNION ALL
    SELECT stdntid, 8, flagg8, g8schid, g8surban, NULL, NULL, NULL, NULL,
        g8treadss, g8tmathss FROM pupils
);

-- A birthday that no calendar has (30 February stands in the data set) is no birth date.
CREATE TEMP TABLE births AS
SELECT
    stdntid,
    CASE gender WHEN 'MALE' THEN 'M' WHEN 'FEMALE' THEN 'F' END AS sex,
    TRY_CAST(
        printf(
            '%04d-%02d-%02d',
            CAST(birthyear AS INTEGER),
            list_position(
                [
                    'JANUARY', 'FEBRUARY', 'MARCH', 'APRIL', 'MAY', 'JUNE', 'JULY', 'AUGUST',
                    'SEPTEMBER', 'OCTOBER', 'NOVEMBER', 'DECEMBER'
                ],
                -- So does this spelling.
                CASE birthmonth WHEN 'ARPIL' THEN 'APRIL' ELSE birthmonth END
            ),
            CAST(birthday AS INTEGER)
        ) AS DATE
    ) AS birth_date
FROM pupils;

-- Where the flag says that a pupil was there but not in which school (grade 4, mostly), the last
-- known school stands, as the contract has it for any field left empty; a later one never does.
CREATE TEMP TABLE students AS
SELECT
    y.stdntid AS student_id,
    y.snapshot_date,
    b.sex,
    b.birth_date,
    y.known_school AS school_id,
    y.grade,
    CASE y.speced WHEN 'YES' THEN 'other' WHEN 'NO' THEN 'none' END AS disability,
    CASE y.lunch WHEN 'FREE LUNCH' THEN 'low_income' WHEN 'NON-FREE LUNCH' THEN 'none' END
        AS poverty
FROM (
    SELECT
        *,
        last_value(school IGNORE NULLS) OVER (PARTITION BY stdntid ORDER BY grade) AS known_school
    FROM years
) AS y
JOIN births AS b ON b.stdntid = y.stdntid
WHERE (y.flag = 'YES' OR y.school IS NOT NULL) AND y.known_school IS NOT NULL
ORDER BY student_id, y.snapshot_date;

-- Rural if most of the pupils of the newest grade with a word on it say so; NULL if no grade has
-- one, or as many say the one as the other.
CREATE TEMP TABLE schools AS
SELECT
    s.school_id,
    s.school_id AS name,
    'Tennessee' AS county,
    CASE WHEN l.rural * 2 > l.said THEN TRUE WHEN l.rural * 2 < l.said THEN FALSE END AS rural
FROM (SELECT DISTINCT school_id FROM students) AS s
LEFT JOIN (
    SELECT
        school,
        count(*) AS said,
        count(*) FILTER (WHERE area IN ('RURAL', 'RAURAL')) AS rural
    FROM years
    WHERE area IS NOT NULL AND school IS NOT NULL
    GROUP BY school, grade
    QUALIFY grade = max(grade) OVER (PARTITION BY school)
) AS l ON l.school = s.school_id
ORDER BY s.school_id;

CREATE TEMP TABLE attendance_totals AS
SELECT
    stdntid AS student_id,
    make_date(1985 + grade, 9, 1) AS "from",
    make_date(1986 + grade, 5, 31) AS "to",
    CAST(absent AS INTEGER) AS days_absent,
    CAST(present AS INTEGER) + CAST(absent AS INTEGER) AS school_days
FROM years
WHERE present IS NOT NULL AND absent IS NOT NULL
ORDER BY student_id, "from";

-- Almost every g4treadss of the published file is that pupil's g3treadss; it is taken as it stands.
CREATE TEMP TABLE exams AS
SELECT
    stdntid AS student_id,
    make_date(1986 + grade, 5, 1) AS date,
    'spring' AS exam,
    subject,
    CAST(score AS DECIMAL(12, 6)) AS score,
    999 AS full_mark
FROM (UNPIVOT years ON reading, maths INTO NAME subject VALUE score)
ORDER BY student_id, date, subject;

-- A certificate without school (GED) is no dropout and no graduate, nor is who was never found:
-- lost from sight on the day after the as-of date, so they have no label.
CREATE TEMP TABLE outcomes AS
SELECT
    stdntid AS student_id,
    CASE WHEN event = 'transferred' THEN DATE '1994-07-02' ELSE DATE '1998-06-30' END AS date,
    event
FROM (
    SELECT
        stdntid,
        CASE
            WHEN hsgrdadd IN ('DROPPED OUT', 'PROBABLY DROPPED OUT') THEN 'dropped_out'
            WHEN hsgrdadd IN ('GRADUATED', 'PROBABLY GRADUATED') THEN 'graduated'
            ELSE 'transferred'
        END AS event
    FROM pupils
)
ORDER BY student_id;
