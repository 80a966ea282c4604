-- Attendance: what each child's last 60 school days and this school year say.
-- The last 60 school days are kept as bit masks: bit 0 is the last school day, bit 59 the sixtieth.
-- Reads attendance_days (days.sql), roster, school_days, last_breaks.

-- Where only exceptions are listed, being there says something new on unreported days only.
CREATE OR REPLACE TEMP TABLE open_days AS
SELECT r.sid, r.student_id, d.date
FROM roster AS r
JOIN school_days AS d ON d.cal = r.cal
WHERE $exceptions AND NOT d.reported AND d.date >= $first_day;

-- The rows that can say something: of this date, DuckDB reads no others from here on. (Where days are
-- kept they are read from there; in Spark a view stays what it was when it was made.)
CREATE OR REPLACE TEMP VIEW attendance_rows AS
SELECT a.student_id, a.date, a.status
FROM attendance AS a
LEFT JOIN open_days AS o ON o.student_id = a.student_id AND o.date = a.date
WHERE a.date >= $first_day AND a.date <= $as_of
    AND (NOT $exceptions OR a.status <> 'present' OR o.date IS NOT NULL);

CREATE OR REPLACE TEMP TABLE days_in_reach AS
SELECT sid, date, severity
FROM attendance_days
WHERE date >= $first_day AND date <= $as_of AND (
    NOT $exceptions OR severity > 0 OR (sid, date) IN (SELECT (sid, date) FROM open_days)
);

-- One row per child of the cohort with an attendance row in reach.
CREATE OR REPLACE TEMP TABLE attendance_masks AS
WITH marked AS (
    SELECT
        w.sid,
        w.severity,
        d.reported,
        d.date >= $year_start AS ytd,
        d.back <= r.break_back AND d.back > r.break_back - 3 AS after_break,
        CASE WHEN d.back < 60 THEN CAST(1 AS BIGINT) << CAST(d.back AS INTEGER) ELSE 0 END AS bit
    FROM days_in_reach AS w
    JOIN roster AS r ON r.sid = w.sid
    JOIN school_days AS d ON d.cal = r.cal AND d.date = w.date AND d.back < r.days
    WHERE NOT $exceptions OR w.severity > 0 OR NOT d.reported
)
SELECT
    sid,
    bit_or(bit) AS listed,
    coalesce(bit_or(bit) FILTER (WHERE severity >= 4), 0) AS absent,
    coalesce(bit_or(bit) FILTER (WHERE severity = 6), 0) AS unexcused,
    coalesce(bit_or(bit) FILTER (WHERE severity = 5), 0) AS leave,
    coalesce(bit_or(bit) FILTER (WHERE severity IN (2, 3)), 0) AS late,
    coalesce(bit_or(bit) FILTER (WHERE severity = 2), 0) AS left_early,
    coalesce(bit_or(bit) FILTER (WHERE severity = 1), 0) AS home,
    count(*) FILTER (WHERE ytd) AS listed_ytd,
    count(*) FILTER (WHERE ytd AND NOT reported) AS unreported_ytd,
    count(*) FILTER (WHERE ytd AND severity >= 4) AS absent_ytd,
    count(*) FILTER (WHERE after_break) AS listed_after_break,
    count(*) FILTER (WHERE after_break AND severity >= 4) AS absent_after_break
FROM marked
GROUP BY sid;

-- One row per child of the cohort: masks of recorded, absent ... days, counts, all without NULL.
CREATE OR REPLACE TEMP TABLE day_masks AS
SELECT
    r.sid,
    r.student_id,
    r.school_id,
    r.cal,
    r.days,
    least(r.days, 20) AS days_20,
    r.reported,
    -- recorded: an attendance row that day or, where only exceptions are listed, a reported day
    coalesce(a.listed, 0) | CASE WHEN $exceptions THEN r.reported ELSE 0 END AS recorded,
    coalesce(a.absent, 0) AS absent,
    coalesce(a.unexcused, 0) AS unexcused,
    coalesce(a.leave, 0) AS leave,
    coalesce(a.late, 0) AS late,  -- and left early
    coalesce(a.left_early, 0) AS left_early,
    coalesce(a.home, 0) AS home,
    coalesce(a.absent_ytd, 0) AS absent_ytd,
    CASE
        WHEN $exceptions THEN r.reported_ytd + coalesce(a.unreported_ytd, 0)
        ELSE coalesce(a.listed_ytd, 0)
    END AS recorded_ytd,
    CASE
        WHEN a.listed_after_break > 0 THEN a.absent_after_break
        WHEN $exceptions AND r.break_back IS NOT NULL AND r.reported_after THEN 0
    END AS absent_after_break
