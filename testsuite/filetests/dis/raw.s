# test: dis --raw
# test: dis --raw --endian big
# As bpftool prints it; what does not decode and a ragged end are shown as bytes.
int f(void):
; return 2;
   0: (b7) r0 = 2
       b7 00 00 00 02 00 00 00
   1: (18) r1 = 0x123456789a
       18 01 00 00 9a 78 56 34 00 00 00 00 12 00 00 00
   3: (ff)
       ff 00 00 00 00 00 00 00
       95 00 00
