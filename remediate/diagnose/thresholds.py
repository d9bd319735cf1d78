"""Every number that the diagnosis decides by, with its unit and its reason. What explains an error, and within how many
seconds, is in causation.py.

A number that is a part of something is 0 to 1. Seconds are seconds.
"""

# == Periods ==

# Seconds. Errors closer than this to the first of them are one start: a worker has several applications.
BURST = 30.0
# Seconds. IIS notices an idle worker so late at most.
JITTER = 120.0
# Seconds. What a start takes differs by so much from one to the next.
SLACK = 15.0
# Seconds. IIS takes idle time-outs in whole minutes, so no period of one is shorter.
SHORTEST_IDLE = 60.0
# Seconds. A longer period may be a daily job's as well, so it alone does not show an idle time-out.
LONGEST_IDLE = 12 * 3600.0
# Confidence, 0 to 1, from which on a period counts; and below which it is not reported at all.
SURE, REPORTED = 0.95, 0.5
# Errors at random times show a period at SURE in fewer than 1 of 20 logs, with so many independent windows of gaps for
# each width that the gaps reach over. Measured on random times.
WINDOWS_PER_WIDTH = 4
# A shorter period is preferred to the least likely one by chance if it has this part of its weight, and is sure itself.
GOOD = 0.3
# The latest starts that are looked at, each with so many before it: enough to see a period, and bounded work.
STARTS, STARTS_BEFORE = 2000, 40

# == Clocks ==

# Seconds. Jobs run at multiples of it, in the minutes of a wall clock.
STEP = 300
# So many gaps at least show whether a phase is kept: fewer do so by chance.
KEPT = 8
# This part of the errors at least keeps to a clock that counts; the others are clients.
NEARLY_ALL = 0.9
# What varies by less than this part of the time since the event before it does not follow that event.
LESS = 0.5
# Seconds, and a part of the errors: a clock that is kept so exactly, also by so many errors that follow no event.
EXACT, OTHERS = 5.0, 0.2
# Turns a median deviation into a standard one, for errors that are distributed normally.
DEVIATION = 1.4826

# == Parts of an application's errors ==

# Starts, and a part of all: a smaller part of an application's errors is not a stream of its own.
LEAST_PART, LEAST_SHARE = 3, 0.05
# Where the IIS log has lines at more of the other moments, it does not separate errors.
CALM = 0.1
# So many applications at most are kept apart, those with the most errors: a log may hold any number of names.
NAMES = 200
# Years. .NET writes the year 1 for a date that was never set; what lies outside is no time of an error.
YEARS = range(1990, 2201)
# Seconds. An application's log and event 1309 report one error at times that differ by so much at most.
SAME = 5.0

# == The IIS log ==

# Seconds before and after an error, in which a line may be that of its request: whole seconds in the IIS log, another
# clock's in the application's, and an answer that ends a little after the error.
LINE_BEFORE, LINE_AFTER = 2.0, 4.0
# Seconds from the errors to the moments that show how busy the log is. Whole minutes are for probes that ask once a
# minute or each five: an error that comes at a probe's second once does so again and again.
ASIDE = ((-97.0, -41.0, 43.0, 89.0), (-60.0, 60.0), (-300.0, 300.0))
# More of the errors than by chance, as a part of all, may have a line in the IIS log before it counts.
STRAY = 0.2
# From here on nearly any moment has a line, and the log cannot show that a request is missing.
BUSY = 0.5

# == Symptoms and the verdict ==

# Fewer events, errors or lines are too few to speak for or against anything.
ENOUGH = 3
# Less than this part of the events was followed by an error: they speak against the fault.
FEW_FOLLOWED = 0.2
# Less than this part of the errors follows an event, though Windows logs them all: it speaks against the fault.
FEW_EXPLAINED = 0.3
# This part at least of the errors that follow no recycle comes an idle time-out after the last request.
MOST_IDLE = 0.8
# So many starts, with a median gap of less than so many seconds, are no idle stops and no recycles.
MANY_STARTS, SHORT_GAP = 20, 300.0
# Seconds. Longer periods that keep to the clock may be a schedule of recycles.
SELDOM = 4 * 3600
# Seconds. The default of idleTimeout.
DEFAULT_IDLE = 20 * 60
# Seconds. The default of periodicRestart.time: a period to expect where the pool's settings are not known.
DEFAULT_RESTART = 29 * 3600
# The latest marks are kept for the timeline.
MARKS = 2000

# == The audit's idle stops ==

# Seconds. From one idle stop to the next is an idle time-out, JITTER at most, and a start, which may take so long.
STOP_SLACK = 30.0
# So many gaps of that length at least are a cycle: one may be chance.
ENOUGH_GAPS = 2
