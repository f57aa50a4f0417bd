# Nothing says what runs here.
r0 = 2
exit
