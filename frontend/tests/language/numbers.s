# Numbers of every size.
.data
.float nan, -nan, inf, -inf, 1e50, .5, 1.5e+3, 017, infinity, NaN, INF, +2, 1.1, 3.4028235e38, 1e-45
.double nan, 0x1.8p-1, 1e+5, 1.e3, -0.0, 1.1, 2.2250738585072014e-308
.single 1
.dcb 3, 1
.dcb.b 3, 1
.dcb.w 3, given
.dcb.l 3, -1
.dcb.d 3, 1.5
.dcb.s 2, 1.5
.ds 2
.ds.b 3
.ds.w 2
.ds.l 2
.ds.d 2
.ds.p 2
.ds.s 2
.ds.x 2
.dc 1, 2
.dc.b 1
.dc.w 1
.dc.l 1
.dc.a 1, x
.dc.d 1.5
.dc.s 1.5
.version "1.2"
.line 5
.line
.lto_discard a, b
.byte 0x1e+5, 0xe+1
x:
