	.section license,"aéw",@progbits
	.section l2,"a\n"