FROM roster AS r
LEFT JOIN attendance_masks AS a ON a.sid = r.sid;

-- The longest run of unexcused recorded days: days between which no other recorded day lies.
CREATE OR REPLACE TEMP TABLE unexcused_runs AS
WITH days AS (
    SELECT
        m.sid,
        bit_count((m.recorded & ~m.unexcused) & ((CAST(1 AS BIGINT) << p.back) - 1)) AS run
    FROM day_masks AS m
    JOIN (SELECT CAST(unnest(range(60)) AS INTEGER) AS back) AS p
        ON (m.unexcused >> p.back) & 1 = 1
    WHERE m.unexcused <> 0
),
runs AS (SELECT sid, run, count(*) AS length FROM days GROUP BY sid, run)
SELECT sid, max(length) AS longest FROM runs GROUP BY sid;

-- Least-squares slope of absent (0/1) on the position of the day: n*Sxy - Sx*Sy over n*Sxx - Sx*Sx.
-- `back` runs against time, hence the sign. Only who was absent at all; for the others it is 0.
CREATE OR REPLACE TEMP TABLE absence_trends AS
WITH points AS (
    SELECT
        m.sid,
        CAST(p.back AS BIGINT) AS x,
        CAST((m.absent >> p.back) & 1 AS BIGINT) AS y
    FROM day_masks AS m
    JOIN (SELECT CAST(unnest(range(60)) AS INTEGER) AS back) AS p
        ON (m.recorded >> p.back) & 1 = 1
    WHERE m.absent <> 0
),
sums AS (
    SELECT
        sid,
        count(*) AS n,
        CAST(sum(x) AS BIGINT) AS sx,
        CAST(sum(y) AS BIGINT) AS sy,
        CAST(sum(x * y) AS BIGINT) AS sxy,
        CAST(sum(x * x) AS BIGINT) AS sxx
    FROM points
    GROUP BY sid
)
SELECT
    sid,
    -20.0 * CAST(n * sxy - sx * sy AS DOUBLE) / CAST(n * sxx - sx * sx AS DOUBLE) AS trend
FROM sums
WHERE n >= 10;

