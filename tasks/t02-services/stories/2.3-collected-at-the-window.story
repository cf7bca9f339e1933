# 2.3 a clerk collects for another city, with consent by signature
at 2026-03-10
walk-in files item 121 at the window of Changsha for Xiangtan by signature
expect phase received in both cities
reviewer accepts
reviewer proposes approval
approver approves
expect phase delivering in both cities
clerk hands the result over
expect phase delivered in both cities
