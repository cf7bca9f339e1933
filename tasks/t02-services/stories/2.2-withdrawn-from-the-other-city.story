# 2.2 the applicant withdraws where she filed, the owner stops
at 2026-03-10
driver files item 121 at Changsha online for Xiangtan
expect phase received in both cities
driver withdraws at Changsha
expect phase withdrawn in both cities
