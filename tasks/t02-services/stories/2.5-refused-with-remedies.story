# 2.5 a refusal names its ground and the way out
at 2026-03-10
driver files item 121 at Changsha online for Xiangtan
expect phase received in both cities
reviewer accepts
reviewer proposes refusal
approver refuses for conditions-not-met
expect phase closed or decided in both cities
expect a refusal with article and remedies in both cities
