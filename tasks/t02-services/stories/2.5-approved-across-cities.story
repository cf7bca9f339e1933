# 2.5 a certificate renewed in another city
at 2026-03-10
driver files item 121 at Changsha online for Xiangtan
expect phase received in both cities
reviewer asks for a correction of phone
expect phase correcting in both cities
driver answers the correction at Xiangtan
expect phase received in both cities
reviewer accepts
expect phase accepted in both cities
expect the same due dates in both cities
reviewer proposes approval
approver approves
expect phase delivering in both cities
clerk hands the result over
expect phase delivered in both cities
driver rates window 5 and department 4
expect phase closed in both cities
expect a new version of the certificate
expect looks that name the case, each proved
