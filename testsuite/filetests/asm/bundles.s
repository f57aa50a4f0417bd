# test: diag
# keep: diagnostics
# Bundles: what does not fit, and what does not go together.
	.bundle_lock
	.bundle_unlock
	.bundle_align_mode 0
	.bundle_align_mode 31
	.bundle_align_mode 4
	.bundle_align_mode 5
	r0 = 0
	r1 = 5 ll
	.bundle_lock align_to_start
	.bundle_lock
	.bundle_unlock
	.bundle_lock
	r0 = 1
	r0 = 2
	r0 = 3
	.bundle_unlock
	.bundle_lock align_to_end
	r0 = 5
	.bundle_unlock
	.bundle_lock
	r0 = 6
	.data
	.bundle_unlock
	.text
	.bundle_lock
	exit
