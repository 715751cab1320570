"""Everything that can happen to the clock, with its number: for the audit log and who asks.

Imports nothing. Numbers 128..159 of the space that `policy.reasons` divides; one never changes its
meaning and is never used again.
"""

NOTHING = 0

TIME_SET = 128
TIME_JUMPED = 129
TIME_TURNED_BACK = 130
BOUND_RAISED = 131
BOUNDS_CROSSED = 132
TIME_OLD = 133
NONCE_UNKNOWN = 134
NONCE_EXPIRED = 135
NONCE_USED = 136
BAD_INSTANT = 137
NTP_TAKEN = 138
NTP_OUTSIDE = 139
NTP_ALONE = 140
RTC_READ = 141
RTC_SET = 142
RTC_ABSENT = 143
RTC_STOPPED = 144
RTC_UNREADABLE = 145
RTC_UNMARKED = 146
RTC_BEHIND = 147
RTC_AHEAD = 148
TICKS_LOST = 149
NOW_TRUSTED = 150
NOW_HOLDOVER = 151
NOW_UNKNOWN = 152

TABLE = (
    (TIME_SET, "time_set", "A signed answer to the lock's nonce set the time."),
    (TIME_JUMPED, "time_jumped", "The same; it is later than the lock held possible."),
    (TIME_TURNED_BACK, "time_turned_back", "The same; it is earlier than the lock held possible."),
    (BOUND_RAISED, "bound_raised", "A signed instant without nonce: it is not earlier than that."),
    (BOUNDS_CROSSED, "bounds_crossed", "A signed instant is later than possible: time unknown."),
    (TIME_OLD, "time_old", "A signed instant without nonce tells the lock nothing new."),
    (NONCE_UNKNOWN, "nonce_unknown", "The time answers a nonce that is not the lock's last."),
    (NONCE_EXPIRED, "nonce_expired", "The time answers a nonce of more than 60 seconds ago."),
    (NONCE_USED, "nonce_used", "The time answers a nonce that was answered before."),
    (BAD_INSTANT, "bad_instant", "The time is outside the years 2000 to 2199."),
    (NTP_TAKEN, "ntp_taken", "Network time moved the clock within what signed time allows."),
    (NTP_OUTSIDE, "ntp_outside", "Network time is outside of what signed time allows."),
    (NTP_ALONE, "ntp_alone", "Network time alone does not tell a lock the time."),
    (RTC_READ, "rtc_read", "The clock chip told the time."),
    (RTC_SET, "rtc_set", "The clock chip was set."),
    (RTC_ABSENT, "rtc_absent", "This lock has no clock chip."),
    (RTC_STOPPED, "rtc_stopped", "The clock chip's oscillator stopped: it lost the time."),
    (RTC_UNREADABLE, "rtc_unreadable", "The clock chip does not answer, or not with a time."),
    (RTC_UNMARKED, "rtc_unmarked", "The clock chip does not say when this lock set it."),
    (RTC_BEHIND, "rtc_behind", "The clock chip is behind a time that has certainly passed."),
    (RTC_AHEAD, "rtc_ahead", "The clock chip is ahead of what the lock holds possible."),
    (TICKS_LOST, "ticks_lost", "The count of milliseconds is broken: it ran backwards."),
    (NOW_TRUSTED, "now_trusted", "The time is known to within seconds, from a signed answer."),
    (NOW_HOLDOVER, "now_holdover", "The time is known with a larger error."),
    (NOW_UNKNOWN, "now_unknown", "The error is above the limit, or there is no time at all."),
)  # fmt: skip