CREATE OR REPLACE TEMP TABLE attendance_features AS
WITH m AS (
    SELECT
        d.*,
        c.on_leave,
        bit_count(d.recorded & 31) AS recorded_5,
        bit_count(d.recorded & 1048575) AS recorded_20,
        bit_count(d.recorded) AS recorded_60,
        d.recorded & ~d.unexcused AS not_unexcused,
        d.recorded & ~d.absent AS there
    FROM day_masks AS d
    JOIN cohort AS c ON c.sid = d.sid
),
f AS (
    SELECT
        m.sid,
        CASE WHEN recorded_5 > 0
            THEN round(CAST(bit_count(absent & 31) AS DOUBLE) / recorded_5, 9)
        END AS absence_rate_5d,
        CASE WHEN recorded_20 > 0
            THEN round(CAST(bit_count(absent & 1048575) AS DOUBLE) / recorded_20, 9)
        END AS absence_rate_20d,
        CASE WHEN recorded_60 > 0
            THEN round(CAST(bit_count(absent) AS DOUBLE) / recorded_60, 9)
        END AS absence_rate_60d,
        CASE WHEN recorded_ytd > 0
            THEN round(CAST(absent_ytd AS DOUBLE) / recorded_ytd, 9)
        END AS absence_rate_ytd,
        CASE WHEN recorded_5 > 0 THEN bit_count(unexcused & 31) END AS unexcused_days_5d,
        CASE WHEN recorded_20 > 0 THEN bit_count(unexcused & 1048575) END AS unexcused_days_20d,
        CASE WHEN recorded_60 > 0 THEN bit_count(unexcused) END AS unexcused_days_60d,
        -- x & -x is the lowest bit set: the last recorded day that breaks the run
        CASE WHEN recorded_60 > 0
            THEN bit_count(unexcused & ((not_unexcused & -not_unexcused) - 1))
        END AS unexcused_run,
        CASE WHEN recorded_60 > 0
            THEN bit_count(absent & ((there & -there) - 1))
        END AS absent_run,
        CASE WHEN recorded_60 > 0 THEN coalesce(u.longest, 0) END AS longest_unexcused_run_60d,
        CASE WHEN recorded_20 > 0
            THEN round(CAST(bit_count(late & 1048575) AS DOUBLE) / recorded_20, 9)
        END AS late_rate_20d,
        CASE WHEN recorded_60 >= 10 THEN round(coalesce(t.trend, 0), 9) END AS absence_trend_60d,
        CASE WHEN reported | recorded <> 0
            THEN bit_count(reported & ((there & -there) - 1))
        END AS days_since_present,
        absent_after_break,
        CASE WHEN days > 0 THEN bit_count(home) END AS home_teaching_days_60d,
        CASE WHEN days >= 10
            THEN round(CAST(days_20 - recorded_20 AS DOUBLE) / days_20, 9)
        END AS attendance_gap_20d,
        on_leave
    FROM m
    LEFT JOIN unexcused_runs AS u ON u.sid = m.sid
    LEFT JOIN absence_trends AS t ON t.sid = m.sid
)
SELECT  -- on leave, nothing computed from the attendance table is known
    sid,
    CASE WHEN NOT on_leave THEN absence_rate_5d END AS absence_rate_5d,
    CASE WHEN NOT on_leave THEN absence_rate_20d END AS absence_rate_20d,
    CASE WHEN NOT on_leave THEN absence_rate_60d END AS absence_rate_60d,
    CASE WHEN NOT on_leave THEN absence_rate_ytd END AS absence_rate_ytd,
    CASE WHEN NOT on_leave THEN unexcused_days_5d END AS unexcused_days_5d,
    CASE WHEN NOT on_leave THEN unexcused_days_20d END AS unexcused_days_20d,
    CASE WHEN NOT on_leave THEN unexcused_days_60d END AS unexcused_days_60d,
    CASE WHEN NOT on_leave THEN unexcused_run END AS unexcused_run,
    CASE WHEN NOT on_leave THEN absent_run END AS absent_run,
    CASE WHEN NOT on_leave THEN longest_unexcused_run_60d END AS longest_unexcused_run_60d,
    CASE WHEN NOT on_leave THEN late_rate_20d END AS late_rate_20d,
    CASE WHEN NOT on_leave THEN absence_trend_60d END AS absence_trend_60d,
    CASE WHEN NOT on_leave THEN days_since_present END AS days_since_present,
    CASE WHEN NOT on_leave THEN absent_after_break END AS absent_after_break,
    CASE WHEN NOT on_leave THEN home_teaching_days_60d END AS home_teaching_days_60d,
    CASE WHEN NOT on_leave THEN attendance_gap_20d END AS attendance_gap_20d,
    on_leave
FROM f;

-- From the tables of totals: periods that have ended. Of two that end on one day, the longer-running
-- one (begun first) counts as the earlier.
CREATE OR REPLACE TEMP TABLE totals_features AS
WITH periods AS (
    SELECT
        student_id,
        CAST(days_absent AS BIGINT) AS absent,
        CAST(school_days AS BIGINT) AS days,
        row_number() OVER (PARTITION BY student_id ORDER BY "to" DESC, "from" DESC) AS nth
    FROM attendance_totals
    WHERE "to" <= $as_of
),
last_two AS (
    SELECT
        student_id,
        max(absent) FILTER (WHERE nth = 1) AS a1,
        max(days) FILTER (WHERE nth = 1) AS d1,
        max(absent) FILTER (WHERE nth = 2) AS a2,
        max(days) FILTER (WHERE nth = 2) AS d2,
        CAST(sum(absent) AS BIGINT) AS a,
        CAST(sum(days) AS BIGINT) AS d
    FROM periods
    GROUP BY student_id
)
SELECT
    student_id,
    CASE WHEN d1 > 0 THEN round(CAST(a1 AS DOUBLE) / d1, 9) END AS totals_absence_rate,
    CASE WHEN d1 > 0 AND d2 > 0
        THEN round(CAST(a1 * d2 - a2 * d1 AS DOUBLE) / (d1 * d2), 9)
    END AS totals_absence_change,
    CASE WHEN d > 0 THEN round(CAST(a AS DOUBLE) / d, 9) END AS totals_absence_rate_all
FROM last_two;
