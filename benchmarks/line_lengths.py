"""How long the lines of GH Archive are, and how many there are of each type.

Full: 2,064 events of 2015 to 2022 (drawn from 652 hours by go-faster; four hours of 2021-07-21;
2019-11-27-3). Trimmed: the same events with the fields that are left since October 2025, as no
whole hour of that time is at hand. Types seen fewer than twenty times borrow the lengths of
2015-01-01, hours 1, 3, 4, 5 and 15.
"""

AT = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
"""The quantiles that are listed."""

Lengths = dict[str, tuple[float, tuple[int, ...]]]
"""By type: its share of all lines, and the quantiles of its lines' bytes."""

FULL: Lengths = {
    "PushEvent": (0.5659, (580, 846, 898, 930, 1063, 2124, 7214, 15993)),
    "CreateEvent": (0.1313, (473, 500, 523, 550, 602, 763, 832, 839)),
    "PullRequestEvent": (0.0722, (13363, 14637, 15879, 16881, 18742, 26973, 32008, 35558)),
    "WatchEvent": (0.0688, (380, 404, 429, 455, 587, 617, 659, 661)),
    "IssueCommentEvent": (0.0465, (3471, 3713, 4425, 5324, 6632, 11796, 19775, 19775)),
    "ForkEvent": (0.0252, (4795, 4992, 5375, 5619, 6133, 6746, 7524, 7524)),
    "DeleteEvent": (0.0233, (436, 449, 484, 527, 655, 735, 846, 846)),
    "IssuesEvent": (0.0228, (1973, 2148, 2381, 2975, 3912, 7146, 8789, 8789)),
    "PullRequestReviewEvent": (0.0194, (16456, 16880, 17982, 19416, 21432, 23907, 24049, 24049)),
    "PullRequestReviewCommentEvent": (
        0.0097,
        (17344, 17395, 19953, 20890, 23760, 28054, 28054, 28054),
    ),
    "MemberEvent": (0.0048, (1223, 1252, 1273, 1301, 1339, 1385, 1513, 1513)),
    "ReleaseEvent": (0.0039, (1858, 1958, 2094, 2214, 2910, 4807, 7344, 11232)),
    "CommitCommentEvent": (0.0024, (1558, 1655, 1743, 1840, 1966, 2378, 2754, 3035)),
    "GollumEvent": (0.0019, (541, 554, 593, 651, 756, 853, 1371, 9119)),
    "PublicEvent": (0.0019, (365, 370, 381, 395, 423, 571, 599, 599)),
}

TRIMMED: Lengths = {
    "PushEvent": (0.5455, (517, 554, 579, 597, 633, 792, 851, 890)),
    "CreateEvent": (0.1211, (473, 500, 522, 550, 600, 775, 832, 839)),
    "PullRequestEvent": (0.0756, (809, 875, 944, 1038, 1090, 1188, 1376, 1499)),
    "WatchEvent": (0.0664, (380, 403, 430, 457, 587, 617, 659, 661)),
    "IssueCommentEvent": (0.0557, (3471, 3725, 4542, 5379, 6493, 11236, 14805, 19719)),
    "PullRequestReviewEvent": (0.0305, (2267, 2475, 2514, 2610, 2749, 3021, 3499, 3499)),
    "IssuesEvent": (0.0247, (1973, 2148, 2385, 3123, 4584, 7146, 8761, 8761)),
    "ForkEvent": (0.0228, (4795, 4992, 5375, 5619, 6133, 6746, 7524, 7524)),
    "DeleteEvent": (0.0223, (436, 449, 484, 527, 655, 735, 846, 846)),
    "PullRequestReviewCommentEvent": (0.0208, (3348, 3435, 3633, 4255, 5159, 6971, 7002, 7002)),
    "MemberEvent": (0.0048, (1249, 1253, 1271, 1299, 1343, 1422, 1513, 1513)),
    "ReleaseEvent": (0.0039, (1858, 1954, 2073, 2154, 2362, 4807, 7344, 7344)),
    "CommitCommentEvent": (0.0024, (1558, 1639, 1735, 1840, 1979, 2452, 3035, 3035)),
    "GollumEvent": (0.0019, (557, 564, 592, 646, 775, 799, 4266, 4266)),
    "PublicEvent": (0.0015, (393, 393, 399, 411, 427, 432, 432, 432)),
}
