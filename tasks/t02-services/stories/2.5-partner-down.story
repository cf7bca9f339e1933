# 2.5 a city that is down neither loses nor blocks a case
at 2026-03-10
driver prepares item 121 at Changsha for Xiangtan
Xiangtan goes down
driver submits
expect phase offered at Changsha, waiting for Xiangtan
Xiangtan comes back
expect phase received in both cities
