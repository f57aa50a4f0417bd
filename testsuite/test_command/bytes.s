r0 = 2
ÿþ
exit
