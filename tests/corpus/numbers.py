"""The numbers every case must have: 112 of them."""

GROUPS = {"A": 19, "B": 10, "C": 10, "D": 19, "E": 22, "F": 23, "G": 9}
NUMBERS = [f"{group}{n:02d}" for group, count in GROUPS.items() for n in range(1, count + 1)]
