"""Where a second level is lawful as we pay it: a share of commission on real sales, no fee, one level up.

Data to be looked over by somebody who knows the law; a country that is not named has it off. Mainland China forbids
pay by head-count, entry fee and team; three levels with thirty people are a crime there: it cannot be switched on.
"""

SECOND_LEVEL = frozenset("AT AU BE CA CH CZ DE DK ES FI FR GB IE IT JP KR LU MX MY NL NO NZ PL PT SE SG TH US".split())


def may_recruit(market: str) -> bool:
    return market in SECOND_LEVEL
